"""A version that was rolled back is not promoted again by the next run of the same digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def spec(models: Path, *variants: str) -> dict[str, Any]:
    return {
        "model": {"name": "undone", "uri": str(models / "keras3.keras")},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
        "variants": list(variants),
        "gate": {"max_drop": 0.02},
    }


def test_what_was_rolled_back_is_held_until_it_is_reinstated(litegate: Any, models: Path, tmp_path: Path) -> None:
    first = litegate.run_spec(tmp_path, **spec(models, "dynamic_range"))
    second = litegate.run_spec(tmp_path, **spec(models, "float16"))
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert (first.result["champion"]["version"], second.result["champion"]["version"]) == (1, 2)

    rolled_back = litegate("rollback", "undone", "--why", "slow at the edge")
    assert rolled_back.code == 0, rolled_back.output
    assert "undone@champion: version 1 is champion, before it was version 2" in rolled_back.output

    again = litegate.run_spec(tmp_path, **spec(models, "float16"))
    assert (again.code, again.result["state"]) == (4, "blocked"), again.output
    assert again.result["selected"] == second.result["champion"], "the same digest, the same version"
    assert again.result["champion"] == first.result["champion"]
    assert again.result["why"].startswith("version 2 was rolled back by ")
    assert again.result["why"].endswith("(slow at the edge)")
    last = "blocked: undone version 2 (float16) passed the gate, but version 1 (dynamic_range) is champion: "
    assert last + again.result["why"] in again.output

    reinstated = litegate("reinstate", "undone", "2", "--why", "the edge is faster now")
    assert reinstated.code == 0, reinstated.output
    shown = " ".join(litegate("history", "undone").output.split())
    assert "champion version 2 previous version 1" in shown
    assert "revoked" not in shown
    assert litegate.run_spec(tmp_path, **spec(models, "float16")).code == 0
