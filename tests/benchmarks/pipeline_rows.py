"""Rows of `make bench` about whole pipelines: against the script of a user, run again, and what of it is Airflow's.

Both sides of a ratio are whole processes, on the same files, samples of calibration and images of evaluation, one
after the other in one run of the benchmark. A measured run finds nothing in the cache: its home is new. The script
runs before any server is started, the pipelines with their servers up and having run a small model before.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from litegate.examples import digits
from litegate.settings import settings
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.profile_part import write_profile
from tests.benchmarks.real_model import REAL
from tests.benchmarks.servers_of_rows import DECIDED, LITEGATE, Servers, servers, write_spec

__all__ = [
    "airflow_seconds",
    "airflow_share",
    "compare_vs_script",
    "pipeline_sequential_vs_script",
    "pipeline_vs_script",
    "rerun_seconds",
    "resnet8_files",
    "small_pipeline_vs_script",
]

MARGIN, SAMPLES = 0.02, 200
SCRIPT = Path(__file__).with_name("script.py")
TRAIN = (
    "import sys, pathlib; from litegate.examples.digits import train;"
    "train(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))"
)


def pipeline_vs_script(bench: Bench) -> float:
    """All eight variants of ResNet-8, evaluated on all images."""
    script, run = _resnet8_script(bench), _resnet8_run(bench)
    _check_verdicts(bench, script["result"], run["result"])
    return run["seconds"] / _resnet8_script_seconds(bench)


def pipeline_sequential_vs_script(bench: Bench) -> float:
    """The same, where the evaluation of a variant ends when its verdict is certain."""
    script = _resnet8_script(bench)
    run = bench.once("resnet8_sequential", lambda: _sequential_run(bench))
    _check_verdicts(bench, script["result"], run["result"])
    return run["seconds"] / _resnet8_script_seconds(bench)


def compare_vs_script(bench: Bench) -> float:
    """The same without servers."""
    script = _resnet8_script(bench)
    compared = bench.once("resnet8_compare", lambda: _compare(bench))
    _check_verdicts(bench, script["result"], compared["result"])
    return compared["seconds"] / _resnet8_script_seconds(bench)


def small_pipeline_vs_script(bench: Bench) -> float:
    """All eight variants of the digits."""
    before = bench.once("digits_script", lambda: _script(bench, "digits", *_digits(bench), images=None))
    run = _digits_runs(bench)["first"]
    after = bench.once("digits_script_again", lambda: _script(bench, "digits-again", *_digits(bench), images=None))
    _check_verdicts(bench, before["result"], run["result"])
    return run["seconds"] / _mean_seconds(before, after)


def rerun_seconds(bench: Bench) -> float:
    """The slower of the two models, run again."""
    runs = [_digits_runs(bench)]
    if REAL.is_dir():
        runs.append(_resnet8_runs(bench))
    return max(each["again"]["seconds"] for each in runs)


def airflow_seconds(bench: Bench) -> float:
    """The run in Airflow, from when it was asked for to its end, less the tasks on its critical path."""
    run = _resnet8_run(bench)
    return run["run_seconds"] - run["work_seconds"]


def airflow_share(bench: Bench) -> float:
    """The same as a share of the run."""
    return airflow_seconds(bench) / _resnet8_run(bench)["run_seconds"]


def resnet8_files(bench: Bench) -> Path | None:
    """The folder with the files that the script has made of ResNet-8; None where that model is not there."""
    if not REAL.is_dir():
        return None
    _resnet8_script(bench)
    return bench.folder / "script-resnet8"


def _resnet8() -> tuple[Path, Path, Path]:
    """Model, data to calibrate with, and data to evaluate on."""
    if not REAL.is_dir():
        raise FileNotFoundError(f"{REAL} is not there; LITEGATE_REAL_DATA names the folder above it")
    return REAL / "model.h5", REAL / "train.tar", REAL / "test.tar"


def _resnet8_script(bench: Bench) -> dict[str, Any]:
    files, images = _resnet8(), bench.size(10_000, 200)
    found: dict[str, Any] = bench.once("resnet8_script", lambda: _script(bench, "resnet8", *files, images))
    return found


def _resnet8_script_seconds(bench: Bench) -> float:
    """The mean of two, one of which is later than the run: the host is faster in some minutes than in others."""
    _resnet8_run(bench)
    images = bench.size(10_000, 200)
    again = bench.once("resnet8_script_again", lambda: _script(bench, "resnet8-again", *_resnet8(), images))
    return _mean_seconds(_resnet8_script(bench), again)


def _mean_seconds(*scripts: dict[str, Any]) -> float:
    seconds = [script["seconds"] for script in scripts]
    print(f"the script: {' and '.join(f'{each:.1f}' for each in seconds)} s")
    return sum(seconds) / len(seconds)


def _resnet8_run(bench: Bench) -> dict[str, Any]:
    run: dict[str, Any] = _resnet8_runs(bench)["first"]
    return run


def _resnet8_runs(bench: Bench) -> dict[str, Any]:
    files = _resnet8()
    runs: dict[str, Any] = bench.once("resnet8_runs", lambda: _runs(bench, "resnet8", *files))
    write_profile(bench.folder, runs["first"])
    return runs


def _digits_runs(bench: Bench) -> dict[str, Any]:
    runs: dict[str, Any] = bench.once("digits_runs", lambda: _runs(bench, "digits", *_digits(bench)))
    return runs


def _runs(bench: Bench, name: str, model: Path, calibration: Path, test: Path) -> dict[str, Any]:
    """A run, and the same again."""
    spec = write_spec(bench, name, _keys(bench, model, calibration, test))
    with servers(bench, name) as up:
        _warm_up(bench, up)
        return {"first": up.run(spec), "again": up.run(spec)}


def _sequential_run(bench: Bench) -> dict[str, Any]:
    keys = _keys(bench, *_resnet8())
    keys["evaluation"]["sequential"] = True
    with servers(bench, "sequential") as up:
        _warm_up(bench, up)
        return up.run(write_spec(bench, "resnet8-sequential", keys))


def _warm_up(bench: Bench, up: Servers) -> None:
    """Run a small model that has no file in common with those that are measured: servers have run something before."""
    model = _trained(bench, "warm-up", 1)
    _, calibration, test = _digits(bench)
    up.run(write_spec(bench, "warm-up", _keys(bench, model, calibration, test) | {"variants": ["dynamic_range"]}))


def _compare(bench: Bench) -> dict[str, Any]:
    spec = write_spec(bench, "resnet8-compare", _keys(bench, *_resnet8()))
    out, home = bench.folder / "compared", bench.folder / "homes" / "compare"
    seconds = bench.command(LITEGATE, "compare", spec, "--out", out, "--home", home, codes=DECIDED)
    return {"seconds": seconds, "result": json.loads((out / "result.json").read_text())}


def _script(bench: Bench, name: str, model: Path, calibration: Path, test: Path, images: int | None) -> dict[str, Any]:
    """The script in one process."""
    out = bench.folder / f"script-{name}"
    size = () if images is None else ("--images", str(images))
    options = ("--samples", str(SAMPLES), "--max-drop", str(MARGIN), *size)
    seconds = bench.command(settings().pythons["tensorflow"], SCRIPT, model, calibration, test, out, *options)
    return {"seconds": seconds, "result": json.loads((out / "result.json").read_text())}


def _keys(bench: Bench, model: Path, calibration: Path, test: Path) -> dict[str, Any]:
    form = "npz" if test.suffix == ".npz" else "images"
    few = {"max_samples": 200} if bench.quick else {}
    return {
        "model": {"uri": str(model)},
        "calibration": {"uri": str(calibration), "format": form, "samples": SAMPLES},
        "evaluation": {"uri": str(test), "format": form} | few,
        "variants": "all",
        "gate": {"max_drop": MARGIN},
    }


def _digits(bench: Bench) -> tuple[Path, Path, Path]:
    """The example's model, trained, and its data."""
    folder = bench.folder / "digits"
    folder.mkdir(exist_ok=True)
    model = _trained(bench, "model", 30)
    return model, digits.prepare(folder, "calibration"), digits.prepare(folder, "test")


def _trained(bench: Bench, name: str, epochs: int) -> Path:
    folder = bench.folder / "digits" / name
    if not (folder / "model.keras").exists():
        folder.mkdir(parents=True)
        data = digits.prepare(folder, "train")
        command = [settings().pythons["tensorflow"], "-c", TRAIN, folder, data, str(epochs)]
        subprocess.run(command, check=True, capture_output=True)
    return folder / "model.keras"


def _check_verdicts(bench: Bench, script: dict[str, Any], result: dict[str, Any]) -> None:
    """Both came to the same of each variant, or they have not done the same work.

    Raises:
        RuntimeError: they differ; with small sizes, where nothing is certain, it is only said.
    """
    passed = {row["variant"]: row["verdict"] == "passed" for row in result["variants"] if row["verdict"] != "baseline"}
    differ = [variant for variant, good in passed.items() if script[variant]["passed"] != good]
    missing = set(script) - set(passed) - {"float32"}
    if (differ or missing) and not bench.quick:
        raise RuntimeError(f"not the same verdicts as the script's: {differ}, not there: {sorted(missing)}")
    print(f"verdicts differ for {differ}" if differ else "the same verdicts")
