"""The caller's side: a job is sent, and what came of it is brought to where its caller expects it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from litegate.digest import digest_bytes
from litegate.execution.confinement import listed_uris, named
from litegate.execution.executor import PreparedStep
from litegate.execution.machine import Machine
from litegate.records import FilesRef, Record
from litegate.remote.job import JOB, RETURNED, SAID_BY_STEP, Circumstances, Job, Returned, object_name
from litegate.settings import Settings
from litegate.storage.opening import local_path, open_storage
from litegate.storage.whole_files import write_whole
from litegate.storage.workspace import Workspace

__all__ = ["Carrier", "request_of", "stays_here", "wants_data"]

_ONLY_HERE = re.compile(
    r"PATH|HOME|TMPDIR|KERAS_HOME|LD_LIBRARY_PATH|PYTHON(PATH|HOME)|VK_\w+|LITEGATE_(STACK|STEP_\w+)"
)
"""Variables that name places of this host."""


def request_of(prepared: PreparedStep) -> Record:
    """The request that is to be carried."""
    return prepared.step.request.model_validate_json((prepared.folder / "request.json").read_text())


def stays_here(prepared: PreparedStep, request: Record, settings: Settings) -> bool:
    """Whether a step runs on the caller's host all the same.

    Because it needs secrets that the caller has, because its result is about this very host, because its environment
    is the caller's own, or because it lists: the caller compares what it has listed itself.
    """
    step, own = prepared.step, prepared.python == settings.pythons.get("service")
    return not step.confined or own or step.machine is Machine.HOST or bool(listed_uris(request))


def wants_data(request: Record) -> bool:
    """Whether a step reads objects of the user that have to be fetched."""
    return any(local_path(ref.uri) is None for ref in named(request, FilesRef))


class Carrier:
    """One job on its way.

    Args:
        number: the job's own name in the workspace.
    """

    def __init__(self, number: str, settings: Settings) -> None:
        self._number, self._settings = number, settings
        self._storage = open_storage(settings.workspace)

    def send(self, prepared: PreparedStep) -> str:
        """Put the job into the workspace; the digest of it, by which it is known there."""
        request = request_of(prepared)
        job = Job(
            step=prepared.step.name,
            request=request.to_json(),
            circumstances=Circumstances.here(prepared.step, request, self._settings),
            variables=_variables(prepared),
        )
        data = job.model_dump_json().encode()
        self._storage.put(self._name(JOB), data)
        return digest_bytes(data)

    def receive(self, folder: Path) -> Returned | None:
        """What came back; its files lie in the step's work folder then. None if nothing came."""
        found = self._read(RETURNED)
        if found is None:
            return None
        returned = Returned.model_validate_json(found)
        for name in SAID_BY_STEP:
            with suppress(FileNotFoundError):
                write_whole(folder / name, self._storage.read(self._name(name)))
        self._fetch(returned, folder / "outputs")
        return returned

    def forget(self) -> None:
        """Remove all of it from the workspace."""
        self._storage.delete([self._name(name) for name in (JOB, *SAID_BY_STEP, RETURNED)])

    def _fetch(self, returned: Returned, outputs: Path) -> None:
        """Copies, since what is published has no further name."""
        workspace = Workspace(self._settings.workspace, self._settings.cache)
        outputs.mkdir(exist_ok=True)
        for ref in returned.outputs:
            shutil.copyfile(workspace.fetch(ref), outputs / ref.digest)

    def _read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return b"".join(self._storage.read(self._name(name)))
        return None

    def _name(self, name: str) -> str:
        return object_name(self._number, name)


def _variables(prepared: PreparedStep) -> Mapping[str, str]:
    """What the process is given, and the limits in the variables by which they are set."""
    given = prepared.confinement
    passed = {name: value for name, value in prepared.environment.items() if not _ONLY_HERE.fullmatch(name)}
    limits = {
        "LITEGATE_MEMORY_LIMIT": str(given.memory),
        "LITEGATE_DISK_LIMIT": str(given.disk),
        "LITEGATE_PROCESS_LIMIT": str(given.processes),
        "LITEGATE_TIME_LIMIT": f"{prepared.seconds:.3f}",
        "LITEGATE_PASS_ENVIRONMENT": ",".join(sorted(passed)),
    }
    return passed | limits | ({"LITEGATE_ISOLATION": "required"} if given.required else {})
