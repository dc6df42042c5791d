"""What a .tflite file is, read from its bytes."""

from __future__ import annotations

from typing import Literal

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest, VariantName

__all__ = [
    "BufferUse",
    "Computing",
    "Finding",
    "InspectRequest",
    "Inspection",
    "LargeBuffer",
    "OperatorUse",
]

Computing = Literal["float", "hybrid", "integer", "conversion"]
"""How an operator computes; hybrid: on float activations with integer weights."""


class InspectRequest(Record):
    """A file, what it was asked to be, and the baseline that its weights are compared with.

    Attributes:
        artifact: the file; its `variant` is what was asked for.
        baseline: the float32 conversion; None where the file is that itself.
        source: the model's URI as the user gave it, for messages.
        target: where it shall run, which decides what is an error.
        made_from: the float32 file that it was quantized from, where that is not the baseline.
    """

    artifact: Artifact
    baseline: Artifact | None
    source: str
    target: str
    made_from: FileRef | None = None


class OperatorUse(Record):
    """All operators of one name that take and give the same types.

    Attributes:
        inputs, outputs: types in order; a constant input is marked: `int8 constant`.
        macs: multiply-accumulates of all of them; free dimensions count as 1.
    """

    name: str
    computes: Computing
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    count: Count
    macs: Count


class BufferUse(Record):
    """Bytes of all buffers of one kind: `weights int8`, `bias int32`, `constant float32`, `metadata`, `structure`."""

    kind: str
    buffers: Count
    bytes: Count


class LargeBuffer(Record):
    name: str
    type: str
    shape: tuple[int, ...]
    bytes: Count


class Finding(Record):
    """A rule of the quantization specification that a file breaks, or something else that is odd about it.

    Attributes:
        severity: `error` for what integer-only hardware would refuse or compute wrongly, else `warning`.
        code: the rule's fixed name.
        count: how often it is broken; `examples` names a few of the tensors or operators.
    """

    severity: Literal["error", "warning"]
    code: str
    message: str
    count: Count
    examples: tuple[str, ...]


class Inspection(Record):
    """A file as its bytes have it.

    Attributes:
        scheme: what it is, whatever it is called: `float32`, `float16`, `dynamic_range`, `weight_only`, `int8`,
            `int16x8` or `mixed`.
        inputs, outputs: their types by name, prefixed by the signature's key where there are several.
        operators: the kinds of operators, those with the most multiply-accumulates first; `kinds` is how many
            kinds there are in all.
        float_operators: how many compute on floats, hybrid ones included, and `float_names` which.
        float_macs: multiply-accumulates that they hold, of `macs`.
        islands: groups of float operators among integer ones; `island_examples` names the operators of some.
        per_axis, per_tensor: quantized weights by how they are scaled.
        weights_compared: quantized constants that were found in the baseline by name.
        weight_error: the largest difference between `(q - zero_point) * scale` and the baseline's value, in
            quantization steps; None where nothing was compared.
        blocking: codes of the findings that this variant or target cannot be shipped with.
    """

    variant: VariantName
    artifact_digest: Digest
    scheme: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    operators: tuple[OperatorUse, ...]
    kinds: Count
    operator_count: Count
    float_operators: Count
    float_names: tuple[str, ...]
    macs: Count
    float_macs: Count
    islands: Count
    island_examples: tuple[str, ...]
    per_axis: Count
    per_tensor: Count
    buffers: tuple[BufferUse, ...]
    largest: tuple[LargeBuffer, ...]
    weights_compared: Count
    weight_error: float | None
    findings: tuple[Finding, ...]
    blocking: tuple[str, ...]

    @property
    def float_share(self) -> float:
        """Share of multiply-accumulates that float operators hold; of operators where there are none."""
        if self.macs:
            return self.float_macs / self.macs
        return self.float_operators / self.operator_count if self.operator_count else 0.0
