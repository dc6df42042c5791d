"""What each task does and what it leaves, for the people who look at it in Airflow."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.sdk import DAG

from litegate.pipeline.tasks import TASKS

__all__ = ["QUANTIZE", "REQUALIFY", "document"]

QUANTIZE = {task.id: task.page for task in TASKS}

REQUALIFY = {
    "snapshot": """
Reads the spec file and pins the fresh data by digest.

**Leaves** the spec and the digest.
""",
    "fetch_champion": """
Fetches today's champion and the baseline that it was promoted against. Skipped, with all that follows, where nothing
was promoted yet.

**Leaves** both files, and what the data looked like that calibrated the champion.
""",
    "evaluate_baseline": """
Runs the baseline over the fresh data on all cores. The log says how far it has come.

**Leaves** the outcome of every sample.
""",
    "evaluate_champion": """
Runs the champion over the same samples.

**Leaves** the outcome of every sample.
""",
    "drift": """
Compares the fresh data with those that calibrated the champion, and what it predicts with what it predicted then.

**Leaves** each comparison with its limit.
""",
    "gate": """
Compares the champion with the baseline on the same samples, by the limits of the section `requalify`.

**Leaves** the verdict.
""",
    "record": """
Adds a point to the trend in MLflow.

**Leaves** the run that holds it.
""",
    "act": """
Alerts, or rolls the champion back, as the spec says: where a limit is proved to be broken, a class is lost, or the data
have drifted.

**Leaves** what was concluded; it is red where somebody is to look.
""",
}


def document(dag: DAG, pages: Mapping[str, str]) -> None:
    """Give each task its page."""
    for task_id, task in dag.task_dict.items():
        task.doc_md = pages[task_id]  # type: ignore[misc]  # of an operator, never of a mapped one
