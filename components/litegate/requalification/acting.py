"""What is to follow from a requalification."""

from __future__ import annotations

from typing import Literal

from litegate.records import ActRequest

__all__ = ["Action", "action_of", "reason_of"]

Action = Literal["none", "record", "alert", "rollback"]
_ORDER: tuple[Action, ...] = ("none", "record", "alert", "rollback")


def action_of(request: ActRequest) -> Action:
    """The strongest of what the spec asks for.

    A version is rolled back for a limit that is proved to be broken, or for a class that it lost. A verdict that
    failed for another reason, such as outcomes that do not fit together, says something about the measurement:
    somebody is to look.
    """
    found = request.requalification
    asked: list[Action] = ["none"]
    if found.state == "inconclusive":
        asked.append("record")
    if found.state == "failed":
        asked.append(request.on_failure if found.broken else "alert")
    if found.drifted:
        asked.append(request.on_drift)
    return max(asked, key=_ORDER.index)


def reason_of(request: ActRequest) -> str:
    """The sentences that the action rests on; that about the version alone where all is well."""
    found = request.requalification
    parts = [found.sentence] * (found.state != "passed" or not found.drifted) + [found.drift] * found.drifted
    return "; ".join(parts)
