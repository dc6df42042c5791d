"""What was wrong with a variant that did not pass, and what to try next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from litegate.failures import FailureKind
from litegate.records import Reason, warnings_of
from litegate.report.losses import CALIBRATION, after_a_loss, uneven_values
from litegate.report.run import Row, Run

__all__ = ["Advice", "advice"]

_DEVICE = "Ask for what the target can run; docs/spec.md has the table of targets and variants."

_ON_CPU = (
    "Replace the operators that are named, or take a variant with integer inputs and outputs: docs/how-to/ethos-u.md "
    "says what an Ethos-U runs."
)
_BY_CODE = MappingProxyType(
    {
        "implausible_gain": (
            "Look at the baseline before anything else: the preprocessing, the labels, and whether both files saw "
            "the same samples.",
        ),
        "zero_baseline": ("Set gate.drop: absolute; a share of zero has no meaning.",),
        "too_large": ("Take a smaller variant, prune the model, or raise gate.max_bytes.",),
        "arena_too_large": (
            "Make the largest activations smaller: fewer channels or smaller images in the first layers.",
        ),
        "flash_too_large": ("Take a smaller variant, prune the model, or raise gate.max_flash_bytes.",),
        "sram_too_large": (
            "Make the largest activations smaller: fewer channels or smaller images in the first layers.",
        ),
        "too_many_cycles": ("Take a larger configuration of the accelerator, or a model with less to compute.",),
        "too_many_cpu_operators": (_ON_CPU,),
        "not_accelerated": (_ON_CPU,),
        "estimate_incomplete": (_ON_CPU,),
        "too_little_smaller": ("See above where the bytes go: what is neither weights nor biases does not shrink.",),
        "too_slow": (
            "See above how it computes: float islands cost conversions, and 16x8 runs on reference kernels on a CPU.",
        ),
        "latency_undecided": (
            "Measure again while nothing else runs on the host: `--remeasure`, or `remeasure` in the form of the run.",
        ),
        "latency_unknown": ("See why its latency was not measured: the task `benchmark` says.",),
        "other_host": ("Measure on the host that counts (gate.latency_host), or clear the task `benchmark`.",),
        "wrong_target": (_DEVICE,),
        "not_integer_only": (
            "Take int8 or uint8 with their inputs and outputs; an operator without an integer kernel has to be "
            "replaced in the model.",
        ),
        "digest_mismatch": ("Clear the task that is named, so that it is measured on the file at hand.",),
        "metric_mismatch": ("Clear the evaluation, so that both are measured with one metric.",),
        "unpaired": (
            "Clear both evaluations, and see that preprocess depends on nothing but the sample: both files must be fed "
            "the same.",
        ),
        "no_value": ("Evaluate on more samples of the rare classes: the metric needs some of each.",),
        "no_samples": ("See that the evaluation data holds samples that the model takes.",),
        "not_finite": ("Look for overflow: an outcome that is NaN or infinite on real samples.",),
        "not_measured": ("See which of its tasks failed first, and why: the log of that task says.",),
        "quantize_unsupported": (
            "Replace the operators that are named, or take dynamic_range or float16, which need no calibration.",
        ),
        "quantize_not_calibrated": (CALIBRATION,),
        "inspect_wrong_scheme": (
            "Replace the operators that are named in the model, or take the variant with float fallback.",
        ),
        "inspect_wrong_io": ("Ask for the variant with the inputs and outputs that the file has.",),
        "inspect_specification": (
            "Hardware for integers only would refuse it or compute otherwise: see docs/inspection.md for the rule.",
        ),
        "smoke_constant": ("Check calibration data and preprocessing: it answers the same to everything.",),
        "smoke_not_finite": ("Check calibration data for values far out; in float16, scale what overflows.",),
        "smoke_not_repeatable": ("Make the model stateless: it remembers from one sample to the next.",),
        "smoke_kernels_disagree": (
            "Evaluate it on the device itself: two kernels of this host do not compute the same model.",
        ),
        "dead_output": (
            "Give what is small an output of its own before it is joined with what is large, or divide the large "
            "values, such as boxes by the size of the picture, so that one scale holds both.",
        ),
        "lost_class": (
            "Calibrate on more samples of that class, and compare the variant's explanation/flipped.csv: it never "
            "answers that class any more.",
        ),
        "above_max_prediction_shift": (
            "Its predictions drift to one class: check the scale of the calibration inputs against the evaluation "
            "inputs first.",
        ),
        "above_max_class_drop": (
            "See the heat map and the variant's explanation/flipped.csv for that class, and calibrate on more of it.",
        ),
        "above_max_slice_drop": (
            "See the variant's explanation/slices.csv: calibrate on more samples of the slices that lose, in which the "
            "inputs may have another range.",
        ),
        "above_min_value": ("The float model itself is not good enough: no quantization mends that.",),
        "above_max_drop_from_champion": ("Keep the champion, or find what the new model itself has lost.",),
    }
)

_ENDINGS = MappingProxyType(
    {
        FailureKind.TIMEOUT: (
            "Give it more time (LITEGATE_TIME_LIMIT), or fewer samples (evaluation.max_samples_by_variant)."
        ),
        FailureKind.OUT_OF_MEMORY: (
            "Give it more memory (LITEGATE_MEMORY_LIMIT), or a smaller batch in the model's signature."
        ),
        FailureKind.DISK_FULL: (
            "Make room in the folder that the message names (`litegate clean` makes some), and run it again."
        ),
        FailureKind.OOM_KILLED: "Run it again when the host has more memory free, or let fewer steps run at once.",
        FailureKind.TOO_MANY_PROCESSES: "Let the code start fewer processes, or allow more (LITEGATE_PROCESS_LIMIT).",
        FailureKind.DISK_LIMIT: "Let the code write less, or allow more (LITEGATE_DISK_LIMIT).",
        FailureKind.INFRASTRUCTURE: "Run it again: a server did not answer.",
        FailureKind.KILLED: "It was ended from outside three times in a row: find out by what, and run it again.",
        FailureKind.SIGNAL: "It was ended from outside three times in a row: find out by what, and run it again.",
        FailureKind.INTERRUPTED: "Run it again: its task was ended.",
        FailureKind.FORGED_RESULT: (
            "Its result is not what the step can have made: look at preprocess, the metric and the model."
        ),
        FailureKind.NO_EVIDENCE: (
            "Have the device run it: `litegate evidence request` writes the file, the samples and a script for that."
        ),
        FailureKind.SEGFAULT: "Native code crashed: look for infinite calibration values, or leave the variant out.",
        FailureKind.ABORT: "Native code gave up: the message names the operator; replace it, or leave the variant out.",
    }
)
"""What to try after a step that did not deliver, by how it ended."""


@dataclass(frozen=True)
class Advice:
    """Variants that did not pass, all for the same reasons.

    Attributes:
        sentence: the verdict on a single variant that failed.
        wrong: everything that speaks against them.
        odd: what did not stop them.
        next: what to try, the most promising first.
    """

    names: tuple[str, ...]
    state: str
    sentence: str
    wrong: tuple[str, ...]
    odd: tuple[str, ...]
    next: tuple[str, ...]


def advice(run: Run) -> tuple[Advice, ...]:
    """For every variant that did not pass; those that might still pass come first."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in run.variants:
        if row.state in ("inconclusive", "failed"):
            groups.setdefault((row.state, _wrong(row), _odd(row), _next(run, row)), []).append(row)
    found = [_advice(run, rows) for rows in groups.values()]
    return _without_repeats(sorted(found, key=lambda item: item.state == "failed"))


