"""A pod for each step that runs what users bring; what needs the worker's secrets, or is about it, stays there."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from airflow.sdk import get_current_context
from typing_extensions import override

from litegate.digest import digest_json
from litegate.errors import BadInput, StackError
from litegate.execution.executor import Ending, Executor, PreparedStep
from litegate.execution.executors.warm import WarmExecutor
from litegate.remote.carrying import Carrier, request_of, stays_here, wants_data
from litegate.settings import Settings
from litegate_airflow.runtime.pods.following import Follower
from litegate_airflow.runtime.pods.status import ending_of, has_begun, has_ended, waits_for
from litegate_airflow.runtime.pods.template import STEP, PodOfStep, filled, read_template

if TYPE_CHECKING:
    from kubernetes.client import V1Pod

    from litegate_airflow.runtime.pods.cluster import Cluster

__all__ = ["PodExecutor"]

log = logging.getLogger("litegate")

_PROVIDER = "airflow.providers.cncf.kubernetes"
_STAGING = 900
"""Seconds for the parts around the step, and for pulling the image once the pod has its node."""
_BEGUN = secrets.token_hex(8)


class PodExecutor(Executor):
    """Has a step run by a pod, with request and result carried through the workspace.

    `LITEGATE_POD_TEMPLATE` names the file with the pod's template, `LITEGATE_POD_CONNECTION` the Airflow connection of
    the cluster, `LITEGATE_POD_START` the seconds that a pod may take to be scheduled and started.

    Raises:
        BadInput: Airflow's provider for Kubernetes is missing, or the template is none or opens what must stay closed.
    """

    poll = 1.0
    """Seconds between looks at the pod."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if find_spec(_PROVIDER) is None:
            raise BadInput("LITEGATE_EXECUTOR", "what litegate[kubernetes] brings, for pods", f"no {_PROVIDER}")
        self._template = read_template(os.environ.get("LITEGATE_POD_TEMPLATE", ""))
        self._start = _seconds("LITEGATE_POD_START", 600.0)
        self._here = WarmExecutor(settings.warm, expected=False)
        self._killed = threading.Event()
        self._pod: V1Pod | None = None

    @cached_property
    def _cluster(self) -> Cluster:
        """Its client takes two seconds to load, which only those wait for who make a pod."""
        from litegate_airflow.runtime.pods.cluster import Cluster

        namespace = self._template.get("metadata", {}).get("namespace")
        return Cluster(os.environ.get("LITEGATE_POD_CONNECTION"), namespace)

    @override
    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        if stays_here(prepared, request_of(prepared), self._settings):
            return self._here.run(prepared, say)
        number = secrets.token_hex(16)
        carrier = Carrier(number, self._settings)
        try:
            with closing(self._cluster):
                return self._run(prepared, carrier, number, say)
        finally:
            _forget(carrier)

    @override
    def kill(self) -> None:
        self._killed.set()
        self._here.kill()
        if self._pod is not None:
            self._cluster.delete(self._pod)

    def _run(self, prepared: PreparedStep, carrier: Carrier, number: str, say: Callable[[str], None]) -> Ending:
        labels = _labels(prepared, number)
        self._remove_leftovers(labels)
        pod = self._cluster.create(filled(self._template, self._pod_of(prepared, carrier, number, labels)))
        self._pod = pod
        log.info("%s runs as pod %s/%s", prepared.step.name, pod.metadata.namespace, pod.metadata.name)
        try:
            with Follower(self._cluster, pod, STEP, say) as follower:
                found = self._followed(pod, prepared, follower)
            return found or _of_returned(carrier, prepared)
        finally:
            self._cluster.delete(pod)

    def _pod_of(self, prepared: PreparedStep, carrier: Carrier, number: str, labels: dict[str, str]) -> PodOfStep:
        given = prepared.confinement
        return PodOfStep(
            name=f"litegate-{prepared.step.name.replace('_', '-')}-{number[:12]}",
            labels=labels,
            arguments=(number, carrier.send(prepared)),
            workspace=self._settings.workspace,
            data=wants_data(request_of(prepared)),
            memory=given.memory,
            disk=given.disk,
            deadline=int(prepared.seconds) + _STAGING,
        )

    def _followed(self, pod: V1Pod, prepared: PreparedStep, follower: Follower) -> Ending | None:
        """How the step ended, by what Kubernetes says of the pod; None if the pod has carried it back itself."""
        began = time.monotonic()
        while not self._killed.is_set():
            found = self._cluster.read(pod)
            if found is None:
                if self._killed.is_set():
                    break
                raise ConnectionError(f"pod {pod.metadata.name} is gone: somebody has deleted it, or its node")
            if has_ended(found):
                return ending_of(found)
            follower.look(found)
            took = time.monotonic() - began
            if not has_begun(found):
                self._check_start(found, took)
            elif took > self._start + prepared.seconds + _STAGING:  # its own deadline comes before, where a kubelet is
                return Ending(-signal.SIGKILL, "", timed_out=True, memory_short=False)
            self._killed.wait(self.poll)
        return Ending(-signal.SIGKILL, "", timed_out=False, memory_short=False)

    def _check_start(self, pod: V1Pod, took: float) -> None:
        why = waits_for(pod)
        if took > self._start:
            raise ConnectionError(f"pod {pod.metadata.name} did not start within {self._start:g} s: {why}")

    def _remove_leftovers(self, labels: dict[str, str]) -> None:
        """Pods of a try of this task that was killed: Airflow runs a task once at a time."""
        if "litegate/task" in labels:
            self._cluster.delete_all(f"litegate/task={labels['litegate/task']},litegate/try!={_this_try()}")


def _forget(carrier: Carrier) -> None:
    """What cannot be removed now is small, and goes with the clean-up; it must not hide how the step ended."""
    try:
        carrier.forget()
    except Exception as error:
        log.warning("what the pod and this worker handed each other is left in the workspace: %s", error)


def _of_returned(carrier: Carrier, prepared: PreparedStep) -> Ending:
    """What the pod carried back; nothing of it is believed."""
    returned = carrier.receive(prepared.folder)
    if returned is None:
        raise ConnectionError("the pod has ended, and left no result in the workspace")
    if returned.refused:
        raise StackError(f"the pod would compute another result than this worker asks for: {returned.refused}")
    return returned.ending


def _labels(prepared: PreparedStep, number: str) -> dict[str, str]:
    labels = {
        "app.kubernetes.io/name": "litegate",
        "app.kubernetes.io/component": "step",
        "app.kubernetes.io/managed-by": "litegate",
        "litegate/step": prepared.step.name,
        "litegate/job": number,
        "litegate/try": _this_try(),
    }
    return labels | _labels_of_task()


def _this_try() -> str:
    """Tells the pods of this process from those of one that was killed."""
    return f"{_BEGUN}-{os.getpid()}"


def _labels_of_task() -> dict[str, str]:
    """By which people and later tries find it; none outside of a task."""
    from airflow.providers.cncf.kubernetes.pod_generator import make_safe_label_value

    try:
        ti = get_current_context()["ti"]
    except RuntimeError:
        return {}
    named = {"dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": ti.task_id, "map_index": str(ti.map_index)}
    shown = {name: make_safe_label_value(value) for name, value in named.items()}
    return shown | {"litegate/task": digest_json(list(named.values()))[:32]}


def _seconds(variable: str, default: float) -> float:
    text = os.environ.get(variable)
    try:
        found = float(text) if text else default
    except ValueError:
        found = -1.0
    if not found > 0:
        raise BadInput(variable, "a number of seconds", repr(text))
    return found
