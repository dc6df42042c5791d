"""A program: the step `evaluate` over some files and some data, with the seconds or the memory that it took as JSON.

    python -m tests.benchmarks.evaluate_files seconds|peak FOLDER DATA FORMAT METRIC FILE.tflite ...

Memory is the largest sum of what its processes had for themselves and their part of what they share (PSS). To look at
it all the time takes a sixth of the processors, so that it is either the one or the other.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litegate.datasets.snapshots import snapshot_data
from litegate.digest import digest_file
from litegate.inspection.tflite import describe
from litegate.records import Artifact, EvaluateFilesRequest, EvaluateRequest, FileEvaluation, FileRef
from litegate.spec import parse_spec
from litegate.steps import evaluate
from litegate.work.step_work import Work

__all__ = ["evaluate_files"]


def evaluate_files(what: str, folder: Path, data: str, form: str, metric: str, paths: list[Path]) -> float:
    """The seconds or the peak of memory of one pass for these files, in this process and those that it forks."""
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
    with _MEASURES[what]() as taken:
        result = evaluate.run(EvaluateFilesRequest(files=tuple(files)), work)
    assert all(isinstance(found, FileEvaluation) for found in result.files), result
    return taken[-1]


@contextmanager
def _seconds() -> Iterator[list[float]]:
    taken: list[float] = []
    begin = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - begin)


@contextmanager
def _peak() -> Iterator[list[float]]:
    """The most bytes that all processes of this program had at a time."""
    most, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            most[0] = max(most[0], sum(map(_pss, _family())))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    yield most
    ended.set()
    watching.join()


_MEASURES = {"seconds": _seconds, "peak": _peak}


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
    print(json.dumps(evaluate_files(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:6], list(map(Path, sys.argv[6:])))))
