#!/usr/bin/env python3
"""Run a .tflite file on this device, sample by sample, and record what it gives for `litegate evidence add`.

It needs Python 3.8, numpy, and ai-edge-litert (or tflite-runtime); nothing else of litegate. Each sample is read when
its turn comes, so memory holds the outputs and one sample. The record is written whole or not at all.

    python run_on_device.py int8.tflite samples.npz --device pi5 -o int8-pi5.npz
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
import time
import zipfile
from importlib.metadata import version
from typing import Any, Dict, Iterator, Tuple

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter

    LIBRARY = "ai-edge-litert"
except ImportError:  # where a board has the older package
    from tflite_runtime.interpreter import Interpreter

    LIBRARY = "tflite-runtime"

Arrays = Dict[str, np.ndarray]
FORMAT = 1
WARM_UP = 3  # invokes before the first that counts


def main() -> int:
    """Read the arguments, run the samples, write the record."""
    options = arguments()
    with open(options.model, "rb") as file:
        content = file.read()
    with zipfile.ZipFile(options.samples) as archive:
        samples = Samples(archive)
        model = Model(content, samples.signature, options.threads)
        outputs, seconds = run(model, samples)
    record: Arrays = {
        "format": np.array(FORMAT),
        "artifact": np.array(hashlib.sha256(content).hexdigest()),
        "device": np.array(options.device),
        "runtime": np.array(options.runtime or said(options.threads)),
        "id": samples.ids,
        "fed": samples.fed,
        "seconds": seconds,
    }
    record.update({"output/" + name: values for name, values in outputs.items()})
    write_whole(options.output, record)
    median = 1000 * float(np.median(seconds))
    print(f"{options.output}: {len(seconds):,} samples by {record['runtime']}, median {median:.4g} ms")
    return 0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", metavar="MODEL.tflite", help="as `litegate evidence request` has written it")
    parser.add_argument("samples", metavar="samples.npz", help="as `litegate evidence request` has written it")
    parser.add_argument("--device", required=True, metavar="NAME", help="the name that the spec has for this device")
    parser.add_argument("-o", "--output", required=True, metavar="EVIDENCE.npz", help="the record to write")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the interpreter (default: 1)")
    parser.add_argument("--runtime", metavar="TEXT", help="what runs the file here, in your words (default: found out)")
    return parser.parse_args()


def said(threads: int) -> str:
    """What runs the file here, with versions."""
    return f"{LIBRARY} {version(LIBRARY)}, {threads} thread{'s' * (threads > 1)}, {board()}, {platform.release()}"


def board() -> str:
    """The board by its own name where it has one."""
    try:
        with open("/proc/device-tree/model", encoding="utf-8") as file:
            return file.read().strip("\0 \n") or platform.machine()
    except OSError:
        return platform.machine()


class Samples:
    """What was given out: identities at once, inputs one sample at a time."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        found = int(self._whole("format"))
        if found != FORMAT:
            sys.exit(f"the samples are of format {found}, and this script is for {FORMAT}: take the one beside them")
        self.signature = str(self._whole("signature"))
        self.ids, self.fed = self._whole("id"), self._whole("fed")
        names = [name[:-4] for name in archive.namelist()]
        self.inputs = [name[len("input/") :] for name in names if name.startswith("input/")]

    def __iter__(self) -> Iterator[Arrays]:
        rows = [self._rows("input/" + name) for name in self.inputs]
        return (dict(zip(self.inputs, sample)) for sample in zip(*rows))  # noqa: B905  Python 3.8 has no strict

    def _whole(self, name: str) -> np.ndarray:
        with self._archive.open(name + ".npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def _rows(self, name: str) -> Iterator[np.ndarray]:
        """One sample after the other, with its batch axis."""
        with self._archive.open(name + ".npy") as file:
            major, _ = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            size = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(size), dtype).reshape((1, *shape[1:]))


class Model:
    """A signature of the file, run on one sample at a time."""

    def __init__(self, content: bytes, signature: str, threads: int) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._runner = self._interpreter.get_signature_runner(signature) if signature else WholeGraph(self._interpreter)
        self._inputs = self._runner.get_input_details()

    def quantized(self, sample: Arrays) -> Arrays:
        """A sample as the file's inputs want it: q = round(real / scale) + zero point, clipped; batches are filled."""
        return {name: filled(quantize(value, self._inputs[name]), self._inputs[name]) for name, value in sample.items()}

    def invoke(self, arrays: Arrays) -> Arrays:
        """What is timed."""
        outputs: Arrays = self._runner(**arrays)
        return outputs

    def reset(self) -> None:
        """Forget the sample: a model with state would go on where the last one has ended."""
        self._interpreter.reset_all_variables()


class WholeGraph:
    """A file without signatures, run as one with them is; its tensors go by their own names."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
        self._outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}

    def get_input_details(self) -> Dict[str, Any]:
        """By name."""
        return self._inputs

    def __call__(self, **arrays: np.ndarray) -> Arrays:
        """Resize, allocate, set, invoke, get."""
        for name, value in arrays.items():
            self._interpreter.resize_tensor_input(self._inputs[name]["index"], value.shape)
        self._interpreter.allocate_tensors()
        for name, value in arrays.items():
            self._interpreter.set_tensor(self._inputs[name]["index"], value)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(detail["index"]) for name, detail in self._outputs.items()}


def quantize(value: np.ndarray, detail: Dict[str, Any]) -> np.ndarray:
    """Real values in the type of an input."""
    dtype, (scale, zero_point) = np.dtype(detail["dtype"]), detail["quantization"]
    if not scale or dtype.kind not in "iu" or dtype.itemsize > 2:
        return value
    limits = np.iinfo(dtype)
    quantized: np.ndarray = np.clip(np.rint(value / np.float32(scale)) + zero_point, limits.min, limits.max)
    return quantized.astype(dtype)


def filled(value: np.ndarray, detail: Dict[str, Any]) -> np.ndarray:
    """A sample as often as the file wants it at once."""
    shape = detail["shape_signature"]
    return np.repeat(value, shape[0], axis=0) if len(shape) and shape[0] > 1 else value


def run(model: Model, samples: Samples) -> Tuple[Arrays, np.ndarray]:
    """Outputs by name, (n, ...), and seconds, (n,)."""
    total, seconds = len(samples.ids), []
    found: Dict[str, Any] = {}
    shown = time.monotonic()
    for number, sample in enumerate(samples):
        arrays = model.quantized(sample)
        for _ in range(WARM_UP if number == 0 else 0):
            model.invoke(arrays)
            model.reset()
        began = time.perf_counter()
        outputs = model.invoke(arrays)
        seconds.append(time.perf_counter() - began)
        model.reset()
        for name, value in outputs.items():
            found.setdefault(name, []).append(np.array(value[:1]))
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            print(f"\r{number + 1:,} of {total:,} samples", end="", file=sys.stderr, flush=True)
    print(f"\r{len(seconds):,} of {total:,} samples", file=sys.stderr)
    return {name: np.concatenate(rows) for name, rows in found.items()}, np.array(seconds)


def write_whole(path: str, record: Arrays) -> None:
    """Under another name first: nobody is to take half of it for all."""
    temporary = path + ".part"
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **record)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


if __name__ == "__main__":
    sys.exit(main())
