"""The reader of SavedModel protobufs: no TensorFlow, no surprise on damaged bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from litegate.errors import ModelError
from litegate.source.graph import read_graphs
from litegate.source.saved_model import check_saved_model


def field(number: int, *parts: bytes | str) -> bytes:
    """A message as one field of another."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])


def node(name: str, operator: str, inputs: tuple[str, ...] = (), calls: str = "") -> bytes:
    attribute = field(5, field(1, "f"), field(2, field(10, field(1, calls)))) if calls else b""
    return field(1, name) + field(2, operator) + b"".join(field(3, each) for each in inputs) + attribute


def saved(nodes: list[bytes], functions: dict[str, list[bytes]], *rest: bytes) -> bytes:
    library = b"".join(
        field(1, field(1, field(1, name)), *(field(3, each) for each in body)) for name, body in functions.items()
    )
    graph = field(2, *(field(1, each) for each in nodes), field(2, library))
    return b"\x08\x01" + field(2, graph, *rest)


def signature(tensor: str) -> bytes:
    return field(5, field(1, "serving_default"), field(2, field(2, field(1, "y"), field(2, field(1, tensor)))))


def main_op(name: str) -> bytes:
    return field(4, field(1, "saved_model_main_op"), field(2, field(1, field(1, name))))


SAVE = {"save": [node("inner", "SaveV2")], "serve": [node("y", "Relu", ("x",))]}
CALLS = [node("saver", "StatefulPartitionedCall", (), "save"), node("call", "PartitionedCall", ("x",), "serve")]


def write(folder: Path, data: bytes) -> Path:
    (folder / "saved_model.pb").write_bytes(data)
    return folder


def test_nodes_are_read_with_their_functions() -> None:
    (graph,) = read_graphs(saved(CALLS, SAVE, signature("call:0")))
    assert [(function, each.operator) for function, each in graph.everything()] == [
        ("", "StatefulPartitionedCall"),
        ("", "PartitionedCall"),
        ("save", "SaveV2"),
        ("serve", "Relu"),
    ]
    assert [each.name for each in graph.run_with_the_model()] == ["call", "y"]


SAVERS = [
    ("a saver that nothing calls", saved(CALLS, SAVE, signature("call:0")), None),
    ("a signature", saved(CALLS, SAVE, signature("saver:0")), "SaveV2"),
    ("an initializer", saved(CALLS, SAVE, signature("call:0"), main_op("saver")), "SaveV2"),
    ("a control input", saved([*CALLS, node("z", "Relu", ("^saver",))], SAVE, signature("z:0")), "SaveV2"),
    ("a callable function", saved(CALLS, SAVE, signature("call:0"), field(7, field(2, field(1, "save")))), "SaveV2"),
    ("a call in a function", saved(CALLS, SAVE | {"serve": [CALLS[0]]}, signature("call:0")), "SaveV2"),
    ("a loop of functions", saved(CALLS, SAVE | {"serve": [CALLS[1]]}, signature("call:0")), None),
    (
        "a function nobody calls",
        saved(CALLS, SAVE | {"other": [node("w", "WriteFile")]}, signature("call:0")),
        "WriteFile",
    ),
]


@pytest.mark.parametrize(("data", "refused"), [row[1:] for row in SAVERS], ids=[row[0] for row in SAVERS])
def test_a_saver_is_allowed_where_the_model_does_not_run_it(tmp_path: Path, data: bytes, refused: str | None) -> None:
    if refused is None:
        check_saved_model(write(tmp_path, data), "model.uri x")
    else:
        with pytest.raises(ModelError, match=f"got {refused}, which writes files"):
            check_saved_model(write(tmp_path, data), "model.uri x")


def objects(*functions: str) -> bytes:
    """The object that was saved, with functions as its attributes, and one that is none."""
    children = [field(1, b"\x08", varint(number + 1), field(2, name)) for number, name in enumerate(functions)]
    root = field(1, *children, field(1, b"\x08", varint(len(functions) + 1), field(2, "weights")))
    return field(7, root, *(field(1, field(6, field(1, name))) for name in functions), field(1, field(7)))


def test_without_a_signature_the_functions_are_named_and_how_to_save_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        check_saved_model(write(tmp_path, saved(CALLS, {}, objects("other", "serve"))), "model.uri x")
    first, second = str(caught.value).splitlines()
    assert (
        first
        == "model.uri x: expected a SavedModel with a signature, got one without: it has the functions other, serve"
    )
    assert "signatures={'serving_default': model.serve}" in second


def test_an_initializer_is_no_signature(tmp_path: Path) -> None:
    init = field(5, field(1, "__saved_model_init_op"), field(2, field(2, field(1, "y"), field(2, field(1, "call:0")))))
    with pytest.raises(ModelError, match="it has no function either"):
        check_saved_model(write(tmp_path, saved(CALLS, SAVE, init)), "model.uri x")


def test_a_signature_runs_what_it_reaches_and_nothing_that_is_only_callable() -> None:
    (graph,) = read_graphs(saved(CALLS, SAVE, signature("call:0"), field(7, field(2, field(1, "save")))))
    assert [each.name for each in graph.run_by_signatures()] == ["call", "y"]


def test_damaged_bytes_are_bad_input_and_nothing_else(tmp_path: Path) -> None:
    data, rng = saved(CALLS, SAVE, signature("call:0")), random.Random(3)
    damaged = [data[:size] for size in range(len(data))]
    for _ in range(2000):
        changed = bytearray(data)
        changed[rng.randrange(len(data))] = rng.randrange(256)
        damaged.append(bytes(changed))
    messages = [message for each in damaged if (message := refusal(write(tmp_path, each)))]
    assert len(messages) > len(data) / 2
    assert [each for each in messages if not each.startswith("model.uri x: expected ")] == []


def refusal(folder: Path) -> str | None:
    try:
        check_saved_model(folder, "model.uri x")
    except ModelError as error:
        return str(error)
    return None
