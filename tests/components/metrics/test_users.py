"""The user's own metric: what it must declare, and that what it gives is checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from litegate.errors import DataError, SpecError
from litegate.metrics.loading import load_metric
from litegate.records import Judged, UserCode
from litegate.user_code.source import source_digest

CODE = """
import numpy as np

inf = float("inf")

class Good:
    higher_is_better, range, per_sample = True, (-1, inf), True
    result = np.array([0.5, 1.0])
    def score(self, outputs, labels): return self.result

class Hit(Good): result = np.array([True, False])
class Whole(Good): result = np.array([3, 4])
class Low(Good): result = np.array([0.0, -1.1])
class Rounding(Good): result = np.array([0.0, -1 - 1e-9])
class NaN(Good): result = np.array([0.0, np.nan])
class Text(Good): result = np.array(["a", "b"])
class Long(Good): result = np.zeros(3)
class Tall(Good): result = np.zeros((2, 1))
class Raises(Good):
    def score(self, outputs, labels): return outputs["absent"]

class NoRange:
    higher_is_better, per_sample = True, True
class Number(Good): range = 3
class Backwards(Good): range = (1, 0)
class Empty(Good): range = (1, 1)
class Nowhere(Good): range = (inf, inf)
class NaNRange(Good): range = (0, inf - inf)
class Direction(Good): higher_is_better = "yes"
class NoKind:
    higher_is_better, range = True, (0, 1)
class NoScore:
    higher_is_better, range, per_sample = True, (0, 1), True
class NoValue:
    higher_is_better, range, per_sample = True, (0, 1), False
class Arguments(Good):
    def __init__(self, k): pass

class Mean:
    higher_is_better, range, per_sample = False, (0, 10), False
    def value(self, output, target): return np.abs(output - target).mean()
class Kept(Mean):
    def keep(self, outputs, labels): return outputs["a"] + outputs["b"]
class Seen(Good):
    def score(self, outputs, labels, inputs): return inputs["x"] - outputs["a"]
class Few(Mean):
    def keep(self, outputs, labels): return np.zeros(1)

