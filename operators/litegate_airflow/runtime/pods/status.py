"""What the status of a pod says of its step: pure, from what Kubernetes' API gives.

See https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from litegate.errors import StackError
from litegate.execution.executor import Ending
from litegate.failures import FailureKind
from litegate_airflow.runtime.pods.template import STEP

if TYPE_CHECKING:
    from kubernetes.client import V1ContainerStateTerminated, V1ContainerStatus, V1Pod

__all__ = ["ending_of", "has_begun", "has_ended", "waits_for"]

_SIGNALLED = 128
_LONGEST = 2000
_HOPELESS = ("CreateContainerConfigError", "ErrImageNeverPull", "InvalidImageName")
_TAKEN = ("Evicted", "NodeAffinity", "NodeLost", "NodeShutdown", "Preempting", "Terminated")
_LOST = "its node or its place there was taken away"


def has_ended(pod: V1Pod) -> bool:
    """Whether nothing of it runs any more."""
    return pod.status.phase in ("Succeeded", "Failed")


def has_begun(pod: V1Pod, container: str | None = None) -> bool:
    """Whether a container has been started, or any of them."""
    return any(each.state.running or each.state.terminated for each in _statuses(pod) if container in (None, each.name))


def waits_for(pod: V1Pod) -> str:
    """What keeps it from starting, in Kubernetes' words.

    Raises:
        StackError: something that does not pass by itself.
    """
    for each in _statuses(pod):
        waiting = each.state.waiting
        if waiting is not None and waiting.reason in _HOPELESS:
            raise StackError(f"{_named(pod)}: {each.name} cannot start: {waiting.reason}: {waiting.message or ''}")
    said = [each.state.waiting for each in _statuses(pod) if each.state.waiting]
    unmet = [each for each in pod.status.conditions or () if each.status == "False" and each.message]
    return (
        "; ".join(f"{each.reason}: {each.message or ''}" for each in [*unmet, *said]) or pod.status.phase or "unknown"
    )


def ending_of(pod: V1Pod) -> Ending | None:
    """How the step ended, of a pod that has failed; None if it ran, and the rest of the pod succeeded.

    Raises:
        ConnectionError: the pod was lost, or a part of it could not reach the workspace: it may be tried again.
        StackError: a part of it failed for a reason that stays.
    """
    if pod.status.reason == "DeadlineExceeded":
        return Ending(-signal.SIGKILL, "", timed_out=True, memory_short=False)
    if _is_lost(pod):
        raise ConnectionError(f"{_named(pod)}: {_LOST}: {pod.status.reason or ''} {pod.status.message or ''}".rstrip())
    for each in _statuses(pod):
        ended = each.state.terminated
        if ended is not None and ended.exit_code != 0 and not _is_stopped_sidecar(pod, each):
            return _of_container(pod, each.name, ended)
    if pod.status.phase == "Failed":
        raise ConnectionError(f"{_named(pod)} failed: {pod.status.reason or 'no reason given'}")
    return None


def _of_container(pod: V1Pod, name: str, ended: V1ContainerStateTerminated) -> Ending:
    said = (ended.message or "").strip()[-_LONGEST:]
    if name == STEP:
        code = _SIGNALLED - ended.exit_code if ended.exit_code > _SIGNALLED else ended.exit_code
        short = ended.reason == "OOMKilled"
        if short:  # whichever of its processes it was
            exceeded = FailureKind.OOM_KILLED, f"the container of the pod took more memory than it may: {ended.reason}"
            return Ending(-signal.SIGKILL, said, timed_out=False, memory_short=True, exceeded=exceeded)
        return Ending(code, said, timed_out=False, memory_short=False)
    why = f"{_named(pod)}: {name} ended with {ended.exit_code} ({ended.reason or 'no reason'}): {said}"
    if ended.exit_code == os.EX_TEMPFAIL:
        raise ConnectionError(why)
    raise StackError(why)


def _is_lost(pod: V1Pod) -> bool:
    taken = any(each.type == "DisruptionTarget" and each.status == "True" for each in pod.status.conditions or ())
    return taken or pod.status.reason in (
        "Evicted",
        "NodeAffinity",
        "NodeLost",
        "NodeShutdown",
        "Preempting",
        "Terminated",
    )


def _is_stopped_sidecar(pod: V1Pod, status: V1ContainerStatus) -> bool:
    """Those are stopped when all others have ended."""
    specs = {each.name: each for each in pod.spec.init_containers or ()}
    return status.name in specs and specs[status.name].restart_policy == "Always"


def _statuses(pod: V1Pod) -> Iterator[V1ContainerStatus]:
    yield from pod.status.init_container_statuses or ()
    yield from pod.status.container_statuses or ()


def _named(pod: V1Pod) -> str:
    node = f" on node {pod.spec.node_name}" if pod.spec.node_name else ""
    return f"pod {pod.metadata.namespace}/{pod.metadata.name}{node}"
