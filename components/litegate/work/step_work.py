"""What a step sees of the outside while it runs in its child process."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from litegate.digest import digest_file
from litegate.records import FileRef
from litegate.storage import user_objects
from litegate.storage.manifests import Entry
from litegate.storage.opening import local_path
from litegate.storage.versions import ModelFiles, model_files
from litegate.work import broker

__all__ = ["PROGRESS", "SECONDS", "Work"]

SECONDS = "LITEGATE_STEP_SECONDS"
"""The environment variable that tells a step how long it may take."""

PROGRESS = "LITEGATE_STEP_PROGRESS"
"""The one that names the folder in which the step may keep what it has done so far."""

log = logging.getLogger("litegate")


@dataclass(frozen=True)
class Work:
    """A step's own folder, the files that its request names, and the files that it hands back.

    Attributes:
        folder: scratch space of this step alone, deleted when it has ended.
        cache: local copies of workspace files and of the user's S3 objects.
        not_isolated: what this host could not shut the step off from, in words.
    """

    folder: Path
    cache: Path
    not_isolated: tuple[str, ...] = ()

    def path(self, ref: FileRef) -> Path:
        """Where the bytes of a file named by the request lie; fetched and verified before the step began."""
        return self.cache / "files" / ref.digest

    def tree(self, refs: tuple[FileRef, ...], name: str) -> Path:
        """A folder in which the files have their own names again; links, since nobody writes to them."""
        root = self.folder / name
        for ref in refs:
            target = root / ref.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(self.path(ref))
        return root

    def keep(self, path: Path, name: str | None = None) -> FileRef:
        """Hand a file back; it is published under its digest once the step has succeeded."""
        ref = FileRef(name=name or path.name, digest=digest_file(path), bytes=path.stat().st_size)
        self.outputs.mkdir(exist_ok=True)
        shutil.move(path, self.outputs / ref.digest)
        return ref

    def keep_tree(self, root: Path) -> tuple[FileRef, ...]:
        """Hand back every file below `root`, by relative name, sorted."""
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return tuple(self.keep(path, path.relative_to(root).as_posix()) for path in paths)

    def keep_bytes(self, data: bytes, name: str) -> FileRef:
        """Hand back `data` as a file."""
        path = self.folder / "keep"
        path.write_bytes(data)
        return self.keep(path, name)

    def fetch(self, entry: Entry, where: str) -> Path:
        """A local file with the bytes of a pinned object of the user's data.

        Raises:
            DataError: the object is gone, is no longer the pinned one, or is not of a dataset of the request.
        """
        if local_path(entry.uri) is None and broker.is_served(self.folder):
            return broker.fetch(self.folder, entry, where)
        return user_objects.fetch(entry, self.cache, where)

    def fetch_spans(self, wanted: Sequence[user_objects.Wanted], where: str) -> list[Path]:
        """For each pinned object a local file with parts of it in their places.

        Raises:
            DataError: as for `fetch`.
        """
        if any(local_path(entry.uri) is None for entry, _ in wanted) and broker.is_served(self.folder):
            return broker.fetch_spans(self.folder, wanted, where)
        return user_objects.fetch_spans(wanted, self.folder, self.cache, where)

    def list_entries(self, uri: str, where: str, needed: bool = True) -> tuple[Entry, ...]:
        """Every object at an address of the request; see `user_objects.list_entries`.

        Raises:
            DataError: there is nothing where there must be something, or the address is none of the request.
        """
        if not broker.is_served(self.folder):
            return user_objects.list_entries(uri, where, needed)
        return broker.list_entries(self.folder, uri, where, needed)

    def model_files(self, uri: str, where: str) -> ModelFiles:
        """The files of the model at an address of the request; see `versions.model_files`.

        Raises:
            DataError: there is nothing, or the address is none of the request.
        """
        if not broker.is_served(self.folder):
            return model_files(uri, where)
        return broker.find_model(self.folder, uri, where)

    def say(self, message: str, *values: object) -> None:
        """One line for the step's log."""
        log.info(message, *values)

    @property
    def seconds(self) -> float:
        """How long the step may take."""
        return float(os.environ.get(SECONDS, "inf"))

    @property
    def progress(self) -> Path | None:
        """A folder of this very result that outlives the process; None where a next try begins anew."""
        folder = os.environ.get(PROGRESS)
        return Path(folder) if folder else None

    @property
    def isolation(self) -> str:
        """How this host shuts a step off from what is not its own, for the record."""
        return "; ".join(self.not_isolated) or "complete"

    @property
    def outputs(self) -> Path:
        """Where files that are handed back wait for publication."""
        return self.folder / "outputs"
