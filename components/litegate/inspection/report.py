"""All that is read from a file's bytes, as one bounded record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from litegate.inspection.buffers import buffer_uses, bytes_of, float_weights, largest_buffers, scalings
from litegate.inspection.computing import computes, islands, operator_uses
from litegate.inspection.edge_tpu import edge_tpu_breaches
from litegate.inspection.flatbuffer import File
from litegate.inspection.rules import Breach, breaches
from litegate.inspection.scheme import count, scheme_of
from litegate.inspection.weights import WEIGHT_TOLERANCE, WeightMatch, compare_weights
from litegate.records import Artifact, Finding, Inspection, TensorSpec
from litegate.variants import TARGETS

__all__ = ["INTEGER_VARIANTS", "findings", "inspect_file"]

INTEGER_VARIANTS = frozenset({"int8", "uint8", "int16x8"})

_OPERATORS, _NAMES, _EXAMPLES, _LARGEST = 64, 32, 5, 10
_FLOAT_SHARE = 0.25
"""Of a file: weights of an operator that stayed in float32 are then worth a word."""


@dataclass(frozen=True)
class _Counted:
    """Operators that compute on floats, and how much they have to do."""

    names: tuple[str, ...]
    operators: int
    macs: int


def inspect_file(
    file: File, artifact: Artifact, baseline: File | None, target: str, made_from: File | None = None
) -> Inspection:
    """Read everything off a file.

    Args:
        file: the content of the artifact's file.
        baseline: the float32 conversion, which quantized weights are compared with.
        made_from: what they are compared with in its place.
    """
    uses = operator_uses(file.operators())
    in_float = _float_operators(file)
    groups = islands(file)
    weights = made_from or baseline
    match = compare_weights(file, weights) if weights else WeightMatch(0, None, ())
    rules = [*breaches(file), *(edge_tpu_breaches(file) if baseline and target == "edgetpu" else ())]
    found = findings([*rules, *_far_weights(match), *(_float_weights(file, baseline) if baseline else ())])
    # What integer-only hardware would refuse, cannot be shipped for it.
    strict = artifact.variant in INTEGER_VARIANTS or TARGETS[target].integers
    per_axis, per_tensor = scalings(file)
    return Inspection(
        variant=artifact.variant,
        artifact_digest=artifact.file.digest,
        scheme=scheme_of(count(file)),
        inputs=_types(artifact, "inputs"),
        outputs=_types(artifact, "outputs"),
        operators=uses[:_OPERATORS],
        kinds=len(uses),
        operator_count=sum(use.count for use in uses),
        float_operators=in_float.operators,
        float_names=in_float.names,
        macs=sum(use.macs for use in uses),
        float_macs=in_float.macs,
        islands=len(groups),
        island_examples=tuple(_shortened(group) for group in groups[:_EXAMPLES]),
        per_axis=per_axis,
        per_tensor=per_tensor,
        buffers=buffer_uses(file),
        largest=largest_buffers(file, _LARGEST),
        weights_compared=match.compared,
        weight_error=match.error,
        findings=found,
        blocking=tuple(each.code for each in found if strict and each.severity == "error"),
    )


def findings(found: Iterable[Breach]) -> tuple[Finding, ...]:
    """Breaches of one rule together, errors first, with a few examples of each."""
    groups: defaultdict[tuple[str, str], list[Breach]] = defaultdict(list)
    for breach in found:
        groups[breach.severity, breach.code].append(breach)
    return tuple(
        Finding(
            severity=breaches[0].severity,
            code=code,
            message=_and_more(breaches[0].message, len(breaches)),
            count=len(breaches),
            examples=tuple(dict.fromkeys(breach.where[:120] for breach in breaches))[:_EXAMPLES],
        )
        for (_, code), breaches in sorted(groups.items())
    )


def _far_weights(match: WeightMatch) -> list[Breach]:
    return [
        Breach(
            "error" if error > 2 * WEIGHT_TOLERANCE else "warning",
            "weight_error",
            name,
            f"a weight is {error:.3g} steps off the baseline's; rounding explains half a step",
        )
        for name, error in match.far
    ]


def _float_weights(file: File, baseline: File) -> list[Breach]:
    """Operators that kept much of a quantized file in float32, for the converter does not quantize them."""
    kept = {name: (bytes_of(tensors), tensors) for name, tensors in float_weights(file).items()}
    return [
        Breach(
            "warning",
            "float_weights",
            tensors[0].name,
            f"{name} kept {size:,} bytes of weights in float32, {size / file.size:.0%} of the file, which is only"
            f" {baseline.size / file.size:.2f} times smaller than float32",
        )
        for name, (size, tensors) in kept.items()
        if size >= _FLOAT_SHARE * file.size
    ]


def _float_operators(file: File) -> _Counted:
    uses = operator_uses(op for op in file.operators() if computes(op) in ("float", "hybrid"))
    counts: Counter[str] = Counter()
    for use in uses:
        counts[use.name] += use.count
    names = tuple(name for name, _ in counts.most_common(_NAMES))
    return _Counted(names, sum(counts.values()), sum(use.macs for use in uses))


def _types(artifact: Artifact, side: str) -> dict[str, str]:
    several = len(artifact.signatures) > 1
    found: dict[str, str] = {}
    for key, signature in artifact.signatures.items():
        tensors: dict[str, TensorSpec] = getattr(signature, side)
        found |= {f"{key}/{name}" if several else name: spec.dtype for name, spec in tensors.items()}
    return found


def _shortened(group: tuple[str, ...]) -> str:
    more = f" and {len(group) - _EXAMPLES} more" if len(group) > _EXAMPLES else ""
    return ", ".join(group[:_EXAMPLES]) + more


def _and_more(message: str, number: int) -> str:
    return message if number == 1 else f"{message} (and {number - 1} more)"
