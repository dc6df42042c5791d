"""How the file `fine_tuned` was trained: what was simulated, and what that brought."""

from __future__ import annotations

from dataclasses import dataclass

from litegate.presentation.fine_tunings import fine_tuned as sentence
from litegate.presentation.recoveries import share
from litegate.records import Tuned
from litegate.report.run import Run

__all__ = ["FineTuned", "fine_tuned_file"]


@dataclass(frozen=True)
class FineTuned:
    """The section.

    Attributes:
        about: what it came to, in one sentence.
        layers: those whose 8 bits were simulated, by name.
        left: those that were trained in float, by name and kind.
        loss: what is compared, as a heading.
        rows: the base file before and after the training, each with loss, error and bytes.
    """

    about: str
    layers: str
    left: str
    loss: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def fine_tuned_file(run: Run) -> FineTuned | None:
    """None where nothing was trained, or nothing came of it."""
    trained = (row.candidate.artifact.fine_tuning for row in run.rows if row.candidate)
    found = next(filter(None, trained), None)
    if found is None:
        return None
    about = sentence(found)
    return FineTuned(
        about=about[:1].upper() + about[1:],
        layers=", ".join(found.layers),
        left=", ".join(found.left),
        loss="Other predictions" if found.after.disagreement is not None else "Error of the outputs",
        rows=((f"{found.base} before", _numbers(found.before)), (f"{found.base} after", _numbers(found.after))),
    )


def _numbers(found: Tuned) -> tuple[str, ...]:
    return share(found.loss), share(found.error), f"{found.bytes:,}"
