"""Measures what each target's runtime comes to, by section of `target_figures`; a reason in place of what cannot be."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from PIL import Image

from litegate.runtimes import RUNTIMES, load_runtime, vulkan
from litegate.settings import Settings, settings
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, DOCUMENTED, LITERT_QUANTIZER
from tests.benchmarks.real_model import REAL
from tests.benchmarks.target_figures import Value
from tests.components.runtimes.altered import altered, with_an_operator_that_no_gpu_has
from tests.components.runtimes.on_gpu import NO_DEVICE, fully_accelerated, in_child, refusals
from tests.single_steps import Steps

__all__ = ["ROWS", "Files", "NotMeasured", "files"]

Array = np.ndarray[Any, np.dtype[Any]]
Found = dict[tuple[str, str], Value]
Files = Mapping[str, bytes]
"""Contents by `model variant`."""

IMAGES, ON_GPU = 1_000, 20
FOR_GPU = ", a batch of one"
BY = ", by LiteRT's quantizer"
BY_QUANTIZER = ("dynamic_range", "weight_only_int8", "int8", "int16x8", "int4", "int4_octav")
MAKER = Path(__file__).with_name("tiny_models.py")


class NotMeasured(Exception):
    """Why there are no figures: data, a package or a device is missing."""


def files(home: Path) -> Files:
    """All variants of ResNet-8, where its file is, and three small models; of what cannot be made there is none."""
    subprocess.run([settings().pythons["tensorflow"], MAKER, home], check=True, capture_output=True)
    found = {path.stem: path.read_bytes() for path in home.glob("*.tflite")}
    if (REAL / "model.h5").exists():
        found |= _resnet8(home, "cpu", list(DOCUMENTED))
        found |= {f"{name}{FOR_GPU}": content for name, content in _resnet8(home, "gpu", ["float16"]).items()}
        made = _resnet8(home, "cpu", list(BY_QUANTIZER), engine=LITERT_QUANTIZER)
        found |= {f"{name}{BY}": content for name, content in made.items()}
    return found


def kernels(made: Files) -> Found:
    """The same int8 file on four sets of kernels."""
    content, (images, labels) = _file(made, "resnet8 int8"), _images(IMAGES)
    _installed("tflite_micro")
    scale, zero = Interpreter(model_content=content).get_input_details()[0]["quantization"]
    fed = np.clip(np.rint(images / np.float32(scale)) + zero, -128, 127).astype(np.int8)
    micro = _raw(load_runtime("tflite_micro").load(content), fed)
    others = {
        "litert_reference": _interpreted(content, fed, OpResolverType.BUILTIN_REF),
        "litert optimized, no delegate": _interpreted(content, fed, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
        "litert": _interpreted(content, fed, OpResolverType.AUTO),
    }
    found: Found = {("tflite_micro", "top1"): _share(micro.argmax(1) == labels)}
    for name, outputs in others.items():
        found[name, "top1"] = _share(outputs.argmax(1) == labels)
        found[name, "samples_with_another_byte"] = _share((outputs != micro).any(axis=1))
        found[name, "classes_that_differ"] = _share(outputs.argmax(1) != micro.argmax(1))
        found[name, "largest_difference"] = int(np.abs(outputs.astype(int) - micro.astype(int)).max())
    exact = _interpreted(_file(made, "resnet8 float32"), images, OpResolverType.AUTO)
    differ = exact.argmax(1) != others["litert"].argmax(1)
    return found | {("float32 on litert", "classes_that_differ"): _share(differ)}


def arena(made: Files) -> Found:
    """What TensorFlow Lite Micro's allocator used for each file that it runs."""
    _installed("tflite_micro")
    found: Found = {}
    for name in (name for name in made if not name.endswith((FOR_GPU, BY))):
        measured = load_runtime("tflite_micro").facts(made[name]).arena
        if measured is not None:
            found |= {(name, "arena_bytes"): measured.total, (name, "activation_bytes"): measured.activations}
    return found


def runs(made: Files) -> Found:
    """Which variants it takes, or why not."""
    _installed("tflite_micro")
    _file(made, "resnet8 int8")
    refusals = {
        variant: load_runtime("tflite_micro").facts(made[f"resnet8 {variant}"]).refused for variant in DOCUMENTED
    }
    return {(variant, "runs"): refused or "yes" for variant, refused in refusals.items()}


