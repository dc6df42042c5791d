"""Taking what a step hands back: nothing of it is published before all of it is known to hold."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from litegate.errors import StepFailed
from litegate.execution.preparation import work_folder
from litegate.execution.returned.claims import problems
from litegate.execution.returned.files import take_files
from litegate.execution.returned.reading import Forged, read_result
from litegate.execution.returned.snapshots import Seen, contradictions
from litegate.execution.step import Step, parts
from litegate.failures import FailureKind
from litegate.records import Record
from litegate.storage.workspace import Workspace

__all__ = ["publish"]

_LONGEST = 2000


def publish(step: Step, request: Record, folder: Path, seen: Seen, scratch: Path, workspace: Workspace) -> Any:
    """The result that a step left in its work folder; its files are in the workspace then.

    Args:
        seen: what the parent knows by itself.
        scratch: where the parent makes copies that the step's processes cannot write to.

    Raises:
        StepFailed: of the kind `forged_result`: something about it does not hold.
    """
    try:
        result = read_result(folder, step.result, our_own=step.tracking, several=len(parts(step, request)))
        problem = next(chain(problems(step.name, request, result), contradictions(step.name, result, seen)), None)
        if problem is not None:
            raise Forged(problem)
        with work_folder(step, scratch) as staging:
            take_files(request, result, folder / "outputs", staging, workspace)
    except Forged as error:
        raise StepFailed(step.name, FailureKind.FORGED_RESULT, str(error)[:_LONGEST]) from None
    return result
