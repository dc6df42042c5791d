"""What the operators of the float32 file tell of the model."""

from __future__ import annotations

import pytest

from litegate.source.converted import lacks_values

FILES = [
    ({"CONV_2D", "SOFTMAX"}, False),
    ({"VAR_HANDLE", "READ_VARIABLE", "CONV_2D"}, True),
    ({"VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE", "ASSIGN_VARIABLE"}, False),
]


@pytest.mark.parametrize(("found", "lacking"), FILES, ids=str)
def test_variables_that_are_read_and_never_set_lack_their_values(found: set[str], lacking: bool) -> None:
    assert lacks_values(found) is lacking
