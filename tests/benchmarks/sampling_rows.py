"""Rows of `make bench` about sampling 500 of 1,000,000 records on S3, against reading all of them to choose from.

100 files of 10,000 records of 3 KB, in stored NPZ and in TFRecord with an index beside each file. Both sides are what
the step `sample` does with the data, through the broker: index, choose, read. The larger ratio of the two formats
counts. All files are the same one under other names, which neither side can know.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets import open_dataset
from litegate.datasets.sampling import choose_stratified
from litegate.datasets.snapshots import snapshot_data
from litegate.records import DataRef
from litegate.runtimes.litert import Tensor
from litegate.spec import parse_spec
from litegate.work.broker import Broker
from litegate.work.step_work import Work
from tests.benchmarks.bench_context import Bench
from tests.components.datasets.writers import example, tfrecord
from tests.servers import free_port, wait_until_listening

__all__ = ["sampling_bytes", "sampling_time"]

CHOSEN, SHAPE = 500, (16, 16, 3)
INPUTS = {"x": Tensor((-1, *SHAPE), np.dtype(np.float32), 0.0, 0)}
FORMATS = ("npz", "tfrecord")


def sampling_bytes(bench: Bench) -> float:
    """The share of the bytes that is sent."""
    found = _measured(bench)
    return max(found[form]["few"]["bytes"] / found[form]["all"]["bytes"] for form in FORMATS)


def sampling_time(bench: Bench) -> float:
    """The share of the time that it takes."""
    found = _measured(bench)
    return max(found[form]["few"]["seconds"] / found[form]["all"]["seconds"] for form in FORMATS)


def _measured(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.once("sampling", lambda: _measure(bench))
    print(found)
    return found


def _measure(bench: Bench) -> dict[str, Any]:
    folder = bench.folder / "sampling"
    folder.mkdir(parents=True)
    try:
        shards, records = bench.size(100, 20), bench.size(10_000, 1_000)
        with _served(_written(folder, records), shards) as url:
            for form in FORMATS:  # what a process does once, as to import, is no part of either side
                _sample(bench, url, form, True, "warm-up")
            return {
                form: {"few": _sample(bench, url, form, True), "all": _sample(bench, url, form, False)}
                for form in FORMATS
            }
    finally:
        shutil.rmtree(folder)


def _written(folder: Path, records: int) -> dict[str, Path]:
    """One file of each format, and the index of the second."""
    random = np.random.default_rng(5)
    x, label = random.random((records, *SHAPE), np.float32), random.integers(0, 10, records)
    np.savez(folder / "shard.npz", x=x, label=label)
    payloads = [example({"x": one, "label": each}) for one, each in zip(x, label, strict=True)]
    ends = np.cumsum([0] + [len(payload) + 16 for payload in payloads])
    lines = zip(ends[:-1].tolist(), np.diff(ends).tolist(), strict=True)
    (folder / "shard.idx").write_text("".join(f"{offset} {size}\n" for offset, size in lines))
    tfrecord(folder / "shard.tfrecord", payloads)
    return {name: folder / f"shard.{name}" for name in ("npz", "tfrecord", "idx")}


@contextmanager
def _served(files: dict[str, Path], shards: int) -> Iterator[str]:
    """A server that has them under many names, by environment variables the one that is asked."""
    port, folders = free_port(), {"npz": "npz", "tfrecord": "tfrecord", "idx": "tfrecord"}
    names = {kind: ",".join(f"{folders[kind]}/part-{shard:04}.{kind}" for shard in range(shards)) for kind in files}
    arguments = [part for kind, path in files.items() for part in (str(path), names[kind])]
    command = [sys.executable, "-m", "tests.benchmarks.range_server", str(port), *arguments]
    with subprocess.Popen(command) as server:
        try:
            wait_until_listening(port, server)
            url = f"http://127.0.0.1:{port}"
            os.environ |= {"AWS_ENDPOINT_URL_S3": url, "AWS_DEFAULT_REGION": "us-east-1"}
            os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
            yield url
        finally:
            server.kill()


def _sample(bench: Bench, url: str, form: str, sparse: bool, name: str = "measured") -> dict[str, float]:
    """Choose and read the samples with an empty cache; seconds, and the bytes that were sent for it."""
    folder = bench.folder / "sampling" / f"{name}-{form}-{'few' if sparse else 'all'}"  # a connection is by folder
    (folder / "objects").mkdir(parents=True)
    try:
        work = Work(folder, folder / "cache")
        ref = _snapshot(form, work)
        before = _sent(url)
        gc.collect()  # what was allocated until now is no part of either side
        with (
            Broker(folder, work.cache, folder / "objects", frozenset(), (work.path(ref.manifest),)),
            bench.clock() as clock,
        ):
            dataset = open_dataset(ref, work, "calibration.uri", INPUTS, sparse=sparse)
            chosen = choose_stratified(dataset.ids, dataset.labels, CHOSEN, 17)
            read = sum(1 for _ in dataset.read(chosen))
        if read != CHOSEN:
            raise RuntimeError(f"{read} samples were read, not {CHOSEN}")
        return {"seconds": clock.seconds, "bytes": _sent(url) - before}
    finally:
        shutil.rmtree(folder)


def _snapshot(form: str, work: Work) -> DataRef:
    data = {"uri": f"s3://bench/{form}/", "format": form}
    spec = parse_spec({"model": {"name": "x", "uri": "x"}, "calibration": data, "evaluation": data})
    ref = snapshot_data(spec.calibration, "calibration.uri", work)
    work.path(ref.manifest).parent.mkdir(parents=True)
    (work.outputs / ref.manifest.digest).rename(work.path(ref.manifest))
    return ref


def _sent(url: str) -> int:
    with urllib.request.urlopen(f"{url}/sent") as answer:
        return int(answer.read())
