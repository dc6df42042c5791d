"""What a step's child may use: memory and time, environment variables, files. Decided here, in its parent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from litegate.digest import digest_json
from litegate.errors import BadInput
from litegate.execution.graphics import device_nodes, driver_files
from litegate.execution.hidden import hidden_paths, not_hidden, shown_paths
from litegate.execution.sandbox import Confinement
from litegate.execution.step import Step, parts
from litegate.execution.warm.inherited import AT_START
from litegate.records import (
    FileRef,
    FilesRef,
    QuantizeRequest,
    Record,
    ResolveRequest,
    SnapshotRequest,
    TrainRequest,
    UserCode,
)
from litegate.settings import SIGNING_KEY, Settings
from litegate.spec import Spec
from litegate.storage.access import access_variables
from litegate.storage.globs import split_glob
from litegate.storage.manifests import Entry
from litegate.storage.opening import local_path
from litegate.storage.user_objects import list_entries
from litegate.surroundings import replacing, variables

__all__ = [
    "child_environment",
    "confinement",
    "disk_limit",
    "listed_uris",
    "manifests",
    "memory_limit",
    "named",
    "objects_folder",
    "process_limit",
    "time_limit",
]

GIB = 1 << 30
_DISK = 16 * GIB
_PER_CORE = 32 << 20
_TRAINING = 64.0
"""GiB, as for the step `train`: what the user's training takes is nobody's guess."""
_MANY_FILES = 256

_PASSED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|TERM|LD_LIBRARY_PATH|LITEGATE_STACK|LITEGATE_MAX_\w+"
    r"|PYTHON(PATH|HOME|HASHSEED|UTF8|WARNINGS|DONTWRITEBYTECODE|NOUSERSITE|FAULTHANDLER|MALLOC)"
    r"|VK_(DRIVER_FILES|ICD_FILENAMES|ADD_DRIVER_FILES)"
    r"|(OMP|OPENBLAS|MKL|KMP|GOTO|NVPL|TF|XLA|XNNPACK|ONEDNN|MALLOC)_\w+"
)
_IN_TRAINING = {name: value for name, value in AT_START.items() if name != "CUDA_VISIBLE_DEVICES"}
Kind = TypeVar("Kind", bound=Record)


def confinement(step: Step, request: Record, folder: Path, settings: Settings) -> Confinement:
    """What the child of `step` may do for `request`.

    Raises:
        BadInput: a limit in the environment is not one, or a path that is to be read is hidden from all steps.
    """
    disk, hidden, shown = disk_limit(), hidden_paths(settings), shown_paths()
    return Confinement(
        parent=os.getpid(),
        memory=memory_limit(step, request),
        file_size=max(_DISK, disk),
        confined=step.confined,
        required=os.environ.get("LITEGATE_ISOLATION") == "required",
        read=tuple(not_hidden(_readable(request, settings), hidden, shown)) if step.confined else (),
        opened=tuple(map(str, _opened(request, settings.cache))),
        write=(str(folder),),
        devices=tuple(device_nodes(request)) if step.confined else (),
        hidden=hidden,
        shown=shown,
        shelves=(str(settings.cache / "files"), str(settings.cache / "sets")),
        disk=disk,
        processes=process_limit(),
    )


def child_environment(step: Step, folder: Path) -> dict[str, str]:
    """A confined child gets known harmless variables; others their parent's, but the secrets that they do not need.

    Raises:
        Refused: it is to reach S3 in a role that may not be assumed.
    """
    if step.confined:
        also = os.environ.get("LITEGATE_PASS_ENVIRONMENT", "").split(",")
        environment = {name: value for name, value in variables().items() if _PASSED.fullmatch(name) or name in also}
    else:
        private = ["AIRFLOW", "_AIRFLOW"]
        private += [] if step.tracking else ["MLFLOW_"]
        private += [] if step.storage else ["AWS_"]
        private += [] if step.signs else [SIGNING_KEY]
        with replacing(access_variables() if step.storage else {}):
            environment = {name: value for name, value in variables().items() if not name.startswith(tuple(private))}
    own = dict.fromkeys(("TMPDIR", "KERAS_HOME"), str(folder))
    if step.storage:
        return environment | _IN_TRAINING | own
    return environment | dict(AT_START) | own | {"HOME": str(folder)}


def memory_limit(step: Step, request: Record) -> int:
    """Bytes of address space: `LITEGATE_MEMORY_LIMIT`, or what the step and the size of its files ask for.

    Measured with TensorFlow 2.21: the converter takes up to ten times the size of the float model.

    Raises:
        BadInput: the variable is not a size.
    """
    given = _size("LITEGATE_MEMORY_LIMIT")
    if given:
        return given
    files = sum(ref.bytes for ref in set(named(request, FileRef)))
    trains = isinstance(request, QuantizeRequest) and request.fine_tune is not None
    least = max(step.memory, _TRAINING) if trains else step.memory
    return max(int(least * GIB), 3 * GIB // 2 + 10 * files) + _PER_CORE * (os.cpu_count() or 1)


def disk_limit() -> int:
    """Bytes that the files of a confined step may have together: `LITEGATE_DISK_LIMIT`, or 16 GiB.

    Raises:
        BadInput: the variable is not a size.
    """
    return _size("LITEGATE_DISK_LIMIT") or _DISK


def process_limit() -> int:
    """How many processes a confined step may have at a time: `LITEGATE_PROCESS_LIMIT`, or 64 and four for each core.

    Raises:
        BadInput: the variable is not a number.
    """
    given = os.environ.get("LITEGATE_PROCESS_LIMIT") or str(64 + 4 * (os.cpu_count() or 1))
    if not given.isdecimal() or int(given) < 1:
        raise BadInput("LITEGATE_PROCESS_LIMIT", "a number of processes", repr(given))
    return int(given)


def time_limit(step: Step, request: Record) -> float:
    """Seconds: the spec's for the user's training, else `LITEGATE_TIME_LIMIT`, or the step's own for each of its files.

    Raises:
        BadInput: the variable is not a number of seconds.
    """
    if isinstance(request, TrainRequest):
        return request.retrain.time_limit
    if isinstance(request, QuantizeRequest) and request.fine_tune is not None:
        return request.fine_tune.time_limit
    given = os.environ.get("LITEGATE_TIME_LIMIT")
    if not given:
        return step.timeout * len(parts(step, request))
    if not re.fullmatch(r"\d+(\.\d+)?", given) or float(given) <= 0:
        raise BadInput("LITEGATE_TIME_LIMIT", "a number of seconds", repr(given))
    return float(given)


def named(value: object, kind: type[Kind]) -> Iterator[Kind]:
    """Every record of a kind that a record names, at any depth."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Record):
        for name in type(value).model_fields:
            yield from named(getattr(value, name), kind)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from named(item, kind)
    elif isinstance(value, dict):
        for item in value.values():
            yield from named(item, kind)


