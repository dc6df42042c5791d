"""Steps as pods: the provider's client, a fake API server, and the real parts of the pod as processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.sdk.execution_time.context import set_current_context

from litegate.digest import digest_json
from litegate.errors import BadInput, StackError, StepFailed
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.failures import FailureKind
from litegate.records import Artifact, InspectRequest, SampleRequest
from litegate.remote.job import Circumstances
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.opening import open_storage
from litegate.storage.s3 import s3_client
from litegate.storage.workspace import Workspace
from tests.operators.runtime.pods.fake_api import FakeKubernetes
from tests.operators.runtime.pods.kubelet import Fate
from tests.single_steps import Steps

CODE = '''
import json, os, socket, time
from pathlib import Path
from litegate.errors import DataError

def spies(features, label):
    """Tell what it can reach, of what a step must not."""
    found = [name for name in os.environ if name.startswith(("AWS", "LITEGATE_WORKSPACE", "LITEGATE_POD"))]
    try:
        socket.create_connection(("127.0.0.1", int(os.environ["S3_PORT"])), 5)
        found.append("the network")
    except PermissionError:
        pass
    for path in ("/litegate/ending", "/litegate/inputs/job.json", "/litegate/inputs/cache/files", "/proc/1/environ"):
        try:
            found.append(f"{path}: {os.listdir(path) if os.path.isdir(path) else open(path).read()[:20]}")
        except PermissionError:
            pass
    for path in ("/litegate/inputs/mine", "/mine", "/tmp/mine"):
        try:
            Path(path).write_text("mine")
            found.append(f"wrote {path}")
        except OSError:
            pass
    raise DataError("preprocess", "nothing that it can reach", json.dumps(found))

def crashes(features, label):
    print("about to crash", flush=True)
    os.abort()

def hangs(features, label):
    print("still here", flush=True)
    time.sleep(600)
'''

Sampled = Callable[[str], StepRun]


@pytest.fixture
def spec(models: Path, s3_bucket: str) -> dict[str, Any]:
    """The calibration data lie on S3, and the model on this host."""
    s3_client().upload_file(str(models / "calibration.npz"), s3_bucket, "data/calibration.npz")
    return {
        "model": {"name": "test", "uri": str(models / "keras3.keras")},
        "calibration": {"uri": f"s3://{s3_bucket}/data/calibration.npz", "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
    }


@pytest.fixture(scope="module")
def converted(models: Path, tmp_path_factory: pytest.TempPathFactory, warm_tensorflow: Path) -> tuple[Artifact, Path]:
    """The float32 file of the model, made on this host."""
    from litegate.settings import settings

    home = tmp_path_factory.mktemp("here")
    places = Settings(str(home / "ws"), home / "cache", home / "scratch", settings().pythons, warm=warm_tensorflow)
    data = {"uri": str(models / "calibration.npz"), "format": "npz"}
    keys = {"model": {"name": "test", "uri": str(models / "keras3.keras")}, "calibration": data, "evaluation": data}
    artifact = Steps(models, replace(places, executor="auto"), **keys).convert().artifact
    return artifact, Workspace(places.workspace, places.cache).fetch(artifact.file)


@pytest.fixture
def warm_places(remote_places: Settings, warm_tensorflow: Path) -> Settings:
    """The same, where steps that stay on this host begin warm."""
    return replace(remote_places, warm=warm_tensorflow)


@pytest.fixture
def code(kubernetes: FakeKubernetes, template: Path, tmp_path: Path) -> Path:
    """A folder with `CODE`, which pods have at the same path."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "reaching.py").write_text(CODE)
    kubernetes.claims["code"] = str(folder)
    pod = yaml.safe_load(template.read_text())
    pod["spec"]["volumes"] = [{"name": "code", "persistentVolumeClaim": {"claimName": "code"}}]
    mounts = [{"name": "code", "mountPath": str(folder), "readOnly": True}]
    pod["spec"]["initContainers"][-1]["volumeMounts"] = mounts
    template.write_text(yaml.safe_dump(pod))
    return folder


@pytest.fixture
def sampled(warm_places: Settings, spec: dict[str, Any], code: Path, converted: tuple[Artifact, Path]) -> Sampled:
    """The step `sample` with a `preprocess` of `CODE`."""
    artifact, path = converted
    Workspace(warm_places.workspace, warm_places.cache).keep_file(path, artifact.file.name)

    def run(function: str) -> StepRun:
        resolved = Steps(code, warm_places, **spec, preprocess=f"reaching:{function}").resolve()
        request = SampleRequest(
            data=resolved.calibration, artifact=artifact, samples=4, seed=1, preprocess=resolved.preprocess
        )
        return StepRun(STEPS["sample"], request, warm_places)

    return run


