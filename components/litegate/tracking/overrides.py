"""What marks an override run in MLflow, so that nobody takes a value that was tried out for the spec's."""

from __future__ import annotations

from litegate.presentation.markdown import plain
from litegate.records import Overrides
from litegate.tracking.run_data import NOTE

__all__ = ["OVERRIDES", "marked", "overrides_in"]

OVERRIDES = "overrides"
_OLD_NAME = "trial"


def marked(tags: dict[str, str], overrides: Overrides | None) -> dict[str, str]:
    """The tags of a run, with what was changed for it, if anything; its note then begins with that."""
    if overrides is None:
        return tags
    line = f"**Override run, of which nothing is promoted:** {plain(str(overrides))}"
    return tags | {OVERRIDES: str(overrides), NOTE: f"{line}\n\n{tags[NOTE]}"}


def overrides_in(tags: dict[str, str]) -> str | None:
    """What was changed for the run of these tags; None for a run by the spec. Older runs have it by an older name."""
    return tags.get(OVERRIDES, tags.get(_OLD_NAME))
