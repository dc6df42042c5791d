"""`make chaos` in short: one kill of each kind that a run depends on, and a run over an S3 server that fails."""

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
from tests.chaos.s3_faults import s3_faults
from tests.chaos.tally import Tally

pytestmark = pytest.mark.e2e

KINDS = ("worker", "step", "warm parent", "scheduler", "mlflow", "database")


@pytest.fixture
def root() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="litegate-chaos-"))
    root.chmod(0o755)  # PostgreSQL does not run as root
    yield root
    shutil.rmtree(root)


@pytest.fixture
def world(root: Path) -> Iterator[EmbeddedWorld]:
    world = EmbeddedWorld(root)
    world.kinds = KINDS
    yield world
    world.stop()


def test_runs_outlive_whatever_is_killed_and_nothing_is_lost_or_doubled(world: EmbeddedWorld, models: Path) -> None:
    tally = Tally()
    loop = Loop(world, Models(models, world.root / "specs"), tally, random.Random(2), print, most=3, least=3)
    loop.segment(len(KINDS))
    loop.finish()
    assert (tally.wrong, dict(tally.kills)) == ({}, dict.fromkeys(KINDS, 1))


def test_a_run_outlives_an_s3_server_that_fails_a_fifth_of_all_requests(root: Path, models: Path) -> None:
    assert list(s3_faults(Models(models, root / "specs"), root, seed=1, say=print)) == []
