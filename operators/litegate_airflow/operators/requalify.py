"""Requalify: the champion and its baseline on fresh data, recorded, and what follows. One operator for each task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.evaluation import runtime_of
from litegate.pipeline.tasks import REQUALIFICATION
from litegate.records import (
    Acted,
    ActRequest,
    ChampionRequest,
    DriftRequest,
    EvaluateRequest,
    FoundChampion,
    GateRequest,
    RegisteredAlias,
    RequalifyRequest,
    SnapshotRequest,
)
from litegate.spec import Requalify, Spec
from litegate.variants import BASELINE
from litegate_airflow.operators.step import StepOperator, VariantOperator
from litegate_airflow.runtime.dag_run import actor
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.requalification_records import CONCLUSION, RequalificationRecords
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource
from litegate_airflow.runtime.xcom import push
from litegate_airflow.ui.pages import run_url

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = [
    "CONCLUSION",
    "ActOperator",
    "DriftOperator",
    "FetchChampionEvidenceOperator",
    "RecordOperator",
    "RequalifyEvaluateOperator",
    "RequalifyGateOperator",
    "SnapshotOperator",
]


class SnapshotOperator(StepOperator):
    """Reads the spec as it is when the task runs and returns a `Snapshot`: the fresh data as they are now."""

    kind = REQUALIFICATION
    step = "snapshot"

    def __init__(self, *, spec: SpecLike, folder: str | Path | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.source = SpecSource.of(spec, folder)

    @override
    def request(self, records: RunRecords) -> SnapshotRequest:
        return SnapshotRequest(spec=self.source.read(), folder=str(self.source.parent))


class FetchChampionEvidenceOperator(StepOperator):
    """Returns a `FoundChampion`; where nothing was promoted yet it is skipped, with all that follows."""

    kind = REQUALIFICATION
    step = "fetch_champion_evidence"

    @override
    def request(self, records: RunRecords) -> ChampionRequest:
        registry = RequalificationRecords(records.ti).snapshot().spec.registry
        return ChampionRequest(registry=registry.name, alias=registry.alias)

    @override
    def deliver(self, result: FoundChampion, context: Context) -> Any:
        if result.champion is None:
            registry = RequalificationRecords(context["ti"]).snapshot().spec.registry
            message = f"no version of {registry.name} is {registry.alias} yet: there is nothing to requalify"
            raise AirflowSkipException(message)
        return result.to_json()


class RequalifyEvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline or of the champion; both see the same samples."""

    kind = REQUALIFICATION
    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> EvaluateRequest:
        found = RequalificationRecords(records.ti)
        snapshot, champion = found.snapshot(), found.evidence()
        spec = snapshot.spec
        artifact = champion.baseline if self.variant == BASELINE else champion.artifact
        return EvaluateRequest(
            artifact=artifact,
            runtime=runtime_of(spec),
            data=snapshot.data,
            where="requalify.uri",
            metric=spec.evaluation.metric,
            metric_code=snapshot.metric_code,
            max_samples=_max_samples(spec, artifact.variant),
            seed=spec.calibration.seed,
            preprocess=snapshot.preprocess,
            signature=spec.evaluation.signature,
        )


class DriftOperator(StepOperator):
    """Returns a `Drift`."""

    kind = REQUALIFICATION
    step = "drift"

    @override
    def request(self, records: RunRecords) -> DriftRequest:
        found = RequalificationRecords(records.ti)
        snapshot = found.snapshot()
        return DriftRequest(
            champion=found.evidence(),
            evaluated=found.evaluated(),
            data=snapshot.data,
            limits=_section(snapshot.spec),
            seed=snapshot.spec.calibration.seed,
            preprocess=snapshot.preprocess,
            signature=snapshot.spec.evaluation.signature,
        )


class RequalifyGateOperator(StepOperator):
    """Returns `Verdicts` on the baseline and the champion, by the limits of the spec's section."""

    kind = REQUALIFICATION
    step = "gate"

    @override
    def request(self, records: RunRecords) -> GateRequest:
        found = RequalificationRecords(records.ti)
        snapshot = found.snapshot()
        baseline, champion = found.pair()
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


class RecordOperator(StepOperator):
    """Returns a `Requalification`; the run's key makes a second try record nothing twice."""

    kind = REQUALIFICATION
    step = "requalify"

    @override
    def request(self, records: RunRecords) -> RequalifyRequest:
        found = RequalificationRecords(records.ti)
        return RequalifyRequest(
            run_key=records.run_key(),
            links={"airflow": run_url(records.ti)},
            snapshot=found.snapshot(),
            champion=found.evidence(),
            verdict=found.verdict(),
            drift=found.drift(),
            kernels=found.evaluated().kernels,
        )


class ActOperator(StepOperator):
    """Returns a `Acted`, which is also under the XCom key `acted`; fails where somebody is to look.

    Whoever is to be told of it reads that key in the task's callbacks.
    """

    kind = REQUALIFICATION
    step = "act"

    @override
    def request(self, records: RunRecords) -> ActRequest:
        found = RequalificationRecords(records.ti)
        spec = found.snapshot().spec
        section = _section(spec)
        return ActRequest(
            channel=RegisteredAlias(registry=spec.registry.name, alias=spec.registry.alias),
            requalification=found.requalification(),
            on_failure=section.on_failure,
            on_drift=section.on_drift,
            actor=actor(records.ti),
            run_key=records.run_key(),
        )

    @override
    def execute(self, context: Context) -> Any:
        ti = context["ti"]
        with failures_reported(ti, self.step), self.connected():
            acted: Acted = self.run_step(self.step, self.request(RunRecords(ti)))
            push(ti, CONCLUSION, acted)
            if acted.action == "alerted":
                raise StepFailed("requalify", FailureKind.ALERT, acted.why)
            return self.deliver(acted, context)


def _section(spec: Spec) -> Requalify:
    assert spec.requalify is not None, "the step snapshot has looked"
    return spec.requalify


def _max_samples(spec: Spec, variant: str) -> int | None:
    """The smaller limit, where the variant has one of its own."""
    limits = (_section(spec).max_samples, spec.evaluation.max_samples_by_variant.get(variant))
    return min((limit for limit in limits if limit is not None), default=None)
