"""Why the converter's 16x8 refuses most models that take integers, such as ids of words: in words.

It asks for the range of every tensor that an operator computes on, and calibration records none of integers. Looking
an id up (GATHER) is not computing; what Keras' `Embedding` does for negative ids is (LESS, ADD, SELECT_V2). Its own
words are "Empty min/max for tensor serving_default_ids:0".
"""

from __future__ import annotations

import re

from litegate.inspection import File

__all__ = ["refused_integers"]

_SAID = re.compile(r"[Ee]mpty min/max for tensor (\S+)")


def refused_integers(said: str, model: File) -> str | None:
    """The reason and what to do about it; None if the converter refused something else.

    Args:
        said: what the converter said.
        model: the float model, which tells the type and the operators.
    """
    found = _SAID.search(said)
    if found is None:
        return None
    tensors = [tensor for graph in model.graphs for tensor in graph.tensors if tensor.name == found[1]]
    kinds = {tensor.type for tensor in tensors if "int" in tensor.type or tensor.type == "bool"}
    if not kinds:
        return None
    indices = {tensor.index for tensor in tensors}
    names = sorted(
        {
            operator.name
            for operator in model.operators()
            if operator.name != "GATHER" and any(tensor.index in indices for tensor in operator.inputs if tensor)
        }
    )
    return (
        f"16x8 needs a range of each value that is computed with, and there is none of the {kinds.pop()} input"
        f" {_short(found[1])}, with which {', '.join(names) or 'the model'} computes; take int8, which leaves integers"
        " as they are, or hand the ids to tf.gather as they come (Keras' Embedding first makes negative ones positive)"
    )


def _short(name: str) -> str:
    """Without what the SavedModel's signature has added."""
    return re.sub(r"^[A-Za-z_]*?serving_default_|:\d+$", "", name)
