"""Requalify: the champion and its baseline on fresh data, recorded, and what follows. One operator for each task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.records import (
    ChampionRequest,
    Channel,
    ConcludeRequest,
    Conclusion,
    DriftRequest,
    EvaluateRequest,
    FoundIncumbent,
    GateRequest,
    PinRequest,
    RequalifyRequest,
)
from litegate.spec import Requalify, Spec, load_spec
from litegate.variants import BASELINE
from litegate_airflow.dag_run import actor
from litegate_airflow.pages import run_url
from litegate_airflow.requalification_records import CONCLUSION, RequalificationRecords
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator, VariantOperator, failures_reported
from litegate_airflow.xcom import push

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = [
    "CONCLUSION",
    "ActOperator",
    "DriftOperator",
    "FetchIncumbentOperator",
    "PinOperator",
    "RecordOperator",
    "RequalifyEvaluateOperator",
    "RequalifyGateOperator",
]

"""XCom key of what came of a requalification, also where the task then fails."""


class PinOperator(StepOperator):
    """Reads the spec as it is when the task runs and returns a `Pinned`: the fresh data as they are now."""

    step = "pin"

    def __init__(self, *, spec_path: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.spec_path = spec_path

    @override
    def request(self, records: RunRecords) -> PinRequest:
        path = Path(self.spec_path)
        return PinRequest(spec=load_spec(path), folder=str(path.resolve().parent))


class FetchIncumbentOperator(StepOperator):
    """Returns a `FoundIncumbent`; where nothing was promoted yet it is skipped, with all that follows."""

    step = "incumbent"

    @override
    def request(self, records: RunRecords) -> ChampionRequest:
        registry = RequalificationRecords(records.ti).pinned().spec.registry
        return ChampionRequest(registry=registry.name, alias=registry.alias)

    @override
    def deliver(self, result: FoundIncumbent, context: Context) -> Any:
        if result.incumbent is None:
            registry = RequalificationRecords(context["ti"]).pinned().spec.registry
            message = f"no version of {registry.name} is {registry.alias} yet: there is nothing to requalify"
            raise AirflowSkipException(message)
        return result.to_json()


class RequalifyEvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline or of the champion; both see the same samples."""

    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> EvaluateRequest:
        found = RequalificationRecords(records.ti)
        pinned, incumbent = found.pinned(), found.incumbent()
        spec = pinned.spec
        artifact = incumbent.baseline if self.variant == BASELINE else incumbent.champion
        return EvaluateRequest(
            artifact=artifact,
            data=pinned.data,
            where="requalify.uri",
            metric=spec.evaluation.metric,
            metric_code=pinned.metric_code,
            max_samples=_max_samples(spec, artifact.variant),
            seed=spec.calibration.seed,
            preprocess=pinned.preprocess,
            signature=spec.evaluation.signature,
        )


class DriftOperator(StepOperator):
    """Returns a `Drift`."""

    step = "drift"

    @override
    def request(self, records: RunRecords) -> DriftRequest:
        found = RequalificationRecords(records.ti)
        pinned = found.pinned()
        return DriftRequest(
            incumbent=found.incumbent(),
            evaluated=found.evaluated(),
            data=pinned.data,
            limits=_section(pinned.spec),
            seed=pinned.spec.calibration.seed,
            preprocess=pinned.preprocess,
            signature=pinned.spec.evaluation.signature,
        )


class RequalifyGateOperator(StepOperator):
    """Returns `Verdicts` on the baseline and the champion, by the limits of the spec's section."""

    step = "judge"

    @override
    def request(self, records: RunRecords) -> GateRequest:
        found = RequalificationRecords(records.ti)
        pinned = found.pinned()
        baseline, champion = found.pair()
        return GateRequest(
            policy=_section(pinned.spec).policy,
            target=pinned.spec.target,
            variants=(champion.artifact.variant,),
            baseline=baseline,
            candidates=(champion,),
            metric_code=pinned.metric_code,
            seed=pinned.spec.calibration.seed,
            allow_evaluation=None,
        )


class RecordOperator(StepOperator):
    """Returns a `Requalification`; the run's key makes a second try record nothing twice."""

    step = "requalify"

    @override
    def request(self, records: RunRecords) -> RequalifyRequest:
        found = RequalificationRecords(records.ti)
        return RequalifyRequest(
            run_key=f"{records.ti.dag_id}/{records.ti.run_id}",
            links={"airflow": run_url(records.ti)},
            pinned=found.pinned(),
            incumbent=found.incumbent(),
            verdict=found.verdict(),
            drift=found.drift(),
            kernels=found.evaluated().kernels,
        )


class ActOperator(StepOperator):
    """Returns a `Conclusion`, which is also under the XCom key `conclusion`; fails where somebody is to look.

    Whoever is to be told of it reads that key in the task's callbacks.
    """

    step = "conclude"

    @override
    def request(self, records: RunRecords) -> ConcludeRequest:
        found = RequalificationRecords(records.ti)
        spec = found.pinned().spec
        section = _section(spec)
        return ConcludeRequest(
            channel=Channel(registry=spec.registry.name, alias=spec.registry.alias),
            requalification=found.requalification(),
            on_failure=section.on_failure,
            on_drift=section.on_drift,
            actor=actor(records.ti),
            run_key=f"{records.ti.dag_id}/{records.ti.run_id}",
        )

    @override
    def execute(self, context: Context) -> Any:
        ti = context["ti"]
        with failures_reported(ti, self.step):
            conclusion: Conclusion = self.run_step(self.step, self.request(RunRecords(ti)))
            push(ti, CONCLUSION, conclusion)
            if conclusion.action == "alerted":
                raise StepFailed("requalify", FailureKind.ALERT, conclusion.why)
            return self.deliver(conclusion, context)


def _section(spec: Spec) -> Requalify:
    assert spec.requalify is not None, "the step pin has looked"
    return spec.requalify


def _max_samples(spec: Spec, variant: str) -> int | None:
    """The smaller limit, where the variant has one of its own."""
    limits = (_section(spec).max_samples, spec.evaluation.max_samples_by_variant.get(variant))
    return min((limit for limit in limits if limit is not None), default=None)
