"""Which records are news, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from litegate.presentation.notices import (
    approval_notice,
    notice_of_action,
    notice_of_decision,
    notice_of_promotion,
    notice_of_result,
)
from litegate.records import (
    Acted,
    Aliases,
    BaselineSummary,
    Champion,
    Decided,
    Decision,
    LedgerEntry,
    Promotion,
    RegisteredAlias,
    Requalification,
    RunResult,
    VariantRow,
)

SELECTED = Champion(variant="int8", version=3, digest="3" * 64)


def row(variant: str, verdict: str) -> VariantRow:
    unknown: dict[str, Any] = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "uri"))
    return VariantRow(
        variant=variant, verdict=verdict, samples=9, reasons=(), digest=None, mlflow_run_id=None, **unknown
    )


def result(selected: Champion | None = None, **verdicts: str) -> RunResult:
    return RunResult(
        model="m",
        outcome="selected" if selected else "rejected",
        selected=selected,
        baseline=BaselineSummary(bytes=1, metric="top1", value=0.9, samples=9),
        variants=(row("float32", "baseline"), *(row(variant, verdict) for variant, verdict in verdicts.items())),
        experiment_id="1",
        mlflow_run_id="r",
        report="http://mlflow/report",
    )


@dataclass(frozen=True)
class Judged:
    verdicts: dict[str, str]
    event: str


@pytest.mark.parametrize(
    "row",
    [
        Judged({"int8": "failed", "float16": "failed"}, "rejected"),
        Judged({"int8": "failed", "float16": "inconclusive"}, "inconclusive"),
    ],
    ids=str,
)
def test_a_run_in_which_nothing_passed_is_rejected_or_undecided(row: Judged) -> None:
    notice = notice_of_result(result(**row.verdicts))
    assert notice is not None
    assert (notice.event, notice.model, notice.version) == (row.event, "m", None)
    assert notice.sentence == f"nothing passed the gate: int8 failed; float16 {row.verdicts['float16']}"


def test_a_run_that_selected_something_is_no_news_yet() -> None:
    assert notice_of_result(result(SELECTED, int8="passed", float16="inconclusive")) is None


def promotion(moved: bool, state: Any = "promoted") -> Promotion:
    return Promotion(selected=SELECTED, champion=SELECTED, previous=2, moved=moved, state=state)


def test_a_new_champion_is_news_and_an_old_one_is_not() -> None:
    found = result(SELECTED, int8="passed")
    notice = notice_of_promotion(found, promotion(moved=True))
    assert notice is not None
    assert (notice.event, notice.version, notice.variant) == ("promoted", 3, "int8")
    assert notice.sentence == "m version 3 (int8) is champion: int8 passed"
    assert notice_of_promotion(found, promotion(moved=False)) is None
    assert notice_of_promotion(found, promotion(moved=False, state="pending_approval")) is None


def test_what_waits_for_a_person_is_news() -> None:
    notice = approval_notice(result(SELECTED, int8="passed"), promotion(moved=False, state="pending_approval"))
    assert (notice.event, notice.version) == ("waiting", 3)
    assert notice.sentence == "m version 3 (int8) passed the gate and waits for a person: int8 passed"


@dataclass(frozen=True)
class Said:
    action: str
    event: str | None
    sentence: str = ""
    before: int | None = 3
    after: int | None = 2
    moved: bool = True
    fields: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "row",
    [
        Said("rolled_back", "rolled_back", "r@champion version 3 was rolled back by ann (slow); version 2 is champion"),
        Said(
            "rejected",
            "rejected",
            "r@champion version 3 was rejected by ann (slow); version 2 is champion",
            2,
            2,
            False,
        ),
        Said(
            "rejected", "rejected", "r@champion version 3 was rejected by ann (slow); there is no champion", None, None
        ),
        Said("accepted", "promoted", "r@champion version 3 is champion: accepted by ann (slow)", 2, 3),
        Said("accepted", None, before=3, after=3, moved=False),
        Said("frozen", None),
        Said("reinstated", None),
    ],
    ids=lambda row: f"{row.action} {row.event}",
)
def test_a_decision_is_news_where_somebody_wants_to_know(row: Said) -> None:
    decision = Decision.model_validate(
        {"channel": RegisteredAlias(registry="r"), "action": row.action, "key": "k", "actor": "ann", "why": "slow"}
        | {"version": 3, "variant": "int8"}
    )
    entry = LedgerEntry(
        number=0, time="2026-01-01T00:00:00+00:00", decision=decision, before=row.before, after=row.after, previous=""
    )
    notice = notice_of_decision("m", Decided(entry=entry, aliases=Aliases(champion=row.after), moved=row.moved))
    assert (notice and notice.event) == row.event
    if notice is not None:
        assert (notice.sentence, notice.actor, notice.variant) == (row.sentence, "ann", "int8")


def test_a_sentence_is_bounded_and_on_one_line() -> None:
    verdicts = {f"variant{number}": "failed\nbadly" for number in range(500)}
    notice = notice_of_result(result(**verdicts))
    assert notice is not None
    assert len(notice.sentence) <= 1500
    assert "\n" not in notice.sentence


@pytest.mark.parametrize(
    ("action", "news"), [("none", False), ("recorded", False), ("alerted", True), ("rolled_back", True)]
)
def test_a_requalification_is_news_where_somebody_is_called(action: Any, news: bool) -> None:
    found = Requalification(
        number=1,
        version=3,
        variant="int8",
        state="failed",
        broken=True,
        drifted=False,
        sentence="version 3 (int8) fails",
        drift="no drift",
        experiment_id="1",
        mlflow_run_id="r",
    )
    notice = notice_of_action("m", found, Acted(action=action, champion=2, why="it fails: look"))
    assert (notice is not None) == news
    if notice is not None:
        assert (notice.event, notice.version, notice.sentence) == (action, 3, "it fails: look")
