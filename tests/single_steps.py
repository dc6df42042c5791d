"""Single steps, run as the pipeline runs them: in child processes, from a workspace, by the pipeline's own requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litegate import records
from litegate.execution.step_run import StepRun
from litegate.outcomes.columns import Outcomes
from litegate.pipeline.evaluation import evaluated_alone
from litegate.pipeline.memory import ResultsInMemory
from litegate.pipeline.names import named
from litegate.pipeline.requests import calibrated_variants, request_of
from litegate.records import Artifact, Candidate, Converted, Resolved, SampleSet
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, TARGETS


class Steps:
    """Single steps for one spec, with what they need run before them, and with other requests too."""

    def __init__(self, folder: Path, places: Settings, **keys: Any) -> None:
        self.folder, self.places = folder, places
        self.spec = parse_spec(keys)
        self.results = ResultsInMemory()

    def but(self, **sections: dict[str, Any]) -> Steps:
        """The same with other keys in sections of the spec."""
        keys = self.spec.model_dump()
        return Steps(self.folder, self.places, **(keys | {name: keys[name] | sections[name] for name in sections}))

    def step(self, name: str, request: records.Record) -> Any:
        return named(request, StepRun(STEPS[name], request, self.places).run())

    def resolve(self) -> Resolved:
        known = self.results.maybe(Resolved, "resolve")
        if known is None or known.spec != self.spec:
            self._keep("resolve", records.ResolveRequest(spec=self.spec, folder=str(self.folder)))
        return self.results.resolved()

    def convert(self) -> Converted:
        """Without a look at the data, which many tests have for another model, or spoil for a step of their own."""
        model = self.resolve().model
        fixed_batch = TARGETS[self.spec.target].fixed_batch
        self._keep("convert", records.ConvertRequest(model=model, fixed_batch=fixed_batch))
        return self.results.converted()

    def convert_for_data(self) -> Converted:
        """As the pipeline does it: after a look at the data."""
        self.resolve()
        return self._run("convert")

    def sample(self) -> SampleSet:
        self.convert()
        return self._run("sample")

    def lint(self) -> records.Lint:
        self._prepare()
        return self._run("lint")

    def conversion_check(self) -> records.ConversionCheck:
        self._prepare()
        return self._run("conversion_check")

    def calibrate(self) -> records.Calibrated:
        self._prepare()
        return self._run("calibrate")

    def quantize(self, variant: str) -> Artifact:
        self._prepare()
        if variant in calibrated_variants(self.spec) and self.results.maybe(records.Calibrated, "calibrate") is None:
            self.calibrate()
        return self._run("quantize", variant)

    def inspect(self, artifact: Artifact) -> records.Inspection:
        return self._about(artifact, "inspect")

    def smoke(self, artifact: Artifact) -> records.SmokeRun:
        self._prepare()
        return self._about(artifact, "smoke")

    def evaluate(self, artifact: Artifact, **changes: Any) -> records.Evaluated:
        return evaluated_alone(self._about(artifact, "evaluate", **changes))

    def request(self, step: str, variant: str = "") -> Any:
        return request_of(step, self.results, variant)

    def _prepare(self) -> None:
        """What tests put in the place of these methods counts."""
        self.results.keep("convert", "", self.convert())
        self.results.keep("sample", "", self.sample())

    def _run(self, step: str, variant: str = "") -> Any:
        return self._keep(step, request_of(step, self.results, variant), variant)

    def _keep(self, step: str, request: records.Record, variant: str = "") -> Any:
        result = self.step(step, request)
        self.results.keep(step, variant, result)
        return result

    def _about(self, artifact: Artifact, step: str, **changes: Any) -> Any:
        """A step for a file, which need not be the one that was quantized."""
        self.results.keep("convert", "", self.convert())
        if artifact.variant != BASELINE:
            self.results.keep("quantize", artifact.variant, artifact)
        request, changes = request_of(step, self.results, artifact.variant), {"artifact": artifact} | changes
        if isinstance(request, records.EvaluateFilesRequest):
            files = tuple(file.model_copy(update=changes) for file in request.files)
            return self.step(step, records.EvaluateFilesRequest(files=files))
        return self.step(step, request.model_copy(update=changes))

    def outcomes(self, evaluated: records.Evaluated | records.ReferenceOutcomes) -> Outcomes:
        return Outcomes.read(Workspace(self.places.workspace, self.places.cache).fetch(evaluated.outcomes))

    def score(self, evaluated: records.Evaluated) -> float:
        return float(self.outcomes(evaluated).score.mean())

    def evaluated_score(self) -> float:
        return self.score(self.evaluate(self.convert().artifact))

    def candidate(self, artifact: Artifact) -> Candidate:
        return Candidate(artifact=artifact, evaluated=self.evaluate(artifact))