@pytest.mark.e2e
def test_a_pod_finds_what_a_process_of_this_host_finds(
    real_pods: FakeKubernetes, warm_places: Settings, spec: dict[str, Any], models: Path, tmp_path: Path
) -> None:
    here = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", warm_places.pythons)
    found = []
    for places in (replace(here, executor="auto", warm=warm_places.warm), warm_places):
        steps = Steps(models, places, **spec)
        samples = steps.sample()
        found.append((steps.results.converted().artifact, samples))
    assert found[0] == found[1]
    assert [each["metadata"]["labels"]["litegate/step"] for each in real_pods.created] == ["convert", "sample"]
    assert len(real_pods.deleted) == 2
    assert not real_pods.pods
    assert "jobs" not in open_storage(warm_places.workspace).children()


@pytest.mark.e2e
def test_what_a_pod_runs_reaches_no_credentials_and_no_network(
    real_pods: FakeKubernetes, sampled: Sampled, monkeypatch: pytest.MonkeyPatch, s3_server: str
) -> None:
    monkeypatch.setenv("LITEGATE_PASS_ENVIRONMENT", "S3_PORT")
    monkeypatch.setenv("S3_PORT", s3_server.rpartition(":")[2])
    with pytest.raises(BadStepInput, match=r"expected nothing that it can reach, got \[\] for sample"):
        sampled("spies").run()


@pytest.mark.e2e
def test_a_crash_in_a_pod_is_a_crash(
    real_pods: FakeKubernetes, sampled: Sampled, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StepFailed, match=r"SIGABRT.*about to crash") as failed:
        sampled("crashes").run()
    assert failed.value.kind is FailureKind.ABORT
    assert "about to crash" in caplog.messages


@pytest.mark.e2e
def test_a_task_that_is_ended_takes_its_pod_along(
    real_pods: FakeKubernetes, sampled: Sampled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run = sampled("hangs")
    ended: list[BaseException] = []

    def follow() -> None:
        try:
            run.run()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    while "still here" not in caplog.messages:
        thread.join(0.1)
        assert thread.is_alive(), ended
    (pod,) = real_pods.pods.values()
    processes = dict(pod.processes)
    run.kill()
    thread.join()
    assert [error.kind for error in ended if isinstance(error, StepFailed)] == [FailureKind.INTERRUPTED]
    assert set(processes) == {"data", "step"}
    assert all(process.wait(30) is not None for process in processes.values())
    assert not real_pods.pods


SUCCEEDED = Fate()
LOST = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
LATE = {"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active longer than its deadline"}


@pytest.fixture
def inspected(kubernetes: FakeKubernetes, remote_places: Settings, tmp_path: Path) -> StepRun:
    """The step `inspect`, in a pod whose containers end as a test says; nobody looks at the file."""
    (tmp_path / "file").write_bytes(b"not looked at")
    file = Workspace(remote_places.workspace, remote_places.cache).keep_file(tmp_path / "file", "float32.tflite")
    artifact = Artifact(variant="float32", file=file, signatures={})
    kubernetes.fates |= dict.fromkeys(("stage-in", "step", "stage-out"), SUCCEEDED)
    request = InspectRequest(artifact=artifact, baseline=None, source="model", target="cpu")
    return StepRun(STEPS["inspect"], request, remote_places)


def test_a_pod_without_memory_is_a_step_without_memory(kubernetes: FakeKubernetes, inspected: StepRun) -> None:
    kubernetes.fates["step"] = Fate(137, "OOMKilled")
    with pytest.raises(StepFailed, match="more memory than it may") as failed:
        inspected.run()
    assert failed.value.kind is FailureKind.OOM_KILLED


def test_a_pod_beyond_its_deadline_is_a_step_out_of_time(kubernetes: FakeKubernetes, inspected: StepRun) -> None:
    kubernetes.fates["step"] = Fate(137, "Error", pod=LATE)
    with pytest.raises(StepFailed, match="no result after 1800 s") as failed:
        inspected.run()
    assert failed.value.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("container", "fate", "message"),
    [
        ("step", Fate(137, "Error", pod=LOST), "taken away: Evicted The node was low on resource"),
        ("stage-in", Fate(75, "Error", "no answer from S3"), "stage-in ended with 75 .*: no answer from S3"),
        ("stage-out", Fate(0, "Completed"), "left no result in the workspace"),
    ],
)
def test_what_may_go_better_next_time_is_a_connection_that_failed(
    kubernetes: FakeKubernetes, inspected: StepRun, container: str, fate: Fate, message: str
) -> None:
    kubernetes.fates[container] = fate
    with pytest.raises(ConnectionError, match=message):
        inspected.run()
    assert not kubernetes.pods


