"""Spec files for the tests of what Airflow makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

DAGS = Path(__file__).parents[2] / "dags"

Load = Callable[..., dict[str, Any]]

SPEC = """
model: {{name: {name}, uri: {uri}}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz, metric: "{metric}"}}
schedule: {schedule}
gate: {gate}
approval: {approval}
recover: {recover}
{more}
"""

WORDS = {"name": "m", "uri": "m.keras", "schedule": "null", "gate": "{}", "metric": "top1"}
WORDS |= {"approval": "none", "recover": "null", "more": ""}


def write_spec(
    folder: Path,
    file: str = "m.yaml",
    name: str = "m",
    uri: str = "m.keras",
    schedule: str = "null",
    gate: str = "{}",
    metric: str = "top1",
    **keys: str,
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file
    words = {"name": name, "uri": uri, "schedule": schedule, "gate": gate, "metric": metric}
    path.write_text(SPEC.format(**WORDS | words | keys))
    return path


EVERYTHING = """
model: {name: m, uri: s3://models/m.keras}
calibration: {uri: c.npz, format: npz}
evaluation: {uri: e.npz, format: npz}
gate: {max_drop_from_champion: 0.01}
approval: human
retrain: {entry_point: "training:train"}
requalify: {uri: fresh.npz, format: npz}
"""
