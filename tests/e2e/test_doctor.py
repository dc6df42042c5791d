"""The doctor where the servers run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def test_running_servers_their_workspace_and_their_specs_are_looked_at(litegate: Any, tmp_path: Path) -> None:
    broken = litegate.home / "specs" / "broken.yaml"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("model: {}\n")
    try:
        ended = litegate("doctor", result=tmp_path / "found.json")
    finally:
        broken.unlink()
    assert ended.code == 1, ended.output
    found = {finding["subject"]: finding for finding in ended.result["findings"] if finding["state"] == "ok"}
    assert found["servers"]["found"].startswith("healthy: http://127.0.0.1:")
    assert found["workspace"]["found"] == str(litegate.home / "workspace")
    wrong = [finding["found"] for finding in ended.result["findings"] if finding["state"] != "ok"]
    assert len(wrong) == 1, wrong
    assert "broken.yaml: model.name: expected a value" in wrong[0]