@pytest.mark.parametrize(
    ("container", "fate", "message"),
    [
        ("stage-in", Fate(70, "Error", "Gone: files/1"), "stage-in ended with 70 .*: Gone: files/1"),
        ("stage-in", Fate(reason="InvalidImageName", message="no such name", waiting=True), "cannot start: InvalidIm"),
    ],
)
def test_what_would_go_wrong_again_is_said(
    kubernetes: FakeKubernetes, inspected: StepRun, container: str, fate: Fate, message: str
) -> None:
    kubernetes.fates[container] = fate
    with pytest.raises(StackError, match=message):
        inspected.run()


def test_a_pod_that_does_not_start_says_what_it_waits_for(
    kubernetes: FakeKubernetes, inspected: StepRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubernetes.fates["stage-in"] = Fate(reason="ImagePullBackOff", message="back-off", waiting=True)
    monkeypatch.setattr(inspected.executor, "_start", 0.01)
    with pytest.raises(ConnectionError, match=r"did not start within 0.01 s: ImagePullBackOff: back-off"):
        inspected.run()


@pytest.mark.parametrize("answers", [[500], [503, 500, 503]])
def test_an_api_server_that_stumbles_is_asked_again(
    kubernetes: FakeKubernetes, inspected: StepRun, answers: list[int]
) -> None:
    kubernetes.answers = answers
    kubernetes.fates["step"] = Fate(137, "OOMKilled")
    with pytest.raises(StepFailed, match="more memory"):
        inspected.run()
    assert len(kubernetes.created) == 1


def test_an_api_server_that_gives_no_answer_is_a_connection_that_failed(
    kubernetes: FakeKubernetes, inspected: StepRun
) -> None:
    kubernetes.answers = [503] * 5
    with pytest.raises(ConnectionError, match="Kubernetes does not answer while creating pod litegate-inspect-"):
        inspected.run()


def test_a_refusal_is_no_lost_connection(kubernetes: FakeKubernetes, inspected: StepRun) -> None:
    kubernetes.answers = [403]
    with pytest.raises(StackError, match=r"Kubernetes refuses while creating pod .*: 403"):
        inspected.run()


@pytest.mark.e2e
def test_a_pod_that_would_be_stored_as_something_else_is_refused(
    real_pods: FakeKubernetes, inspected: StepRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Circumstances(keys=("0" * 64,), processor="another")
    monkeypatch.setattr(Circumstances, "here", classmethod(lambda cls, *_: elsewhere))
    real_pods.fates.clear()
    with pytest.raises(StackError, match=r"expected the processor another, got .*: select nodes that have it"):
        inspected.run()


def test_pods_of_a_try_that_was_killed_are_deleted(kubernetes: FakeKubernetes, inspected: StepRun) -> None:
    ti = SimpleNamespace(dag_id="quantize", run_id="manual__1", task_id="check", map_index=-1)
    task = digest_json(["quantize", "manual__1", "check", "-1"])[:32]
    labels = {"litegate/task": task, "litegate/try": "earlier"}
    spec = {name: [{"name": "step", "image": "litegate"}] for name in ("initContainers", "containers")}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "left", "labels": labels}, "spec": spec}
    kubernetes.create("litegate-steps", pod)
    kubernetes.fates["step"] = Fate(137, "OOMKilled")
    with set_current_context({"ti": ti}), pytest.raises(StepFailed):
        inspected.run()
    made = kubernetes.created[-1]["metadata"]["labels"]
    assert (made["dag_id"], made["task_id"], made["litegate/task"]) == ("quantize", "check", task)
    assert kubernetes.deleted == ["left", kubernetes.created[-1]["metadata"]["name"]]


def test_whoever_makes_no_pod_loads_no_client(template: Path) -> None:
    script = """
import sys
from pathlib import Path
from litegate.execution.executors import new_executor
from litegate.settings import Settings
new_executor(Settings("ws", Path("cache"), Path("scratch"), {}, executor="pod"))
print("kubernetes" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("value", ["0", "soon"])
def test_a_limit_of_the_start_that_is_none_is_bad_input(
    kubernetes: FakeKubernetes, remote_places: Settings, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LITEGATE_POD_START", value)
    with pytest.raises(BadInput, match=f"LITEGATE_POD_START: expected a number of seconds, got '{value}'"):
        StepRun(STEPS["inspect"], InspectRequest.model_construct(), remote_places)
