"""The files of a pass, each loaded once to see what it takes and gives, and which of them can go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from litegate.errors import BadInput, DataError
from litegate.evaluation.asked import Asked, controls_of, runs_of
from litegate.evaluation.interface import Interface, interfaces_of
from litegate.evaluation.lockstep import FileFailed
from litegate.failures import FailureKind
from litegate.records import Artifact, EvaluateRequest, FileFailure
from litegate.runtimes import runtime_row
from litegate.work.step_work import Work

__all__ = ["Loaded"]

Found = TypeVar("Found")
_CURE = "`litegate evidence request SPEC.yaml VARIANT DIR` gives out what the device is to run"


class Loaded:
    """The files of a request by number, each once, and what they take and give."""

    def __init__(self, files: Sequence[EvaluateRequest], work: Work) -> None:
        self._files = files
        every = (each for file in files for each in (*runs_of(file), *controls_of(file)))
        asked = {(each.artifact.file.digest, each.runtime): each for each in every}
        self.numbers = {run: number for number, run in enumerate(asked)}
        self.runs = tuple(each.run(work) for each in asked.values())
        self.found = self._interfaces()

    def together(
        self, evaluate: Callable[[Mapping[int, EvaluateRequest]], Mapping[int, Found]]
    ) -> tuple[Found | FileFailure, ...]:
        """What each file comes to, in their order.

        Args:
            evaluate: gives that of files that can go together, by number: a pass needs inputs of one kind.
        """
        results: dict[int, Found | FileFailure] = {}
        groups = self._groups(results)
        for files in groups:
            try:
                results |= evaluate(files)
            except BadInput as error:
                if len(groups) == 1:
                    raise
                results |= {at: _failure(file, FailureKind.BAD_INPUT, str(error)) for at, file in files.items()}
        return tuple(results[at] for at in range(len(self._files)))

    def _groups(self, results: dict[int, Found | FileFailure]) -> list[dict[int, EvaluateRequest]]:
        """The files that can go together; others have failed."""
        groups: dict[str, dict[int, EvaluateRequest]] = {}
        for at, file in enumerate(self._files):
            problem = self._problem(file)
            if problem is not None:
                results[at] = _failure(file, *problem)
            else:
                groups.setdefault(str(self.interface(file.artifact, file.runtime)), {})[at] = file
        return list(groups.values())

    def failure(self, file: EvaluateRequest, controlled: bool, failed: Mapping[int, FileFailed]) -> FileFailure | None:
        """Why a file has no result: it, or what it cannot do without, could not be run; None if all could.

        Args:
            controlled: whether it has a control variate.
            failed: the runs that could not be, by number.
        """
        for each in (*runs_of(file), *(controls_of(file) if controlled else ())):
            found = failed.get(self.number(each.artifact, each.runtime))
            if found is not None:
                return _failure(file, found.kind, _of(each.role, found.message))
        return None

    def number(self, artifact: Artifact, runtime: str) -> int:
        """Of a file as a runtime runs it."""
        return self.numbers[artifact.file.digest, runtime]

    def interface(self, artifact: Artifact, runtime: str) -> Interface:
        """What it takes and gives; of one that could be loaded."""
        found = self.found[self.number(artifact, runtime)]
        assert isinstance(found, Interface)
        return found

    def _interfaces(self) -> dict[int, Interface | FileFailed]:
        found: dict[int, Interface | FileFailed] = {
            number: FileFailed(number, FailureKind.NO_EVIDENCE, f"no evidence of it from {run.runtime}; {_CURE}")
            for number, run in enumerate(self.runs)
            if runtime_row(run.runtime).recorded and run.evidence is None
        }
        able = {number: run for number, run in enumerate(self.runs) if number not in found}
        return found | interfaces_of(able, self._files[0].signature)

    def _problem(self, file: EvaluateRequest) -> tuple[FailureKind, str] | None:
        """The same samples go through a file and its references, so all must take and give the same."""
        for each in runs_of(file):
            problem = self._unlike(each, file)
            if problem is not None:
                return problem
        return None

    def _unlike(self, each: Asked, file: EvaluateRequest) -> tuple[FailureKind, str] | None:
        """Why a run of a file, or of what it is compared with, cannot be, or takes or gives something else."""
        found = self.found[self.number(each.artifact, each.runtime)]
        if isinstance(found, FileFailed):
            return found.kind, _of(each.role, found.message)
        own = self.interface(file.artifact, file.runtime)
        if str(found) == str(own):
            return None
        expected = f"the candidate's inputs and outputs, {own}"
        return FailureKind.BAD_INPUT, str(DataError(each.role, expected, str(found)))

    def able(self, file: EvaluateRequest) -> list[str]:
        """The runtimes that run a file itself."""
        asked = [file.runtime, file.host, None if "" in self.refused(file) else file.control]
        return [name for name in asked if name is not None]

    def refused(self, file: EvaluateRequest) -> dict[str, str]:
        """Why a file, and a champion beside it, cannot have the control variate that was asked for, by the role."""
        problems = {each.of: self._unlike(each._replace(role=""), file) for each in controls_of(file)}
        title = runtime_row(file.control).title if file.control else ""
        return {role: f"{title} cannot run it: {found[1]}" for role, found in problems.items() if found is not None}


def _of(role: str, message: str) -> str:
    return f"{role}: {message}" if role else message


def _failure(file: EvaluateRequest, kind: FailureKind, message: str) -> FileFailure:
    return FileFailure(artifact_digest=file.artifact.file.digest, kind=kind, message=message)
