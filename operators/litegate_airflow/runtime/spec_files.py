"""The spec files that become DAGs, light enough for every parse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from airflow.sdk import get_parsing_context

from litegate.errors import SpecError
from litegate.spec import Spec, load_spec, spec_digest, with_absolute_uris

__all__ = ["SpecFile", "SpecLike", "SpecSource", "read_for_a_task", "read_spec_files", "wanted"]


@dataclass(frozen=True)
class SpecFile:
    """A spec file and the DAG that it becomes; `spec` is None if the file is broken, and `problem` says why.

    Args:
        digest: of the file as it was read, see `litegate.spec.spec_digest`.
    """

    path: Path
    dag_id: str
    spec: Spec | None
    problem: SpecError | None = None
    digest: str = ""

    @property
    def source(self) -> SpecSource:
        """Read again by every run."""
        return SpecSource(self.path, parsed=self.spec, digest=self.digest)


@dataclass(frozen=True)
class SpecSource:
    """Where a task has its spec from: a file, which it reads when it runs, or a spec that the DAG file has made.

    Args:
        given: the file's path, or the spec.
        folder: that a spec's relative addresses and its code are in; of a file it is the file's own.
        parsed: what was there when the DAG file was read, where somebody has read it already.
        digest: of the file that it was read from.
    """

    given: Spec | str | Path
    folder: str | Path | None = None
    parsed: Spec | None = None
    digest: str = ""

    @classmethod
    def of(cls, spec: SpecLike, folder: str | Path | None = None) -> SpecSource:
        """Of what a DAG file names."""
        return spec if isinstance(spec, SpecSource) else cls(spec, folder)

    @property
    def name(self) -> str:
        """For people."""
        return f"the spec of {self.given.model.name}" if isinstance(self.given, Spec) else Path(self.given).name

    @property
    def path(self) -> str:
        """The file's; empty where there is none."""
        return "" if isinstance(self.given, Spec) else str(self.given)

    def read(self) -> Spec:
        """The spec as it is now.

        Raises:
            SpecError: the file cannot be read, or is wrong.
        """
        return with_absolute_uris(self.given, self.parent) if isinstance(self.given, Spec) else load_spec(self.given)

    @property
    def parent(self) -> Path:
        """The folder in which the user's own code is looked for."""
        if isinstance(self.given, Spec):
            return Path(self.folder or ".").resolve()
        return Path(self.given).resolve().parent


SpecLike = Spec | str | Path | SpecSource


def wanted(dag_id: str) -> bool:
    """Whether the DAG file is read for this DAG too: a worker needs only its own. It may be a pattern."""
    own = get_parsing_context().dag_id
    return own is None or fnmatchcase(own, dag_id)


def read_for_a_task() -> bool:
    """Whether a worker reads the DAG file to run a task of a DAG that Airflow has read before."""
    return get_parsing_context().dag_id is not None


def read_spec_files(*folders: Path) -> dict[str, SpecFile]:
    """The spec files of these folders and of each in `LITEGATE_SPEC_FOLDERS`, by DAG id; the last one wins."""
    further = map(Path, filter(None, os.environ.get("LITEGATE_SPEC_FOLDERS", "").split(os.pathsep)))
    found: dict[str, SpecFile] = {}
    for each in (*folders, *further):
        for item in _read_folder(each):
            _add(found, item)
    return _with_one_watcher(found)


def _with_one_watcher(found: dict[str, SpecFile]) -> dict[str, SpecFile]:
    """Specs that share a model share its watcher, and the shortest interval counts: an asset has but one."""
    shortest: dict[str, int] = {}
    for item in found.values():
        if item.spec is not None and item.spec.model.watch is not None:
            uri, watch = item.spec.model.uri, item.spec.model.watch
            shortest[uri] = min(watch, shortest.get(uri, watch))
    return {dag_id: _watched(item, shortest) for dag_id, item in found.items()}


def _watched(item: SpecFile, shortest: dict[str, int]) -> SpecFile:
    if item.spec is None:
        return item
    model = item.spec.model.model_copy(update={"watch": shortest.get(item.spec.model.uri)})
    return replace(item, spec=item.spec.model_copy(update={"model": model}))


def _read_folder(folder: Path) -> list[SpecFile]:
    """The spec files of one folder; two of one name are an error of the second."""
    # Links may lead nowhere, or several to one file.
    files = {path.resolve(): path for path in sorted(folder.glob("*.yaml"), reverse=True) if path.exists()}
    items: dict[str, SpecFile] = {}
    for path in sorted(files.values()):
        item = _read(path)
        if item.spec and item.dag_id in items and items[item.dag_id].spec:
            taken = items[item.dag_id].path.name
            got = f"{item.spec.model.name!r}, which is also that of {taken}"
            item = _broken(path, SpecError(f"{path}: model.name", "a name that no other spec has", got))
        _add(items, item)
    return list(items.values())


def _add(found: dict[str, SpecFile], item: SpecFile) -> None:
    """Add a spec file; a broken one takes no good one's place, for its name is only that of its file."""
    taken = found.get(item.dag_id)
    if item.spec is None and taken is not None and taken.spec is not None:
        item = replace(item, dag_id=f"{item.dag_id}__broken")
    elif item.spec is not None and taken is not None and taken.spec is None:
        found[f"{item.dag_id}__broken"] = replace(taken, dag_id=f"{item.dag_id}__broken")
    found[item.dag_id] = item


def _broken(path: Path, problem: SpecError) -> SpecFile:
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)
    return SpecFile(path, f"quantize__{stem}", None, problem)


@lru_cache(1000)
def _parsed(path: Path, digest: str) -> Spec:  # noqa: ARG001 (of another digest it is another file)
    """One DAG file asks for it once for each kind of DAG."""
    return load_spec(path)


def _read(path: Path) -> SpecFile:
    try:
        # First the digest: of a file that is changed meanwhile, it must not be that of what is read too early.
        digest = spec_digest(path)
        spec = _parsed(path, digest)
    except SpecError as error:
        return _broken(path, error)
    return SpecFile(path, f"quantize__{spec.model.name}", spec, digest=digest)
