"""Who decides, for the promotion log and for notes."""

from __future__ import annotations

import getpass
import os
import socket

from litegate.errors import BadInput

__all__ = ["actor"]

ACTOR = "LITEGATE_ACTOR"
_TEXT_LIMIT = 1000


def actor() -> str:
    """Who decides: `LITEGATE_ACTOR`, or the user and the host.

    Raises:
        BadInput: the variable is too long.
    """
    named = os.environ.get(ACTOR, "").strip()
    if len(named) > _TEXT_LIMIT:
        raise BadInput(ACTOR, f"at most {_TEXT_LIMIT} characters", f"{len(named)}")
    return named or f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry, as containers have it
        return f"uid {os.getuid()}"
