"""Where a file's bytes are: by kind of buffer, the largest ones, and how its weights are scaled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from litegate.inspection.flatbuffer import File, Tensor
from litegate.inspection.specification import LAYERS, layers_of
from litegate.records import BufferUse, LargeBuffer

__all__ = ["buffer_uses", "bytes_of", "float_weights", "largest_buffers", "scalings", "taken_constants"]

_LARGE = 1024
"""Values: dynamic range quantization leaves smaller weights in float."""


def buffer_uses(file: File) -> tuple[BufferUse, ...]:
    """Bytes by what they are for and of which type, most first; buffers that tensors share count once."""
    roles = _roles(file)
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for tensor in _by_buffer(file).values():
        kind = f"{roles.get(tensor.buffer, 'constant')} {tensor.type}"
        sizes[kind] += _bytes(tensor)
        counts[kind] += 1
    if file.metadata:
        sizes["metadata"], counts["metadata"] = file.metadata, 1
    sizes["structure"], counts["structure"] = max(file.size - sum(sizes.values()), 0), 1
    return tuple(BufferUse(kind=kind, buffers=counts[kind], bytes=size) for kind, size in sizes.most_common())


def largest_buffers(file: File, number: int) -> tuple[LargeBuffer, ...]:
    """The constants that take most bytes."""
    found = sorted(_by_buffer(file).values(), key=_bytes, reverse=True)[:number]
    return tuple(
        LargeBuffer(name=tensor.name[:120], type=tensor.type, shape=tensor.shape, bytes=_bytes(tensor))
        for tensor in found
    )


def float_weights(file: File) -> dict[str, list[Tensor]]:
    """Constants in float32 that are worth quantizing, by the operator that takes them, most bytes first.

    A buffer counts once, for the first operator that takes it.
    """
    found: dict[str, list[Tensor]] = {}
    for name, tensor in _taken(file):
        if tensor.type == "float32" and tensor.elements >= _LARGE:
            found.setdefault(name, []).append(tensor)
    return dict(sorted(found.items(), key=lambda item: -bytes_of(item[1])))


def bytes_of(tensors: list[Tensor]) -> int:
    """Of all of them together."""
    return sum(map(_bytes, tensors))


def taken_constants(file: File) -> Iterator[Tensor]:
    """The constants that operators take, each buffer once; the scales of weights in blocks are none of them."""
    return (tensor for _, tensor in _taken(file))


def _taken(file: File) -> Iterator[tuple[str, Tensor]]:
    """Each constant with the name of the first operator that takes it."""
    seen: set[int] = set()
    for operator in file.operators():
        for tensor in operator.inputs:
            if tensor is not None and tensor.constant and tensor.buffer not in seen:
                seen.add(tensor.buffer)
                yield operator.name, tensor


def scalings(file: File) -> tuple[int, int]:
    """How many quantized weights of layers are scaled per axis, and per tensor."""
    weights = {weights.buffer: weights for op in file.operators() for _, weights, _, _ in layers_of(op)}
    quantized = [tensor for tensor in weights.values() if tensor.quantized]
    per_axis = sum(len(tensor.scales) > 1 for tensor in quantized)
    return per_axis, len(quantized) - per_axis


def _roles(file: File) -> dict[int, str]:
    """What the buffers of layers are for; float16 weights reach theirs through a DEQUANTIZE."""
    roles: dict[int, str] = {}
    for graph in file.graphs:
        sources = {op.outputs[0].index: op.input(0) for op in graph.operators if op.name == "DEQUANTIZE" and op.outputs}
        for operator in graph.operators:
            for layer in LAYERS.get(operator.name, ()):
                for role, position in (("weights", layer.weights), ("bias", layer.bias)):
                    tensor = operator.input(position)
                    source = tensor and sources.get(tensor.index, tensor)
                    if source is not None and source.constant:
                        roles[source.buffer] = role
    return roles


def _by_buffer(file: File) -> dict[int, Tensor]:
    return {tensor.buffer: tensor for tensor in file.constants()}


def _bytes(tensor: Tensor) -> int:
    return 0 if tensor.data is None else tensor.data.nbytes