def vela(made: Files) -> Found:
    """From the table that it writes, and its count of operators; its exit code says nothing of them."""
    program = shutil.which("vela", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if program is None:
        raise NotMeasured("there is no `vela`: the package ethos-u-vela is not installed")
    found: Found = {}
    for name in (name for name in made if not name.endswith((FOR_GPU, BY))):
        with tempfile.TemporaryDirectory() as folder:
            placed = _placed(program, made[name], Path(folder))
            found |= {(name, figure): value for figure, value in placed.items()}
    return found


def quantizer(made: Files) -> Found:
    """What files of LiteRT's own quantizer score on this host."""
    images, labels = _images(IMAGES)
    found: Found = {}
    for variant in BY_QUANTIZER:
        content = _file(made, f"resnet8 {variant}{BY}")
        scores = next(iter(load_runtime("litert").load(content).predict(_fed(content, images)).values()))
        found |= {(variant, "top1"): _share(scores.argmax(1) == labels), (variant, "bytes"): len(content)}
    return found


def gpu(made: Files) -> Found:
    """The whole files in both arithmetics, and what LiteRT claims where it can and where it cannot run a whole file."""
    if not vulkan.devices():
        raise NotMeasured(NO_DEVICE)
    half, exact = (_file(made, f"resnet8 {variant}{FOR_GPU}") for variant in ("float16", "float32"))
    odd, (images, _) = altered(exact, with_an_operator_that_no_gpu_has), _images(ON_GPU)
    found: Found = {}
    for name, content in (("float16", half), ("float32", exact)):
        expected = next(iter(load_runtime("litert").load(content).predict(_fed(content, images)).values()))
        for arithmetic in ("float16", "float32"):
            of, (ms, outputs) = f"resnet8 {name}, in {arithmetic}", in_child(timed, content, images, arithmetic)
            found[of, "largest_difference"] = float(np.abs(outputs - expected).max())
            found[of, "every_output_is_a_float16"] = str(bool((outputs == outputs.astype(np.float16)).all()))
            found[of, "invoke_ms"] = ms
    lacking = "a file with an operator that the GPU lacks"
    found["a file of which all runs there", "is_fully_accelerated"] = str(in_child(fully_accelerated, exact))
    found[f"{lacking}, beside a CPU", "is_fully_accelerated"] = str(in_child(fully_accelerated, odd))
    found[f"{lacking}, alone", "refused"] = in_child(refusals, odd)[0]
    return found


ROWS: Mapping[str, Callable[[Files], Found]] = MappingProxyType(
    {"kernels": kernels, "arena": arena, "runs": runs, "vela": vela, "gpu": gpu, "quantizer": quantizer}
)


def timed(content: bytes, images: Array, arithmetic: str) -> tuple[float, Array]:
    """Median milliseconds of a sample, and the outputs of all."""
    from litegate.runtimes.gpu import GpuModel

    model, took, outputs = GpuModel(content, arithmetic=arithmetic), [], []
    for image in images:
        began = time.perf_counter()
        (output,) = model.predict(_fed(content, image[np.newaxis])).values()
        took.append(time.perf_counter() - began)
        outputs.append(output)
    return 1000 * float(np.median(took[1:])), np.concatenate(outputs)


def _resnet8(home: Path, target: str, variants: list[str], **more: Any) -> dict[str, bytes]:
    """The files of a target by `resnet8 variant`."""
    data = {name: {"uri": str(REAL / f"{name}.tar"), "format": "images"} for name in ("train", "test")}
    pipeline = Steps(
        REAL,
        Settings(str(home / "workspace"), home / "cache", home / "scratch", settings().pythons),
        model={"name": "resnet8", "uri": str(REAL / "model.h5")},
        calibration=data["train"] | {"samples": 200},
        evaluation=data["test"],
        target=target,
        variants=variants,
        **more,
    )
    workspace = Workspace(pipeline.places.workspace, pipeline.places.cache)
    artifacts = {variant: pipeline.quantize(variant) for variant in variants if variant != BASELINE}
    artifacts[BASELINE] = pipeline.convert().artifact
    return {f"resnet8 {variant}": workspace.fetch(each.file).read_bytes() for variant, each in artifacts.items()}


def _file(made: Files, name: str) -> bytes:
    if name not in made:
        raise NotMeasured(f"there is no {REAL}/model.h5; LITEGATE_REAL_DATA names the folder above it")
    return made[name]


def _installed(runtime: str) -> None:
    if missing := RUNTIMES[runtime].missing:
        raise NotMeasured(f"not installed: {', '.join(missing)}")


def _images(count: int) -> tuple[Array, Array]:
    """As many images of each class, of float32 from 0 to 255, and their classes."""
    with tarfile.open(REAL / "test.tar") as archive:
        members = sorted((each for each in archive.getmembers() if each.isfile()), key=lambda each: each.name)
        chosen = members[:: len(members) // count][:count]
        names = sorted({each.name.split("/")[0] for each in members})
        pixels = [np.asarray(Image.open(archive.extractfile(each)), np.float32) for each in chosen]  # type: ignore[arg-type]
    return np.stack(pixels), np.array([names.index(each.name.split("/")[0]) for each in chosen])


def _fed(content: bytes, images: Array) -> dict[str, Array]:
    (name,) = load_runtime("litert").load(content).inputs
    return {name: images}


def _raw(model: Any, fed: Array) -> Array:
    ((name, _),) = model.inputs.items()
    return np.concatenate([next(iter(model.invoke({name: each[np.newaxis]}).values())) for each in fed])


def _interpreted(content: bytes, fed: Array, kernels: OpResolverType) -> Array:
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kernels, num_threads=1)
    interpreter.allocate_tensors()
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for each in fed:
        interpreter.set_tensor(into["index"], each[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(out["index"]).copy())
    return np.concatenate(outputs)


def _share(values: Array) -> float:
    return round(float(np.mean(values)), 4)


def _placed(program: str, content: bytes, folder: Path) -> dict[str, Value]:
    (folder / "model.tflite").write_bytes(content)
    command = [program, "model.tflite", "--accelerator-config", "ethos-u55-128", "--output-dir", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    share = re.search(r"CPU operators = \d+ \(([\d.]+)%\)", done.stdout)
    tables = list(folder.glob("*_summary_*.csv"))
    if share is None:
        return {}
    found: dict[str, Value] = {"cpu_operators_percent": float(share[1])}
    for row in csv.DictReader(tables[0].open()) if tables else ():
        found["sram_kib"] = round(float(row["sram_memory_used"]), 1)
        found["flash_kib"] = round(float(row["off_chip_flash_memory_used"]), 1)
        found["estimated_ms"] = round(1000 * float(row["inference_time"]), 3)
    return found
