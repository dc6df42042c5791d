"""A real model through the real steps: all samples, and as many as the sequential evaluation takes."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from litegate.pipeline.evaluation import evaluated_alone
from litegate.records import (
    Artifact,
    Candidate,
    Evaluated,
    EvaluateFilesRequest,
    EvaluateRequest,
    GateRequest,
    Reference,
    Stopping,
)
from litegate.settings import Settings, settings
from tests.single_steps import Steps

__all__ = ["REAL", "pipeline_of", "resnet8_16x8"]

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("LITEGATE_REAL_DATA") or ROOT.parent / "shared" / "real") / "resnet8-cifar10"
VARIANTS = ("int16x8", "int16x8_float_fallback")
MARGIN = 0.02


def resnet8_16x8() -> dict[str, Any] | None:
    """Verdicts, samples and seconds of the 16x8 variants of ResNet-8, in full and sequentially; None without data."""
    if not (REAL / "model.h5").exists():
        print(f"no real run: there is no {REAL}/model.h5; LITEGATE_REAL_DATA names the folder above it")
        return None
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as home:
        return _compare(pipeline_of(REAL, Path(home)))


def pipeline_of(
    folder: Path,
    home: Path,
    variants: tuple[str, ...] = VARIANTS,
    evaluation: dict[str, Any] | None = None,
    **keys: Any,
) -> Steps:
    """The steps on ResNet-8, with a workspace in `home`.

    Args:
        evaluation, keys: more of that section of the spec, and of the spec.
    """

    def data(name: str) -> dict[str, Any]:
        return {"uri": str(folder / name), "format": "images"}

    places = Settings(str(home / "workspace"), home / "cache", home / "scratch", settings().pythons)
    return Steps(
        folder,
        places,
        model={"name": "resnet8", "uri": str(folder / "model.h5")},
        calibration=data("train.tar") | {"samples": 200},
        evaluation=data("test.tar") | (evaluation or {}),
        variants=list(variants),
        gate={"max_drop": MARGIN},
        **keys,
    )


def _compare(pipeline: Steps) -> dict[str, Any]:
    _say("convert, sample and quantize ResNet-8")
    converted = pipeline.convert().artifact
    artifacts = [pipeline.quantize(variant) for variant in VARIANTS]
    _say("evaluate float32 and the 16x8 variants on all samples")
    baseline = Candidate(artifact=converted, evaluated=_evaluate(pipeline, converted))
    full, seconds = _timed(pipeline, artifacts)
    _say("evaluate the 16x8 variants sequentially")
    stopping = Stopping(policy=pipeline.spec.gate, variants=len(VARIANTS), first_samples=None)
    references = (Reference(role="baseline", artifact=converted),)
    early, early_seconds = _timed(pipeline, artifacts, stopping=stopping, references=references)
    used = {each.artifact.variant: each.evaluated.samples for each in early}
    return {
        "margin": MARGIN,
        "states": {
            "full": _states(pipeline, baseline, full),
            "sequential": _states(pipeline, baseline, early),
        },
        "samples": used,
        "fraction": max(used.values()) / baseline.evaluated.samples,
        "seconds": {"full": round(seconds, 1), "sequential": round(early_seconds, 1)},
    }


def _timed(pipeline: Steps, artifacts: list[Artifact], **options: Any) -> tuple[list[Candidate], float]:
    begin = time.perf_counter()
    found = [Candidate(artifact=each, evaluated=_evaluate(pipeline, each, **options)) for each in artifacts]
    return found, time.perf_counter() - begin


def _evaluate(pipeline: Steps, artifact: Artifact, **options: Any) -> Evaluated:
    data, seed = pipeline.resolve().evaluation, pipeline.spec.calibration.seed
    request = EvaluateRequest(artifact=artifact, data=data, metric="top1", max_samples=None, seed=seed, **options)
    return evaluated_alone(pipeline.step("evaluate", EvaluateFilesRequest(files=(request,))))


def _states(pipeline: Steps, baseline: Candidate, candidates: list[Candidate]) -> dict[str, str]:
    request = GateRequest(
        policy=pipeline.spec.gate, target="cpu", variants=VARIANTS, baseline=baseline, candidates=tuple(candidates)
    )
    verdicts = pipeline.step("gate", request).verdicts
    return {verdict.variant: verdict.state for verdict in verdicts if verdict.variant in VARIANTS}


def _say(what: str) -> None:
    print(f"  {what} ...", flush=True)
