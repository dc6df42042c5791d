"""A program: the step `evaluate` over some files and some data, with the seconds and the memory that it took as JSON.

    python -m tests.benchmarks.evaluate_files FOLDER DATA FORMAT METRIC FILE.tflite ...

Memory is the largest sum of what its processes had for themselves and their part of what they share (PSS).
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from litegate.datasets.snapshots import snapshot_data
from litegate.digest import digest_file
from litegate.inspection.tflite import describe
from litegate.records import Artifact, EvaluateFilesRequest, EvaluateRequest, FileEvaluation, FileRef
from litegate.spec import parse_spec
from litegate.steps import evaluate
from litegate.work.step_work import Work

__all__ = ["evaluate_files"]


def evaluate_files(folder: Path, data: str, form: str, metric: str, paths: list[Path]) -> dict[str, float]:
    """One pass for these files, in this process and those that it forks."""
    work = Work(folder, folder / "cache")
    (folder / "cache" / "files").mkdir(parents=True, exist_ok=True)
    keys = {"uri": data, "format": form}
    spec = parse_spec({"model": {"name": "x", "uri": "x"}, "calibration": keys, "evaluation": keys})
    ref = snapshot_data(spec.evaluation, "evaluation.uri", work)
    shutil.move(work.outputs / ref.manifest.digest, work.path(ref.manifest))
    files = []
    for path in paths:
        file = FileRef(name=path.name, digest=digest_file(path), bytes=path.stat().st_size)
        shutil.copy(path, work.path(file))
        artifact = Artifact(variant="int8", file=file, signatures=describe(path.read_bytes()))
        files.append(EvaluateRequest(artifact=artifact, data=ref, metric=metric, max_samples=None, seed=1))
    peak, ended = _Peak(), threading.Event()
    watching = threading.Thread(target=peak.watch, args=(ended,), daemon=True)
    begin = time.perf_counter()
    watching.start()
    result = evaluate.run(EvaluateFilesRequest(files=tuple(files)), work)
    seconds = time.perf_counter() - begin
    ended.set()
    watching.join()
    assert all(isinstance(found, FileEvaluation) for found in result.files), result
    return {"seconds": seconds, "peak": peak.bytes}


class _Peak:
    """The most that all processes of this program had at a time."""

    bytes = 0

    def watch(self, ended: threading.Event) -> None:
        while not ended.wait(0.005):
            self.bytes = max(self.bytes, sum(map(_pss, _family())))


def _family() -> Iterator[str]:
    yield "self"
    for task in Path("/proc/self/task").iterdir():
        yield from (task / "children").read_text().split()


def _pss(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    print(json.dumps(evaluate_files(Path(sys.argv[1]), *sys.argv[2:5], list(map(Path, sys.argv[5:])))))
