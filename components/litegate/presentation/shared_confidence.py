"""Why bounds are stricter than the confidence that the policy asks for: the variants of a run share its error."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.presentation.wording import confidence

__all__ = ["shared_confidence"]


def shared_confidence(asked: float | None, levels: Sequence[float | None]) -> list[str]:
    """One line, or none where each bound is at the confidence that was asked for.

    Args:
        asked: of the policy; None where a record of an earlier release does not say it.
        levels: of the variants' bounds.
    """
    known = sorted({level for level in levels if level is not None})
    if asked is None or not known or known[-1] - asked < 1e-9:
        return []
    found = " to ".join(dict.fromkeys(confidence(level) for level in (known[0], known[-1])))
    return [
        f"the {confidence(asked)} confidence holds for all variants of the run together, so the bounds of each are "
        f"stricter: {found} (Holm)"
    ]
