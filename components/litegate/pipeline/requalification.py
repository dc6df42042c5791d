"""What each step of a requalification is asked: pure functions of the fresh data, the champion and what steps found."""

from __future__ import annotations

from collections.abc import Mapping

from litegate.pipeline.evaluation import judged, runtime_of
from litegate.records import (
    ActRequest,
    Candidate,
    ChampionEvidence,
    ChampionRequest,
    Drift,
    DriftRequest,
    Evaluated,
    EvaluateFilesRequest,
    EvaluateRequest,
    GateRequest,
    RegisteredAlias,
    Requalification,
    RequalifyRequest,
    Snapshot,
    Verdict,
)
from litegate.spec import Registry, Requalify, Spec
from litegate.variants import BASELINE

__all__ = [
    "act_request",
    "champion_request",
    "drift_request",
    "fresh_evaluation_request",
    "fresh_gate_request",
    "record_request",
]


def champion_request(registry: Registry) -> ChampionRequest:
    """Which registered model's champion is fetched."""
    return ChampionRequest(registry=registry.name, alias=registry.alias)


def fresh_evaluation_request(snapshot: Snapshot, champion: ChampionEvidence, *variants: str) -> EvaluateFilesRequest:
    """The evaluation of the baseline, of the champion or of both on the fresh data; they see the same samples."""
    return EvaluateFilesRequest(files=tuple(_fresh_evaluation(snapshot, champion, each) for each in variants))


def _fresh_evaluation(snapshot: Snapshot, champion: ChampionEvidence, variant: str) -> EvaluateRequest:
    spec = snapshot.spec
    artifact = champion.baseline if variant == BASELINE else champion.artifact
    return EvaluateRequest(
        artifact=artifact,
        runtime=runtime_of(spec),
        data=snapshot.data,
        where="requalify.uri",
        metric=spec.evaluation.metric,
        metric_code=snapshot.metric_code,
        judged=judged(spec.evaluation, snapshot.decoder),
        max_samples=_max_samples(spec, artifact.variant),
        seed=spec.calibration.seed,
        preprocess=snapshot.preprocess,
        signature=spec.evaluation.signature,
    )


def drift_request(snapshot: Snapshot, champion: ChampionEvidence, evaluated: Evaluated) -> DriftRequest:
    """The comparison of the fresh data with those that the champion was calibrated and judged on.

    Args:
        evaluated: the champion's outcomes on the fresh data.
    """
    return DriftRequest(
        champion=champion,
        evaluated=evaluated,
        data=snapshot.data,
        limits=_section(snapshot.spec),
        seed=snapshot.spec.calibration.seed,
        preprocess=snapshot.preprocess,
        signature=snapshot.spec.evaluation.signature,
    )


def fresh_gate_request(snapshot: Snapshot, baseline: Candidate, champion: Candidate) -> GateRequest:
    """The verdict on the champion by the limits of the spec's section."""
    return GateRequest(
        policy=_section(snapshot.spec).policy,
        target=snapshot.spec.target,
        variants=(champion.artifact.variant,),
        baseline=baseline,
        candidates=(champion,),
        metric_code=snapshot.metric_code,
        seed=snapshot.spec.calibration.seed,
        allow_evaluation=None,
    )


def record_request(
    snapshot: Snapshot,
    pair: tuple[ChampionEvidence, Evaluated],
    found: tuple[Verdict, Drift],
    run_key: str,
    links: Mapping[str, str],
) -> RequalifyRequest:
    """Everything about a requalification.

    Args:
        pair: the champion, and its outcomes on the fresh data.
        found: what the gate says of it, and how far the data are from those of then.
        run_key: names the run: what is recorded twice under one is recorded once.
        links: pages about it, by name.
    """
    (champion, evaluated), (verdict, drift) = pair, found
    return RequalifyRequest(
        run_key=run_key,
        links=dict(links),
        snapshot=snapshot,
        champion=champion,
        verdict=verdict,
        drift=drift,
        kernels=evaluated.kernels,
    )


def act_request(spec: Spec, requalification: Requalification, actor: str, run_key: str) -> ActRequest:
    """What is to follow.

    Args:
        actor, run_key: what the ledger keeps of who asks.
    """
    section = _section(spec)
    return ActRequest(
        channel=RegisteredAlias.of(spec.registry),
        requalification=requalification,
        on_failure=section.on_failure,
        on_drift=section.on_drift,
        actor=actor,
        run_key=run_key,
    )


def _section(spec: Spec) -> Requalify:
    assert spec.requalify is not None, "the step snapshot has looked"
    return spec.requalify


def _max_samples(spec: Spec, variant: str) -> int | None:
    """The smaller limit, where the variant has one of its own."""
    limits = (_section(spec).max_samples, spec.evaluation.max_samples_by_variant.get(variant))
    return min((limit for limit in limits if limit is not None), default=None)