def _advice(run: Run, rows: Sequence[Row]) -> Advice:
    row = rows[0]
    return Advice(
        names=tuple(each.name for each in rows),
        state=row.state,
        sentence=row.sentence if len(rows) == 1 and row.state == "failed" else "",
        wrong=_wrong(row),
        odd=_odd(row),
        next=_next(run, row),
    )


def _without_repeats(found: Iterable[Advice]) -> tuple[Advice, ...]:
    """The same, where variants that need the same name the first of them."""
    first: dict[tuple[str, ...], str] = {}
    kept = []
    for item in found:
        name = first.setdefault(item.next, item.names[0])
        kept.append(item if name == item.names[0] else replace(item, next=(f"The same as for {name}.",)))
    return tuple(kept)


def _against(row: Row) -> list[Reason]:
    return [reason for reason in row.verdict.reasons if not reason.code.startswith("within_")]


def _wrong(row: Row) -> tuple[str, ...]:
    return tuple(reason.message for reason in _against(row))


def _odd(row: Row) -> tuple[str, ...]:
    """What did not stop it, without what did."""
    said = " ".join(_wrong(row))
    warnings = warnings_of(row.inspection, row.candidate.smoke if row.candidate else None)
    return tuple(warning for warning in warnings if warning not in said)


def _next(run: Run, row: Row) -> tuple[str, ...]:
    found = dict.fromkeys(step for reason in _against(row) for step in _after(run, row, reason.code))
    return tuple(found) or ("The log of its tasks says more.",)


def _after(run: Run, row: Row, code: str) -> Iterator[str]:
    """What to try after one reason."""
    if code in ("dead_output", "smoke_constant"):
        yield from uneven_values(run, row.name)
    if code == "above_max_drop":
        yield from after_a_loss(run, row.name)
    elif code == "undecided_max_slice_drop":
        yield "Evaluate on more samples of the slices that are undecided, which explanation/slices.csv names."
    elif code.startswith("undecided_"):
        unit = "samples" if row.verdict.clusters is None else "clusters"
        yield f"Evaluate on more {unit}: see above how many would decide it."
    elif code in _BY_CODE:
        yield from _BY_CODE[code]
        yield from after_a_loss(run, row.name) if code in ("above_max_class_drop", "above_max_slice_drop") else ()
    else:
        yield from (hint for ending, hint in _ENDINGS.items() if code.endswith(ending))
