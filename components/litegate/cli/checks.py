"""What `litegate doctor` looks at. Each check finds something, and says what helps if it is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import httpx
import psutil

from litegate import disk
from litegate.errors import LitegateError
from litegate.settings import settings, workspace
from litegate.spec import load_spec
from litegate.stack import Home, Stack, running
from litegate.stack.airflow_api import AirflowApi
from litegate.stack.ending import last_error
from litegate.stack.environment import client_environment
from litegate.stack.patience import Patience
from litegate.stack.servers import unhealthy
from litegate.storage.opening import open_storage

__all__ = ["CHECKS", "Finding"]

_LEAST_MEMORY = 4 * disk.GIB
_IMPORT_LIMIT = 180
_TOO_OLD = "run `make setup`, or install the extra {extra} of litegate into that environment"

# Runs in the environment that is looked at: the requirements of an extra, and whether its heavy part can be imported.
_ENVIRONMENT = """
import importlib, json, sys
from importlib.metadata import PackageNotFoundError, requires, version
from packaging.requirements import Requirement
problems, versions = [], {}
for text in requires("litegate") or ():
    wanted = Requirement(text)
    if wanted.marker is None or wanted.marker.evaluate({"extra": sys.argv[1]}):
        try:
            versions[wanted.name] = found = version(wanted.name)
            if not wanted.specifier.contains(found, True):
                problems.append(f"{wanted.name} {found}, not {wanted.specifier}")
        except PackageNotFoundError:
            problems.append(f"no {wanted.name}")
for module in sys.argv[2:]:
    try:
        importlib.import_module(module)
    except Exception as error:
        problems.append(f"{module} cannot be imported: {type(error).__name__}: {error}")
print(json.dumps({"problems": problems, "versions": versions}))
"""
_ISOLATION = """
import json, os, sys
from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.confining import confine
print(json.dumps(confine(Confinement(os.getppid(), 1 << 34, 1 << 30, True, write=(sys.argv[1],)))))
"""


@dataclass(frozen=True)
class Finding:
    """What a check found; `remedy` helps where it is wrong."""

    subject: str
    state: Literal["ok", "warning", "error"]
    found: str
    remedy: str = ""


def _environment(name: str, python: Path, *modules: str) -> Finding:
    """The distributions of one of the two environments."""
    subject = f"{name} environment"
    command = [str(python), "-c", _ENVIRONMENT, name, *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_IMPORT_LIMIT)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return Finding(subject, "error", f"{python}: {last}", _TOO_OLD.format(extra=name))
    found = json.loads(done.stdout.splitlines()[-1])
    if found["problems"]:
        return Finding(subject, "error", f"{python}: {'; '.join(found['problems'])}", _TOO_OLD.format(extra=name))
    shown = {each: found["versions"][each] for each in (*_SHOWN[name], "ai-edge-litert")}
    return Finding(subject, "ok", f"{python}: {', '.join(f'{key} {value}' for key, value in shown.items())}")


_SHOWN = {"service": ("apache-airflow", "mlflow"), "tensorflow": ("tensorflow", "tf-keras")}


def environments(_: Home) -> Iterator[Finding]:
    """Both environments, and what they must have."""
    yield _environment("service", Path(sys.executable), "ai_edge_litert.interpreter", "mlflow")
    try:
        python = settings().pythons["tensorflow"]
    except LitegateError as error:
        yield Finding("tensorflow environment", "error", str(error), "run `make setup`")
        return
    yield _environment("tensorflow", python, "ai_edge_litert.interpreter", "tensorflow")


def isolation(_: Home) -> Iterator[Finding]:
    """What this host's kernel lets the steps shut off."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _ISOLATION, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_IMPORT_LIMIT)
    if done.returncode != 0:
        yield Finding("isolation", "error", (done.stderr.strip().splitlines() or ["no output"])[-1])
        return
    missing = json.loads(done.stdout)
    if missing:
        yield Finding("isolation", "warning", "; ".join(missing), "docs/isolation.md says what a host must offer")
    else:
        yield Finding("isolation", "ok", "steps get no network, no secrets, and no files and processes but their own")


