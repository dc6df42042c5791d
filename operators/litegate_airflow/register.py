"""Register: the whole run to MLflow."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import RegisterRequest
from litegate_airflow.pages import run_url
from litegate_airflow.step import StepOperator
from litegate_airflow.xcom import RunRecords

__all__ = ["RegisterOperator"]


class RegisterOperator(StepOperator):
    """Returns a `RunResult`; the run's key makes a second try record nothing twice."""

    step = "register"

    @override
    def request(self, records: RunRecords) -> RegisterRequest:
        ti = records.ti
        converted = records.converted()
        return RegisterRequest(
            run_key=f"{ti.dag_id}/{ti.run_id}",
            links={"airflow": run_url(ti)},
            resolved=records.resolved(),
            parity=records.parity(),
            samples=records.samples(),
            lint=records.lint(),
            tools=converted.tools,
            baseline=records.baseline(),
            candidates=records.candidates(),
            verdicts=records.verdicts(),
            selection=records.selection(),
        )
