"""What of the drift is too much, and what a requalification comes to, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from litegate.records import Drift, DriftFinding, InputDrift, InputStatistics, Verdict
from litegate.requalification.comparing import shares_of_classes
from litegate.requalification.measures import outside_by_chance, psi_by_chance, shift_by_chance
from litegate.spec import Requalify

__all__ = ["PREDICTIONS", "drift_sentence", "findings_of", "of_predictions", "sentence_of"]

PREDICTIONS = "predictions"
_ANSWERS = {"passed": "keeps its limits", "failed": "fails", "inconclusive": "is undecided"}


def findings_of(found: InputDrift, then: InputStatistics, limits: Requalify) -> Iterator[DriftFinding]:
    """What of an input is beyond its limit, and beyond what chance gives."""
    samples = then.samples, found.now.samples
    if not found.identifiers:
        chance = outside_by_chance(*samples)
        yield from _beyond("outside", found.input, found.outside, limits.max_outside, chance, _outside(found))
        moved = f"the mean of {found.input} moved from {then.mean:.4g} to {found.now.mean:.4g}, by"
        said = f"{moved} {found.shift:.2f} standard deviations"
        yield from _beyond("shift", found.input, found.shift, limits.max_shift, shift_by_chance(*samples), said)
    said = f"the values of {found.input} are distributed otherwise, with a stability index of {found.psi:.3g}"
    chance = psi_by_chance(len(then.shares), *samples)
    yield from _beyond("psi", found.input, found.psi, limits.max_psi, chance, said)


def of_predictions(
    found: float, then: Mapping[int, int], now: Mapping[int, int], limits: Requalify
) -> Iterator[DriftFinding]:
    """The same for the index of the predicted classes."""
    chance = psi_by_chance(len(shares_of_classes(then, now)[0]), sum(then.values()), sum(now.values()))
    said = f"the predicted classes are distributed otherwise, with a stability index of {found:.3g}"
    yield from _beyond("psi", PREDICTIONS, found, limits.max_psi, chance, said)


def drift_sentence(drift: Drift) -> str:
    """One sentence about the data."""
    if not drift.findings:
        return f"no drift on {drift.samples:,} samples"
    return f"the data drifted: {'; '.join(finding.message for finding in drift.findings)}"


def sentence_of(version: int, verdict: Verdict) -> str:
    """One sentence about the version: the verdict's own reason, said of new data."""
    reason = verdict.sentence.partition(": ")[2] or verdict.sentence
    answer = _ANSWERS[verdict.state]
    return f"version {version} ({verdict.variant}) {answer} on {verdict.samples:,} new samples: {reason}"


def _beyond(
    measure: Literal["outside", "shift", "psi"],
    subject: str,
    value: float,
    limit: float | None,
    chance: float,
    said: str,
) -> Iterator[DriftFinding]:
    if limit is not None and value > max(limit, chance):
        allowed = f"{100 * limit:g} %" if measure == "outside" else f"{limit:g}"
        yield DriftFinding(
            measure=measure,
            subject=subject,
            value=value,
            limit=limit,
            chance=chance,
            message=f"{said} ({allowed} allowed)",
        )


def _outside(found: InputDrift) -> str:
    what = f"{100 * found.outside:.3g} % of the values of {found.input} are outside of"
    where = f"{found.low:.4g} to {found.high:.4g}"
    return f"{what} {where}, beyond which the file clips" if found.clips else f"{what} the calibrated {where}"