def machine(home: Home) -> Iterator[Finding]:
    """The home folder, and room on disk and in memory."""
    place = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    if os.access(place, os.W_OK):
        yield Finding("home", "ok", str(home.root))
    else:
        yield Finding("home", "error", f"{place} cannot be written", "--home or LITEGATE_HOME names another folder")
    yield _disk(place)
    yield _room("memory", psutil.virtual_memory().available, _LEAST_MEMORY, "available")
    try:
        with socket.create_server(("127.0.0.1", 0)):
            yield Finding("loopback", "ok", "servers can listen on 127.0.0.1")
    except OSError as error:
        yield Finding("loopback", "error", str(error), "the servers need ports on 127.0.0.1")


def _disk(place: Path) -> Finding:
    if short := disk.shortage(place):
        return Finding("disk", "error", short, "make room: the servers are not started before, and steps may fail")
    return _room("disk", disk.free_bytes(place), disk.COMFORTABLE, f"free at {place}")


def _room(subject: str, found: int, least: int, where: str) -> Finding:
    text = f"{found / disk.GIB:.1f} GiB {where}"
    if found >= least:
        return Finding(subject, "ok", text)
    return Finding(subject, "warning", text, f"at least {least / disk.GIB:g} GiB are needed for comfort")


def servers(home: Home) -> Iterator[Finding]:
    """The embedded servers, or those that the environment names."""
    stack = running(home)
    if stack is not None:
        yield from _stack(home, stack)
        return
    last = Stack.read(home)
    if last is not None:
        yield Finding("servers", "error", last_error(home, last) or "", f"the logs are in {home.log('').parent}")
    else:
        yield Finding("servers", "ok", "none runs in this home; `litegate start` starts them")
    if uri := os.environ.get("MLFLOW_TRACKING_URI", ""):
        yield _answers("MLflow", f"{uri.rstrip('/')}/health" if uri.startswith("http") else "")
    yield _workspace(workspace())


def _stack(home: Home, stack: Stack) -> Iterator[Finding]:
    waiting = unhealthy(stack) if stack.phase == "ready" else stack.waiting
    if stack.phase != "ready" or waiting:
        text = f"{stack.phase}; not healthy: {', '.join(waiting) or 'none'}"
        text = "\n".join(filter(None, (text, last_error(home, stack))))
        yield Finding("servers", "error", text, f"the logs are in {home.log('').parent}; `litegate stop` and start")
        return
    yield Finding("servers", "ok", f"healthy: {stack.airflow_url}, {stack.mlflow_url}, {stack.s3_url}")
    if error := last_error(home, stack):
        yield Finding("servers", "warning", error, f"they run again; the logs are in {home.log('').parent}")
    with AirflowApi(stack.airflow_url, home.password_file.read_text(), Patience(limit=5, timeout=5)) as airflow:
        broken = airflow.import_errors()
    os.environ.update(client_environment(home, stack))
    yield _workspace(stack.workspace)
    for text in broken:
        yield Finding("DAG file", "error", text, "mend the file; Airflow reads it again by itself")


def _answers(subject: str, url: str) -> Finding:
    if not url:
        return Finding(subject, "ok", "MLFLOW_TRACKING_URI names no server, but files or a database")
    place = url.rpartition("@")[2]  # a password stays where it is
    try:
        httpx.get(url, timeout=5, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        return Finding(subject, "error", f"{place}: {type(error).__name__}", "MLFLOW_TRACKING_URI names the server")
    return Finding(subject, "ok", place)


def _workspace(root: str) -> Finding:
    try:
        next(open_storage(root).pages(f"doctor/{uuid4().hex}"), None)
    except Exception as error:
        remedy = "LITEGATE_WORKSPACE, AWS_ENDPOINT_URL_S3 and the AWS credentials say where it is"
        return Finding("workspace", "error", f"{root}: {type(error).__name__}: {error!s:.200}", remedy)
    return Finding("workspace", "ok", root)


def specs(home: Home) -> Iterator[Finding]:
    """Every spec file that is a DAG by now."""
    stack = running(home)
    folders = [home.specs, *([Path(stack.dags_folder) / "model_specs"] if stack else [])]
    for path in sorted(path for folder in folders for path in folder.glob("*.yaml")):
        try:
            load_spec(path)
        except LitegateError as error:
            yield Finding("spec", "error", str(error), "mend the file; `litegate schema` helps an editor")
        else:
            yield Finding("spec", "ok", str(path))


CHECKS = (environments, isolation, machine, servers, specs)
