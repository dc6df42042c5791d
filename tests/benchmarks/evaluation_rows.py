"""Rows of `make bench` about evaluation: one pass against many, its rate against bare `invoke`, its memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from litegate.settings import settings
from litegate.storage.workspace import Workspace
from litegate.variants import DOCUMENTED
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.real_model import REAL, pipeline_of

__all__ = ["evaluation_memory", "evaluation_throughput", "mobilenet_files", "one_pass"]

ROOT = Path(__file__).parents[2]
TINY = """
import sys
import keras, tensorflow as tf
model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, activation="softmax")])
model.export(sys.argv[1] + "/tiny")
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1] + "/tiny")
open(sys.argv[1] + "/tiny.tflite", "wb").write(converter.convert())
"""
INVOKE = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
(given,) = interpreter.get_input_details()
interpreter.resize_tensor_input(given["index"], (32, *given["shape"][1:]))
interpreter.allocate_tensors()
interpreter.set_tensor(given["index"], np.ones((32, *given["shape"][1:]), given["dtype"]))
interpreter.invoke()
begin, calls = time.perf_counter(), 0
while time.perf_counter() - begin < float(sys.argv[2]):
    interpreter.invoke()
    calls += 1
print((time.perf_counter() - begin) / (32 * calls))
"""


def one_pass(bench: Bench) -> float:
    """Seconds of one pass for all eight files / of a pass for each of them; MobileNetV2 on JPEG images of 224x224.

    The two variants of 16x8 are the same bytes, which one pass sees, and eight cannot.
    """
    files, folder = mobilenet_files(bench), _folder(bench, "one-pass")
    images = _images(folder / "images", bench.size(2000, 20))
    together = _evaluate("seconds", images, "images", files)
    apart = [_evaluate("seconds", images, "images", [file]) for file in files]
    print({file.stem: seconds for file, seconds in zip(files, apart, strict=True)} | {"together": together})
    return together / sum(apart)


def mobilenet_files(bench: Bench) -> list[Path]:
    """The eight variants of MobileNetV2, which other parts of the run share."""
    folder, script = bench.folder / "mobilenet", Path(__file__).with_name("mobilenet.py")
    bench.once("mobilenet", lambda: bench.command(settings().pythons["tensorflow"], script, folder, "8"))
    return [folder / f"{variant}.tflite" for variant in DOCUMENTED]


def evaluation_throughput(bench: Bench) -> float:
    """Invokes a second of the evaluation of int8 and float32 / cores x those of one thread that does nothing else.

    The images of CIFAR-10 are decoded before, so that what is measured is evaluating, and not Pillow.
    """
    folder = _folder(bench, "throughput")
    steps = pipeline_of(REAL, folder)
    workspace = Workspace(steps.places.workspace, steps.places.cache)
    files = [workspace.fetch(each.file) for each in (steps.convert().artifact, steps.quantize("int8"))]
    count = bench.size(40_000, 2_000)
    images = np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3)).astype(np.float32)
    np.savez(folder / "images.npz", arr_0=images, label=np.arange(count) % 10)
    bare = sum(float(_python("-c", INVOKE, file, bench.size(5, 1))) for file in files)
    taken = _evaluate("seconds", folder / "images.npz", "npz", files)
    return bare * count / len(os.sched_getaffinity(0)) / taken


def evaluation_memory(bench: Bench) -> float:
    """The peak of memory at 1,000,000 samples / at 10,000; a tiny model."""
    folder = _folder(bench, "memory")
    _python("-c", TINY, folder)
    peaks = [_evaluate("peak", _rows(folder, count), "npz", [folder / "tiny.tflite"]) for count in _counts(bench)]
    return peaks[1] / peaks[0]


def _counts(bench: Bench) -> tuple[int, int]:
    return 10_000, bench.size(1_000_000, 20_000)


def _rows(folder: Path, count: int) -> Path:
    path = folder / f"{count}.npz"
    values = np.random.default_rng(1).normal(size=(count, 4)).astype(np.float32)
    np.savez(path, x=values, label=np.arange(count) % 3)
    return path


def _images(folder: Path, count: int) -> Path:
    random = np.random.default_rng(1)
    for number in range(count):
        path = folder / f"class{number % 10}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = random.integers(0, 256, (28, 28, 3)).astype(np.uint8)
        Image.fromarray(small).resize((224, 224)).save(path, quality=90)
    return folder


def _evaluate(what: str, data: Path, form: str, files: Sequence[Path]) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-evaluate-") as folder:
        said = _python("-m", "tests.benchmarks.evaluate_files", what, folder, data, form, "top1", *files)
    return float(said.splitlines()[-1])


def _python(*arguments: object) -> str:
    """What a program of the lean environment says."""
    command = [str(settings().pythons["tensorflow"]), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[1:3]} ended with {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout


def _folder(bench: Bench, name: str) -> Path:
    folder = bench.folder / name
    folder.mkdir(parents=True)
    return folder
