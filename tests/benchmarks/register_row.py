"""How long `register` takes for eight variants on a warm server, in seconds."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from litegate.settings import settings
from litegate.steps import register
from litegate.variants import BASELINE, DOCUMENTED
from tests import servers
from tests.benchmarks.bench_context import Bench
from tests.components.conftest import MAKE_MODELS, Toy

__all__ = ["register_seconds"]


def register_seconds(bench: Bench) -> float:
    """The first recording of eight files of a model, where another model's were recorded before: all is uploaded."""
    with tempfile.TemporaryDirectory(prefix="litegate-bench-") as name, servers.mlflow_server(Path(name)) as server:
        os.environ["MLFLOW_TRACKING_URI"] = server.url
        files = _files(Path(name))
        for model in ("warm-up", "measured"):
            toy = Toy(model, files, Path(name))
            baseline, *candidates = (toy.candidate(variant) for variant in files)
            verdicts = (toy.baseline_verdict(baseline), *map(toy.verdict, candidates))
            parts = {"baseline": baseline, "candidates": tuple(candidates), "verdicts": verdicts}
            request, work = toy.request(**parts), toy.work
            with bench.clock() as taken:
                register.run(request, work)
    return taken.seconds


def _files(folder: Path) -> dict[str, Path]:
    """A file of 100 kB for each variant, no two alike, the baseline's first."""
    subprocess.run([settings().pythons["tensorflow"], "-c", MAKE_MODELS, folder], check=True, capture_output=True)
    content, files = (folder / "int8.tflite").read_bytes(), {}
    for variant in (BASELINE, *(each for each in DOCUMENTED if each != BASELINE)):
        files[variant] = folder / f"register-{variant}.tflite"
        files[variant].write_bytes(content + variant.encode() + bytes(100_000))
    return files
