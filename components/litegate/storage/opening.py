"""The storage behind an address, by its scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from litegate.addresses import FORMS, scheme_of
from litegate.errors import BadInput
from litegate.storage.local import LocalStorage
from litegate.storage.protocol import Storage
from litegate.storage.s3 import S3Storage

__all__ = ["STORAGES", "local_path", "open_storage"]

STORAGES: Mapping[str | None, Callable[[str], Storage]] = MappingProxyType({None: LocalStorage, "s3": S3Storage})
"""By scheme; None is a local path."""


def open_storage(uri: str) -> Storage:
    """The storage whose root is at an address. Nothing is connected to before it is used.

    Raises:
        BadInput: nothing is known of the scheme, or there is a NUL in it, which no path has.
    """
    if "\0" in uri:
        raise BadInput(repr(uri), "an address without NUL characters", "one with them")
    scheme = scheme_of(uri)
    if scheme not in STORAGES:
        raise BadInput(uri, f"a local path, or {' or '.join(FORMS.values())}", f"{scheme}://")
    return STORAGES[scheme](uri)


def local_path(uri: str) -> Path | None:
    """Where the object or folder of an address lies on this host; None for what has to be fetched."""
    return open_storage(uri).path("")
