"""Where objects go: each kind of storage, empty and of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address below which there is nothing."""
    return str(tmp_path / "root") if request.param == "local" else f"s3://{request.getfixturevalue('s3_bucket')}/root"
