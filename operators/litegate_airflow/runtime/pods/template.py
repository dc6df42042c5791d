"""The pod of a step, made from the template of whoever runs the cluster; pure, and nothing of it asks Kubernetes.

The template says what only they know: image, credentials, nodes, resources. It cannot open what must stay closed: the
container that runs the step has no credentials, no rights and no way to write but the step's own volumes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from litegate.errors import BadInput
from litegate.remote.parts import ENDING, FOLDER, INPUTS, WORK

__all__ = ["DATA", "STEP", "PodOfStep", "filled", "read_template"]

STAGE_IN, DATA, STEP, STAGE_OUT = "stage-in", "data", "step", "stage-out"
_BEFORE, _LAST = (STAGE_IN, DATA, STEP), (STAGE_OUT,)
_TMP = Path("/tmp")  # noqa: S108  of a container, which has no other place to write to

_WRITES: Mapping[str, Mapping[str, tuple[Path, bool]]] = MappingProxyType(
    {
        STAGE_IN: {"inputs": (INPUTS, True), "work": (WORK, True)},
        DATA: {"inputs": (INPUTS, True), "work": (WORK, True)},
        STEP: {"inputs": (INPUTS, False), "work": (WORK, True), "ending": (ENDING, True)},
        STAGE_OUT: {"inputs": (INPUTS, False), "work": (WORK, False), "ending": (ENDING, False)},
    }
)
"""By container and volume: where it is, and whether the container may write there."""

_CLOSED_VOLUMES = ("configMap", "csi", "emptyDir", "ephemeral", "image", "nfs", "persistentVolumeClaim")
"""Kinds of volumes that the step may have; secrets, tokens and the node's own folders are not among them."""
_OWN_MEMORY = 1 << 29
"""Bytes for the process around the step, so that what is beyond the step's limit fails before the container does."""
_SPARE = 1 << 28
"""Bytes beside the step's own limit, so that its supervisor says first what there was too much of."""
_STARTED = {"exec": {"command": ["test", "-S", str(FOLDER / "broker")]}, "periodSeconds": 1, "failureThreshold": 120}


@dataclass(frozen=True)
class PodOfStep:
    """What differs from pod to pod.

    Attributes:
        name: of the pod.
        labels: by which it is found again.
        arguments: of each container, after the name of its part.
        workspace: where the job lies.
        data: whether the step reads objects that have to be fetched while it runs.
        memory: bytes that each process of the step may have; its container has some more, unless the template says so.
        disk: bytes that the files of the step may have.
        deadline: seconds that the pod may take, with all of its parts.
    """

    name: str
    labels: Mapping[str, str]
    arguments: tuple[str, str]
    workspace: str
    data: bool
    memory: int
    disk: int
    deadline: int


