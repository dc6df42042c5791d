"""What the rows are made from, and the pipeline that they go through."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from litegate.settings import Settings, settings
from tests.catalogue.row import Row
from tests.catalogue.running import run
from tests.components.conftest import models, places  # noqa: F401

MAKER = Path(__file__).parent / "make_hostile.py"


@pytest.fixture(scope="session")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that no hostile model may write."""
    return tmp_path_factory.mktemp("mark") / "written"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory, mark: Path) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    command = [settings().pythons["tensorflow"], str(MAKER), str(folder), str(mark)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert not mark.exists()
    return folder


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    models: Path,  # noqa: F811
    hostile: Path,
    places: Settings,  # noqa: F811
) -> Iterator[dict[str, Future[Exception | None]]]:
    """What the selected rows end with, two at a time: most of a step is one core's start of an interpreter."""
    rows = [item.callspec.params["row"] for item in request.session.items if _is_shared(item)]
    with ThreadPoolExecutor(2) as pool:
        yield {row.id: pool.submit(run, row, tmp_path_factory.mktemp(row.id), models, hostile, places) for row in rows}
        pool.shutdown(cancel_futures=True)


def _is_shared(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    row = callspec.params.get("row") if callspec else None
    return isinstance(row, Row) and not row.environment
