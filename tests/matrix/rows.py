"""The rows of the matrix: which interpreter, which versions, and what is run on them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHECKS", "ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """One pair of environments.

    Attributes:
        python: the interpreter's version, as `3.12`.
        resolution: `locked`, or uv's strategy: `lowest-direct` or `highest`.
        versions: packages that are to have a version of their own, as `mlflow==3.17.0`; also beyond our bounds.
    """

    name: str
    python: str
    resolution: str
    versions: tuple[str, ...] = ()


ROWS = (
    Row("oldest", "3.11", "lowest-direct"),
    Row("locked", "3.12", "locked"),
    Row("newest", "3.13", "highest"),
)

CHECKS: dict[str, tuple[str, ...]] = {
    "quick": (
        *("tests/components/records", "tests/components/spec", "tests/components/storage"),
        *("tests/components/promotion", "tests/components/report", "tests/components/datasets"),
        *("tests/operators", "tests/dags", "-m", "not e2e"),
    ),
    "mlflow": (
        *("tests/components/tracking/test_registry.py", "tests/components/tracking/test_models.py"),
        *("tests/components/tracking/test_runs.py", "tests/components/tracking/test_deciding.py"),
        *("tests/components/tracking/test_ledger.py", "tests/components/cli/test_older_releases.py"),
        "tests/components/flavor",
    ),
    "pipeline": (
        *("tests/components/engines/test_engines.py", "tests/components/pipeline/test_local.py"),
        *("tests/components/verification/test_verifying.py", "tests/dags/test_quantize_run.py"),
    ),
    "servers": ("tests/e2e/test_pipeline.py", "-k", "demo or outsider or second_run"),
}
"""By name, what pytest is given: quick tests, those of Airflow's DAGs among them; those with a real MLflow server;
whole pipelines from Keras files to a verified champion, as a library and by Airflow's `dag.test`; and the demo through
the real servers."""
