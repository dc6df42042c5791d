"""The main job through the real scheduler: promoted, rejected, bad input, a failing variant, real data."""

from __future__ import annotations

import json
import re
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.variants import DOCUMENTED

pytestmark = pytest.mark.e2e

REAL = Path(__file__).parents[2].parent / "shared" / "real" / "resnet8-cifar10"


def spec(models: Path, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "model": {"name": name, "uri": str(models / "keras3.keras")},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
        "variants": ["dynamic_range", "int8"],
        "gate": {"max_drop": 0.02},
    } | changes


def registered(litegate: Any) -> dict[str, dict[str, str]]:
    """Aliases of every registered model, by name."""
    from mlflow import MlflowClient

    client = MlflowClient(litegate.environment()["MLFLOW_TRACKING_URI"])
    names = [model.name for model in client.search_registered_models()]
    return {name: dict(client.get_registered_model(name).aliases) for name in names}


def measured(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a result without the places where their files are kept."""
    places = ("uri", "mlflow_run_id", "mlflow_model_id")
    return [{key: value for key, value in row.items() if key not in places} for row in result["variants"]]


def test_the_demo_trains_and_promotes_by_the_models_asset(
    litegate: Any, demo: Any, tmp_path: Path, predict: Any, s3: Any
) -> None:
    assert demo.code == 0, demo.output
    result = demo.result
    assert (result["model"], result["outcome"]) == ("digits", "promoted")
    assert [row["variant"] for row in result["variants"]] == list(DOCUMENTED)
    for row in result["variants"]:
        assert row["drop_low"] <= row["drop"] <= row["drop_high"]
        assert row["bytes"] > 0
        assert row["latency_ms"] > 0
        assert row["samples"] == result["baseline"]["samples"]
    champion = next(row for row in result["variants"] if row["variant"] == result["champion"]["variant"])
    assert champion["verdict"] == "passed"
    assert champion["digest"] == result["champion"]["digest"]
    passed = [row["bytes"] for row in result["variants"] if row["verdict"] == "passed"]
    assert champion["bytes"] == min(passed), "the smallest of those that passed"
    got = litegate("get", "digits", "-o", tmp_path, result=tmp_path / "got.json")
    assert (got.code, got.result["file"]["digest"]) == (0, result["champion"]["digest"]), got.output
    s3.download_file("litegate", "examples/digits/test.npz", str(tmp_path / "test.npz"))
    assert "(697, 10) float32 None" in predict("models:/digits@champion", tmp_path / "test.npz")


def test_an_outsider_finds_verdict_and_file_of_a_registered_version_again(
    demo: Any, litegate: Any, tmp_path: Path
) -> None:
    """Over the embedded servers, from the datasets on their S3 server to the bytes; these have no key that signs."""
    asked = litegate("verify", "digits", "--rederive", "--allow-unsigned", result=tmp_path / "verified.json")
    assert asked.code == 0, asked.output
    said = {check["name"]: check["said"] for check in asked.result["checks"]}
    assert "the same: passed" in said["verdict"]
    assert said["rebuilt"].startswith("identical, ")
    assert litegate("verify", "digits", result=tmp_path / "unsigned.json").code == 5


def test_a_second_run_promotes_the_same_version_again(litegate: Any, models: Path, tmp_path: Path) -> None:
    path = litegate.write_spec(tmp_path, **spec(models, "twice"))
    with litegate.begun("run", path, until="/runs/") as killed:
        killed.kill()
    first = litegate("run", path, result=tmp_path / "first.json")
    assert f"joined {first.result['run']}, which is under way with the same inputs" in first.output
    followed = litegate("follow", first.result["run"], result=tmp_path / "followed.json")
    assert (followed.code, followed.result) == (first.code, first.result), followed.output
    compared = litegate("compare", path, "--out", tmp_path / "compared", result=tmp_path / "compared.json")
    assert (compared.code, compared.result["selected"]) == (0, first.result["champion"]["variant"]), compared.output
    assert measured(compared.result) == measured(first.result), "equal digests, outcomes and verdicts"
    assert set(re.findall(r": (\w+) +success", compared.output)) == {"resolve"}, "all else was found"
    second = litegate.run_spec(tmp_path, **spec(models, "twice"))
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert first.result["run"] != second.result["run"]
    assert first.result["champion"] == second.result["champion"]
    assert re.search(r"convert +success", first.output)
    assert re.search(r"convert +skipped", second.output)
    assert set(re.findall(r"(\w+) +(?:running|success)", second.output)) <= {
        *("resolve", "lookup_cache", "gate", "register", "promote")
    }, "nothing was computed again"
    assert registered(litegate)["twice"] == {"champion": str(first.result["champion"]["version"])}
    tried = litegate("run", path, "--set", "gate.max_drop=0.05", result=tmp_path / "tried.json")
    assert (tried.code, tried.result["state"], tried.result["champion"]) == (0, "override_run", None), tried.output
    assert "nothing is promoted: gate.max_drop 0.05 (spec: 0.02)" in tried.output
    assert registered(litegate)["twice"] == {"champion": str(first.result["champion"]["version"])}
    listed = litegate("runs", "twice", result=tmp_path / "runs.json")
    assert [each["state"] for each in listed.result] == ["override_run", "promoted", "promoted"], listed.output
    assert [each["run"] for each in listed.result][1:] == [second.result["run"], first.result["run"]]
    (tmp_path / "other").mkdir()
    taken = litegate("run", litegate.write_spec(tmp_path / "other", **spec(models, "twice")))
    assert (taken.code, f"which is that of {path}" in taken.output) == (2, True), taken.output


def test_an_interruption_ends_the_run_and_what_it_records_in_mlflow(
    litegate: Any, models: Path, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(litegate.environment()["MLFLOW_TRACKING_URI"])
    experiment = client.create_experiment("quantize/interrupted")

    def states() -> set[str]:
        return {run.info.status for run in client.search_runs([experiment])}

    path, out = litegate.write_spec(tmp_path, **spec(models, "interrupted")), tmp_path / "out.json"
    with litegate.begun("run", path, "--json", out, until="/runs/") as command:
        while "RUNNING" not in states():
            assert command.poll() is None, "it has recorded everything"
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        assert command.wait(120) == 130
    ended = json.loads(out.read_text())
    assert (ended["outcome"], ended["error"]) == ("failed", f"interrupted; {ended['run']} was ended")
    assert "KILLED" in states()
    assert "RUNNING" not in states()
    followed = litegate("follow", ended["run"], result=out)
    assert followed.code == 1, followed.output
    assert "who interrupted the command that had begun it" in followed.result["error"]
    assert "interrupted" not in registered(litegate)


def test_a_clean_up_says_what_it_would_do_and_then_does_it(litegate: Any, models: Path, tmp_path: Path) -> None:
    promoted = litegate.run_spec(tmp_path, **spec(models, "tidy"))
    assert promoted.code == 0, promoted.output
    rehearsed = litegate("clean", result=tmp_path / "clean.json")
    assert rehearsed.code == 0, rehearsed.output
    fates = {(pile["kind"], pile["fate"]) for pile in rehearsed.result["piles"]}
    assert {("results", "recent"), ("files", "registered"), ("files", "recent")} <= fates
    assert "unused" not in {fate for _, fate in fates}
    assert "0 objects of 0 bytes would be deleted" in rehearsed.output
    applied = litegate("clean", "--older-than", "2", "--apply", result=tmp_path / "clean.json")
    assert (applied.code, applied.result["applied"]) == (0, True), applied.output
    again = litegate.run_spec(tmp_path, **spec(models, "tidy"))
    assert (again.code, again.result["champion"]) == (0, promoted.result["champion"]), again.output
    assert re.search(r"convert +skipped", again.output)


def test_an_undecided_run_is_recorded_and_moves_nothing(litegate: Any, models: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    good = litegate.run_spec(tmp_path, **spec(models, "strict"))
    assert good.code == 0, good.output
    ended = litegate.run_spec(tmp_path, **spec(models, "strict", gate={"max_drop": 0.0}))
    assert (ended.code, ended.result["outcome"], ended.result["champion"]) == (5, "undecided", None), ended.output
    assert {row["verdict"] for row in ended.result["variants"]} == {"baseline", "inconclusive"}
    assert registered(litegate)["strict"] == {"champion": str(good.result["champion"]["version"])}
    client = MlflowClient(litegate.environment()["MLFLOW_TRACKING_URI"])
    for row in ended.result["variants"]:
        metrics = client.get_run(row["mlflow_run_id"]).data.metrics
        assert metrics["top1"] == pytest.approx(row["value"])


def test_a_variant_that_fails_takes_no_other_down(litegate: Any, models: Path, tmp_path: Path) -> None:
    variants = ["dynamic_range", "int8", "int16x8"]
    ended = litegate.run_spec(
        tmp_path, **spec(models, "sine", model={"name": "sine", "uri": str(models / "sine.keras")}, variants=variants)
    )
    assert ended.code == 0, ended.output
    rows = {row["variant"]: row for row in ended.result["variants"]}
    assert rows["int16x8"]["verdict"] == "failed"
    assert "not yet supported" in rows["int16x8"]["reasons"][0]
    assert "compute in float: SIN (1); it is not integer only" in rows["int8"]["reasons"][0]
    assert rows["dynamic_range"]["verdict"] == "passed"
    assert rows["int16x8"]["digest"] is None


BAD: list[tuple[str, Callable[[Path], dict[str, Any]], str]] = [
    ("missing-model", lambda models: {"model": {"name": "missing-model", "uri": "s3://litegate/none.h5"}}, "model.uri"),
    (
        "missing-file",
        lambda models: {"model": {"name": "missing-file", "uri": "/nowhere/model.h5"}},
        "model.uri: expected an existing file or folder, got nothing at /nowhere/model.h5",
    ),
    ("missing-data", lambda models: {"evaluation": {"uri": "s3://nothing/x.npz", "format": "npz"}}, "evaluation.uri"),
    ("unknown-key", lambda models: {"quantise": True}, "unknown key 'quantise'"),
    ("wrong-dtype", lambda models: {"calibration": data(models, image=np.float64)}, "got float64"),
    ("wrong-shape", lambda models: {"evaluation": data(models, shape=(7, 8, 1))}, "7, 8, 1"),
    ("label-out-of-range", lambda models: {"evaluation": relabelled(models, 4)}, "labels from 0 to 3, got 4"),
]


def data(models: Path, image: Any = np.float32, shape: tuple[int, ...] = (8, 8, 1)) -> dict[str, Any]:
    path = models / f"{np.dtype(image).name}-{shape[0]}.npz"
    np.savez(path, image=np.ones((200, *shape), image), label=np.zeros(200, int))
    return {"uri": str(path), "format": "npz"}


def relabelled(models: Path, label: int) -> dict[str, Any]:
    path = models / f"label-{label}.npz"
    with np.load(models / "test.npz") as arrays:
        np.savez(path, **(dict(arrays) | {"label": np.full(len(arrays["label"]), label)}))
    return {"uri": str(path), "format": "npz"}


@pytest.mark.parametrize(("name", "change", "message"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_ends_in_one_message_and_registers_nothing(
    litegate: Any, models: Path, tmp_path: Path, name: str, change: Callable[[Path], dict[str, Any]], message: str
) -> None:
    ended = litegate.run_spec(tmp_path, **spec(models, name, **change(models)))
    assert ended.code == 2, ended.output
    assert message in ended.result["error"]
    assert f"error: {ended.result['error']}" in ended.output
    assert (ended.result["outcome"], ended.result["champion"], ended.result["variants"]) == ("failed", None, [])
    assert name not in registered(litegate)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real model and images are not there (shared/real)")
def test_resnet8_on_cifar10(litegate: Any, s3: Any, tmp_path: Path) -> None:
    for name in ("model.h5", "train.tar", "test.tar"):
        s3.upload_file(str(REAL / name), "litegate", f"real/{name}")
    base = "s3://litegate/real"
    few = {"int16x8": 1000, "int16x8_float_fallback": 1000}
    ended = litegate.run_spec(
        tmp_path,
        model={"name": "resnet8-cifar10", "uri": f"{base}/model.h5"},
        calibration={"uri": f"{base}/train.tar", "format": "images", "samples": 200, "seed": 17},
        evaluation={
            "uri": f"{base}/test.tar",
            "format": "images",
            "max_samples": 10000,
            "max_samples_by_variant": few,
        },
        variants="all",
        gate={"max_drop": 0.01, "confidence": 0.95},
    )
    assert ended.code == 0, ended.output
    rows = {row["variant"]: row for row in ended.result["variants"]}
    assert set(rows) == set(DOCUMENTED)
    expected = {
        "float32": (321_192, 0.7546),
        "dynamic_range": (97_496, 0.7538),
        "float16": (170_308, 0.7541),
        "int8_float_fallback": (98_816, 0.7571),
        "int8": (98_464, 0.7571),
        "uint8": (98_832, 0.7571),
        "int16x8": (103_568, 0.7578),
        "int16x8_float_fallback": (103_568, 0.7578),
    }
    for name, (size, value) in expected.items():
        row = rows[name]
        assert row["bytes"] == pytest.approx(size, rel=0.03), name
        assert row["samples"] == few.get(name, 10_000)
        noise = 0.005 if row["samples"] == 10_000 else 3 * (0.75 * 0.25 / 1000) ** 0.5
        assert row["value"] == pytest.approx(value, abs=noise), name
        assert row["verdict"] == ("baseline" if name == "float32" else "passed"), row
    assert ended.result["champion"]["variant"] == "dynamic_range", "the smallest"
    assert registered(litegate)["resnet8-cifar10"] == {"champion": str(ended.result["champion"]["version"])}
    with tarfile.open(REAL / "test.tar") as archive:
        assert sum(member.isreg() for member in archive) == ended.result["baseline"]["samples"] == 10_000
