"""Signatures are read from the protobuf alone: free dimensions, types, and what stands for a tensor unlike others."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import ModelError, SpecError
from litegate.source.signatures import evaluated_signature, signatures_of
from tests.components.source.test_graph import field, varint, write

FLOAT, STRING, INT64 = 1, 7, 9


def tensor(number: int, name: str, dtype: int, *sizes: int, any_rank: bool = False) -> bytes:
    """An input (1) or output (2) of a signature."""
    dims = [field(2, b"\x08" + varint(size % (1 << 64)) if size else b"") for size in sizes]
    shape = b"\x18\x01" if any_rank else b"".join(dims)
    info = field(1, f"{name}:0") + b"\x10" + varint(dtype) + field(3, shape)
    return field(number, field(1, name), field(2, info))


def saved(**signatures: list[bytes]) -> bytes:
    return b"\x08\x01" + field(2, *(field(5, field(1, key), field(2, *each)) for key, each in signatures.items()))


def test_names_types_and_shapes_are_read_and_the_loaders_own_signature_is_not(tmp_path: Path) -> None:
    serve = [tensor(1, "x", FLOAT, -1, 28, 28), tensor(1, "id", INT64, 8), tensor(2, "y", FLOAT, -1, 0)]
    found = signatures_of(write(tmp_path, saved(serve=serve, __saved_model_init_op=[])), "model.uri")
    assert set(found) == {"serve"}
    assert found["serve"] is not None
    shapes = {name: (each.dtype, each.shape) for name, each in (found["serve"].inputs | found["serve"].outputs).items()}
    assert shapes == {"x": ("float32", (-1, 28, 28)), "id": ("int64", (8,)), "y": ("float32", (-1, 0))}


def test_of_a_signature_with_strings_or_any_number_of_axes_only_the_key_is_known(tmp_path: Path) -> None:
    x = tensor(1, "x", FLOAT, -1, 4)
    text, any_rank = tensor(1, "text", STRING, -1), tensor(2, "y", FLOAT, any_rank=True)
    found = signatures_of(write(tmp_path, saved(one=[text, x], two=[x, any_rank])), "model.uri")
    assert found == {"one": None, "two": None}


def test_damaged_bytes_are_a_models_fault(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a SavedModel with a whole saved_model\.pb, got a damaged"):
        signatures_of(write(tmp_path, saved(serve=[tensor(1, "x", FLOAT, 1)])[:-3]), "model.uri")


def test_the_signature_that_is_evaluated_is_named_or_follows() -> None:
    assert evaluated_signature(["serving_default", "other"], None) == "serving_default"
    assert evaluated_signature(["only"], None) == "only"
    assert evaluated_signature(["one", "two"], "two") == "two"
    for keys, wanted in ((["one", "two"], None), (["one"], "two")):
        with pytest.raises(SpecError, match=r"evaluation\.signature: expected one of one"):
            evaluated_signature(keys, wanted)
