"""What `predict` adds to the interpreter's own time: `make bench-predict`.

Both are timed in turns in one process, on the same samples and one thread. The interpreter's own time is that of
`set_tensor`, `invoke` and `get_tensor` with values that are as the file wants them, nothing resized in between.
Models: the digits example, and ResNet-8 on CIFAR-10 where its file lies beside the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import mlflow
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from litegate import flavor
from litegate.examples import digits
from litegate.settings import Settings, settings
from litegate.storage.workspace import Workspace
from tests.single_steps import Steps

BATCH = 256
ROUNDS, SECONDS = 41, 0.05
REAL = Path(__file__).parents[2].parent / "shared" / "real" / "resnet8-cifar10"
TRAIN = "import sys, pathlib; from litegate.examples.digits import train; train(pathlib.Path(sys.argv[1]), sys.argv[2])"


@dataclass(frozen=True)
class Row:
    """Milliseconds for a batch: medians; the shares that are added are medians of each round's own share."""

    model: str
    variant: str
    interpreter_ms: float
    load_model_ms: float
    pyfunc_ms: float
    load_model_adds: float
    pyfunc_adds: float


def main() -> None:
    """Measure, print a table, and write build/bench-predict.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench-predict.json"))
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # or nobody finds the table between its bars
    print(f"{'model':<16}{'variant':<16}{'interpreter':>12}{'load_model':>12}{'pyfunc':>12}{'adds':>8}{'adds':>8}")
    rows = []
    for name, highest, pipeline in pipelines(output.parent.resolve() / "bench-predict"):
        baseline = pipeline.convert().artifact
        for artifact in (baseline, pipeline.quantize("dynamic_range"), pipeline.quantize("int8")):
            workspace = Workspace(pipeline.places.workspace, pipeline.places.cache)
            row = measure(name, artifact.variant, workspace.fetch(artifact.file), highest)
            rows.append(row)
            times = (row.interpreter_ms, row.load_model_ms, row.pyfunc_ms)
            print(
                f"{row.model:<16}{row.variant:<16}{''.join(f'{value:>9.3f} ms' for value in times)}"
                f"{row.load_model_adds:>8.1%}{row.pyfunc_adds:>8.1%}",
                flush=True,
            )
    output.write_text(json.dumps({"batch": BATCH, "rows": [asdict(row) for row in rows]}, indent=2))


def pipelines(folder: Path) -> Iterator[tuple[str, float, Steps]]:
    """The models, the largest value of their inputs, and the steps that convert and quantize them."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    places = Settings(str(folder / "workspace"), folder / "cache", folder / "scratch", settings().pythons)
    data = {split: {"uri": str(digits.prepare(folder / "data", split)), "format": "npz"} for split in digits.SPLITS}
    model = folder / "data" / "model.keras"
    if not model.exists():
        command = [places.pythons["tensorflow"], "-c", TRAIN, folder / "data", data["train"]["uri"]]
        subprocess.run(command, check=True, capture_output=True)
    keys = {"calibration": data["calibration"], "evaluation": data["test"]}
    yield "digits", 1, Steps(folder, places, model={"name": "digits", "uri": str(model)}, **keys)
    if REAL.is_dir():
        images = {name: {"uri": str(REAL / f"{name}.tar"), "format": "images"} for name in ("train", "test")}
        keys = {"calibration": images["train"], "evaluation": images["test"]}
        yield (
            "resnet8-cifar10",
            255,
            Steps(folder, places, model={"name": "r", "uri": str(REAL / "model.h5")}, **keys),
        )


def measure(name: str, variant: str, file: Path, highest: float) -> Row:
    """Time one file in all three ways, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        tflite = Path(folder, f"{variant}.tflite")
        tflite.write_bytes(file.read_bytes())
        flavor.save_model(tflite, f"{folder}/model")
        native, served = flavor.load_model(f"{folder}/model"), mlflow.pyfunc.load_model(f"{folder}/model")
        features = {
            key: np.random.default_rng(7).uniform(0, highest, (BATCH, *tensor.shape[1:])).astype(tensor.real_dtype)
            for key, tensor in native.inputs.items()
        }
        ways = (
            bare(tflite, native.quantize(features)),
            lambda: native.predict(features),
            lambda: served.predict(features),
        )
        times = np.array(list(rounds(ways)))
    added = times[:, 1:] / times[:, :1] - 1
    return Row(name, variant, *(1000 * np.median(times, 0)).round(4).tolist(), *np.median(added, 0).round(4).tolist())


def bare(file: Path, raw: dict[str, np.ndarray]) -> Callable[[], object]:
    """What a script without litegate and MLflow would do."""
    interpreter = Interpreter(model_content=file.read_bytes(), num_threads=1)
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    (values,) = raw.values()
    interpreter.resize_tensor_input(into["index"], values.shape)
    interpreter.allocate_tensors()

    def run() -> object:
        interpreter.set_tensor(into["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])

    return run


def rounds(ways: tuple[Callable[[], object], ...]) -> Iterator[list[float]]:
    """Seconds for one call of each way, by round; all of them take turns within a round."""
    repeats = max(1, int(SECONDS / statistics.median(seconds(way) for way in ways for _ in range(5))))
    for _ in range(ROUNDS):
        turns = [[seconds(way) for way in ways] for _ in range(repeats)]
        yield [min(of_way) for of_way in zip(*turns, strict=True)]


def seconds(way: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
