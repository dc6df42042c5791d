"""Files that are made only where others did not pass: whether one is needed, by the gate's word on those before it."""

from __future__ import annotations

from litegate.records import Assessment, Verdicts
from litegate.spec import Spec
from litegate.variants import BASELINE, variant_of

__all__ = ["assessment"]


def assessment(spec: Spec, recovery: str, verdicts: Verdicts) -> Assessment:
    """Whether a file is needed: where the variant that it begins with was judged and none of its files has passed.

    If it was not asked for, the others count in its place, and so does every file that was recovered before.
    """
    states = {each.variant: each.state for each in verdicts.verdicts if each.variant != BASELINE}
    base = spec.base_of(recovery)
    same = [name for name in states if variant_of(name).name == base]
    earlier = [name for name in states if name in spec.recoveries]
    counting = [*same, *earlier] if same else list(states)
    passed = [name for name in counting if states[name] == "passed"]
    said = ", ".join(f"{name} {states[name]}" for name in passed or counting)
    return Assessment(variant=recovery, needed=not passed, why=said)
