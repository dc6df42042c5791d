"""A conditional write is one step: moto looks first whether there is an object, and writes then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Conditional"]

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Conditional:
    """A WSGI application around moto's that lets one conditional write at a time through.

    Args:
        application: moto's.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let moto carry the request out; of two that come at once for a new object, the second finds it there."""
        if environ["REQUEST_METHOD"] not in ("PUT", "POST") or "HTTP_IF_NONE_MATCH" not in environ:
            return self._application(environ, start_response)
        with self._one_at_a_time:
            return list(self._application(environ, start_response))
