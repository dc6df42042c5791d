"""Making a step ready to be run: a folder of its own, its request, and what its process may use."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from litegate.execution.confinement import child_environment, confinement, time_limit
from litegate.execution.executor import PreparedStep
from litegate.execution.leftovers import remove
from litegate.execution.step import Step
from litegate.records import Record
from litegate.settings import Settings
from litegate.storage.access import keys_end_before
from litegate.storage.copies import private_folder
from litegate.storage.scratch import held
from litegate.work.step_work import PROGRESS, SECONDS

__all__ = ["prepared", "work_folder"]

log = logging.getLogger("litegate")


@contextmanager
def work_folder(step: Step, scratch: Path) -> Iterator[Path]:
    """A folder in the scratch space, removed in the end with whatever is in it then."""
    folder = Path(tempfile.mkdtemp(prefix=f"{step.name}-", dir=private_folder(scratch)))
    with held(folder):  # until it is gone: a start removes what nobody holds
        try:
            yield folder
        finally:
            remove(folder)


def prepared(
    step: Step,
    request: Record,
    folder: Path,
    files: tuple[Path, ...],
    settings: Settings,
    progress: Path | None = None,
) -> PreparedStep:
    """A step for its executor; its request and its confinement are written to its folder.

    Args:
        files: local copies of the request's files.
        progress: where the step keeps what it has done so far; None if nowhere.

    Raises:
        BadInput: a limit in the environment is not one, or a path that is to be read is hidden from all steps.
        Refused: it is to reach S3 in a role that may not be assumed.
    """
    given, seconds = confinement(step, request, folder, settings), time_limit(step, request)
    environment = child_environment(step, folder) | {SECONDS: f"{seconds:g}"}
    if step.storage and (said := keys_end_before(seconds)):
        log.warning("%s", said)
    if progress is not None:
        given = replace(given, write=(*given.write, str(progress)))
        environment[PROGRESS] = str(progress)
    (folder / "request.json").write_text(request.model_dump_json())
    given.save(folder / "confinement.json")
    return PreparedStep(
        step=step,
        folder=folder,
        cache=settings.cache,
        files=files,
        python=step.python(request, settings.pythons),
        environment=environment,
        confinement=given,
        seconds=seconds,
    )
