"""`litegate plan`: how many samples a limit needs, and what a number of samples can decide."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from litegate.cli.output import answer
from litegate.errors import BadInput
from litegate.gate.planning import Plan, limit_decided, power, samples_needed
from litegate.presentation import wording

__all__ = ["plan"]


def plan(options: Namespace) -> int:
    """Say how many samples are needed; returns the exit code.

    Raises:
        BadInput: an option is out of range.
    """
    _check(options)
    asked = Plan(options.max_drop, options.flips, options.drop, options.confidence, options.variants)
    found = {"max_drop": asked.max_drop, "flips": asked.flips, "drop": asked.drop, "confidence": asked.confidence}
    found |= {"variants": asked.variants, "power": options.power}
    found |= {"samples_needed": samples_needed(asked, options.power)}
    if options.samples is not None:
        found |= {"samples": options.samples, "power_with_samples": power(asked, options.samples)}
        found |= {"max_drop_with_samples": limit_decided(asked, options.samples, options.power)}
    answer(found, options.json, lambda: print("\n".join(_lines(found))))
    return 0


def _check(options: Namespace) -> None:
    limit, flips, drop = options.max_drop, options.flips, options.drop
    expected = {
        "--max-drop": (0 < limit < 1, limit, "a share above 0 and below 1, such as 0.01 for one point"),
        "--flips": (0 <= flips <= 1, flips, "a share of the samples from 0 to 1, such as 0.02"),
        "--drop": (abs(drop) <= flips and drop < limit, drop, f"less than --max-drop and at most --flips, {flips:g}"),
        "--confidence": (0.5 < options.confidence < 1, options.confidence, "more than 0.5 and less than 1"),
        "--power": (0 < options.power < 1, options.power, "a probability above 0 and below 1"),
    }
    for option, (good, value, what) in expected.items():
        if not good:
            raise BadInput(option, what, f"{value:g}")


def _lines(found: dict[str, Any]) -> Iterator[str]:
    flips, drop = found["flips"], found["drop"]
    wrong, right = _percent((flips + drop) / 2), _percent((flips - drop) / 2)
    yield (
        f"A variant that gets {wrong} of the samples newly wrong and {right} newly right "
        f"passes max_drop {found['max_drop']:g} with a probability of {_percent(found['power'])}"
    )
    many = f", judged beside {found['variants'] - 1} others" if found["variants"] > 1 else ""
    yield (
        f"on about {wording.about(found['samples_needed'])} samples (confidence {_percent(found['confidence'])}{many})."
    )
    if "samples" in found:
        yield (
            f"On {found['samples']:,} samples the probability is {_percent(found['power_with_samples'])}; for "
            f"{_percent(found['power'])} there, max_drop is {found['max_drop_with_samples']:.2g} or more."
        )
    yield "This is for metrics that are right or wrong on each sample, such as top1, and for independent samples."


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
