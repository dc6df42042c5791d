"""Runs the pipeline's own steps on models of the zoo, all variants, in one process that has loaded TensorFlow.

`python -m tests.zoo.running FOLDER [NAME...]`, with the Python that has TensorFlow, writes FOLDER/NAME.json. Each model
is made and judged in a fork, so that one that crashes takes no other along; its latencies are not measured.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from litegate.diagnosis import kind_of, message_of
from litegate.errors import BadInput, StepFailed
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.names import named
from litegate.pipeline.requests import request_of
from litegate.records import Evaluations, Failure, GateRequest, Record, ResolveRequest, Verdicts, warnings_of
from litegate.spec import parse_spec
from litegate.variants import BASELINE, DOCUMENTED
from litegate.work.step_work import Work

_BEFORE = ("convert", "sample", "lint", "conversion_check")
_OF_VARIANT = ("quantize", "inspect", "smoke")
_QUANTIZED = tuple(name for name in DOCUMENTED if name != BASELINE)


class InOneProcess:
    """The pipeline for one spec, up to the verdicts.

    Args:
        spec: without variants, for it runs all.
        files: a folder for what steps hand back.
        code: the folder of the user's metric.
    """

    def __init__(self, spec: dict[str, Any], files: Path, code: Path) -> None:
        self._files = files
        (files / "files").mkdir(parents=True)
        self.results = ResultsInMemory()
        asked = parse_spec(spec | {"variants": list(_QUANTIZED)})
        self._keep("resolve", "", ResolveRequest(spec=asked, folder=str(code)))

    def verdicts(self) -> Verdicts:
        """Of all variants, whether there is a file or not."""
        for step in _BEFORE:
            self._step(step)
        for step in ("inspect", "smoke"):
            self._step(step, BASELINE)
        with suppress(BadInput, StepFailed):  # each variant is calibrated by itself then, and says why it is not
            self._step("calibrate")
        for variant in _QUANTIZED:
            self._chain(variant)
        self._evaluate()
        return self._judged()

    def _chain(self, variant: str) -> None:
        for step in _OF_VARIANT:
            try:
                self._step(step, variant)
            except (BadInput, StepFailed) as error:
                failure = Failure(step=step, kind=kind_of(error), message=message_of(error), variant=variant)
                self.results.keep_failure(failure)
                return

    def _evaluate(self) -> None:
        found = self._step("evaluate")
        assert isinstance(found, Evaluations)
        for each in found.done:
            self.results.keep("evaluate", each.variant, each)
        for failure in found.failures:
            self.results.keep_failure(failure)

    def _judged(self) -> Verdicts:
        """Nobody has asked for latencies, so that their absence is no failure."""
        request = request_of("gate", self.results)
        assert isinstance(request, GateRequest)
        failures = tuple(failure for failure in request.failures if failure.step != "benchmark")
        verdicts = self._keep("gate", "", request.model_copy(update={"failures": failures}))
        assert isinstance(verdicts, Verdicts)
        return verdicts

    def _step(self, step: str, variant: str = "") -> Record:
        return self._keep(step, variant, request_of(step, self.results, variant))

    def _keep(self, step: str, variant: str, request: Record) -> Record:
        folder = Path(tempfile.mkdtemp(dir=self._files))
        (folder / "outputs").symlink_to(self._files / "files")
        result = named(
            request, importlib.import_module(f"litegate.steps.{step}").run(request, Work(folder, self._files))
        )
        self.results.keep(step, variant, result)
        return result


def outcome(run: InOneProcess) -> dict[str, Any]:
    """What a run came to, as JSON has it."""
    verdicts, results = run.verdicts(), run.results
    candidates = {item.artifact.variant: item for item in results.candidates()}
    lint = results.lint()
    return {
        "lint": [finding.model_dump() for finding in lint.findings] if lint else [],
        "float32": results.converted().artifact.file.bytes,
        "variants": {
            each.variant: {
                "state": each.state,
                "reasons": [reason.model_dump() for reason in each.reasons if not reason.code.startswith("within_")],
                "bytes": candidates[each.variant].artifact.file.bytes if each.variant in candidates else None,
                "warnings": _warnings(candidates.get(each.variant)),
            }
            for each in verdicts.verdicts
            if each.variant != BASELINE
        },
    }


def _warnings(candidate: Any) -> list[str]:
    return list(warnings_of(candidate.inspection, candidate.smoke)) if candidate else []


def _run(name: str, folder: Path) -> None:
    """In a fork: make a model, and write what it came to."""
    from tests.zoo.models import FAMILIES
    from tests.zoo.unsound import UNSOUND

    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    (folder / name).mkdir()
    code = Path(__file__).parent
    sys.path.insert(0, str(code))
    try:
        spec = (FAMILIES | UNSOUND)[name].write(folder / name)
        found = outcome(InOneProcess(spec, folder / name / "work", code))
    except (BadInput, StepFailed) as error:
        found = {"error": str(error).replace(str(folder), "")}
    (folder / f"{name}.json").write_text(json.dumps(found))


def main(folder: Path, *names: str) -> None:
    importlib.import_module("tests.zoo.unsound")  # loads TensorFlow, of which nothing has run when the process forks
    for name in names:
        pid = os.fork()
        if not pid:
            _run(name, folder)
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
