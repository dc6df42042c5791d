"""How the target's runtime and the host differ on each file, where both ran it."""

from __future__ import annotations

from dataclasses import dataclass

from litegate.presentation import wording
from litegate.presentation.controls import controls
from litegate.presentation.devices import not_on_device, timed
from litegate.presentation.disagreements import cause
from litegate.records import Disagreement
from litegate.report.run import Row, Run

__all__ = ["OnTarget", "on_target"]


@dataclass(frozen=True)
class OnTarget:
    """A row for each file.

    Attributes:
        about: what ran them, and on how many samples.
        rows: name of the file, shares with another output and another class, what the metric loses, its interval.
        notes: why variants that lose too much do; what the control variate was; how fast a device was, and what it did
            not run.
    """

    about: str
    metric: str
    rows: tuple[tuple[str, str, str, str, str], ...]
    notes: tuple[str, ...]


def on_target(run: Run) -> OnTarget | None:
    """None where the host alone ran the files."""
    found = [(row, row.verdict.disagreement) for row in run.rows if row.verdict.disagreement is not None]
    if not found:
        return None
    _, first = found[0]
    whole = run.request.baseline.evaluated.host
    more = f"; the host ran {whole.samples:,} in all" if whole and whole.samples > first.samples else ""
    causes = ((row.name, cause(each, run.metric, run.policy)) for row, each in found)
    devices = ((row.name, row.candidate and row.candidate.evaluated.on_device) for row in run.rows)
    by_host = not_on_device(run.request.baseline, run.request.candidates)
    notes = (*(f"{name}: {said}" for name, said in causes if said), *filter(None, [by_host]))
    notes = (*notes, *controls(run.request.candidates))
    return OnTarget(
        about=f"Each file was run by {first.runtime}, whose word counts, and by {first.host} on this host, on the same "
        f"{first.samples:,} samples{more}.",
        metric=run.metric_name,
        rows=tuple(_row(run, row, each) for row, each in found),
        notes=(*notes, *(f"{name} on {timed(each)}" for name, each in devices if each)),
    )


def _row(run: Run, row: Row, found: Disagreement) -> tuple[str, str, str, str, str]:
    unit = wording.unit_of(run.percent)
    ends = " to ".join("?" if end is None else unit.number(end, sign="+") for end in (found.low, found.high))
    classes = "" if found.classes is None else f"{100 * found.classes:.3g} %"
    return row.name, f"{100 * found.outputs:.3g} %", classes, unit.number(found.difference, sign="+"), ends
