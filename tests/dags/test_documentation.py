"""What DAGs and tasks say of themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litegate.spec import spec_digest
from tests.dags.specs import EVERYTHING, Load, write_spec


def test_the_documentation_names_what_is_promoted(load_dags: Load) -> None:
    doc = load_dags()["quantize__digits"].doc_md
    assert "| gate | top1 drops by at most 2.00 points, with 95 % confidence |" in doc
    assert "the smallest that passes, as `digits@champion`" in doc


@pytest.mark.parametrize("kind", ["quantize", "retrain"])
def test_the_documentation_tells_which_file_was_read(load_dags: Load, tmp_path: Path, kind: str) -> None:
    real, folder = tmp_path / "real.yaml", tmp_path / "specs"
    real.write_text(EVERYTHING)
    folder.mkdir()
    (folder / "m.yaml").symlink_to(real)
    digest = spec_digest(folder / "m.yaml")
    assert digest in load_dags(folder, kind=kind)[f"{kind}__m"].doc_md
    real.write_text(EVERYTHING.replace("0.01", "0.02"))
    assert digest not in load_dags(folder, kind=kind)[f"{kind}__m"].doc_md


@pytest.mark.parametrize(
    ("metric", "gate", "clauses"),
    [
        ("top1", {"max_prediction_shift": None}, ["top1 drops by at most 1.00 points, with 95 % confidence"]),
        (
            "mae",
            {"max_drop": 2.5, "max_prediction_shift": None, "max_drop_from_champion": 0.125, "min_value": 4},
            [
                "mae worsens by at most 2.5, with 95 % confidence",
                "mae worsens by at most 0.125 from today's `m@champion`",
                "the baseline itself must reach at most 4",
            ],
        ),
        (
            "iou",
            {"drop": "relative", "confidence": 0.99, "max_prediction_shift": 0.5, "min_value": 0.7},
            [
                "iou drops by at most 1.00 % of the baseline's value, with 99 % confidence",
                "the baseline itself must reach at least 70.00 %",
            ],
        ),
        (
            "mine.metrics:Dice",
            {"max_prediction_shift": None, "max_class_drop": 0.1, "min_class_samples": 20},
            [
                "Dice worsens by at most 0.01, with 95 % confidence",
                "no class loses more than 10.00 points, proved for those with 20 samples or more",
            ],
        ),
        (
            "top5",
            {"max_prediction_shift": 0.5, "max_bytes": 10**6, "min_size_ratio": 3.5, "max_latency_ratio": 0.8}
            | {"latency_host": "phone", "integer_only": True},
            [
                "top5 drops by at most 1.00 points, with 95 % confidence",
                "no class's share of a classifier's predictions changes by more than 50.00 points",
                "at most 1,000,000 bytes",
                "at least 3.5 times smaller than the baseline",
                "at most 0.8 of the baseline's latency on phone",
                "integers only: no operator, input or output is float",
            ],
        ),
    ],
)
def test_the_documentation_names_every_clause_of_the_policy(
    load_dags: Load, tmp_path: Path, metric: str, gate: dict[str, Any], clauses: list[str]
) -> None:
    write_spec(tmp_path, metric=metric, gate=json.dumps(gate))
    rows = load_dags(tmp_path)["quantize__m"].doc_md.splitlines()
    first = next(number for number, row in enumerate(rows) if row.startswith("| gate |"))
    last = next(number for number, row in enumerate(rows) if row.startswith("| promoted |"))
    assert [row.split(" | ", 1)[1].removesuffix(" |") for row in rows[first:last]] == clauses


KINDS = ("quantize", "requalify", "retrain", "prepare", "set_champion", "workspace_clean")


@pytest.mark.parametrize("kind", KINDS)
def test_every_dag_says_what_it_does_and_what_kind_it_is(
    load_dags: Load, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    dags = load_dags(tmp_path, kind=kind)
    assert dags
    for dag in dags.values():
        assert dag.doc_md, dag.dag_id
        assert "litegate" in dag.tags
        assert {"quantize", "requalify", "retrain", "prepare", "administration"} & set(dag.tags)


@pytest.mark.parametrize("name", ["quantize", "requalify"])
def test_every_task_says_what_it_does_and_what_it_leaves(load_dags: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    tasks = load_dags(tmp_path, kind=name)[f"{name}__m"].task_dict
    assert all("**Leaves**" in task.doc_md for task in tasks.values())
