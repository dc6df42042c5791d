"""The documentation's own table of benefits beside what this host says, as a part of `docs/benchmarks.md`.

https://ai.google.dev/edge/litert/models/post_training_quantization: what is claimed is the size and the speed of each
variant against float32. All files of a model are timed in turns on one thread; the speed-up is the median of the
rounds' own ratios, so that a busy moment counts for all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tests.benchmarks.bench_context import Bench
from tests.benchmarks.evaluation_rows import mobilenet_files
from tests.benchmarks.pipeline_rows import resnet8_files

__all__ = ["benefits", "write_benefits"]

CLAIMS = {
    "dynamic_range": "4x smaller, 2x to 3x faster",
    "int8": "4x smaller, 3x and more faster",
    "float16": "2x smaller, faster on a GPU",
}
SECONDS = 0.1
"""How long a file runs in each round."""


def write_benefits(bench: Bench) -> None:
    """Measure, and leave the table for the page."""
    models = {"MobileNetV2, 224x224": _measured(mobilenet_files(bench)[0].parent, bench)}
    resnet8 = resnet8_files(bench)
    if resnet8 is not None:
        models = {"ResNet-8, 32x32": _measured(resnet8, bench)} | models
    part = bench.folder / "parts" / "benefits.md"
    part.parent.mkdir(exist_ok=True)
    part.write_text(benefits(models))


def benefits(models: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    """The table: of each model and variant how many times smaller and faster than float32 it is."""
    heads = " | ".join(models)
    lines = [f"| variant | the documentation says | {heads} |", f"|---|---|{'---|' * len(models)}"]
    for variant, claim in CLAIMS.items():
        found = " | ".join("{:.1f}x smaller, {:.1f}x faster".format(*of[variant]) for of in models.values())
        lines.append(f"| `{variant}` | {claim} | {found} |")
    return "\n".join(lines)


def _measured(folder: Path, bench: Bench) -> dict[str, tuple[float, float]]:
    """By variant, the size and the seconds of float32 divided by its own."""
    contents = {name: (folder / f"{name}.tflite").read_bytes() for name in ("float32", *CLAIMS)}
    seconds = _seconds(contents, bench.size(25, 3))
    return {
        name: (
            len(contents["float32"]) / len(contents[name]),
            float(np.median(np.array(seconds["float32"]) / np.array(seconds[name]))),
        )
        for name in CLAIMS
    }


def _seconds(contents: Mapping[str, bytes], rounds: int) -> dict[str, list[float]]:
    """Seconds of one `invoke` of each file, by round."""
    interpreters = {name: _ready(content) for name, content in contents.items()}
    repeats = {name: max(1, int(SECONDS / _once(each))) for name, each in interpreters.items()}
    found: dict[str, list[float]] = {name: [] for name in contents}
    for _ in range(rounds):
        for name, interpreter in interpreters.items():
            found[name].append(min(_once(interpreter) for _ in range(repeats[name])))
    return found


def _ready(content: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        values = np.random.default_rng(3).uniform(0, 100, detail["shape"])
        interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
    interpreter.invoke()
    return interpreter


def _once(interpreter: Interpreter) -> float:
    begin = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - begin
