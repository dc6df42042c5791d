"""A real MLflow server, real .tflite files, and requests to record them."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sklearn import datasets

from litegate import variants
from litegate.digest import digest_bytes, digest_file
from litegate.gate.explain import classes_csv
from litegate.inspection.tflite import describe
from litegate.records import (
    Artifact,
    Benchmark,
    Candidate,
    ClassLoss,
    Clause,
    ConversionCheck,
    DataRef,
    Evaluated,
    FileRef,
    Flip,
    LatencyRatio,
    MetricFacts,
    ModelRef,
    Reason,
    RegisterRequest,
    Resolved,
    SampleSet,
    Selection,
    Verdict,
)
from litegate.settings import Settings, settings
from litegate.spec import parse_spec
from litegate.work.step_work import Work
from tests.models.once import Maker

MAKERS = Path(__file__).parents[1] / "models"

MAKE_MODELS = """
import pathlib, sys
import numpy as np
import tensorflow as tf

folder, random = pathlib.Path(sys.argv[1]), np.random.default_rng(7)

class Toy(tf.Module):
    def __init__(self):
        self.hidden = tf.Variable(random.normal(size=(64, 32)).astype("float32"))
        self.last = tf.Variable(random.normal(size=(32, 4)).astype("float32"))

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, name="image")])
    def serve(self, image):
        hidden = tf.nn.relu(tf.matmul(tf.reshape(image, (-1, 64)), self.hidden))
        return {"scores": tf.nn.softmax(tf.matmul(hidden, self.last))}

toy = Toy()
tf.saved_model.save(toy, str(folder / "saved"), signatures={"serving_default": toy.serve})
for variant in ("float32", "dynamic_range", "int8"):
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "int8":
        samples = random.normal(size=(20, 1, 8, 8, 1)).astype("float32")
        converter.representative_dataset = lambda: ({"image": sample} for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    (folder / f"{variant}.tflite").write_bytes(converter.convert())
"""


TOP1 = MetricFacts(name="top1")
CLAUSE = Clause(
    name="max_drop",
    state="passed",
    estimate=0.002,
    low=-0.004,
    high=0.007,
    limit=0.01,
    p_value=0.01,
    samples=1000,
)
LOSS = ClassLoss(label=3, name="cat", samples=100, baseline=0.9, value=0.8, drop=0.1, low=0.05, high=0.15, proved=True)
OTHER_LOSS = LOSS.model_copy(update={"label": 4, "name": "dog", "drop": -0.02, "low": None, "proved": False})
FLIP = Flip(id="cat/7.png", label=3, baseline=1.0, value=0.0, loss=1.0)


@pytest.fixture(scope="session")
def models(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the models and datasets that `make_models.py` writes."""
    program = MAKERS / "make_models.py"
    return maker.make(tmp_path_factory.mktemp("models"), str(program), "{folder}", sources=(program,))


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, warm_parents: Path) -> Settings:
    """A workspace of the test session's own: what one test found, the next one finds too. Its steps are forks."""
    home = tmp_path_factory.mktemp("home")
    places = Settings(str(home / "workspace"), home / "cache", home / "scratch", settings().pythons)
    return replace(places, executor="auto", warm=warm_parents)


@pytest.fixture(scope="module")
def mlflow_url(mlflow_server: Any) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        yield mlflow_server.url


