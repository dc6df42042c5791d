"""A real model through the real steps: all samples, and as many as the sequential evaluation takes."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from litegate.records import Candidate, GateRequest, Reference, Stopping
from litegate.settings import Settings, settings
from tests.components.steps.conftest import Pipeline

__all__ = ["resnet8_16x8"]

ROOT = Path(__file__).parents[2]
VARIANTS = ("int16x8", "int16x8_float_fallback")
MARGIN = 0.02


def resnet8_16x8() -> dict[str, Any] | None:
    """Verdicts, samples and seconds of the 16x8 variants of ResNet-8, in full and sequentially; None without data."""
    folder = Path(os.environ.get("LITEGATE_REAL_DATA") or ROOT.parent / "shared" / "real") / "resnet8-cifar10"
    if not (folder / "model.h5").exists():
        print(f"no real run: there is no {folder}/model.h5; LITEGATE_REAL_DATA names the folder")
        return None
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as home:
        return _compare(_pipeline(folder, Path(home)))


def _pipeline(folder: Path, home: Path) -> Pipeline:
    def data(name: str) -> dict[str, Any]:
        return {"uri": str(folder / name), "format": "images"}

    places = Settings(str(home / "workspace"), home / "cache", home / "scratch", settings().pythons)
    return Pipeline(
        folder,
        places,
        model={"name": "resnet8", "uri": str(folder / "model.h5")},
        calibration=data("train.tar") | {"samples": 200},
        evaluation=data("test.tar"),
        variants=list(VARIANTS),
        gate={"max_drop": MARGIN},
    )


def _compare(pipeline: Pipeline) -> dict[str, Any]:
    _say("convert, sample and quantize ResNet-8")
    converted = pipeline.convert().artifact
    artifacts = [pipeline.quantize(variant) for variant in VARIANTS]
    _say("evaluate float32 and the 16x8 variants on all samples")
    baseline = Candidate(artifact=converted, evaluated=pipeline.evaluate(converted))
    full, seconds = _evaluated(pipeline, artifacts)
    _say("evaluate the 16x8 variants sequentially")
    early, early_seconds = _evaluated(
        pipeline,
        artifacts,
        stopping=Stopping(policy=pipeline.spec.gate, variants=len(VARIANTS), first_samples=None),
        references=(Reference(role="baseline", artifact=converted),),
    )
    rows = {}
    for name, candidates in (("full", full), ("sequential", early)):
        request = GateRequest(
            policy=pipeline.spec.gate, target="cpu", variants=VARIANTS, baseline=baseline, candidates=tuple(candidates)
        )
        verdicts = {verdict.variant: verdict for verdict in pipeline.step("judge", request).verdicts}
        rows[name] = {variant: verdicts[variant].state for variant in VARIANTS}
    samples = {
        candidate.artifact.variant: (candidate.evaluated.samples, candidate.evaluated.available) for candidate in early
    }
    return {
        "margin": MARGIN,
        "states": rows,
        "samples": {variant: used for variant, (used, _) in samples.items()},
        "fraction": max(used / available for used, available in samples.values()),
        "seconds": {"full": seconds, "sequential": early_seconds},
    }


def _evaluated(pipeline: Pipeline, artifacts: list[Any], **options: Any) -> tuple[list[Candidate], float]:
    begin = time.perf_counter()
    found = [Candidate(artifact=each, evaluated=pipeline.evaluate(each, **options)) for each in artifacts]
    return found, time.perf_counter() - begin


def _say(what: str) -> None:
    print(f"  {what} ...", flush=True)
