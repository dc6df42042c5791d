"""Runs of one pipeline run, found again when a step is repeated: nothing is ever recorded twice.

Each run carries the digest of what it records. The same content finds the same run; where a repeated
pipeline run found something else, the outdated run stays, and its tag `litegate.superseded` becomes `true`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from litegate.digest import digest_json
from litegate.errors import StackError
from litegate.storage.scratch import WRITER_TAG, writer
from litegate.tracking.run_data import NOTE, cut, tag

__all__ = [
    "GROUP",
    "KILLED",
    "NOTE",
    "SUPERSEDED",
    "Runs",
    "artifact_page",
    "connect",
    "experiment",
    "page",
    "unended",
]

RUN_KEY = "litegate.run_key"
DIGEST = "litegate.digest"
GROUP = "litegate.group"
SUPERSEDED = "litegate.superseded"
KILLED = "KILLED"
"""MLflow's state of a run that was ended from outside."""
FILES, FILES_ARTIFACT = "litegate.files", "workspace.json"


def connect() -> MlflowClient:
    """A client of the server that `MLFLOW_TRACKING_URI` names.

    Raises:
        StackError: it names none; MLflow would then write to a folder that nobody looks at.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise StackError("MLFLOW_TRACKING_URI is not set: start the stack with `make run`, or name your MLflow server")
    return MlflowClient()


def page(run: Run) -> str:
    """The run's page in MLflow's user interface, which opens in its agent mode unless told otherwise."""
    path = f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    return f"{os.environ['MLFLOW_TRACKING_URI'].rstrip('/')}/#/{path}?workflowType=machine_learning"


def artifact_page(run: Run, artifact: str) -> str:
    """The page on which MLflow's user interface shows an artifact of the run."""
    base, query = page(run).split("?")
    return f"{base}/artifacts/{quote(artifact)}?{query}"


def experiment(
    client: MlflowClient, name: str, note: Callable[[str], str], tags: Mapping[str, str] | None = None
) -> str:
    """The id of the experiment, created where there is none and brought back where it was deleted.

    Args:
        note: makes the description of a new one from its id.
        tags: what a new one has besides.
    """
    with suppress(MlflowException):  # somebody else may have created it; what follows tells
        if client.get_experiment_by_name(name) is None:
            created = client.create_experiment(name, tags=dict(tags or {}))
            client.set_experiment_tag(created, NOTE, note(created))
    found = client.get_experiment_by_name(name)
    if found is None:
        raise MlflowException(f"experiment {name!r} does not exist and cannot be created")
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


class Runs:
    """The runs of one pipeline run in an experiment; several threads may record at once.

    Args:
        run_key: names the pipeline run.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, run_key: str) -> None:
        self.client, self.experiment_id, self.run_key = client, experiment_id, run_key
        self.group = _group(run_key)
        self._opened: list[str] = []

    @contextmanager
    def recording(
        self,
        content: Sequence[str],
        name: str,
        tags: Mapping[str, str],
        parent: str | None = None,
        status: str = "FINISHED",
        began: int | None = None,
    ) -> Iterator[Run]:
        """The run that records `content`, which ends with `status`, and `began` so many milliseconds after 1970.

        As FAILED if recording it fails, as KILLED if this process is to end, also while the run is being created.
        """
        try:
            run = self.open(content, name, tags, parent, began)
            yield run
        except BaseException as error:
            with suppress(MlflowException):
                for each in self._search(
                    f"{_is(DIGEST, _digest(content, parent))} and attributes.status != 'FINISHED'"
                ):
                    self.client.set_terminated(each.info.run_id, "FAILED" if isinstance(error, Exception) else KILLED)
            raise
        if run.info.status != status:
            self.client.set_terminated(run.info.run_id, status)

    def open(
        self,
        content: Sequence[str],
        name: str,
        tags: Mapping[str, str],
        parent: str | None = None,
        began: int | None = None,
    ) -> Run:
        """The run that records `content`, created where there is none."""
        digest = _digest(content, parent)
        now = {**tags, SUPERSEDED: "false", WRITER_TAG: writer()}
        run = self._earlier.get(digest)
        if run is None:
            own = {RUN_KEY: self.run_key, GROUP: self.group, DIGEST: digest, **now}
            if parent is not None:
                own["mlflow.parentRunId"] = parent
            run = self.client.create_run(self.experiment_id, began, cut(own), name)
        else:
            tag(self.client, run.info.run_id, now, run.data.tags)
        self._opened.append(run.info.run_id)
        return run

    def supersede_others(self) -> None:
        """Tag what earlier tries of the same pipeline run recorded and this one did not; end what they left open."""
        for run in self._search(_is(GROUP, self.group)):
            if run.info.run_id not in self._opened:
                self.client.set_tag(run.info.run_id, SUPERSEDED, "true")
                if run.info.status == "RUNNING":  # that try was killed
                    self.client.set_terminated(run.info.run_id, KILLED)

    @cached_property
    def _earlier(self) -> dict[str, Run]:
        """By digest, the first run that earlier tries recorded: one request for all, for there are many variants."""
        return {run.data.tags.get(DIGEST, ""): run for run in reversed(self._search(_is(GROUP, self.group)))}

    def _search(self, wanted: str) -> list[Run]:
        runs = self.client.search_runs([self.experiment_id], wanted, max_results=1000)
        return sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id))


def unended(client: MlflowClient, experiment: str, run_key: str) -> list[Run]:
    """The runs of one pipeline run that are being recorded, or were when somebody was killed over it."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    wanted = f"{_is(GROUP, _group(run_key))} and attributes.status = 'RUNNING'"
    return list(client.search_runs([found.experiment_id], wanted, max_results=1000))


def _digest(content: Sequence[str], parent: str | None) -> str:
    return digest_json([*content, parent])


def _is(key: str, value: str) -> str:
    return f"tags.`{key}` = '{value}'"


def _group(run_key: str) -> str:
    return digest_json(run_key)[:16]
