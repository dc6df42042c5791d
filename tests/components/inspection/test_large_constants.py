"""Large constants of a float32 file are found, and those of raw columns told from masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.inspection.large_constants import _farthest


@dataclass(frozen=True)
class Constant:
    """What is asked of a tensor."""

    held: list[float]

    def values(self) -> Any:
        return np.array(self.held, np.float32)


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ([-1e9], (-1e9, False)),
        ([0.0, -1e9, -1e9], (-1e9, False)),
        ([3e6, 0.5, 5e-3, 100.0], (3e6, True)),
        ([], (0.0, False)),
    ],
)
def test_a_constant_among_others_is_told_from_a_mask(held: list[float], found: tuple[float, bool]) -> None:
    assert _farthest(Constant(held)) == found  # type: ignore[arg-type]
