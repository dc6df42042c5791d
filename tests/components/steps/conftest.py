"""Real models and a way to run steps on them as the pipeline does: in child processes, from a workspace."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate import records
from litegate.gate.outcomes import Outcomes
from litegate.records import Artifact, Candidate, Converted, Resolved, SampleSet
from litegate.runner import StepRun
from litegate.settings import Settings, settings
from litegate.spec import parse_spec
from litegate.store import Store
from litegate.variants import BASELINE

MAKER = Path(__file__).parent.parent / "models" / "make_models.py"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the models and data sets that `make_models.py` writes."""
    folder = tmp_path_factory.mktemp("models")
    command = [settings().pythons["tensorflow"], str(MAKER), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace of the test session's own: what one test found, the next one finds too."""
    home = tmp_path_factory.mktemp("home")
    return Settings(str(home / "workspace"), home / "cache", home / "scratch", settings().pythons)


class Pipeline:
    """The steps for one spec, one after the other, without Airflow."""

    def __init__(self, folder: Path, places: Settings, **keys: Any) -> None:
        self.folder, self.places = folder, places
        self.spec = parse_spec(keys)
        self.resolved: Resolved | None = None

    def but(self, **sections: dict[str, Any]) -> Pipeline:
        """The same with other keys in sections of the spec."""
        keys = self.spec.model_dump()
        return Pipeline(self.folder, self.places, **(keys | {name: keys[name] | sections[name] for name in sections}))

    def step(self, name: str, request: records.Record) -> Any:
        return StepRun(name, request, self.places).run()

    def resolve(self) -> Resolved:
        if self.resolved is None or self.resolved.spec != self.spec:
            self.resolved = self.step("resolve", records.ResolveRequest(spec=self.spec, folder=str(self.folder)))
        return self.resolved

    def convert(self) -> Converted:
        return self.step("convert", records.ConvertRequest(model=self.resolve().model))

    def sample(self) -> SampleSet:
        resolved, choice = self.resolve(), self.spec.calibration
        return self.step(
            "sample",
            records.SampleRequest(
                data=resolved.calibration,
                artifact=self.convert().artifact,
                samples=choice.samples,
                seed=choice.seed,
                preprocess=resolved.preprocess,
            ),
        )

    def parity(self) -> records.Parity:
        request = records.ParityRequest(
            model=self.resolve().model,
            artifact=self.convert().artifact,
            samples=self.sample(),
            signature=self.spec.evaluation.signature,
        )
        return self.step("parity", request)

    def quantize(self, variant: str) -> Artifact:
        converted = self.convert()
        request = records.QuantizeRequest(
            variant=variant,
            saved_model=converted.saved_model,
            baseline=converted.artifact,
            samples=self.sample(),
        )
        return self.step("quantize", request)

    def inspect(self, artifact: Artifact) -> records.Inspection:
        request = records.InspectRequest(
            artifact=artifact,
            baseline=None if artifact.variant == BASELINE else self.convert().artifact,
            source=self.spec.model.uri,
            target=self.spec.target,
        )
        return self.step("inspect", request)

    def smoke(self, artifact: Artifact) -> records.SmokeRun:
        request = records.SmokeRequest(
            artifact=artifact,
            baseline=None if artifact.variant == BASELINE else self.convert().artifact,
            samples=self.sample(),
            source=self.spec.model.uri,
        )
        return self.step("smoke", request)

    def evaluate(self, artifact: Artifact, **changes: Any) -> records.Evaluated:
        resolved = self.resolve()
        request = records.EvaluateRequest(
            artifact=artifact,
            data=resolved.evaluation,
            metric=self.spec.evaluation.metric,
            metric_code=resolved.metric_code,
            max_samples=None,
            seed=17,
            preprocess=resolved.preprocess,
            signature=self.spec.evaluation.signature,
        )
        return self.step("evaluate", request.model_copy(update=changes))

    def outcomes(self, evaluated: records.Evaluated | records.ReferenceOutcomes) -> Outcomes:
        return Outcomes.read(Store(self.places.workspace, self.places.cache).fetch(evaluated.outcomes))

    def score(self, evaluated: records.Evaluated) -> float:
        return float(self.outcomes(evaluated).score.mean())

    def evaluated_score(self) -> float:
        return self.score(self.evaluate(self.convert().artifact))

    def candidate(self, artifact: Artifact) -> Candidate:
        return Candidate(artifact=artifact, evaluated=self.evaluate(artifact))


@pytest.fixture
def pipeline(models: Path, places: Settings) -> Callable[..., Pipeline]:
    """Makes a `Pipeline` for a model of `models`, with the quarters data unless told otherwise."""

    def make(model: str, calibration: Any = "calibration.npz", evaluation: Any = "test.npz", **keys: Any) -> Pipeline:
        def data(name: str | dict[str, Any]) -> dict[str, Any]:
            if isinstance(name, dict):
                return name
            form = "npz" if name.endswith(".npz") else "images"
            return {"uri": str(models / name), "format": form}

        given = {
            "model": {"name": "test", "uri": str(models / model)},
            "calibration": data(calibration) | {"samples": 100},
            "evaluation": data(evaluation),
        }
        return Pipeline(models, places, **(given | keys))

    return make
