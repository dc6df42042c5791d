"""Addresses of what users bring and of the workspace: local paths, and `scheme://` for each kind of server."""

from __future__ import annotations

import re
from types import MappingProxyType

__all__ = ["ADDRESS", "FORMS", "scheme_of"]

FORMS = MappingProxyType({"s3": "s3://bucket/key"})
"""How an address looks, by its scheme; `litegate.storage.opening` has the storage behind each."""

ADDRESS = rf"({'|'.join(FORMS)})://[^/]+/."
"""Pattern of how an address of one of these schemes begins."""


def scheme_of(uri: str) -> str | None:
    """What stands before `://`, whether it is known or not; None for a local path."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", uri)
    return found[1] if found else None
