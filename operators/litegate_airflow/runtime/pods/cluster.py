"""Asking Kubernetes for pods, by the hook and the pod manager of Airflow's provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import KubernetesApiException
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager, parse_log_line
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from litegate.errors import StackError

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api, V1Pod
    from pendulum import DateTime

__all__ = ["Cluster"]

log = logging.getLogger("litegate")

_NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER_ERRORS = 404, 409, 429, 500
_AT_ONCE, _SECONDS = 0, (3.0, 3.0)
_LOG_SECONDS = (10.0, 300.0)


class Cluster:
    """The pods of one cluster.

    Every method raises `ConnectionError` where the API server does not answer although it was asked several times, and
    `StackError` where it refuses.

    Args:
        connection: an Airflow connection of the type `kubernetes`; without it the pod's own account, or a kubeconfig.
        namespace: of the pods; None for the connection's.
    """

    def __init__(self, connection: str | None, namespace: str | None) -> None:
        self._given = namespace
        self._hook = KubernetesHook(conn_id=connection) if connection else KubernetesHook(kubernetes_conn_id=None)

    def create(self, manifest: Mapping[str, Any]) -> V1Pod:
        """Create a pod; one of its name and labels that is there already is the one whose answer was lost."""
        pod = PodGenerator.deserialize_model_dict(dict(manifest))
        pod.metadata.namespace = self._namespace
        with _answered(f"creating pod {pod.metadata.name}"):
            try:
                return self._manager.create_pod(pod)
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise
            return self._manager.read_pod(pod)

    def read(self, pod: V1Pod) -> V1Pod | None:
        """The pod as it is now; None if it is gone."""
        with _answered(f"reading pod {pod.metadata.name}"):
            try:
                return self._manager.read_pod(pod)
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise
        return None

    def delete(self, pod: V1Pod) -> None:
        """Delete a pod at once, asking only once; what cannot be deleted ends by its own deadline."""
        name, namespace = pod.metadata.name, pod.metadata.namespace
        try:
            self._client.delete_namespaced_pod(
                name, namespace, grace_period_seconds=_AT_ONCE, _request_timeout=_SECONDS
            )
        except (ApiException, HTTPError) as error:
            if getattr(error, "status", None) != _NOT_FOUND:
                log.warning("pod %s/%s cannot be deleted, and ends by its deadline: %s", namespace, name, _brief(error))

    def delete_all(self, selector: str) -> None:
        """Delete the pods that labels select."""
        with _answered(f"looking for pods with {selector}"):
            found = self._client.list_namespaced_pod(self._namespace, label_selector=selector)
        for pod in found.items:
            log.info("pod %s was left by an earlier try of this task: it is deleted", pod.metadata.name)
            self.delete(pod)

    def log_lines(self, pod: V1Pod, container: str, after: DateTime | None) -> Iterator[tuple[DateTime | None, str]]:
        """The lines of a container, as they come, until it ends or the connection breaks; each with its time.

        Args:
            after: the time of the last line that is known.
        """
        with suppress(ApiException, HTTPError, KubernetesApiException):
            lines = self._manager.read_pod_logs(
                pod, container, timestamps=True, follow=True, _request_timeout=_LOG_SECONDS
            )
            with closing(lines.response):
                for line in lines:
                    when, text = parse_log_line(line.decode(errors="replace"))
                    if after is None or when is None or when > after:
                        yield when, text

    def close(self) -> None:
        """Give back the connections; whoever asks again makes others."""
        if "_client" in vars(self):
            pools = self._client.api_client.rest_client.pool_manager.pools
            for key in pools.keys():  # noqa: SIM118 (it cannot be iterated over)
                pools[key].close()

    @cached_property
    def _namespace(self) -> str:
        return self._given or self._hook.get_namespace() or KubernetesHook.DEFAULT_NAMESPACE

    @cached_property
    def _client(self) -> CoreV1Api:
        try:
            return self._hook.core_v1_client
        except ConfigException as error:
            raise StackError(
                f"no Kubernetes to run pods in: {error}; name a connection by LITEGATE_POD_CONNECTION, or run in a pod"
            ) from None

    @cached_property
    def _manager(self) -> PodManager:
        return PodManager(self._client)


@contextmanager
def _answered(doing: str) -> Iterator[None]:
    """What Kubernetes' client raises as what our callers know."""
    try:
        yield
    except ApiException as error:
        if error.status in (0, None, _TOO_MANY) or error.status >= _SERVER_ERRORS:
            raise ConnectionError(f"Kubernetes does not answer while {doing}: {_brief(error)}") from None
        raise StackError(f"Kubernetes refuses while {doing}: {_brief(error)}") from None
    except (HTTPError, KubernetesApiException) as error:
        raise ConnectionError(f"Kubernetes does not answer while {doing}: {_brief(error)}") from None


def _brief(error: Exception) -> str:
    """Without headers, which may name what is nobody's business."""
    if isinstance(error, ApiException):
        return f"{error.status} {error.reason}: {str(error.body or '')[:500]}"
    return f"{type(error).__name__}: {error}"[:500]
