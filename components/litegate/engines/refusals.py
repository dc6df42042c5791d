"""Why the converter's 16x8 refuses a model that its other schemes take: in words that say where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from litegate.inspection import File, Operator, layers_of

__all__ = ["in_words"]

_LONGEST = 500


def in_words(said: str, model: File) -> str:
    """The reason and a cure, where the reason is known, and what the converter said.

    Args:
        said: by the converter.
        model: the float model, which tells the types of its tensors and the operators that take them.
    """
    quoted = " ".join(said.split())[:_LONGEST]
    reason = _integers(said, model) or _no_kernel(said, model)
    return f"{reason} ({quoted})" if reason else quoted


def _no_kernel(said: str, model: File) -> str | None:
    """Operators without a kernel for 16-bit activations; the converter calls those that are none of LiteRT's CUSTOM."""
    refused = set(re.findall(r"16x8-bit not yet supported for op: '(\w+)'", said))
    if not refused:
        return None
    found = [each for each in model.operators() if ("CUSTOM" if each.custom else each.name) in refused]
    named = _with_layers(found) or ", ".join(sorted(refused))
    return (
        f"{named} cannot compute on 16-bit activations; take int16x8_float_fallback, which leaves what it can in float,"
        " or replace them in the model"
    )


def _with_layers(operators: Sequence[Operator]) -> str:
    """Each kind of operator once, with its layers."""
    kinds = {each.name: [other for other in operators if other.name == each.name] for each in operators}
    places = {name: layers_of(each) for name, each in kinds.items()}
    return ", ".join(f"{name} ({place})" if place else name for name, place in places.items())


def _integers(said: str, model: File) -> str | None:
    """Integers that are computed with, such as ids of words: calibration records no range of them, and 16x8 wants one.

    To look an id up (GATHER) is not to compute with it; what Keras' `Embedding` does for negative ids is.
    """
    found = re.search(r"[Ee]mpty min/max for tensor (\S+)", said)
    tensors = {
        tensor.index: tensor.type
        for graph in model.graphs
        for tensor in graph.tensors
        if found and tensor.name == found[1]
    }
    kinds = {kind for kind in tensors.values() if "int" in kind or kind == "bool"}
    if found is None or not kinds:
        return None
    taking = [
        operator
        for operator in model.operators()
        if operator.name != "GATHER" and any(each and each.index in tensors for each in operator.inputs)
    ]
    name = re.sub(r"^\w*?serving_default_|:\d+$", "", found[1])
    return (
        f"16x8 wants a range of every value that is computed with, and integers such as the {min(kinds)} input {name}"
        f" have none: {_with_layers(taking) or 'the model'} compute with it; take int8, which leaves"
        " them alone, or look ids up by tf.gather as they come (Keras' Embedding makes negative ones positive first)"
    )
