"""How the file `recovered` was found: where the base file loses, what was tried, and what each change bought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from litegate.presentation.recoveries import ended, named, share
from litegate.presentation.recoveries import recovered as sentence
from litegate.records import OperatorPrecision, OperatorSensitivity, RecoveryStep, Tuned
from litegate.report.run import Run

__all__ = ["Recovered", "recovered_file"]


@dataclass(frozen=True)
class Recovered:
    """The section.

    Attributes:
        about: what it came to, in one sentence.
        tuned: on which samples, and that the verdict is on others.
        ended: why the search ended.
        loss: what the search made smaller, as a heading.
        ranking: for each operator its name, layer and numbers.
        steps: for each change of operators what it was, loss, size and latency from and to, files tried, and whether
            it was kept.
    """

    about: str
    tuned: str
    ended: str
    loss: str
    ranking: tuple[tuple[str, str, tuple[str, ...]], ...]
    steps: tuple[tuple[str, tuple[str, ...], bool], ...]


def recovered_file(run: Run) -> Recovered | None:
    """None where nothing was searched for, or nothing was found."""
    searched = (row.candidate.artifact.recovery for row in run.rows if row.candidate)
    found = next(filter(None, searched), None)
    if found is None:
        return None
    classes = found.after.disagreement is not None
    return Recovered(
        about=_capital(sentence(found)),
        tuned=f"Ranges were found on {found.range_samples:,} calibration samples, and "
        f"{found.combinations:,} files tried on {found.tuning_samples:,} others. The verdict is on the evaluation "
        "data, which the search has not seen.",
        ended=f"The search ended because {ended(found)}.",
        loss="Other predictions" if classes else "Error of the outputs",
        ranking=tuple(_ranked(each, found.before) for each in found.ranking),
        steps=tuple(_step(each) for each in found.steps),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ranked(each: OperatorSensitivity, base: Tuned) -> tuple[str, str, tuple[str, ...]]:
    numbers = (
        "" if each.error is None else f"{each.error:.3g}",
        "" if each.snr_db is None else f"{round(each.snr_db, 1) + 0.0:.1f}",
        f"{100 * each.added:+.3g}",
        _loss(each.in_float),
        _grown(each.in_float, base),
        _slower(each.in_float, base),
        _loss(each.around),
        _grown(each.around, base),
        _slower(each.around, base),
    )
    return each.operator, each.layer, numbers


def _loss(found: Tuned | None) -> str:
    return "" if found is None else share(found.loss)


def _grown(found: Tuned | None, base: Tuned) -> str:
    return "" if found is None else f"{found.bytes - base.bytes:+,}"


def _slower(found: Tuned | None, base: Tuned) -> str:
    return "" if found is None else f"{found.milliseconds - base.milliseconds:+.2g}"


def _step(step: RecoveryStep) -> tuple[str, tuple[str, ...], bool]:
    before, after = step.before, step.after
    numbers = (
        f"{share(before.loss)} \u2192 {share(after.loss)}",
        f"{share(before.error)} \u2192 {share(after.error)}",
        f"{after.bytes - before.bytes:+,}",
        f"{before.milliseconds:.3g} \u2192 {after.milliseconds:.3g}",
        f"{step.tried:,}",
    )
    return _changes(step.operators), numbers, step.kept


def _changes(operators: Iterable[OperatorPrecision]) -> str:
    kinds: dict[str, list[OperatorPrecision]] = {}
    for each in operators:
        kinds.setdefault(each.precision or "as it was", []).append(each)
    return "; ".join(f"{kind}: {named(found)}" for kind, found in kinds.items())
