"""What a child leaves is published only where its result names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components.execution.children import Make


@pytest.mark.parametrize("function", ["links", "links_all"])
def test_files_that_no_result_names_are_not_taken(step: Make, tmp_path: Path, function: str) -> None:
    step(function).run()
    assert not list((tmp_path / "ws").glob("files/*"))
