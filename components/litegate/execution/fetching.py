"""What a step reads: the files of its request, fetched before it begins, and the users' data, fetched as it asks."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from litegate.execution.confinement import listed_uris, manifests, named, objects_folder
from litegate.execution.step import Step
from litegate.records import FileRef, Record
from litegate.storage.use import use_local
from litegate.storage.workspace import Workspace
from litegate.work.broker import Broker

__all__ = ["data_broker", "fetch_files"]


def fetch_files(request: Record, workspace: Workspace) -> tuple[Path, ...]:
    """Local copies of the files that a request names, in the workspace's cache.

    Raises:
        StoreError: a file is gone, or its bytes are not what its digest says.
    """
    return tuple(workspace.fetch(ref) for ref in sorted(set(named(request, FileRef)), key=lambda ref: ref.digest))


def data_broker(step: Step, request: Record, folder: Path, cache: Path) -> AbstractContextManager[Broker | None]:
    """What serves a step with the users' data, if it is to have any and cannot get it by itself.

    Args:
        folder: the step's work folder, in which its socket is.
    """
    uris, files = listed_uris(request), manifests(request, cache)
    if not step.confined or not (uris or files):
        return nullcontext()
    objects = objects_folder(request, cache)
    objects.mkdir(parents=True, exist_ok=True)
    use_local(objects)
    return Broker(folder, cache, objects, uris, files)
