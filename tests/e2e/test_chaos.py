"""`make chaos` in short: one kill of each kind that a run depends on."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.embedded import EmbeddedWorld
from tests.chaos.loop import Loop
from tests.chaos.models import Models
from tests.chaos.tally import Tally

pytestmark = pytest.mark.e2e

KINDS = ("worker", "step", "warm parent", "scheduler", "mlflow", "database")


@pytest.fixture
def world() -> Iterator[EmbeddedWorld]:
    root = Path(tempfile.mkdtemp(prefix="litegate-chaos-"))
    root.chmod(0o755)  # PostgreSQL does not run as root
    world = EmbeddedWorld(root)
    world.kinds = KINDS
    yield world
    world.stop()
    shutil.rmtree(root)


def test_runs_outlive_whatever_is_killed_and_nothing_is_lost_or_doubled(world: EmbeddedWorld, models: Path) -> None:
    tally = Tally()
    loop = Loop(world, Models(models, world.root / "specs"), tally, random.Random(2), print, most=3)
    loop.segment(len(KINDS))
    loop.finish()
    assert (tally.wrong, dict(tally.kills)) == ({}, dict.fromkeys(KINDS, 1))
