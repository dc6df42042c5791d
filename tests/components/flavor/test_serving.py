"""A registered model behind `mlflow models serve`, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from litegate import flavor
from litegate.runtimes.litert import LiteRTModel

pytestmark = pytest.mark.e2e
IMAGES = np.random.default_rng(11).normal(size=(40, 8, 8, 1)).astype(np.float32)
WITHOUT_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['litegate'] = None\n"


@pytest.fixture(scope="module")
def server(mlflow_url: str, tflite_files: dict[str, Path], tmp_path_factory: Any) -> Iterator[str]:
    """The address of a server for the integer-only file, which can import neither TensorFlow nor litegate."""
    mlflow.set_experiment("served")
    flavor.log_model(tflite_files["int8"], registered_model_name="served")
    MlflowClient().set_registered_model_alias("served", "champion", "1")
    folder = tmp_path_factory.mktemp("serving")
    (folder / "sitecustomize.py").write_text(WITHOUT_TENSORFLOW)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    binaries = Path(sys.executable).parent
    command = [str(binaries / "mlflow"), "models", "serve", "-m", "models:/served@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", port]
    environment = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}", "PYTHONPATH": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/ping", process, folder / "log")
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(log.read_text()[-2000:])


def ask(url: str, **body: Any) -> np.ndarray:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return np.array(json.load(answer)["predictions"]["scores"])


def test_a_batch_is_answered_as_the_interpreter_answers_it(server: str, tflite_files: dict[str, Path]) -> None:
    expected = LiteRTModel(tflite_files["int8"].read_bytes()).predict({"image": IMAGES})["scores"]
    np.testing.assert_allclose(ask(server, inputs={"image": IMAGES.tolist()}), expected, atol=1e-6)
    np.testing.assert_allclose(ask(server, inputs=IMAGES[:1].tolist()), expected[:1], atol=1e-6)


def test_raw_values_are_served_if_asked_for(server: str, tflite_files: dict[str, Path]) -> None:
    model = LiteRTModel(tflite_files["int8"].read_bytes())
    raw = model.quantize({"image": IMAGES})
    found = ask(server, inputs={"image": raw["image"].tolist()}, params={"raw": True})
    np.testing.assert_array_equal(found, model.predict(raw, raw=True)["scores"])


def test_what_does_not_fit_the_signature_is_a_bad_request(server: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, inputs={"image": IMAGES[:, :7].tolist()})
    assert refused.value.code == 400
    refused.value.close()


def test_the_example_that_was_logged_is_served(server: str) -> None:
    root = Path(mlflow.artifacts.download_artifacts("models:/served@champion"))
    assert ask(server, **json.loads((root / "serving_input_example.json").read_text())).shape == (1, 4)
