"""What MLflow calls the signature and the input example of a model, from the signature of a .tflite file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from litegate import records

__all__ = ["EXAMPLE_LIMIT", "model_signature", "zeros"]

EXAMPLE_LIMIT = 250_000
"""Values of an example beyond which it is left out: MLflow writes it as JSON, twice."""

Array = np.ndarray[Any, np.dtype[Any]]


def model_signature(tensors: records.Signature) -> ModelSignature:
    """Real values by tensor name, any batch, and the parameter `raw` for raw values."""
    return ModelSignature(
        inputs=_schema(tensors.inputs),
        outputs=_schema(tensors.outputs),
        params=ParamSchema([ParamSpec("raw", DataType.boolean, False)]),
    )


def zeros(tensors: records.Signature) -> dict[str, Array] | None:
    """One sample of zeros, which every type and every scale can hold; None where it would be too large.

    It is made from the signature alone, so that no sample of anybody's data travels with a model. Dimensions that
    are free have size 1.
    """
    shapes = {name: tuple(max(size, 1) for size in spec.shape) for name, spec in tensors.inputs.items()}
    if sum(math.prod(shape[1:]) for shape in shapes.values()) > EXAMPLE_LIMIT:
        return None
    return {name: np.zeros((1, *shape[1:]), _real_dtype(tensors.inputs[name])) for name, shape in shapes.items()}


def _schema(tensors: dict[str, records.TensorSpec]) -> Schema:
    return Schema([TensorSpec(_real_dtype(spec), (-1, *spec.shape[1:]), name) for name, spec in tensors.items()])


def _real_dtype(spec: records.TensorSpec) -> np.dtype[Any]:
    return np.dtype(np.float32 if spec.scale else spec.dtype)
