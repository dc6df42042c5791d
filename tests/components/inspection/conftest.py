"""A real file, unpacked to be changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models.unpacking import Model


@pytest.fixture
def unpacked(inspected: Path) -> Callable[[str], Model]:
    return lambda name: Model((inspected / f"{name}.tflite").read_bytes())
