"""What runs on the other host: four parts, in this order, each knowing only what it needs."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from litegate.digest import verified
from litegate.errors import BadInput
from litegate.execution.executors.cold import ColdExecutor
from litegate.execution.fetching import data_broker, fetch_files
from litegate.execution.preparation import prepared
from litegate.execution.returned.files import take_files, written
from litegate.execution.returned.reading import RESULT_BYTES, Forged, plain_bytes, read_result
from litegate.execution.step import Step, parts
from litegate.records import FileRef, Record
from litegate.remote.job import JOB, RETURNED, SAID_BY_STEP, Circumstances, Job, Returned, object_name
from litegate.settings import Settings, settings, workspace
from litegate.steps import STEPS
from litegate.storage.opening import open_storage
from litegate.storage.whole_files import write_whole
from litegate.storage.workspace import Workspace

__all__ = ["CACHE", "ENDING", "FOLDER", "INPUTS", "PARTS", "ROOT", "WORK"]

ROOT = Path("/litegate")
INPUTS, WORK, ENDING = ROOT / "inputs", ROOT / "work", ROOT / "ending"
"""Volumes that the parts share: written before the step, by the step, and beside the step."""
CACHE, FOLDER = INPUTS / "cache", WORK / "step"


class _Asked(NamedTuple):
    """What the job asks for."""

    job: Job
    step: Step
    request: Any


def stage_in(number: str, digest: str) -> None:
    """Get the job, which is the one of this digest, and the files that its request names.

    Raises:
        OtherBytes: the job in the workspace is another one.
        StoreError: a file is gone or damaged.
    """
    storage = open_storage(workspace())
    write_whole(INPUTS / JOB, verified(storage.read(object_name(number, JOB)), digest))
    fetch_files(_asked().request, Workspace(workspace(), CACHE))
    FOLDER.mkdir(mode=0o700)


def data(_number: str, _digest: str) -> None:
    """Serve the user's objects to the step, until this is ended."""
    asked = _asked()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # for all threads: the first process of a container has no default
    with data_broker(asked.step, asked.request, FOLDER, CACHE):
        signal.sigwait(ends)


def step(_number: str, _digest: str) -> None:
    """Run the step's process, and note how it ended; whether it failed is for its caller to say."""
    asked = _asked()
    os.environ.update(asked.job.variables)
    (ENDING / RETURNED).write_text(_run(asked).model_dump_json())


def stage_out(number: str, _digest: str) -> None:
    """Store what the step left, and last how it ended."""
    asked = _asked()
    storage = open_storage(workspace())
    returned = Returned.model_validate_json((ENDING / RETURNED).read_text())
    several = len(parts(asked.step, asked.request))
    for name in SAID_BY_STEP:
        found = plain_bytes(FOLDER / name, RESULT_BYTES * several)
        if found is not None:
            storage.put(object_name(number, name), found)
    if returned.code == 0 and not returned.refused:
        returned = returned.model_copy(update={"outputs": _stored(asked, several)})
    storage.put(object_name(number, RETURNED), returned.model_dump_json().encode())


PARTS: Mapping[str, Any] = MappingProxyType({"stage-in": stage_in, "data": data, "step": step, "stage-out": stage_out})
"""By the name of the container."""


def _asked() -> _Asked:
    job = Job.model_validate_json((INPUTS / JOB).read_text())
    found = STEPS[job.step]
    return _Asked(job, found, found.request.model_validate(job.request))


def _places() -> Settings:
    """Those of this host; nothing of it outlives the job."""
    return replace(settings(ROOT), cache=CACHE, scratch=WORK)


def _run(asked: _Asked) -> Returned:
    places = _places()
    here = Circumstances.here(asked.step, asked.request, places)
    differ = asked.job.circumstances.differ(here)
    if differ:
        return Returned(refused=differ)
    files = tuple((CACHE / "files").glob("*"))
    try:
        ready = prepared(asked.step, asked.request, FOLDER, files, places)
    except BadInput as error:
        return _bad_input(error)
    missing = [path for path in ready.confinement.read if not os.path.lexists(path)]
    if missing:
        return _bad_input(BadInput(missing[0], "a path that this host has too: mount it by the template", "none"))
    return Returned.of(ColdExecutor().run(ready, _say))


def _bad_input(error: BadInput) -> Returned:
    """Told as a step tells it."""
    described = {"kind": "bad_input", "where": error.where, "expected": error.expected, "got": error.got}
    (FOLDER / "error.json").write_text(json.dumps(described))
    return Returned(code=BadInput.exit_code)


def _stored(asked: _Asked, several: int) -> tuple[FileRef, ...]:
    """The files that a result names, in the workspace; none of a result that its caller will refuse."""
    with suppress(Forged), tempfile.TemporaryDirectory() as staging:
        result: Record = read_result(FOLDER, asked.step.result, several=several)
        store = Workspace(workspace(), Path(staging, "cache"))
        copies = Path(staging, "copies")
        copies.mkdir()
        take_files(asked.request, result, FOLDER / "outputs", copies, store)
        return tuple(written(asked.request, result))
    return ()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  the container's log is how its caller hears of it