def read_template(path: str) -> dict[str, Any]:
    """The template in a file.

    Raises:
        BadInput: there is no such file, it is no pod, or it opens what must stay closed.
    """
    if not path:
        raise BadInput("LITEGATE_POD_TEMPLATE", "a file with a pod", "nothing")
    try:
        found = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise BadInput("LITEGATE_POD_TEMPLATE", "a file with a pod", f"{path!r}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise BadInput(path, "valid YAML", str(error).replace("\n", " ")) from None
    if not isinstance(found, dict) or found.get("kind") != "Pod" or not isinstance(found.get("spec"), dict):
        raise BadInput(path, "a manifest of the kind Pod with a spec", f"{found!r:.100}")
    for where, expected, got in _problems(found["spec"]):
        raise BadInput(f"{path}: spec.{where}", expected, repr(got))
    return found


def filled(template: Mapping[str, Any], of: PodOfStep) -> dict[str, Any]:
    """The pod of one step."""
    pod = deepcopy(dict(template))
    metadata, spec = pod.setdefault("metadata", {}), pod["spec"]
    metadata.pop("generateName", None)
    metadata["name"] = of.name
    metadata["labels"] = {**metadata.get("labels", {}), **of.labels}
    spec["activeDeadlineSeconds"] = of.deadline
    spec["volumes"] = [*spec.get("volumes", []), *_volumes(of)]
    if not of.data:
        spec["initContainers"] = [each for each in spec["initContainers"] if each["name"] != DATA]
    for container in _parts_of(spec):
        _fill(container, of)
    return pod


def _fill(container: dict[str, Any], of: PodOfStep) -> None:
    name = container["name"]
    container["args"] = [name, *of.arguments]
    mounts = [_mount(volume, *where) for volume, where in _WRITES[name].items()]
    container["volumeMounts"] = [*container.get("volumeMounts", []), *mounts, _mount(f"tmp-{name}", _TMP, True)]
    container["terminationMessagePolicy"] = "FallbackToLogsOnError"
    if name == DATA:
        container |= {"restartPolicy": "Always", "startupProbe": _STARTED}
    if name == STEP:
        resources = container.setdefault("resources", {})
        limits = resources.setdefault("limits", {})
        limits.setdefault("memory", str(of.memory + _OWN_MEMORY))
        limits.setdefault("ephemeral-storage", str(of.disk + _SPARE))
    else:
        container["env"] = [*container.get("env", []), {"name": "LITEGATE_WORKSPACE", "value": of.workspace}]


def _volumes(of: PodOfStep) -> Iterator[dict[str, Any]]:
    for name in ("inputs", "ending", *(f"tmp-{part}" for part in _WRITES if part != DATA or of.data)):
        yield {"name": name, "emptyDir": {}}
    yield {"name": "work", "emptyDir": {"sizeLimit": str(of.disk + _SPARE)}}


def _mount(volume: str, path: Path, writable: bool) -> dict[str, Any]:
    return {"name": volume, "mountPath": str(path)} | ({} if writable else {"readOnly": True})


def _parts_of(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in [*spec["initContainers"], *spec["containers"]] if each["name"] in _WRITES)


Problem = tuple[str, str, Any]
"""Where in the pod's spec, what is expected there, and what is there."""


def _problems(spec: Mapping[str, Any]) -> Iterator[Problem]:
    for key, expected in (("initContainers", _BEFORE), ("containers", _LAST)):
        names = tuple(each.get("name") for each in spec.get(key) or ())
        if tuple(name for name in names if name in _WRITES) != expected:
            yield key, f"{', '.join(expected)} in this order", list(names)
            return
    yield from _of_pod(spec)
    step = next(each for each in spec["initContainers"] if each["name"] == STEP)
    yield from _of_step(step, spec)


def _of_pod(spec: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _unless("restartPolicy", "Never", spec)
    if spec.get("automountServiceAccountToken") is not False:
        yield (
            "automountServiceAccountToken",
            "false: the step must not have it",
            spec.get("automountServiceAccountToken"),
        )
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if spec.get(key):
            yield key, "nothing: what the step runs would reach further", spec[key]


def _of_step(step: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Problem]:
    where = f"initContainers.{STEP}"
    if step.get("envFrom"):
        yield f"{where}.envFrom", "nothing: the step has no secrets", step["envFrom"]
    for variable in step.get("env") or ():
        if "secretKeyRef" in (variable.get("valueFrom") or {}):
            yield f"{where}.env.{variable.get('name')}", "no secret: the step has none", variable["valueFrom"]
    kinds = {each.get("name"): sorted(set(each) - {"name"}) for each in spec.get("volumes") or ()}
    for mount in step.get("volumeMounts") or ():
        found = kinds.get(mount.get("name"), [])
        if not found or any(kind not in _CLOSED_VOLUMES for kind in found):
            yield f"{where}.volumeMounts.{mount.get('name')}", f"a volume of {', '.join(_CLOSED_VOLUMES)}", found
        elif mount.get("readOnly") is not True:
            yield f"{where}.volumeMounts.{mount.get('name')}.readOnly", "true", mount.get("readOnly")
    yield from _of_rights(f"{where}.securityContext", step.get("securityContext") or {}, spec)


def _of_rights(where: str, given: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What the restricted Pod Security Standard asks for, and a root file system that cannot be written."""
    both = {**(spec.get("securityContext") or {}), **given}
    for key, value in (("allowPrivilegeEscalation", False), ("readOnlyRootFilesystem", True)):
        yield from _unless(key, value, given, where)
    yield from _unless("runAsNonRoot", True, both, where)
    if given.get("privileged"):
        yield f"{where}.privileged", "nothing", given["privileged"]
    capabilities = given.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()) or capabilities.get("add"):
        yield f"{where}.capabilities", "drop: [ALL] alone", capabilities
    profile = (both.get("seccompProfile") or {}).get("type")
    if profile not in ("RuntimeDefault", "Localhost"):
        yield f"{where}.seccompProfile.type", "RuntimeDefault or Localhost", profile


def _unless(key: str, value: object, given: Mapping[str, Any], where: str = "") -> Iterator[Problem]:
    if given.get(key) != value:
        yield ".".join(filter(None, (where, key))), f"{value!r}", given.get(key)
