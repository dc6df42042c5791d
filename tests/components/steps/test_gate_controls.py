"""The step `gate` takes the control variate for the bounds, and the host for how often host and target differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.digest import digest_bytes
from litegate.outcomes.columns import Outcomes
from litegate.records import (
    Artifact,
    Candidate,
    ControlOutcomes,
    Evaluated,
    FileRef,
    GateRequest,
    HostOutcomes,
    ReferenceOutcomes,
    Verdict,
)
from litegate.spec import Gate
from litegate.spec.metric_facts import BUILT_IN
from litegate.steps import gate
from litegate.work.step_work import Work

SAMPLES, SEEN = 4_000, 600
RNG = np.random.default_rng(3)
RIGHT = RNG.random(SAMPLES) < 0.8
ON_TARGET = RIGHT ^ (RNG.random(SAMPLES) < 0.04)
ON_HOST = RIGHT ^ (RNG.random(SAMPLES) < 0.04)
"""Of the variant: another 4 % of the samples change there."""
Judge = Callable[..., Verdict]


def outcomes(right: Any, rows: Any) -> Outcomes:
    label = np.arange(SAMPLES) % 3
    index = np.arange(SAMPLES)
    answer = np.where(right, label, (label + 1) % 3)
    every = Outcomes(
        index=index,
        id=index.astype("S8"),
        score=right,
        label=label,
        prediction=answer,
        answer=answer.astype("S8"),
    )
    return every.take(rows)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    work, part, whole = Work(tmp_path, tmp_path / "cache"), slice(SEEN), slice(None)

    def kept(right: Any, rows: Any) -> FileRef:
        content = outcomes(right, rows).to_bytes()
        ref = FileRef(name="f", digest=digest_bytes(content), bytes=len(content))
        work.path(ref).parent.mkdir(parents=True, exist_ok=True)
        work.path(ref).write_bytes(content)
        return ref

    def candidate(name: str, target: Any, host: Any, control: Any, **more: Any) -> Candidate:
        file = FileRef(name=name, digest=digest_bytes(name.encode()), bytes=1)
        by_host = HostOutcomes(
            runtime="litert", title="LiteRT", beside="Micro", kernels="x", samples=SAMPLES, outcomes=kept(host, whole)
        )
        evaluated = Evaluated(
            variant=name,
            artifact_digest=file.digest,
            metric=BUILT_IN["top1"],
            samples=SEEN,
            available=SEEN,
            outcomes=kept(target, part),
            seconds=1.0,
            kernels="micro",
            host=by_host,
            control=control,
            **more,
        )
        return Candidate(artifact=Artifact(variant=name, file=file, signatures={}), evaluated=evaluated)

    def judged(control: Any = None, max_drop: float = 0.05, references: bool = False) -> Verdict:
        """Args: control: what the control variate gave, or why it could not."""
        found = None
        if isinstance(control, str):
            found = ControlOutcomes(runtime="litert", title="LiteRT", kernels="x", refused=control)
        elif control is not None:
            found = ControlOutcomes(runtime="near", title="Near", kernels="n", outcomes=kept(control, whole))
        baseline = candidate("float32", RIGHT, RIGHT, None)
        beside = ReferenceOutcomes(
            role="baseline",
            artifact_digest=baseline.artifact.file.digest,
            outcomes=kept(RIGHT, part),
            host=kept(RIGHT, whole),
        )
        int8 = candidate("int8", ON_TARGET, ON_HOST, found, references=(beside,) * references)
        request = GateRequest(
            policy=Gate(max_drop=max_drop),
            target="microcontroller",
            variants=("int8",),
            baseline=baseline,
            candidates=(int8,),
        )
        return gate.run(request, work).verdicts[1]

    return judged


def width(verdict: Verdict) -> float:
    assert verdict.drop_low is not None
    assert verdict.drop_high is not None
    return verdict.drop_high - verdict.drop_low


@pytest.mark.parametrize("references", [False, True], ids=["baseline of its own", "baseline beside it"])
def test_the_bounds_are_the_control_variates(judge: Judge, references: bool) -> None:
    by_host, controlled = judge(references=references), judge(ON_TARGET, references=references)
    assert width(controlled) < 0.7 * width(by_host)
    assert controlled.host_samples == by_host.host_samples == SAMPLES
    low, high = controlled.drop_low, controlled.drop_high
    assert low is not None
    assert high is not None
    assert low < RIGHT.mean() - ON_TARGET.mean() < high


def test_how_often_both_differ_is_still_about_the_host(judge: Judge) -> None:
    by_host, controlled = judge(), judge(ON_TARGET)
    assert controlled.disagreement is not None
    assert controlled.disagreement == by_host.disagreement
    assert controlled.disagreement.host == "LiteRT"
    assert controlled.disagreement.classes == pytest.approx(np.mean((ON_TARGET != ON_HOST)[:SEEN]))


def test_so_is_what_made_a_variant_fail(judge: Judge) -> None:
    """Which of quantization and kernels it was is asked of the host, with the control variate and without."""
    for found in (judge(max_drop=0.0), judge(ON_TARGET, max_drop=0.0)):
        assert found.state == "failed"
        assert found.disagreement is not None
        assert found.disagreement.cause == "quantization"
        assert found.disagreement.host_drop == pytest.approx(RIGHT.mean() - ON_HOST.mean())


def test_where_it_could_not_run_the_file_the_host_is_the_control_variate(judge: Judge) -> None:
    assert judge("Near cannot run it: TANH on int16") == judge()
