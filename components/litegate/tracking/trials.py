"""What marks the runs of a trial, so that nobody takes a value that was tried out for the spec's."""

from __future__ import annotations

from litegate.presentation.markdown import plain
from litegate.records import Trial
from litegate.tracking.runs import NOTE

__all__ = ["TRIAL", "marked"]

TRIAL = "trial"


def marked(tags: dict[str, str], trial: Trial | None) -> dict[str, str]:
    """The tags of a run, with what was changed for it, if it belongs to a trial; its note then begins with that."""
    if trial is None:
        return tags
    line = f"**Trial, of which nothing is promoted:** {plain(str(trial))}"
    return tags | {TRIAL: str(trial), NOTE: f"{line}\n\n{tags[NOTE]}"}
