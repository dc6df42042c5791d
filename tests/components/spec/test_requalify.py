"""The section `requalify`: its limits are those of the gate unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from litegate.errors import SpecError
from litegate.spec import Requalify, Spec, load_spec, parse_spec

DATA = {"uri": "x.npz", "format": "npz"}
KEYS = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}


def section(gate: dict[str, Any], **keys: Any) -> Requalify:
    found = parse_spec(KEYS | {"gate": gate, "requalify": DATA | keys}).requalify
    assert found is not None
    return found


def test_limits_are_the_gates_unless_the_section_says_otherwise() -> None:
    gate = {"max_drop": 0.03, "max_class_drop": 0.1, "min_value": 0.8, "confidence": 0.99}
    found = section(gate, max_class_drop=None, confidence=0.9)
    assert (found.max_drop, found.min_value) == (0.03, 0.8)
    assert (found.max_class_drop, found.confidence) == (None, 0.9)
    assert section({}).max_drop == parse_spec(KEYS).gate.max_drop


def test_the_policy_asks_nothing_about_the_file_or_the_champion() -> None:
    asked = {"max_drop": 0.03, "max_bytes": 1, "max_latency_ratio": 0.5, "integer_only": True}
    policy = section(asked | {"max_drop_from_champion": 0.01, "on_reject": "skip"}).policy
    assert policy.max_drop == 0.03
    assert (policy.max_bytes, policy.max_latency_ratio, policy.integer_only) == (None, None, False)
    assert policy.max_drop_from_champion is None


def test_without_the_section_nothing_is_requalified() -> None:
    assert parse_spec(KEYS).requalify is None
    assert parse_spec(KEYS | {"requalify": None}).requalify is None


def test_a_spec_survives_json() -> None:
    spec = parse_spec(KEYS | {"gate": {"max_drop": 0.03}, "requalify": DATA | {"max_drop": 0.04}})
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec


def test_a_local_address_is_relative_to_the_spec(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(KEYS | {"requalify": DATA | {"uri": "new/*.npz"}}))
    found = load_spec(tmp_path / "m.yaml").requalify
    assert found is not None
    assert found.uri == str(tmp_path / "new/*.npz")


@dataclass(frozen=True)
class Bad:
    keys: dict[str, Any]
    says: str
    others: dict[str, Any] = field(default_factory=dict)


BAD = [
    Bad({"max_pzi": 1.0}, "requalify.max_pzi: expected one of the known keys .*did you mean max_psi"),
    Bad({"uri": ""}, r"requalify\.uri: expected"),
    Bad({"uri": "ftp://host/x"}, r"requalify\.uri: expected s3://bucket/key, or a local path"),
    Bad({"schedule": "99 * * * *"}, r"requalify\.schedule: expected a cron expression"),
    Bad({"max_samples": 5}, r"requalify\.max_samples: expected greater than or equal to 30, got 5"),
    Bad({"max_drop": 2.0}, r"requalify\.max_drop: expected at most 1 for top1"),
    Bad({"on_failure": "retrain"}, r"requalify\.on_failure: expected 'alert' or 'rollback', got 'retrain'"),
    Bad({"features": {"x": ["y", "z"]}}, r"requalify\.features\.x: expected the name of one array"),
    Bad(
        {"drop": "relative"},
        r"requalify\.drop: expected absolute for cosine_similarity",
        {"evaluation": DATA | {"metric": "cosine_similarity"}},
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad.keys))
def test_what_is_wrong_is_said_with_its_key(bad: Bad) -> None:
    with pytest.raises(SpecError, match=bad.says):
        parse_spec(KEYS | bad.others | {"requalify": DATA | bad.keys})
