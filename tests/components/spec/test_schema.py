"""The JSON schema of a spec file says what the parser says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from litegate.errors import SpecError
from litegate.spec import file_schema, parse_spec

ROOT = Path(__file__).parents[3]
DATA = {"uri": "x.npz", "format": "npz"}
KEYS: dict[str, Any] = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "evaluation": DATA}
SCHEMA = file_schema()
RETRAIN = {"entry_point": "training:train"}
NOTIFY = {"events": ["late"], "notifier": "package.module.Class"}

GOOD: dict[str, dict[str, Any]] = {
    "least": {},
    "all-variants": {"variants": "all"},
    "targets-variants": {"variants": None, "target": "gpu"},
    "some-variants": {"variants": ["int8", "float32"]},
    "approval-none": {"approval": "none"},
    "approval-null": {"approval": None},
    "approval-human": {"approval": "human"},
    "approval-keys": {"approval": {"timeout_hours": 0.5, "users": ["ann"]}},
    "registry": {"registry": {"alias": "edge"}},
    "retrain": {"retrain": RETRAIN},
    "retrain-command": {"retrain": {"command": ["make"], "entry_point": None}},
    "requalify": {"requalify": DATA},
    "notify": {"notify": [NOTIFY], "deadline_minutes": 5},
    "engine": {"engine": "litert_quantizer"},
    "engines": {"engine": ["tf_converter", "litert_quantizer"], "variants": ["int4"]},
    "given-files": {"candidates": [{"name": "mine", "uri": "mine.tflite"}]},
    "given-files-alone": {"candidates": [{"name": "mine", "uri": "mine.tflite"}], "variants": []},
    "recover": {"recover": {}},
    "fine-tune": {"fine_tune": {"entry_point": "tuning:tune", "data": "train.npz"}},
    "recover-by-integers": {"recover": {"max_steps": 3}, "target": "microcontroller"},
    "caps": {"evaluation": DATA | {"max_samples_by_variant": {"int16x8": 100}}},
    "top5": {"evaluation": DATA | {"metric": "top5"}},
    "s3": {"calibration": {"uri": "s3://b/x/*.parquet", "format": "parquet", "features": {"x": ["a", "b"]}}},
}
BAD: dict[str, dict[str, Any]] = {
    "variant": {"variants": ["int9"]},
    "no-variants": {"variants": []},
    "approval": {"approval": "perhaps"},
    "address": {"model": {"name": "m", "uri": "ftp://host/m.keras"}},
    "bucket": {"model": {"name": "m", "uri": "s3://bucket"}},
    "no-address": {"model": {"name": "m", "uri": ""}},
    "name": {"model": {"name": "a b", "uri": "m.keras"}},
    "format": {"calibration": {"uri": "x", "format": "hdf"}},
    "type": {"gate": {"max_drop": "little"}},
    "null-gate": {"gate": None},
    "cap": {"evaluation": DATA | {"max_samples_by_variant": {"int9": 1}}},
    "no-cap": {"evaluation": DATA | {"max_samples_by_variant": {"int8": 0}}},
    "retrain": {"retrain": {}},
    "no-model": {"model": None},
    "engine": {"engine": "magic"},
    "no-engine": {"engine": []},
    "given-file": {"candidates": [{"name": "mine"}]},
    "recover": {"recover": {"may_use": ["int2"]}},
    "fine-tune": {"fine_tune": {"entry_point": "tuning:tune"}},
    "event": {"notify": [NOTIFY | {"events": ["early"]}]},
}


def problems(data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", GOOD)
def test_what_the_parser_accepts_the_schema_accepts(name: str) -> None:
    spec = parse_spec(KEYS | GOOD[name])
    assert problems(KEYS | GOOD[name]) == []
    assert problems(spec.model_dump(mode="json")) == [], "a spec with every default written out"


@pytest.mark.parametrize("path", sorted(ROOT.glob("dags/*/*.yaml")), ids=lambda path: path.stem)
def test_shipped_specs_are_accepted(path: Path) -> None:
    assert problems(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_by_itself_both_refuse(name: str) -> None:
    with pytest.raises(SpecError):
        parse_spec(KEYS | BAD[name])
    assert problems(KEYS | BAD[name]) != []


def sections() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every section that is a key of the spec, with its schema and with what must be in it."""
    for key, value in SCHEMA["properties"].items():
        for choice in (value, *value.get("anyOf", ())):
            if "$ref" in choice:
                yield key, SCHEMA["$defs"][choice["$ref"].rpartition("/")[2]]


def outside(schema: dict[str, Any]) -> Iterator[float]:
    """Numbers just beyond each bound."""
    for choice in (schema, *schema.get("anyOf", ())):
        for word, step in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1), ("exclusiveMaximum", 0)):
            if word in choice:
                yield choice[word] + step


BOUNDS = [
    (key, name, value) for key, s in sections() for name, each in s["properties"].items() for value in outside(each)
]


@pytest.mark.parametrize(("key", "name", "value"), BOUNDS)
def test_every_bound_is_the_parsers_too(key: str, name: str, value: float) -> None:
    tune = {"entry_point": "tuning:tune", "data": "train.npz"}
    required = {"requalify": DATA, "retrain": RETRAIN, "fine_tune": tune}
    data = KEYS | {key: KEYS.get(key, required.get(key, {})) | {name: value}}
    with pytest.raises(SpecError, match=rf"{key}\.{name}: expected"):
        parse_spec(data)
    assert problems(data) != []


@pytest.mark.parametrize("key", [key for key, _ in sections()])
def test_an_unknown_key_is_refused_in_every_section(key: str) -> None:
    assert problems(KEYS | {key: KEYS.get(key, {}) | {"unknown": 1}}) != []
    assert problems(KEYS | {"unknown": 1}) != []


def test_every_key_says_what_it_means() -> None:
    silent = [
        f"{key}.{name}" for key, s in sections() for name, each in s["properties"].items() if "description" not in each
    ]
    assert silent == []
    assert [name for name, s in SCHEMA["$defs"].items() if "description" not in s and name != "JsonValue"] == []
