"""The fault of `make chaos` that needs no servers: a disk that is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.full_disk import can_mount, full_disks
from tests.chaos.models import Models
from tests.models.once import Maker

pytestmark = pytest.mark.e2e

MAKER = Path(__file__).parents[1] / "models" / "make_models.py"


@pytest.fixture
def models(maker: Maker, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Models:
    made = maker.make(tmp_path_factory.mktemp("models"), str(MAKER), "{folder}", sources=(MAKER,))
    return Models(made, tmp_path / "specs")


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a small file system")
def test_a_full_disk_is_said_and_work_goes_on_when_there_is_room(models: Models, tmp_path: Path) -> None:
    assert list(full_disks(models, tmp_path, say=print)) == []
