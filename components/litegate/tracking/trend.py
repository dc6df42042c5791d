"""The trend: one run of each alias whose metrics get a point per requalification, so that MLflow draws the lines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric, Run

from litegate.records import RegisteredAlias
from litegate.tracking import requalify_notes, run_data, runs

__all__ = ["ACTION", "NUMBER", "Trend"]

NUMBER = "litegate.requalification"
ACTION = "action"
_KEPT = 1000


class Trend:
    """The trend of a registered-model alias, in the experiment with its requalifications."""

    def __init__(self, client: MlflowClient, experiment_id: str, channel: RegisteredAlias) -> None:
        self.client, self.experiment_id, self.channel = client, experiment_id, channel

    def number_of(self, run: Run) -> int:
        """Which requalification a run records, counted from 1; one pipeline run has one number however often it runs.

        The number is kept on the run before anything is added, so that a repeated step finds it.
        """
        others = self._requalifications()
        group = run.data.tags[runs.GROUP]
        own = [_number(other) for other in others if other.data.tags[runs.GROUP] == group]
        number = own[0] if own else max(map(_number, others), default=0) + 1
        self.client.set_tag(run.info.run_id, NUMBER, str(number))
        return number

    def add(self, run: Run, number: int, metrics: Mapping[str, float | None]) -> None:
        """The point of a requalification, at the time of its run; adding it again changes nothing."""
        points = [
            Metric(name, float(value), run.info.start_time, number)
            for name, value in metrics.items()
            if value is not None and math.isfinite(value)
        ]
        self.client.log_batch(self._run().info.run_id, metrics=points)
        self.describe()

    def describe(self) -> None:
        """Say on the trend's page what the latest requalifications found."""
        current = [run for run in self._requalifications() if run.data.tags.get(runs.SUPERSEDED) != "true"]
        rows = [requalify_notes.row(_number(run), run, run.data.tags.get(ACTION, "")) for run in current]
        note = requalify_notes.trend_note(self.channel, rows)
        run_data.tag(self.client, self._run().info.run_id, {run_data.NOTE: note})

    def _run(self) -> Run:
        key = f"trend of {self.channel}"
        tags = {"model": self.channel.registry, "trend": str(self.channel)}
        run = runs.Runs(self.client, self.experiment_id, key).open([key], key, tags)
        if run.info.status == "RUNNING":  # a trend is not at work: nobody shall wait for its end
            self.client.set_terminated(run.info.run_id)
        return run

    def _requalifications(self) -> list[Run]:
        """The latest ones of the experiment, the last one first."""
        found = self.client.search_runs(
            [self.experiment_id],
            f"tags.`{NUMBER}` != ''",
            max_results=_KEPT,
            order_by=["attributes.start_time DESC"],
        )
        return sorted(found, key=_number, reverse=True)


def _number(run: Run) -> int:
    return int(run.data.tags[NUMBER])
