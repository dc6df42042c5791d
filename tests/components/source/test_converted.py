"""What operators and graph tell of a model: state, by its node or its wrapper, and variables without values."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import ModelError
from litegate.records import Signature, TensorSpec
from litegate.source.causes import wrapper_of
from litegate.source.converted import check_converted, check_tensors, lacks_values
from tests.components.source.test_graph import node, saved, signature, write

ASSIGN = "AssignVariableOp"


FILES = [
    ({"CONV_2D", "SOFTMAX"}, False),
    ({"VAR_HANDLE", "READ_VARIABLE", "CONV_2D"}, True),
    ({"VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE", "ASSIGN_VARIABLE"}, False),
]


@pytest.mark.parametrize(("found", "lacking"), FILES, ids=["none", "read alone", "set by the file"])
def test_variables_that_are_read_and_never_set_lack_their_values(found: set[str], lacking: bool) -> None:
    assert lacks_values(found) is lacking


TENSORS = [
    ("output", TensorSpec(shape=(-1,), dtype="bytes"), "the output 'odd' of the signature serve, of type bytes"),
    ("input", TensorSpec(shape=(-1, 1), dtype="bytes"), "the input 'odd' of the signature serve, of type bytes"),
]


@pytest.mark.parametrize(("side", "odd", "said"), TENSORS)
def test_what_is_no_number_is_refused_with_its_name(side: str, odd: TensorSpec, said: str) -> None:
    usual = {"x": TensorSpec(shape=(-1, 4), dtype="float32")}
    tensors = {"inputs": usual, "outputs": usual}
    check_tensors({"serve": Signature(**tensors)}, "model.uri m")
    tensors[f"{side}s"] = usual | {"odd": odd}
    with pytest.raises(ModelError, match=said):
        check_tensors({"serve": Signature(**tensors)}, "model.uri m")


@pytest.mark.parametrize(
    ("name", "wrapper"),
    [
        ("sequential/prune_low_magnitude_stem/AssignVariableOp", ("PruneLowMagnitude", "stem")),
        ("cluster_dense_1/cond/AssignVariableOp", ("ClusterWeights", "dense_1")),
        ("net/my_cluster_head/AssignVariableOp", None),
        ("counter/AssignVariableOp", None),
        ("cluster_head", None),
    ],
)
def test_wrappers_are_told_by_the_names_of_their_nodes(name: str, wrapper: tuple[str, str] | None) -> None:
    assert wrapper_of(name) == wrapper


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (
            "net/prune_low_magnitude_head/Assign",
            "the wrapper 'PruneLowMagnitude', layer 'head'",
            "strip_pruning(model)",
        ),
        ("net/cluster_head/Assign", "the wrapper 'ClusterWeights', layer 'head'", "strip_clustering(model)"),
        ("net/count/Assign", "keeps state from one sample to the next: AssignVariableOp", "as a further input"),
    ],
)
def test_what_keeps_state_is_named_with_its_cure(tmp_path: Path, name: str, first: str, second: str) -> None:
    calls = [node("call", "PartitionedCall", ("x",), "serve")]
    model = write(tmp_path, saved(calls, {"serve": [node(name, ASSIGN, ("x",))]}, signature("call:0")))
    with pytest.raises(ModelError) as caught:
        check_converted(model, {"VAR_HANDLE", "ADD"}, "model.uri x")
    one, two = str(caught.value).splitlines()
    assert first in one
    assert second in two
    check_converted(model, {"ADD"}, "model.uri x")
