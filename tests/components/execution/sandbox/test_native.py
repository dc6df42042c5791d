"""Native code that dies or misbehaves in a step: the real converter, and a SavedModel that writes a file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from litegate.datasets.representative import save_samples
from litegate.digest import digest_file
from litegate.errors import StepFailed
from litegate.execution.step_run import BadStepInput, StepRun
from litegate.inspection.tflite import describe
from litegate.records import (
    Artifact,
    ConvertRequest,
    FileRef,
    ModelRef,
    QuantizeRequest,
    SampleSet,
)
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace

pytestmark = pytest.mark.e2e

Keep = Callable[[Path, str], FileRef]


@pytest.fixture
def keep(places: Settings) -> Keep:
    """Puts a file into the workspace under a name."""

    def put(path: Path, name: str) -> FileRef:
        Workspace(places.workspace, places.cache).keep_file(path, name)
        return FileRef(name=name, digest=digest_file(path), bytes=path.stat().st_size)

    return put


def kept_tree(root: Path, keep: Keep) -> tuple[FileRef, ...]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return tuple(keep(path, path.relative_to(root).as_posix()) for path in files)


def test_an_infinite_sample_kills_the_converter_and_nobody_else(
    tflite_files: dict[str, Path], places: Settings, keep: Keep, tmp_path: Path
) -> None:
    """TensorFlow 2.21 dies by SIGSEGV; were it to refuse instead, that would be a refusal of the converter."""
    image = np.random.default_rng(3).normal(size=(20, 8, 8, 1)).astype(np.float32)
    image[7, 3, 3, 0] = -np.inf
    save_samples(tmp_path / "samples.npz", {"serving_default": {"image": image}})
    float32 = tflite_files["float32"]
    request = QuantizeRequest(
        variant="int8",
        saved_model=kept_tree(float32.parent / "saved", keep),
        baseline=Artifact(
            variant="float32", file=keep(float32, "float32.tflite"), signatures=describe(float32.read_bytes())
        ),
        samples=SampleSet(file=keep(tmp_path / "samples.npz", "samples.npz"), samples=20, available=20, labels={}),
    )
    with pytest.raises(StepFailed) as caught:
        StepRun(STEPS["quantize"], request, places).run()
    assert caught.value.kind == "segfault"
    assert "SIGSEGV; last said: " in caught.value.detail


HOSTILE = """
import sys
import tensorflow as tf

class Writer(tf.saved_model.experimental.TrackableResource if hasattr(tf.saved_model.experimental, "TrackableResource")
             else object):
    def __init__(self, path):
        super().__init__()
        self.path = path
    def _create_resource(self):
        return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    def _initialize(self):
        tf.io.write_file(self.path, "written by the model")

class Model(tf.Module):
    def __init__(self, path):
        self.writer = Writer(path)
        self.weight = tf.Variable([[1.0]])
    @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.float32, name="x")])
    def serve(self, x):
        self.writer.resource_handle
        return {"y": x @ self.weight}

model = Model(sys.argv[2])
tf.saved_model.save(model, sys.argv[1], signatures={"serving_default": model.serve})
"""


def test_a_model_that_writes_a_file_when_it_is_loaded_cannot(places: Settings, keep: Keep, tmp_path: Path) -> None:
    """It is refused by its operators first; the step that would load it is shut in all the same."""
    target, python = tmp_path / "written", places.pythons["tensorflow"]
    saved = tmp_path / "hostile"
    done = subprocess.run([python, "-c", HOSTILE, saved, target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    load = f"import tensorflow as tf; tf.saved_model.load({str(saved)!r})"
    target.unlink(missing_ok=True)
    subprocess.run([python, "-c", load], capture_output=True, check=True)
    assert target.exists(), "the model is as hostile as it should be"
    target.unlink()
    model = ModelRef(uri=str(saved), format="saved_model", digest="0" * 64, files=kept_tree(saved, keep))
    with pytest.raises((BadStepInput, StepFailed), match=r"WriteFile|Permission"):
        StepRun(STEPS["convert"], ConvertRequest(model=model), places).run()
    assert not target.exists()
