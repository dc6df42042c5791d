"""The layer that an operator belongs to, as far as the file tells: the scope of the tensor that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from litegate.inspection.flatbuffer import Operator

__all__ = ["layer_of", "layers_of"]

_MOST = 3
_NO_LAYER = re.compile(r"(StatefulPartitionedCall|PartitionedCall|serving_default|functional|sequential|model)[\d_]*")
"""Scopes of the whole graph, by the names that TensorFlow and Keras give them."""


def layer_of(operator: Operator) -> str:
    """The layer's name, with those of the models that it is in before it; empty where the file does not tell.

    A tensor is called after the nodes that became its operator: `model/head/Relu;model/head/Add`.
    """
    named = (tensor.name.partition(";")[0].partition(":")[0] for tensor in operator.outputs)
    scopes = (name.rpartition("/")[0] for name in named)
    return next((scope for scope in scopes if scope and not _NO_LAYER.fullmatch(scope)), "")


def layers_of(operators: Iterable[Operator]) -> str:
    """`layer a`, or `layers a, b and 2 more`, of all operators; empty where the file tells none."""
    names = list(dict.fromkeys(filter(None, map(layer_of, operators))))
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"layer{'s' * (len(names) > 1)} {', '.join(names[:_MOST])}{more}" if names else ""
