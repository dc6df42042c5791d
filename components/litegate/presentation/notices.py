"""Which event a record is, if it is one, and how people are told of it."""

from __future__ import annotations

import textwrap

from litegate.presentation.results_note import headline
from litegate.records import Acted, Decided, Notice, Promotion, Requalification, RunResult
from litegate.variants import BASELINE

__all__ = ["approval_notice", "notice_of_action", "notice_of_decision", "notice_of_promotion", "notice_of_result"]

LIMIT = 1500


def notice_of_result(result: RunResult) -> Notice | None:
    """`rejected` or `inconclusive` where nothing passed the gate."""
    if result.outcome in ("selected", "override_run"):
        return None
    rows = [row for row in result.variants if row.variant != BASELINE]
    undecided = any(row.verdict == "inconclusive" for row in rows)
    said = "; ".join(headline(row) for row in rows)
    return Notice(
        event="inconclusive" if undecided else "rejected",
        model=result.model,
        sentence=_line(f"nothing passed the gate: {said}"),
    )


def notice_of_promotion(result: RunResult, promotion: Promotion) -> Notice | None:
    """`promoted` where the run has changed the champion."""
    if not promotion.moved or promotion.state != "promoted":
        return None
    return _about(result, promotion, "promoted", "is champion")


def approval_notice(result: RunResult, promotion: Promotion) -> Notice:
    """A person is to say whether the version may be promoted."""
    return _about(result, promotion, "waiting", "passed the gate and waits for a person")


def notice_of_decision(model: str, decided: Decided) -> Notice | None:
    """`promoted`, `rejected` or `rolled_back`; all other decisions, and those that moved nothing, are no news."""
    decision, after = decided.entry.decision, decided.entry.after
    now = "there is no champion" if after is None else f"version {after} is champion"
    name = f"{decision.channel} version {decision.version}"
    by = f"by {decision.actor} ({decision.why})"
    match decision.action:
        case "accepted" if decided.moved:
            event, sentence = "promoted", f"{name} is champion: accepted {by}"
        case "rejected":
            event, sentence = "rejected", f"{name} was rejected {by}; {now}"
        case "rolled_back":
            event, sentence = "rolled_back", f"{name} was rolled back {by}; {now}"
        case _:
            return None
    return Notice.model_validate(
        {"event": event, "model": model, "sentence": _line(sentence), "version": decision.version}
        | {"variant": decision.variant, "actor": decision.actor}
    )


def notice_of_action(model: str, found: Requalification, acted: Acted) -> Notice | None:
    """`alerted` or `rolled_back`; a requalification that calls nobody is no news."""
    if acted.action not in ("alerted", "rolled_back"):
        return None
    return Notice.model_validate(
        {"event": acted.action, "model": model, "sentence": _line(acted.why)}
        | {"version": found.version, "variant": found.variant}
    )


def _about(result: RunResult, promotion: Promotion, event: str, what: str) -> Notice:
    selected = promotion.selected
    row = next(row for row in result.variants if row.variant == selected.variant)
    sentence = f"{result.model} version {selected.version} ({selected.variant}) {what}: {headline(row)}"
    return Notice.model_validate(
        {"event": event, "model": result.model, "sentence": _line(sentence)}
        | {"version": selected.version, "variant": selected.variant}
    )


def _line(text: str) -> str:
    return textwrap.shorten(text, LIMIT, placeholder=" ...")
