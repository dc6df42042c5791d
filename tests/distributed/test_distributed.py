"""The distributed profile: two workers with their own queues and folders, PostgreSQL, Redis, MLflow and Ceph."""

from __future__ import annotations

import pytest

from tests.distributed.runs import Distributed

pytestmark = pytest.mark.e2e


def test_small(distributed: Distributed) -> None:
    run = distributed.run("small", "first")
    print(run.log[-6000:])
    print(run.state, run.hosts, run.verdicts)
    assert 0
