"""Versions to promote, and processes that promote them at once."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.digest import digest_bytes
from litegate.inspection.tflite import describe
from litegate.records import Decision, RegisteredAlias, Verdict
from litegate.tracking import models, notes, registry
from litegate.tracking.deciding import decide

__all__ = ["NAIVE", "Logged", "Promoter", "log_model"]

NAIVE = "naive"
"""Alias of what a promotion by reading, comparing and setting arrives at."""


@dataclass(frozen=True)
class Logged:
    """A logged model with its verdict, ready to be registered."""

    model_id: str
    run_id: str
    digest: str


def log_model(client: MlflowClient, experiment: str, content: bytes) -> Logged:
    """Log a .tflite as the step `register` does."""
    digest, run = digest_bytes(content), client.create_run(experiment)
    verdict = Verdict(variant="int8", state="passed", digest=digest)
    client.log_text(run.info.run_id, verdict.model_dump_json(), notes.VERDICT)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model-int8.tflite")
        file.write_bytes(content)
        ((key, signature),) = describe(content).items()
        model = models.ensure_model(client, run, file, (key, signature), {}, {})
    return Logged(model.model_id, run.info.run_id, digest)


class Promoter:
    """One of several that promote at once; lives in a process of its own."""

    def __init__(self, url: str, registry_name: str, content: bytes) -> None:
        os.environ["MLFLOW_TRACKING_URI"] = url
        os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
        self.client, self.name, self.content = MlflowClient(url), registry_name, content
        found = self.client.get_experiment_by_name(f"quantize/{registry_name}")
        self.experiment = str(found.experiment_id)

    def log(self, mark: str) -> Logged:
        """A model of its own: the same file with other bytes behind its end."""
        return log_model(self.client, self.experiment, self.content + mark.encode())

    def register(self, logged: Logged) -> int:
        """The version of a logged model, by whoever is first."""
        tags = {registry.STATE: registry.PASSED, registry.DIGEST: logged.digest, registry.VARIANT: "int8"}
        return registry.ensure_version(self.client, self.name, logged.model_id, logged.run_id, tags, lambda _: "")

    def promote(self, logged: Logged, version: int, place: tuple[int, str]) -> float:
        """Promote a version; returns the seconds that it took.

        Args:
            place: how many entries the ledger had when the run began, and the moment for which it was due.
        """
        begin = time.perf_counter()
        decision = Decision(
            channel=RegisteredAlias(registry=self.name),
            action="accepted",
            key=logged.run_id,
            actor=f"process {os.getpid()}",
            why="benchmark",
            version=version,
            digest=logged.digest,
            variant="int8",
            begun=place[0],
            order=place[1],
        )
        with tempfile.TemporaryDirectory() as folder:
            decide(self.client, decision, Path(folder))
        return time.perf_counter() - begin

    def promote_naively(self, version: int, orders: dict[int, str]) -> None:
        """What people write first: read the alias, compare, set it."""
        aliases: dict[str, Any] = self.client.get_registered_model(self.name).aliases
        now = int(aliases.get(NAIVE, 0))
        if orders[version] > orders.get(now, ""):
            with suppress(MlflowException):  # two first writers collide: one promotion is lost
                self.client.set_registered_model_alias(self.name, NAIVE, str(version))
