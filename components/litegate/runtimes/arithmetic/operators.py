"""The operators that are known, by their names in the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litegate.runtimes.arithmetic import curves, elementwise, pools, products, shapes
from litegate.runtimes.arithmetic.graph import Compute, Operator

__all__ = ["FIRST_ALONE", "OF_TWO", "OPERATORS", "RESHAPING"]

RESHAPING = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Those that may make several rows of one."""
FIRST_ALONE = RESHAPING | {"TRANSPOSE", "MEAN", "PAD", "PADV2"}
"""Those whose other inputs say how, and are read as they are made ready, or from the output's shape."""
OF_TWO = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"})
"""Those that take two values to one."""

OPERATORS: Mapping[str, Callable[[Operator], Compute]] = MappingProxyType(
    {
        "ADD": elementwise.add,
        "AVERAGE_POOL_2D": pools.average_pool,
        "CONCATENATION": shapes.concatenate,
        "CONV_2D": products.convolution,
        "DEPTHWISE_CONV_2D": products.depthwise_convolution,
        "DEQUANTIZE": elementwise.dequantize,
        "EXPAND_DIMS": shapes.reshape,
        "FULLY_CONNECTED": products.fully_connected,
        "LOGISTIC": curves.logistic_function,
        "MAXIMUM": elementwise.maximum,
        "MAX_POOL_2D": pools.max_pool,
        "MEAN": pools.mean,
        "MINIMUM": elementwise.minimum,
        "MUL": elementwise.multiply,
        "PAD": shapes.pad,
        "PADV2": shapes.pad,
        "QUANTIZE": elementwise.quantize,
        "RELU": elementwise.relu,
        "RELU6": elementwise.relu6,
        "RESHAPE": shapes.reshape,
        "SOFTMAX": curves.softmax,
        "SQUEEZE": shapes.reshape,
        "SUB": elementwise.subtract,
        "TANH": curves.hyperbolic_tangent,
        "TRANSPOSE": shapes.transpose,
    }
)
