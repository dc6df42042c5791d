"""The pod of a step, from a template: what is added, and what no template may open."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from litegate.errors import BadInput
from litegate_airflow.runtime.pods.template import PodOfStep, filled, read_template
from tests.operators.runtime.pods.conftest import TEMPLATE

OF = PodOfStep(
    name="litegate-convert-1",
    labels={"litegate/step": "convert"},
    arguments=("job", "digest"),
    workspace="s3://bucket/ws",
    data=True,
    memory=8 << 30,
    disk=16 << 30,
    deadline=2700,
)


def containers(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]}


@pytest.fixture
def pod() -> dict[str, Any]:
    return filled(read_template(str(TEMPLATE)), OF)


@pytest.mark.parametrize("version", ["1.29", "1.33", kubernetes_validate.latest_version()])
def test_the_pod_is_one_by_kubernetes_schema(pod: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(pod, version, strict=True)


def test_the_parts_run_in_their_order_and_know_their_job(pod: dict[str, Any]) -> None:
    assert [*containers(pod)] == ["stage-in", "data", "step", "stage-out"]
    assert {name: each["args"] for name, each in containers(pod).items()} == {
        name: [name, "job", "digest"] for name in ("stage-in", "data", "step", "stage-out")
    }


def test_only_what_the_step_may_write_is_writable_for_it(pod: dict[str, Any]) -> None:
    mounts = {each["name"]: each.get("readOnly", False) for each in containers(pod)["step"]["volumeMounts"]}
    assert mounts == {"inputs": True, "work": False, "ending": False, "tmp-step": False}


def test_the_step_has_no_secret_and_not_even_the_address_of_the_workspace(pod: dict[str, Any]) -> None:
    assert "env" not in containers(pod)["step"]
    assert {"name": "LITEGATE_WORKSPACE", "value": "s3://bucket/ws"} in containers(pod)["stage-in"]["env"]


def test_limits_are_the_steps_where_the_template_has_none(pod: dict[str, Any]) -> None:
    limits = containers(pod)["step"]["resources"]["limits"]
    assert limits == {"memory": str((8 << 30) + (512 << 20)), "ephemeral-storage": str((16 << 30) + (256 << 20))}
    assert pod["spec"]["activeDeadlineSeconds"] == 2700
    (work,) = (each for each in pod["spec"]["volumes"] if each["name"] == "work")
    assert work["emptyDir"]["sizeLimit"] == str((16 << 30) + (256 << 20))


def test_a_limit_of_the_template_counts() -> None:
    template = read_template(str(TEMPLATE))
    containers(template)["step"]["resources"]["limits"] = {"memory": "20Gi"}
    assert containers(filled(template, OF))["step"]["resources"]["limits"]["memory"] == "20Gi"


def test_nothing_serves_a_step_without_data() -> None:
    pod = filled(read_template(str(TEMPLATE)), PodOfStep(**(vars(OF) | {"data": False})))
    assert [*containers(pod)] == ["stage-in", "step", "stage-out"]
    assert "tmp-data" not in [each["name"] for each in pod["spec"]["volumes"]]


def test_the_template_stays_as_it_is() -> None:
    template = read_template(str(TEMPLATE))
    before = deepcopy(template)
    filled(template, OF)
    assert template == before


SECRET = {"secretKeyRef": {"name": "keys", "key": "key"}}
OPENED: list[tuple[str, Any, str]] = [
    ("restartPolicy", "Always", "spec.restartPolicy: expected 'Never', got 'Always'"),
    (
        "automountServiceAccountToken",
        None,
        "automountServiceAccountToken: expected false: the step must not have it",
    ),
    ("hostNetwork", True, "spec.hostNetwork: expected nothing"),
    ("shareProcessNamespace", True, "spec.shareProcessNamespace: expected nothing"),
    ("step.envFrom", [{"secretRef": {"name": "keys"}}], "initContainers.step.envFrom: expected nothing"),
    ("step.env", [{"name": "KEY", "valueFrom": SECRET}], "initContainers.step.env.KEY: expected no secret"),
    ("step.securityContext.privileged", True, "securityContext.privileged: expected nothing, got True"),
    ("step.securityContext.allowPrivilegeEscalation", None, "allowPrivilegeEscalation: expected False, got None"),
    ("step.securityContext.readOnlyRootFilesystem", False, "readOnlyRootFilesystem: expected True, got False"),
    ("step.securityContext.runAsNonRoot", False, "runAsNonRoot: expected True, got False"),
    ("step.securityContext.capabilities", {"drop": ["ALL"], "add": ["SYS_PTRACE"]}, "capabilities: expected drop"),
    ("step.securityContext.seccompProfile", {"type": "Unconfined"}, "type: expected RuntimeDefault or Localhost"),
    (
        "containers",
        [{"name": "base", "image": "i"}],
        r"spec.containers: expected stage-out in this order, got \['base'",
    ),
]


@pytest.mark.parametrize(("where", "value", "message"), OPENED, ids=[row[0] for row in OPENED])
def test_a_template_that_opens_what_must_stay_closed_is_refused(
    tmp_path: Path, where: str, value: Any, message: str
) -> None:
    template = read_template(str(TEMPLATE))
    target = containers(template)["step"] if where.startswith("step.") else template["spec"]
    *path, last = where.removeprefix("step.").split(".")
    for name in path:
        target = target[name]
    target[last] = value
    refused(tmp_path, template, message)


@pytest.mark.parametrize("kind", ["secret", "hostPath", "projected"])
def test_a_volume_with_secrets_or_of_the_node_is_refused(tmp_path: Path, kind: str) -> None:
    template = read_template(str(TEMPLATE))
    template["spec"]["volumes"] = [{"name": "mine", kind: {}}]
    containers(template)["step"]["volumeMounts"] = [{"name": "mine", "mountPath": "/mine", "readOnly": True}]
    refused(tmp_path, template, f"volumeMounts.mine: expected a volume of .*, got .*{kind}")


def test_a_volume_that_the_step_can_write_is_refused(tmp_path: Path) -> None:
    template = read_template(str(TEMPLATE))
    template["spec"]["volumes"] = [{"name": "code", "persistentVolumeClaim": {"claimName": "code"}}]
    containers(template)["step"]["volumeMounts"] = [{"name": "code", "mountPath": "/code"}]
    refused(tmp_path, template, "volumeMounts.code.readOnly: expected true, got None")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "expected valid YAML"), ("[1]", "expected a manifest of the kind Pod"), ("kind: Job", "of the kind Pod")],
)
def test_a_file_that_is_no_pod_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_template(str(path))


def test_a_template_that_is_not_there_is_named_by_its_variable() -> None:
    with pytest.raises(BadInput, match=r"^LITEGATE_POD_TEMPLATE: expected a file with a pod, got nothing$"):
        read_template("")


def refused(folder: Path, template: dict[str, Any], message: str) -> None:
    path = folder / "pod.yaml"
    path.write_text(yaml.safe_dump(template))
    with pytest.raises(BadInput, match=message):
        read_template(str(path))
