"""A model by its address. With a wildcard in it the address stands for many versions, and the newest one counts.

`s3://bucket/models/*.keras` are files, `s3://bucket/models/*/saved_model.pb` are SavedModel folders. A version is
written once and never changed, so that no reader sees half of one: in a folder `saved_model.pb` comes last, and
without it there is no version yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litegate.digest import digest_json
from litegate.errors import DataError
from litegate.storage.globs import split_glob
from litegate.storage.manifests import Entry, manifest_digest
from litegate.storage.user_objects import listed

__all__ = ["SAVED_MODEL", "ModelFiles", "find_model", "model_files", "version_uri"]

SAVED_MODEL = "saved_model.pb"
"""The file of a SavedModel that says that it is one."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model, as they were found.

    Attributes:
        uri: the file, or the folder of a SavedModel; without a wildcard.
        modified: when the newest of them was last written, in seconds since the epoch.
    """

    uri: str
    entries: tuple[Entry, ...]
    modified: float

    @property
    def identity(self) -> str:
        """Digest of which files these are, by their names and pins: cheap, and not that of their bytes."""
        return digest_json([self.uri, manifest_digest(self.entries)])


def find_model(uri: str, where: str) -> ModelFiles | None:
    """What is at an address now, or None.

    Of versions the one that was written last is taken, of several at once the last one by name.

    Args:
        where: the spec key that names it, for messages.

    Raises:
        DataError: the S3 server refuses.
    """
    if split_glob(uri) is None:
        return _all_files(uri, where)
    newest = max(listed(uri, where), key=lambda each: (each.modified, each.entry.name), default=None)
    if newest is None:
        return None
    folder = newest.entry.uri.removesuffix(f"/{SAVED_MODEL}")
    if folder == newest.entry.uri:
        return ModelFiles(folder, (newest.entry,), newest.modified)
    return _all_files(folder, where)


def model_files(uri: str, where: str) -> ModelFiles:
    """The same where there must be something.

    Raises:
        DataError: there is nothing, or the S3 server refuses.
    """
    found = find_model(uri, where)
    if found is None:
        raise DataError(where, "an existing file, folder or S3 object", f"nothing at {uri}")
    return found


def _all_files(uri: str, where: str) -> ModelFiles | None:
    found = sorted(listed(uri, where), key=lambda each: each.entry.name)
    if not found:
        return None
    return ModelFiles(uri, tuple(each.entry for each in found), max(each.modified for each in found))


def version_uri(uri: str, digest: str) -> str:
    """The address of a new version of `digest`: the time of now in the place of the wildcard, if there is one."""
    return uri.replace("*", f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{digest[:12]}")
