"""The data that the user's training reads: as they were pinned, and no others."""

from __future__ import annotations

from pathlib import Path

from litegate.errors import DataError
from litegate.records import FilesRef
from litegate.records.fields import file_name_problem
from litegate.storage.manifests import entries_of
from litegate.work.step_work import Work

__all__ = ["training_folder"]

_WHERE = "fine_tune.data"


def training_folder(data: FilesRef, work: Work) -> Path:
    """A folder with the files under their own names; links, since nobody writes to them.

    Raises:
        DataError: one is gone, has changed, or has a name that leads out of the folder.
    """
    root = work.folder / "training_data"
    root.mkdir()
    for entry in entries_of(work.path(data.manifest)):
        problem = file_name_problem(entry.name)
        if problem is not None:
            raise DataError(_WHERE, f"names of files, each {problem}", f"{entry.name!r:.200}")
        target = root / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(work.fetch(entry, _WHERE))
    return root
