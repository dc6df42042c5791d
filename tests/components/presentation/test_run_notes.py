"""What came of a run, on one line."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.presentation import run_notes
from litegate.records import (
    Acted,
    Aliases,
    Cleaned,
    Decided,
    Decision,
    LedgerEntry,
    Pile,
    Promotion,
    PromotionState,
    RegisteredAlias,
    RunResult,
)
from tests.components.presentation.test_notices import SELECTED, result


def with_rows(found: RunResult, **fields: Any) -> RunResult:
    return found.model_copy(update={"variants": tuple(row.model_copy(update=fields) for row in found.variants)})


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("promoted", "promoted v3 int8: it loses at most 1.00 points (2.00 allowed)"),
        (
            "pending_approval",
            "passed, and its approval is pending: v3 int8: it loses at most 1.00 points (2.00 allowed)",
        ),
        ("blocked", "passed, but not promoted (v2 is frozen): v3 int8: it loses at most 1.00 points (2.00 allowed)"),
    ],
)
def test_a_note_says_what_became_of_the_version_and_why_it_passed(state: PromotionState, said: str) -> None:
    sentence = "int8 may ship: it loses at most 1.00 points (2.00 allowed)"
    promotion = Promotion(selected=SELECTED, champion=None, previous=None, moved=False, state=state, why="v2 is frozen")
    assert run_notes.of_promotion(with_rows(result(SELECTED, int8="passed"), sentence=sentence), promotion) == said


def test_a_rejection_tells_failed_undecided_and_unmeasured_variants_apart() -> None:
    outcomes = {"int8": "rejected", "uint8": "rejected", "float16": "undecided", "int16x8": "failed"}
    found = result(**dict.fromkeys(outcomes, "failed"))
    rows = [row.model_copy(update={"outcome": outcomes.get(row.variant, row.outcome)}) for row in found.variants]
    found = found.model_copy(update={"variants": tuple(rows)})
    assert run_notes.of_rejection(found) == (
        "rejected: nothing passed the gate: int8, uint8 rejected; float16 undecided (no number of samples would "
        "decide it); int16x8 could not be built or measured"
    )


def test_a_decision_an_action_and_a_clean_up_say_what_came_of_them() -> None:
    decision = Decision(
        channel=RegisteredAlias(registry="m"), action="rolled_back", key="k", actor="ann", why="slow", version=3
    )
    entry = LedgerEntry(number=4, time="2026-01-01T00:00:00+00:00", decision=decision, before=3, after=2, previous="")
    decided = Decided(entry=entry, aliases=Aliases(champion=2), moved=True)
    assert run_notes.of_decision(decided) == "rolled back v3: v2 is champion (ann: slow)"
    assert run_notes.of_action(Acted(action="rolled_back", champion=2, why="it drifts")) == "rolled back: it drifts"
    piles = (
        Pile(kind="results", fate="unused", count=2, bytes=1000),
        Pile(kind="files", fate="recent", count=9, bytes=9),
    )
    for applied, verb in ((True, "deleted"), (False, "would delete")):
        cleaned = Cleaned(workspace="w", days=30, applied=applied, piles=piles, foreign=())
        assert run_notes.of_cleaning(cleaned) == f"{verb} 2 objects of 1,000 bytes"


def test_a_note_is_no_longer_than_airflow_keeps() -> None:
    assert len(run_notes.shortened("word " * 500)) <= run_notes.LIMIT
