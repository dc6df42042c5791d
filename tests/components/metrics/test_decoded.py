"""Error rates of texts: against values worked out by hand, and against jiwer 4.0.0 where that is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError, SpecError
from litegate.metrics.decoded import edits
from litegate.metrics.loading import load_metric
from litegate.records import Judged, UserCode
from litegate.user_code.source import source_digest

WORDS = ["", "the cat sat", "the cat", "a cat sat down", "hello"]
CODE = f"""
WORDS = {WORDS!r}
def decode(output, label): return WORDS[int(output.argmax())], WORDS[int(label)]
def one(output, label): return "text"
def number(output, label): return 1, 2
def raises(output, label): raise KeyError("token 9")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "texts.py").write_text(CODE)
    yield tmp_path
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]
    sys.modules.pop("texts", None)


def metric(name: str, folder: Path, function: str = "decode") -> Any:
    reference = f"texts:{function}"
    code = UserCode(reference=reference, folder=str(folder), digest=source_digest(reference, str(folder)))
    return load_metric(name, judged=Judged(decoder=code))


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("abc", "abc", 0)],
)
def test_edits(one: str, other: str, distance: int) -> None:
    assert edits(one, other) == edits(other, one) == distance


@pytest.mark.parametrize(("name", "rate"), [("wer", 4 / 9), ("cer", 16 / 34)])
def test_the_rate_of_a_set_is_that_of_all_its_texts(folder: Path, name: str, rate: float) -> None:
    """As `jiwer.wer` and `jiwer.cer` say of the same four pairs."""
    found, right = np.array([2, 1, 4, 3]), np.array([1, 2, 4, 1])
    columns = metric(name, folder).columns({"out": np.eye(5)[found]}, right)
    assert metric(name, folder).value(columns["output"], columns["target"]) == pytest.approx(rate)
    assert load_metric(name).value(columns["output"], columns["target"]) == pytest.approx(rate)


def test_a_set_without_any_right_word_has_no_value() -> None:
    with pytest.raises(ValueError, match="2 samples have no word or character"):
        load_metric("wer").value(np.array([1, 0]), np.array([0, 0]))


@pytest.mark.parametrize(
    ("function", "said"), [("one", "got 'text'"), ("number", r"got \(1, 2\)"), ("raises", "got KeyError: 'token 9'")]
)
def test_what_a_decoder_gives_is_checked(folder: Path, function: str, said: str) -> None:
    expected = r"evaluation.decoder: expected two texts, the model's and the right one, "
    with pytest.raises(DataError, match=expected + said):
        metric("wer", folder, function).columns({"out": np.eye(5)}, np.arange(5))


def test_a_decoder_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"evaluation.decoder: .*absent"):
        metric("wer", folder, "absent")