@pytest.fixture(scope="session")
def inspected(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the files that `make_inspected.py` writes: `<model>.<variant>.tflite`."""
    program = MAKERS / "make_inspected.py"
    sources = (program, Path(variants.__file__))
    return maker.make(tmp_path_factory.mktemp("inspected"), str(program), "{folder}", sources=sources)


@pytest.fixture(scope="session")
def tflite_files(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real .tflite files by variant: float32, dynamic_range and int8 of one small model."""
    folder = maker.make(tmp_path_factory.mktemp("tflite"), "-c", MAKE_MODELS, "{folder}")
    return {path.stem: path for path in folder.glob("*.tflite")}


@pytest.fixture(scope="session")
def collapsing(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with what `make_collapsing.py` writes: a model of scikit-learn's digits that 8 bits ruin, and its data."""
    program, digits = MAKERS / "make_collapsing.py", Path(datasets.__file__).parent / "data" / "digits.csv.gz"
    folder = tmp_path_factory.mktemp("collapsing")
    return maker.make(folder, str(program), "{folder}", str(digits), sources=(program,))


@dataclass(frozen=True)
class Toy:
    """A model of the tests' own, so that no test sees what another has recorded."""

    name: str
    files: dict[str, Path]
    folder: Path

    @property
    def work(self) -> Work:
        """A fresh step folder over one cache, as each try of a step gets one."""
        return Work(Path(tempfile.mkdtemp(dir=self.folder)), self.folder / "cache")

    def candidate(self, variant: str, file: str | None = None) -> Candidate:
        """A measured variant whose file lies where a step finds it."""
        path = self.files[file or variant]
        ref = FileRef(name=f"{variant}.tflite", digest=digest_file(path), bytes=path.stat().st_size)
        self.work.path(ref).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.work.path(ref))
        return Candidate(
            artifact=Artifact(variant=variant, file=ref, signatures=describe(path.read_bytes())),
            evaluated=Evaluated(
                variant=variant,
                artifact_digest=ref.digest,
                metric=TOP1,
                samples=1000,
                available=1000,
                outcomes=FileRef(name="outcomes.npz", digest=digest_bytes(variant.encode()), bytes=1),
                seconds=1.5,
                kernels="xnnpack",
            ),
            benchmark=Benchmark(
                variant=variant,
                artifact_digest=ref.digest,
                latency_ms=0.25,
                latency_p95_ms=0.5,
                runs=50,
                host="testhost",
                kernels="xnnpack",
                ratio=LatencyRatio(estimate=0.5, low=0.45, high=0.55, confidence=0.95, rounds=31),
                measured_at="2026-01-31T12:34:56.000000+00:00",
                noise="it waited for a processor 31% of the time",
            ),
        )

    def verdict(self, candidate: Candidate, state: str = "passed", **changes: object) -> Verdict:
        """The gate's answer for a candidate."""
        fields = {
            "variant": candidate.artifact.variant,
            "state": state,
            "sentence": f"{candidate.artifact.variant} {state}, in one sentence",
            "value": 0.918,
            "baseline": 0.92,
            "drop": 0.002,
            "drop_low": -0.004,
            "drop_high": 0.007,
            "confidence": 0.975,
            "p_value": 0.01,
            "samples": 1000,
            "available": 1000,
            "lost": 12,
            "gained": 10,
            "agreement": 0.97,
            "clauses": (CLAUSE,),
            "classes": (LOSS,),
            "flipped": 22,
            "flips": (FLIP,),
            "explanation": self._explanation(candidate.artifact.variant),
            "digest": candidate.artifact.file.digest,
            "reasons": () if state == "passed" else (Reason(code="too_large", message="it drops | too <b>much</b>"),),
        }
        return Verdict.model_validate(fields | changes)

    def request(self, selected: str | None = "int8", run_key: str = "quantize/run-1", **changes: object):
        """A run of three variants and one that produced no file; `selected` is None for a rejected run."""
        baseline = self.candidate("float32")
        candidates = (self.candidate("dynamic_range"), self.candidate("int8"))
        state = "passed" if selected else "failed"
        verdicts = (
            self.baseline_verdict(baseline),
            *(self.verdict(candidate, state) for candidate in candidates),
            Verdict(variant="int16x8", state="failed", reasons=(Reason(code="segfault", message="died by SIGSEGV"),)),
        )
        why = "the smallest of 2 that passed the gate" if selected else "nothing passed the gate"
        fields = {
            "run_key": run_key,
            "links": {"airflow": "http://127.0.0.1:8080/dags/quantize/runs/run-1"},
            "resolved": self._resolved(),
            "conversion_check": ConversionCheck(samples=20, max_abs_difference=1e-6, agreement=1.0),
            "samples": SampleSet(file=_ref("samples.npz"), samples=20, available=50, labels={}),
            "tools": {"tensorflow": "2.21.0"},
            "baseline": baseline,
            "candidates": candidates,
            "verdicts": verdicts,
            "selection": Selection(variant=selected, why=why),
        }
        return RegisterRequest.model_validate(fields | changes)

    def baseline_verdict(self, baseline: Candidate) -> Verdict:
        """What the gate says of the baseline: its value, and no loss."""
        return Verdict(
            variant="float32",
            state="baseline",
            sentence="float32 is the baseline: top1 92.00 %",
            value=0.92,
            drop=0.0,
            drop_low=0.0,
            drop_high=0.0,
            samples=1000,
            digest=baseline.artifact.file.digest,
        )

    def _explanation(self, variant: str) -> tuple[FileRef, ...]:
        files = {"flipped": f"flipped of {variant}\r\n".encode(), "classes": classes_csv((LOSS, OTHER_LOSS))}
        return tuple(self._kept(f"{variant}-{name}.csv", content) for name, content in files.items())

    def _kept(self, name: str, content: bytes) -> FileRef:
        ref = FileRef(name=name, digest=digest_bytes(content), bytes=len(content))
        self.work.path(ref).parent.mkdir(parents=True, exist_ok=True)
        self.work.path(ref).write_bytes(content)
        return ref

    def _resolved(self) -> Resolved:
        data = {"uri": "s3://data/toy/eval.npz", "format": "npz"}
        model = {"name": self.name, "uri": "s3://models/toy.keras"}
        spec = {"model": model, "calibration": data, "evaluation": data, "variants": ["dynamic_range", "int8"]}
        pinned = DataRef(**data, digest=digest_bytes(b"data"), manifest=_ref("manifest.json"))
        return Resolved(
            spec=parse_spec(spec),
            model=ModelRef(uri=model["uri"], format="keras", digest=digest_bytes(b"model"), files=()),
            calibration=pinned.model_copy(update={"uri": "s3://data/toy/train.npz"}),
            evaluation=pinned,
            metric=TOP1,
        )


def _ref(name: str) -> FileRef:
    return FileRef(name=name, digest=digest_bytes(name.encode()), bytes=1)


@pytest.fixture(scope="session")
def new_toy(tflite_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Toy]:
    return lambda: Toy(f"toy-{uuid.uuid4().hex[:8]}", tflite_files, tmp_path_factory.mktemp("toy"))


@pytest.fixture
def toy(new_toy: Callable[[], Toy]) -> Toy:
    return new_toy()
