"""The part of Kubernetes' API that pods are asked for by, over HTTP; the pods that it accepts are run.

A pod is accepted if Kubernetes' own schema allows it, without unknown keys.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate

from tests.operators.runtime.pods.kubelet import Fate, RunningPod

__all__ = ["FakeKubernetes", "fake_kubernetes"]

_POD = re.compile(r"/api/v1/namespaces/([\w-]+)/pods(?:/([\w.-]+)(/log)?)?")
_VERSION = "1.33"


class FakeKubernetes:
    """A cluster of one node.

    Attributes:
        url: where its API answers.
        secrets: by name, then by key.
        claims: folders of this host, by the names of persistent volume claims.
        image: the variables that every image sets.
        fates: what becomes of containers, by their names, in place of running.
        answers: status codes of the next answers, in place of what would be said.
        created, deleted: what was asked for, in this order.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.secrets: dict[str, Mapping[str, str]] = {}
        self.claims: dict[str, str] = {}
        self.image: dict[str, str] = {}
        self.fates: dict[str, Fate] = {}
        self.answers: list[int] = []
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.pods: dict[tuple[str, str], RunningPod] = {}

    @property
    def config(self) -> dict[str, Any]:
        """A kubeconfig for it."""
        context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
        users = [{"name": "test", "user": {"token": "test"}}]
        clusters = [{"name": "test", "cluster": {"server": self.url}}]
        return {"current-context": "test", "contexts": [context], "users": users, "clusters": clusters}

    def create(self, namespace: str, manifest: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Accept a pod, or say what is wrong with it."""
        try:
            kubernetes_validate.validate(manifest, _VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            return 422, _failure(422, f"{error.path}: {error.message}")
        name = manifest["metadata"]["name"]
        if (namespace, name) in self.pods:
            return 409, _failure(409, f'pods "{name}" already exists')
        self.created.append(json.loads(json.dumps(manifest)))
        manifest["metadata"] |= {"namespace": namespace, "uid": name, "creationTimestamp": _now()}
        self.pods[namespace, name] = RunningPod(manifest, self.secrets, self.claims, self.image, self.fates)
        return 201, manifest

    def delete(self, namespace: str, name: str) -> tuple[int, dict[str, Any]]:
        """Take a pod away."""
        pod = self.pods.pop((namespace, name), None)
        if pod is None:
            return 404, _failure(404, f'pods "{name}" not found')
        self.deleted.append(name)
        pod.delete()
        return 200, pod.manifest

    def listed(self, namespace: str, selector: str) -> dict[str, Any]:
        """Those that labels select."""
        found = [pod.manifest for (where, _), pod in [*self.pods.items()] if where == namespace]
        return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [*filter(_selects(selector), found)]}


@contextmanager
def fake_kubernetes() -> Iterator[FakeKubernetes]:
    """A cluster on a free port of the loopback interface."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.cluster = FakeKubernetes(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for pod in [*server.cluster.pods.values()]:
            pod.delete()


class _Server(ThreadingHTTPServer):
    cluster: FakeKubernetes
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        manifest = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(lambda namespace, _: self.server.cluster.create(namespace, manifest))

    def do_DELETE(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(self.server.cluster.delete)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        if asked.path.endswith("/log"):
            self._log(query)
        else:
            self._answer(lambda namespace, name: self._found(namespace, name, query))

    def _found(self, namespace: str, name: str | None, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if name is None:
            return 200, self.server.cluster.listed(namespace, query.get("labelSelector", ""))
        pod = self.server.cluster.pods.get((namespace, name))
        return (404, _failure(404, f'pods "{name}" not found')) if pod is None else (200, pod.manifest)

    def _answer(self, answer: Any) -> None:
        match = _POD.fullmatch(urlsplit(self.path).path)
        assert match is not None, self.path
        if self.server.cluster.answers:
            status = self.server.cluster.answers.pop(0)
            body = _failure(status, "as the test asks for")
        else:
            status, body = answer(match[1], match[2])
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _log(self, query: Mapping[str, str]) -> None:
        """Line after line as they come, until the container has ended."""
        match = _POD.fullmatch(urlsplit(self.path).path)
        assert match is not None
        pod, container = self.server.cluster.pods.get((match[1], match[2])), query["container"]
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while pod is not None:
            over = pod.ended(container)
            lines = pod.logs.get(container, [])[sent:]
            sent += len(lines)
            for when, line in lines:
                data = f"{when} {line}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            if over:
                break
            with pod.changed:
                pod.changed.wait(0.1)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        pass


def _selects(selector: str) -> Any:
    """By equality and inequality, as Kubernetes has it."""
    terms = [re.fullmatch(r"([^!=]+)(!?=)(.*)", term) for term in filter(None, selector.split(","))]

    def selects(manifest: Mapping[str, Any]) -> bool:
        labels = manifest["metadata"].get("labels", {})
        return all((labels.get(term[1]) == term[3]) is (term[2] == "=") for term in terms if term)

    return selects


def _failure(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