function = print
"""
OUTPUTS = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
LABELS = np.array([0, 1])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "users.py").write_text(CODE)
    yield tmp_path
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]
    sys.modules.pop("users", None)


def code(folder: Path, name: str) -> UserCode:
    reference = f"users:{name}"
    return UserCode(reference=reference, folder=str(folder), digest=source_digest(reference, str(folder)))


@dataclass(frozen=True)
class Bad:
    name: str
    said: str


@pytest.mark.parametrize(
    "row",
    [
        Bad("Absent", r"a class Absent in .*users\.py for users:Absent, got no such name"),
        Bad("function", "a class for users:function, got a builtin_function"),
        Bad("Arguments", "a class users:Arguments that is made without arguments, got TypeError"),
        Bad("Direction", "higher_is_better = True or False in users:Direction, got 'yes'"),
        Bad("NoKind", "per_sample = True or False in users:NoKind, got no per_sample"),
        Bad("NoRange", r"range = \(low, high\) in users:NoRange.*, got no range"),
        Bad("Number", "range.*, got 3"),
        Bad("Backwards", r"low < high, got \(1, 0\)"),
        Bad("Empty", r"low < high, got \(1, 1\)"),
        Bad("Nowhere", r"low < high, got \(inf, inf\)"),
        Bad("NaNRange", r"low < high, got \(0, nan\)"),
        Bad("NoScore", "a method score in users:NoScore, got no score"),
        Bad("NoValue", "a method value in users:NoValue, got no value"),
    ],
    ids=lambda row: row.name,
)
def test_a_class_that_does_not_declare_itself_is_refused(folder: Path, row: Bad) -> None:
    with pytest.raises(SpecError, match=r"evaluation\.metric: expected .*" + row.said):
        load_metric(f"users:{row.name}", code(folder, row.name))


def test_a_metric_needs_the_source_it_had_when_the_run_began(folder: Path) -> None:
    pinned = code(folder, "Good")
    (folder / "users.py").write_text(CODE + "\n")
    with pytest.raises(SpecError, match=r"evaluation\.metric: expected the source of users:Good as it was"):
        load_metric("users:Good", pinned)
    with pytest.raises(SpecError, match=r"evaluation\.metric: .* the source of package\.module:Class, got users:Good"):
        load_metric("users:Good")


def test_what_a_class_declares_becomes_the_metrics_facts(folder: Path) -> None:
    facts = load_metric("users:Good", code(folder, "Good")).facts
    assert (facts.name, facts.low, facts.high, facts.higher_is_better) == ("users:Good", -1.0, None, True)
    assert facts.per_sample


@pytest.mark.parametrize(
    ("name", "dtype", "score"),
    [
        ("Good", float, [0.5, 1]),
        ("Hit", bool, [1, 0]),
        ("Whole", float, [3, 4]),
        ("Rounding", float, [0, -1 - 1e-9]),
    ],
)
def test_scores_are_kept_as_they_are(folder: Path, name: str, dtype: type, score: list[float]) -> None:
    found = load_metric(f"users:{name}", code(folder, name)).columns(OUTPUTS, LABELS)["score"]
    assert found.dtype == dtype
    assert found.tolist() == score


@pytest.mark.parametrize(
    "row",
    [
        Bad("Low", "values from -1 to inf, as users:Low declares, got -1.1"),
        Bad("NaN", "finite numbers from score of users:NaN, got NaN or infinity in float64"),
        Bad("Text", "finite numbers from score of users:Text, got <U1"),
        Bad("Long", r"scores of shape \(2,\) from users:Long, got \(3,\)"),
        Bad("Tall", r"scores of shape \(2,\) from users:Tall, got \(2, 1\)"),
        Bad("Raises", r"an array from score of users:Raises, got KeyError: 'absent' for outputs a \(batch\), b"),
        Bad("Few", r"an array of 2 samples from keep of users:Few, got shape \(1,\)"),
        Bad("Mean", "the one that users:Mean without a method keep judges of the outputs a, b, got null"),
    ],
    ids=lambda row: row.name,
)
def test_what_a_metric_gives_is_checked(folder: Path, row: Bad) -> None:
    with pytest.raises(DataError, match=r"evaluation\.(metric|output): expected " + row.said):
        load_metric(f"users:{row.name}", code(folder, row.name)).columns(OUTPUTS, LABELS)


def test_a_set_metric_gives_the_value_of_what_it_kept(folder: Path) -> None:
    metric = load_metric("users:Kept", code(folder, "Kept"))
    kept = metric.columns(OUTPUTS, LABELS)
    assert kept["output"].tolist() == [4, 6]
    assert metric.value(kept["output"], kept["target"]) == 4.5
    alone = load_metric("users:Mean", code(folder, "Mean")).columns({"a": OUTPUTS["a"]}, LABELS)
    assert alone["output"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("output", "error", "said"), [(np.nan, ValueError, "gave nan for 2 samples"), (99, DataError, "from 0 to 10.*99")]
)
def test_a_value_is_checked(folder: Path, output: float, error: type[Exception], said: str) -> None:
    metric = load_metric("users:Mean", code(folder, "Mean"))
    with pytest.raises(error, match=said):
        metric.value(np.array([output, output]), np.zeros(2))


def test_an_output_that_the_spec_names_is_what_a_set_metric_without_keep_judges(folder: Path) -> None:
    metric = load_metric("users:Mean", code(folder, "Mean"), Judged(output="b"))
    assert metric.columns(OUTPUTS, LABELS)["output"].tolist() == [3, 4]


def test_a_score_that_asks_for_the_inputs_gets_them(folder: Path) -> None:
    metric = load_metric("users:Seen", code(folder, "Seen"))
    assert metric.columns(OUTPUTS, LABELS, {"x": np.array([5.0, 7.0])})["score"].tolist() == [4, 5]
