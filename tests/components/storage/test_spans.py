"""Which parts of an object are asked for, and where they lie then."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litegate.errors import DataError
from litegate.storage import spans as module
from litegate.storage.manifests import Entry
from litegate.storage.spans import Span, joined, missing
from litegate.storage.user_objects import fetch, fetch_spans, list_entries, put

some_spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair))))


def positions(spans: list[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


@given(some_spans, some_spans)
def test_what_is_missing_is_what_is_wanted_and_not_there(wanted: list[Span], there: list[Span]) -> None:
    found = missing(wanted, there)
    assert positions(found) == positions(wanted) - positions(there)
    assert joined(found) == found
    assert positions(joined(wanted)) == positions(wanted)


@given(some_spans, st.integers(0, 9))
def test_spans_near_each_other_are_one(spans: list[Span], gap: int) -> None:
    found = joined(spans, gap)
    assert positions(spans) <= positions(found)
    assert all(later[0] - former[1] > gap for former, later in pairwise(found))
    assert positions(found) - positions(spans) <= positions([(end, end + gap) for _, end in spans])


CONTENT = bytes(range(256)) * 40


@pytest.fixture
def entry(s3_bucket: str, tmp_path: Path) -> Entry:
    (tmp_path / "object").write_bytes(CONTENT)
    put(tmp_path / "object", f"s3://{s3_bucket}/a/object")
    return list_entries(f"s3://{s3_bucket}/a/object", "data")[0]


def fetched(entry: Entry, wanted: list[Span], folder: Path) -> Path:
    (path,) = fetch_spans([(entry, wanted)], folder, folder / "cache", "data")
    return path


def test_parts_lie_in_their_places(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GAP", 10)
    monkeypatch.setattr(module, "_LARGEST", 1000)
    wanted = [(3, 9), (12, 20), (5000, 7500), (len(CONTENT) - 5, len(CONTENT))]
    content = fetched(entry, wanted, tmp_path).read_bytes()
    assert len(content) == len(CONTENT)
    assert all(content[start:end] == CONTENT[start:end] for start, end in wanted)
    assert content[30:5000] == bytes(4970), "nothing else was fetched"
    more = fetched(entry, [(100, 110)], tmp_path).read_bytes()
    assert (more[3:9], more[100:110]) == (CONTENT[3:9], CONTENT[100:110])


def test_what_is_there_as_a_whole_is_used(entry: Entry, tmp_path: Path) -> None:
    whole = fetch(entry, tmp_path / "cache", "data")
    assert fetched(entry, [(0, 1)], tmp_path) == whole


@pytest.mark.parametrize("span", [(-1, 4), (4, 4), (9, 3), (0, len(CONTENT) + 1)])
def test_parts_that_the_object_does_not_have_are_refused(entry: Entry, tmp_path: Path, span: Span) -> None:
    with pytest.raises(DataError, match=r"parts of s3://.*, which has 10,240 bytes"):
        fetched(entry, [span], tmp_path)


def test_an_object_that_has_changed_is_refused(entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "object").write_bytes(CONTENT[::-1])
    put(tmp_path / "object", entry.uri)
    with pytest.raises(DataError, match="PreconditionFailed"):
        fetched(entry, [(0, 5)], tmp_path)
