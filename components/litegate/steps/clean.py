"""Remove from the workspace, and from this host's cache and scratch folders, what was not used for long.

What a registered version or a ledger refers to stays, whenever it was used. Results go before files, and files
stay two days longer, so that no result outlives its files; a step that finds one without them computes it again.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from litegate.errors import StoreError
from litegate.records import Cleaned, CleanRequest, Fate, Pile
from litegate.steps import STEPS
from litegate.storage.opening import open_storage
from litegate.storage.protocol import Storage, Stored
from litegate.storage.user_objects import DIGEST_SUFFIX
from litegate.tracking import runs
from litegate.tracking.needed import Needed, needed_digests
from litegate.work.step_work import Work

__all__ = ["run"]

DAY = 86_400
_MARGIN = 2
_DIGEST = "[0-9a-f]{64}"
_RESULT = re.compile(rf"[a-z_]+/{_DIGEST}\.json")
_FILE = re.compile(_DIGEST)
_JOB = re.compile(r"[0-9a-f]{32}/(job|result|error|returned)\.json")
_OBJECT = re.compile(rf"{_DIGEST}({re.escape(DIGEST_SUFFIX)})?")
_UNFINISHED = re.compile(r"([a-z_]+/)?\.tmp-[A-Za-z0-9_]+")
_SCRATCH = re.compile(rf"({'|'.join(STEPS)})-[A-Za-z0-9_]+")
_NAMES_SHOWN = 20


def run(request: CleanRequest, work: Work) -> Cleaned:
    """Look at everything, and delete what was not used for `request.days` if `request.apply` says so.

    Raises:
        StoreError: MLflow cannot be read to the end, or is not the one of this workspace; nothing was deleted then.
            Or an object cannot be deleted.
    """
    needed = needed_digests(runs.connect(), work.folder, work.say)
    _check_belongs(request.workspace, needed)
    sweep = _Sweep(request, needed, work)
    sweep.workspace()
    sweep.this_host()
    return Cleaned(
        workspace=request.workspace,
        days=request.days,
        applied=request.apply,
        piles=sweep.piles(),
        foreign=tuple(sweep.foreign[:_NAMES_SHOWN]),
    )


def _check_belongs(workspace: str, needed: Needed) -> None:
    """An MLflow that knows nothing of this workspace would call everything in it unneeded."""
    files = open_storage(f"{workspace}/files")
    if not any(files.find(digest) for digest in needed.promotable):
        found = f"{len(needed.promotable)} registered versions, none of which has its file in {workspace}"
        raise StoreError(
            f"MLflow has {found}: is it the server of this workspace? Nothing is deleted before a version is registered"
        )


class _Sweep:
    """Goes through the places of a request, page by page, and counts what becomes of what."""

    def __init__(self, request: CleanRequest, needed: Needed, work: Work) -> None:
        self.request, self.needed, self.work = request, needed, work
        self.now = time.time()
        self.foreign: list[str] = []
        self._counts: Counter[tuple[str, Fate]] = Counter()
        self._bytes: Counter[tuple[str, Fate]] = Counter()

    def workspace(self) -> None:
        """Results, then files, and jobs whose caller was killed."""
        root = self.request.workspace
        self._objects(f"{root}/results", "results", _RESULT, self.request.days)
        self._objects(f"{root}/files", "files", _FILE, self.request.days + _MARGIN, self.needed)
        self._objects(f"{root}/jobs", "jobs", _JOB, self.request.days)
        for name in open_storage(root).children():
            if name not in ("results", "files", "jobs", "marks"):  # a mark is small, and says how far somebody is
                self._is_foreign("workspace", f"{root}/{name}", 0)

    def this_host(self) -> None:
        """Copies of files and of users' objects, and what steps have left that were ended by force."""
        cache, days = self.request.cache, self.request.days
        self._objects(f"{cache}/files", "cached files", _FILE, days)
        self._folders(Path(cache, "sets"), "cached datasets", _FILE)
        self._objects(f"{cache}/objects", "cached objects", _OBJECT, days)
        self._folders(Path(self.request.scratch), "scratch folders", _SCRATCH)

    def piles(self) -> tuple[Pile, ...]:
        """What was counted, kind by kind."""
        return tuple(
            Pile(kind=kind, fate=fate, count=count, bytes=self._bytes[kind, fate])
            for (kind, fate), count in self._counts.items()
        )

    def _objects(self, root: str, kind: str, ours: re.Pattern[str], days: int, needed: Needed | None = None) -> None:
        storage, seen = open_storage(root), 0
        for page in storage.pages():
            unused = [item for item in page if self._fate(storage, kind, ours, days, needed, item) == "unused"]
            if self.request.apply and unused:
                storage.delete([item.name for item in unused])
            seen += len(page)
            self.work.say("%s: %s looked at, %s unused", kind, f"{seen:,}", f"{self._counts[kind, 'unused']:,}")

    def _fate(
        self, storage: Storage, kind: str, ours: re.Pattern[str], days: int, needed: Needed | None, item: Stored
    ) -> Fate:
        unfinished = _UNFINISHED.fullmatch(item.name)
        if not (unfinished or ours.fullmatch(item.name)):
            return self._is_foreign(kind, storage.uri(item.name), item.size)
        fate: Fate = "unused"
        if needed and item.name in needed.registered:
            fate = "registered"
        elif needed and item.name in needed.ledger:
            fate = "ledger"
        elif item.modified > self.now - days * DAY:
            fate = "recent"
        return self._counted("unfinished writes" if unfinished else kind, fate, item.size)

    def _folders(self, root: Path, kind: str, ours: re.Pattern[str]) -> None:
        others = (path for path in root.iterdir() if path != self.work.folder) if root.is_dir() else ()
        for path in sorted(others):
            with suppress(FileNotFoundError):  # a step that has ended meanwhile
                self._folder(path, kind, ours)

    def _folder(self, path: Path, kind: str, ours: re.Pattern[str]) -> None:
        if not ours.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
            self._is_foreign(kind, str(path), 0)
            return
        inside = [each.lstat() for each in path.rglob("*")]
        last = max(status.st_mtime for status in (path.stat(), *inside))
        # Further names of a file that is counted elsewhere take no room.
        size = sum(status.st_size for status in inside if status.st_nlink == 1)
        fate = self._counted(kind, "recent" if last > self.now - self.request.days * DAY else "unused", size)
        if self.request.apply and fate == "unused":
            shutil.rmtree(path, ignore_errors=True)

    def _is_foreign(self, kind: str, name: str, size: int) -> Fate:
        self.foreign.append(name)
        return self._counted(kind, "foreign", size)

    def _counted(self, kind: str, fate: Fate, size: int) -> Fate:
        self._counts[kind, fate] += 1
        self._bytes[kind, fate] += size
        return fate