def listed_uris(request: Record) -> frozenset[str]:
    """What a step may list: the addresses of the spec that it pins."""
    if isinstance(request, SnapshotRequest) and request.spec.requalify is not None:
        return frozenset({request.spec.requalify.uri})
    if not isinstance(request, ResolveRequest):
        return frozenset()
    spec = request.spec
    own = (spec.calibration.uri, spec.evaluation.uri, spec.model.uri)
    training = (spec.fine_tune.data,) if spec.fine_tune is not None else ()
    return frozenset({*own, *training, *_single_files(spec), *_evidence(spec)})


def _evidence(spec: Spec) -> tuple[str, ...]:
    """The address, with a wildcard, of what a device has given."""
    device = spec.evaluation.device
    return () if device is None else (device.everything,)


def _single_files(spec: Spec) -> Iterator[str]:
    """Addresses of files beside the model."""
    yield from (each.location for each in spec.candidates)
    if spec.model.recorded_outputs is not None:
        yield spec.model.recorded_outputs


def manifests(request: Record, cache: Path) -> tuple[Path, ...]:
    """The manifests of the datasets that a request names, which must have been fetched."""
    digests = {ref.manifest.digest for ref in named(request, FilesRef)}
    return tuple(cache / "files" / digest for digest in sorted(digests))


def objects_folder(request: Record, cache: Path) -> Path:
    """Where a step finds the fetched objects of the datasets that it may see; others with the same ones do too."""
    seen = [sorted(listed_uris(request)), [path.name for path in manifests(request, cache)]]
    return cache / "sets" / digest_json(seen)


def _opened(request: Record, cache: Path) -> Iterator[Path]:
    yield objects_folder(request, cache)
    yield from {cache / "files" / ref.digest for ref in named(request, FileRef)}


def _readable(request: Record, settings: Settings) -> Iterator[str]:
    """The user's code, and data that lies on this host."""
    yield from filter(None, os.environ.get("LITEGATE_READABLE", "").split(os.pathsep))
    yield from driver_files(request)
    yield from {code.folder for code in named(request, UserCode) if code.folder}
    if isinstance(request, ResolveRequest | SnapshotRequest):
        yield request.folder
    if isinstance(request, ResolveRequest):
        uris = (request.spec.model.uri, *_single_files(request.spec), *_evidence(request.spec))
        for uri in (uri for uri in uris if local_path(uri) is not None):
            yield from _places_of_model(uri)
    for digest in {ref.manifest.digest for ref in named(request, FilesRef) if local_path(ref.uri) is not None}:
        lines = (settings.cache / "files" / digest).read_text().splitlines()
        yield from _places(tuple(Entry.model_validate_json(line) for line in lines))


def _places_of_model(uri: str) -> Iterator[str]:
    """The files of a local model, or the folder of its versions: there may be a newer one when it is read."""
    versions = split_glob(uri)
    if versions is not None:
        yield versions[0]
        return
    with suppress(BadInput):  # the step will say so
        yield from _places(list_entries(uri, "model.uri"))


def _places(entries: tuple[Entry, ...]) -> Iterator[str]:
    """The files of local entries, or their folders if there are many."""
    paths = [entry.uri for entry in entries if local_path(entry.uri) is not None]
    if len(paths) <= _MANY_FILES:
        yield from paths
        return
    yield from {str(Path(path).parent) for path in paths}
    yield from (path for path in paths if Path(path).is_symlink())


def _size(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None and text:
        raise BadInput(variable, "a size such as 8G", repr(text))
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else None
