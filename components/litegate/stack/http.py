"""HTTP with the servers of the stack, which are on loopback and have no TLS."""

from __future__ import annotations

import ssl
from functools import cache

__all__ = ["no_certificates"]


@cache
def no_certificates() -> ssl.SSLContext:
    """For `verify`: nobody is trusted, so that https is refused. The certificates of the world take 40 ms to load."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
