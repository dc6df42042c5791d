"""How a target's runtime and the host differ, in sentences."""

from __future__ import annotations

from litegate.presentation import wording
from litegate.records import Disagreement
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts

__all__ = ["cause", "differs"]


def differs(found: Disagreement, metric: MetricFacts) -> str:
    """How often, and what it means for the metric.

    Returns:
        For example: `3.3 % of 1,000 samples get another class on TensorFlow Lite Micro than on LiteRT, 72 % another
        output; it loses +0.30 points of top1 there (-0.61 to +1.21, 95 %)`.
    """
    unit = wording.unit_of(wording.is_percent(metric))
    outputs = f"{_share(found.outputs)} of {found.samples:,} samples get another output"
    if found.classes is not None:
        outputs = (
            f"{_share(found.classes)} of {found.samples:,} samples get another class, "
            f"{_share(found.outputs)} another output"
        )
    what = wording.short_name(metric.name)
    ends = " to ".join("?" if end is None else unit.number(end, sign="+") for end in (found.low, found.high))
    amount = unit.number(found.difference, sign="+") + unit.name
    lost = f"it loses {amount} of {what}" if metric.higher_is_better else f"its {what} rises by {amount}"
    sure = wording.confidence(found.confidence)
    return f"on {found.runtime} {outputs} than on {found.host}; {lost} there ({ends}, {sure})"


def cause(found: Disagreement, metric: MetricFacts, policy: Gate) -> str:
    """What made the variant lose too much; empty where it does not."""
    if found.cause is None:
        return ""
    unit = wording.PERCENT if policy.drop == "relative" else wording.unit_of(wording.is_percent(metric))
    ends = [end for end in (found.host_low, found.host_high) if end is not None]
    if found.host_drop is None or len(ends) < 2:
        return f"whether the quantization or the kernels of {found.runtime} did it is not known"
    low, high = (unit.text(end, unit.apart(policy.max_drop, *ends)) for end in ends)
    if found.cause == "quantization":
        return f"the quantization did it: on {found.host} it loses at least {low} as well"
    if found.cause == "kernels":
        return f"the kernels of {found.runtime} did it: on {found.host} it loses at most {high}"
    between = f"on {found.host} it loses between {low} and {high}"
    return f"whether the quantization or the kernels of {found.runtime} did it is not known: {between}"


def _share(found: float) -> str:
    return f"{100 * found:.3g} %"
