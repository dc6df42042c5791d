"""The manifests are ones by Kubernetes' schemas, and fit each other and the pods of steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())


def manifests(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


ALL = [*manifests(*KUSTOMIZATION["resources"], "secrets.yaml", "step-pod.yaml")]


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in ALL if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", ALL, ids=lambda each: f"{each['kind']}-{each['metadata'].get('name', 'step')}")
def test_each_manifest_is_one_by_kubernetes_schema(manifest: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_applied_or_named_in_the_readme() -> None:
    applied = {*KUSTOMIZATION["resources"], *KUSTOMIZATION["configMapGenerator"][0]["files"], "kustomization.yaml"}
    others = {path.name for path in FOLDER.glob("*.yaml")} - applied
    guide = (FOLDER / "README.md").read_text()
    assert others == {"secrets.yaml", "values.yaml"}
    assert [name for name in others if name not in guide] == []


def test_every_secret_that_is_named_is_in_the_list_and_none_has_a_value() -> None:
    secrets = [each for each in ALL if each["kind"] == "Secret"]
    listed = {(each["metadata"]["name"], key) for each in secrets for key in each["stringData"]}
    text = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
    references = [*_references(list(manifests("mlflow.yaml", "step-pod.yaml"))), *_references(VALUES)]
    assert {(each["name"], each["key"]) for each in references} <= listed
    assert set(VALUES["data"].values()) <= {each["metadata"]["name"] for each in secrets}
    assert {value for each in secrets for value in each["stringData"].values()} == {""}
    assert "BEGIN" not in "".join(text.values())


def test_workers_may_make_pods_where_steps_run_and_nowhere_else() -> None:
    role, binding = named("Role", "litegate-steps"), named("RoleBinding", "litegate-steps")
    namespace = named("Namespace", "litegate-steps")["metadata"]
    (step,) = manifests("step-pod.yaml")
    assert role["metadata"]["namespace"] == namespace["name"] == step["metadata"]["namespace"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert [each["name"] for each in binding["subjects"]] == [VALUES["workers"]["celery"]["serviceAccount"]["name"]]
    assert VALUES["allowPodLaunching"] is False
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"create", "delete", "get", "list"}


def test_the_policy_for_steps_selects_the_pods_of_steps() -> None:
    (step,) = manifests("step-pod.yaml")
    selected = named("NetworkPolicy", "workspace-only")["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= step["metadata"]["labels"].items()
    assert named("NetworkPolicy", "nothing")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_workers_find_the_template_where_it_is_mounted() -> None:
    celery = VALUES["workers"]["celery"]
    variables = {each["name"]: each.get("value") for each in celery["env"]}
    mounts = {each["name"]: each["mountPath"] for each in celery["extraVolumeMounts"]}
    (template,) = KUSTOMIZATION["configMapGenerator"][0]["files"]
    assert variables["LITEGATE_EXECUTOR"] == "pod"
    assert variables["LITEGATE_POD_TEMPLATE"] == f"{mounts['step-pod']}/{template}"
    assert celery["extraVolumes"][0]["configMap"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]
    assert mounts.keys() == {"step-pod", celery["volumeClaimTemplates"][0]["metadata"]["name"]}


def test_steps_run_on_processors_of_the_workers_type() -> None:
    (step,) = manifests("step-pod.yaml")
    assert step["spec"]["nodeSelector"] == VALUES["workers"]["celery"]["nodeSelector"]


def _references(value: Any) -> Iterator[dict[str, str]]:
    """Of keys of secrets, at any depth."""
    if isinstance(value, dict):
        if "secretKeyRef" in value:
            yield value["secretKeyRef"]
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from _references(item)
