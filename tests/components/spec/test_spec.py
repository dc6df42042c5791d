"""The spec: what it takes, what it refuses, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import SpecError
from litegate.spec import Gate, Spec, load_spec, parse_spec, spec_digest
from litegate.variants import DOCUMENTED, TARGETS

DATA = {"uri": "x", "format": "npz"}
NAMED: dict[str, Any] = {"features": {"x": "y"}}
TWO: dict[str, Any] = {"features": {"x": ["y", "z"]}}
NONE = {"uri": "x", "format": "csv", "features": {"x": []}}
FOLDERS = {"uri": "x", "format": "images"}
IMAGES = {"uri": "x", "format": "images", "label": "y"}
ALLOWED = DATA | {"allow": ["leaks"]}
SITES: dict[str, Any] = DATA | {"slices": ["site"]}
PATHS: dict[str, Any] = {"uri": "x", "format": "images"}
NO_PATTERN = {"uri": "x", "format": "images", "group": "(v"}
SEQUENTIAL: dict[str, Any] = DATA | {"sequential": True}
BOXES = {"boxes": "b", "scores": "s"}
LOOKS: dict[str, Any] = DATA | {"first_samples": 50}
RETRAINED: dict[str, Any] = {"model": {"name": "m", "uri": "m.keras"}}
FUNCTION: dict[str, Any] = {"entry_point": "training:train"}
COMMAND: dict[str, Any] = {"command": ["python", "train.py"]}
VALUES: dict[str, Any] = {"arguments": {"epochs": 3}}
DATED: dict[str, Any] = FUNCTION | {"arguments": {"d": date(2026, 1, 1)}}
NOTIME: dict[str, Any] = {"time_limit": 0}
NEVER: dict[str, Any] = {"schedule": "0 0 31 2 *"}
HOOK: dict[str, Any] = {"events": ["promoted"], "notifier": "package.Notifier"}
LATE = HOOK | {"events": ["late"]}
COSINE = {"evaluation": DATA | {"metric": "cosine_similarity"}}
GOOD: dict[str, Any] = {
    "model": {"name": "digits", "uri": "model.keras"},
    "calibration": {"uri": "train.npz", "format": "npz"},
    "evaluation": {"uri": "s3://bucket/test.npz", "format": "npz"},
}


@dataclass(frozen=True)
class Bad:
    name: str
    change: dict[str, Any]
    where: str
    expected: str
    got: str


TWICE = {"name": "a", "uri": "a.tflite", "recipe": "a.json"}
MICRO, ETHOS = ({"target": name, "variants": ["int8"]} for name in ("microcontroller", "ethos-u55-128"))

BAD = [
    Bad("unknown key", {"modle": {}}, "spec: modle", "known keys model, calibration", "did you mean model?"),
    Bad("unknown nested key", {"gate": {"max_dorp": 1}}, "spec: gate.max_dorp", "max_drop, drop", "max_dorp"),
    Bad("no model", {"model": None}, "spec: model", "", "None"),
    Bad("no uri", {"model": {"name": "x"}}, "spec: model.uri", "required", "nothing"),
    Bad("empty uri", {"model": {"name": "x", "uri": ""}}, "spec: model.uri", "at least 1 character", "''"),
    Bad("a name that is a path", {"model": {"name": "a/b", "uri": "x"}}, "spec: model.name", "pattern", "'a/b'"),
    Bad("unknown target", {"target": "tpu"}, "spec: target", "'cpu', 'gpu', 'edgetpu'", "'tpu'"),
    Bad("unknown variant", {"variants": ["int9"]}, "spec: variants", "int16x8", "'int9'"),
    Bad("a variant that is no list", {"variants": "int8"}, "spec: variants", "'all' or a list", "'int8'"),
    Bad("another store", {"model": {"name": "x", "uri": "gs://b/k"}}, "spec: model.uri", "s3://bucket/key", "gs://b/k"),
    Bad("no bucket", {"model": {"name": "x", "uri": "s3:///k"}}, "spec: model.uri", "s3://bucket/key", "s3:///k"),
    Bad("no variant", {"variants": []}, "spec: variants", "besides the float32 baseline", "none"),
    Bad("only the baseline", {"variants": ["float32"]}, "spec: variants", "besides the float32", "none"),
    Bad("nothing for the target", {"target": "gpu", "variants": ["int8"]}, "spec: variants", "float16", "int8"),
    Bad("a file and a recipe", {"candidates": [TWICE]}, "spec: candidates.0", "either a finished file", "both"),
    Bad("no arena", {"gate": {"max_arena_bytes": 9}}, "spec: gate.max_arena_bytes", "null for the target cpu", "9"),
    Bad("no firmware", {"gate": {"max_flash_bytes": 9}}, "spec: gate.max_flash_bytes", "not part of a firmware", "9"),
    Bad("no Ethos-U", MICRO | {"gate": {"max_cycles": 9}}, "spec: gate.max_cycles", "which is no Ethos-U", "9"),
    Bad("an arena of Vela", ETHOS | {"gate": {"max_arena_bytes": 9}}, "spec: gate.max_arena_bytes", "without an", "9"),
    Bad("a drop as text", {"gate": {"max_drop": "1 %"}}, "spec: gate.max_drop", "number", "'1 %'"),
    Bad("a drop above 1", {"gate": {"max_drop": 1.5}}, "spec: gate.max_drop", "at most 1 for top1", "1.5"),
    Bad("a drop that is NaN", {"gate": {"max_drop": float("nan")}}, "spec: gate.max_drop", "", "nan"),
    Bad("confidence 1", {"gate": {"confidence": 1.0}}, "spec: gate.confidence", "less than 1", "1.0"),
    Bad("unknown format", {"calibration": {"uri": "x", "format": "hdf5"}}, "spec: calibration.format", "npz", "hdf5"),
    Bad("a label of images", {"calibration": IMAGES}, "spec: calibration.label", "class is their folder", "'y'"),
    Bad("features of images", {"evaluation": FOLDERS | NAMED}, "spec: evaluation.features", "no features", "'y'"),
    Bad("columns of arrays", {"evaluation": DATA | TWO}, "spec: evaluation.features.x", "the name of one array", "'z'"),
    Bad("no features", {"calibration": NONE}, "spec: calibration.features", "the name of a field", "[]"),
    Bad("no pattern", {"evaluation": NO_PATTERN}, "spec: evaluation.group", "a regular expression", "'(v'"),
    Bad("a label as group", {"evaluation": DATA | {"group": "label"}}, "spec: evaluation.group", "another", "'label'"),
    Bad("groups to calibrate", {"calibration": DATA | {"group": "g"}}, "spec: calibration.group", "features", "group"),
    Bad("a slice twice", {"evaluation": SITES | {"slices": ["a", "a"]}}, "spec: evaluation.slices", "once", "twice"),
    Bad("a slice as group", {"evaluation": SITES | {"group": "site"}}, "spec: evaluation.slices", "one group", "site"),
    Bad("no named part", {"evaluation": PATHS | {"slices": ["(v)"]}}, "spec: evaluation.slices", "named part", "(v)"),
    Bad("no pattern of a slice", {"evaluation": PATHS | {"slices": ["(v"]}}, "spec: evaluation.slices", "regular", "("),
    Bad("a slice with =", {"evaluation": SITES | {"slices": ["a=b"]}}, "spec: evaluation.slices", "no `=`", "'a=b'"),
    Bad("slices without a limit", {"evaluation": SITES}, "spec: gate.max_slice_drop", "a slice of eval", "null"),
    Bad("fresh slices", {"requalify": SITES}, "spec: requalify.max_slice_drop", "a slice of requalify", "null"),
    Bad("a limit without slices", {"gate": {"max_slice_drop": 0.1}}, "spec: evaluation.slices", "the fields", "none"),
    Bad("more than all", {"evaluation": SITES, "gate": {"max_slice_drop": 2.0}}, "spec: gate.max_slice_drop", "1", "2"),
    Bad("unknown finding", {"calibration": ALLOWED}, "spec: calibration.allow.0", "'leakage'", "'leaks'"),
    Bad("no samples", {"calibration": DATA | {"samples": 0}}, "spec: calibration.samples", "1", "0"),
    Bad("unknown metric", {"evaluation": DATA | {"metric": "f1"}}, "spec: evaluation.metric", "top1", "f1"),
    Bad("sequential mae", {"evaluation": SEQUENTIAL | {"metric": "mae"}}, "spec: evaluation.sequential", "mae", "tr"),
    Bad("looks at a set", {"evaluation": LOOKS | {"metric": "rmse"}}, "spec: evaluation.first_samples", "rmse", "a"),
    Bad("two ways to stop", {"evaluation": SEQUENTIAL | LOOKS}, "spec: evaluation", "first_samples or", "both"),
    Bad("a share of a cosine", COSINE | {"gate": {"drop": "relative"}}, "spec: gate.drop", "absolute", "relative"),
    Bad("map without names", {"evaluation": DATA | {"metric": "map50"}}, "spec: evaluation.detection", "map50", "null"),
    Bad("names for top1", {"evaluation": DATA | {"detection": BOXES}}, "spec: evaluation.detection", "top1", "a value"),
    Bad("wer without a decoder", {"evaluation": DATA | {"metric": "wer"}}, "spec: evaluation.decoder", "wer", "null"),
    Bad("a decoder for top1", {"evaluation": DATA | {"decoder": "t:f"}}, "spec: evaluation.decoder", "top1", "a value"),
    Bad(
        "an output for map50",
        {"evaluation": DATA | {"metric": "map50", "detection": BOXES, "output": "y"}},
        "spec: evaluation.output",
        "evaluation.detection",
        "'y'",
    ),
    Bad("top of nothing", {"evaluation": DATA | {"metric": "top0"}}, "spec: evaluation.metric", "topK", "'top0'"),
    Bad("preprocess without a function", {"preprocess": "package.module"}, "spec: preprocess", "pattern", "package"),
    Bad("an alias that follows", {"registry": {"alias": "candidate"}}, "spec: registry.alias", "follow", "candidate"),
    Bad("a follower's alias", {"registry": {"alias": "edge-previous"}}, "spec: registry.alias", "follow", "edge-"),
    Bad("a reserved alias", {"registry": {"alias": "latest"}}, "spec: registry.alias", "reserve", "latest"),
    Bad("no way to train", RETRAINED | {"retrain": {}}, "spec: retrain", "either entry_point or command", "neither"),
    Bad("two ways", RETRAINED | {"retrain": FUNCTION | COMMAND}, "spec: retrain", "either entry_point", "both"),
    Bad("an empty command", RETRAINED | {"retrain": {"command": []}}, "spec: retrain.command", "at least 1", "[]"),
    Bad("arguments of a command", RETRAINED | {"retrain": COMMAND | VALUES}, "spec: retrain.arguments", "in", "both"),
    Bad("a date as argument", RETRAINED | {"retrain": DATED}, "spec: retrain.arguments.d", "JSON", "datetime.date"),
    Bad("a training of no time", RETRAINED | {"retrain": COMMAND | NOTIME}, "spec: retrain.time_limit", "1", "0"),
    Bad("a misspelt training", RETRAINED | {"retrain": {"comand": []}}, "spec: retrain.comand", "entry_point, c", "c"),
    Bad("training that never is", RETRAINED | {"retrain": COMMAND | NEVER}, "spec: retrain.schedule", "next", "31 2"),
    Bad("a watch of no time", {"model": {"name": "x", "uri": "a", "watch": 0}}, "spec: model.watch", "1", "0"),
    Bad("a schedule that is no cron", {"schedule": "daily"}, "spec: schedule", "cron", "daily"),
    Bad("a schedule out of range", {"schedule": "61 * * * *"}, "spec: schedule", "cron", "61"),
    Bad("a schedule that never comes", {"schedule": "0 0 31 2 *"}, "spec: schedule", "next time", "31 2"),
    Bad("approval by a machine", {"approval": "robot"}, "spec: approval", "none, human or a mapping", "'robot'"),
    Bad("no time to answer", {"approval": {"timeout_hours": 0}}, "spec: approval.timeout_hours", "greater than 0", "0"),
    Bad("unknown key of approval", {"approval": {"user": []}}, "spec: approval.user", "users", "did you mean users?"),
    Bad("a user without a name", {"approval": {"users": [""]}}, "spec: approval.users.0", "1 character", "''"),
    Bad("unknown event", {"notify": [HOOK | {"events": ["done"]}]}, "spec: notify.0.events.0", "'promoted'", "'done'"),
    Bad("no event", {"notify": [HOOK | {"events": []}]}, "spec: notify.0.events", "at least 1", "[]"),
    Bad("unknown key of notify", {"notify": [HOOK | {"on": []}]}, "spec: notify.0.on", "events, notifier", "'on'"),
    Bad("a notifier without a module", {"notify": [HOOK | {"notifier": "X"}]}, "spec: notify.0.notifier", "", "'X'"),
    Bad("late without a deadline", {"notify": [LATE]}, "spec: deadline_minutes", "a number of minutes", "null"),
    Bad("a deadline for nobody", {"deadline_minutes": 5, "notify": [HOOK]}, "spec: notify", "event late", "none"),
    Bad("no time at all", {"deadline_minutes": 0, "notify": [LATE]}, "spec: deadline_minutes", "greater than 0", "0"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_spec_is_refused_with_where_expected_and_got(bad: Bad) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(GOOD | bad.change)
    assert caught.value.where == bad.where
    assert bad.expected in caught.value.expected
    assert bad.got in caught.value.got


def test_defaults_follow_the_target_and_the_model() -> None:
    spec = parse_spec(GOOD | {"target": "edgetpu"})
    assert spec.variants == TARGETS["edgetpu"].default == ("int8", "uint8")
    assert (spec.registry.name, spec.registry.alias) == ("digits", "champion")
    assert (spec.calibration.samples, spec.gate.max_drop, spec.gate.on_reject) == (200, 0.01, "fail")


def test_all_variants_are_the_eight_and_the_baseline_is_not_quantized() -> None:
    spec = parse_spec(GOOD | {"variants": "all"})
    assert spec.variants == tuple(DOCUMENTED)
    assert len(spec.variants) == 8
    assert "float32" not in spec.quantized_variants


def test_a_spec_survives_json() -> None:
    spec = parse_spec(GOOD | {"gate": {"max_drop": 0}, "variants": ["int8", "int8"]})
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec
    assert spec.variants == ("int8",)


def test_local_uris_become_absolute_beside_the_real_spec_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "spec.yaml").write_text(
        "model: {name: m, uri: ../model.keras}\n"
        "calibration: {uri: /data/train.npz, format: npz}\n"
        "evaluation: {uri: 's3://b/t.npz', format: npz}\n"
    )
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real" / "spec.yaml")
    spec = load_spec(tmp_path / "link.yaml")
    assert spec.model.uri == str(tmp_path / "real" / "../model.keras")
    assert spec.calibration.uri == "/data/train.npz"
    assert spec.evaluation.uri == "s3://b/t.npz"


def test_the_digest_of_a_spec_file_is_that_of_its_content_and_place(tmp_path: Path) -> None:
    one, same, link = tmp_path / "one.yaml", tmp_path / "same.yaml", tmp_path / "link.yaml"
    one.write_text("a: 1")
    same.write_text("a: 1")
    link.symlink_to(one)
    assert len({spec_digest(path) for path in (one, same, link)}) == 3
    before = spec_digest(link)
    assert spec_digest(tmp_path / "." / "link.yaml") == before
    one.write_text("a: 2")
    assert spec_digest(link) != before
    with pytest.raises(SpecError, match="a readable spec file"):
        spec_digest(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "valid YAML"),
        ("target: gpu\ntarget: cpu", "key 'target' is there twice"),
        ("- 1", "a mapping of spec"),
        ("", "a mapping of spec"),
        (None, "a readable spec file"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path: Path, text: str | None, expected: str) -> None:
    path = tmp_path / "spec.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpecError, match=expected):
        load_spec(path)


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("m.keras", True),
        ("s3://b/m/x.h5", True),
        ("s3://b/m/*.keras", True),
        ("s3://b/m-*.h5", True),
        ("s3://b/*/m.keras", True),
        ("s3://b/m/*/saved_model.pb", True),
        ("s3://b/m", False),
        ("s3://b/m/saved_model.pb", False),
        ("s3://b/m/", False),
        ("s3://b/*/*.keras", False),
        ("s3://b/**/m.keras", False),
        ("s3://b/m-?.keras", False),
        ("s3://b/*", False),
    ],
)
def test_a_training_writes_only_where_nobody_can_see_half_of_it(uri: str, kept: bool) -> None:
    spec = GOOD | {"model": {"name": "m", "uri": uri}}
    assert parse_spec(spec).model.uri == uri
    if kept:
        assert parse_spec(spec | {"retrain": FUNCTION}).retrain is not None
        return
    with pytest.raises(SpecError, match=r"^spec: model.uri: expected a .keras or .h5 file, .*, got"):
        parse_spec(spec | {"retrain": FUNCTION})


def test_a_training_survives_json() -> None:
    training = FUNCTION | {"arguments": {"rate": 0.1, "layers": [1, {"units": None}]}, "schedule": "@weekly"}
    spec = parse_spec(GOOD | RETRAINED | {"retrain": training})
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize("word", [None, "none"])
def test_nobody_is_asked_by_default(word: str | None) -> None:
    assert parse_spec(GOOD).approval is parse_spec(GOOD | {"approval": word}).approval is None


def test_human_stands_for_all_defaults_of_approval() -> None:
    approval = parse_spec(GOOD | {"approval": "human"}).approval
    assert approval == parse_spec(GOOD | {"approval": {}}).approval
    assert approval is not None
    assert (approval.timeout_hours, approval.on_timeout, approval.users) == (72, "fail", [])


def test_a_spec_with_all_sections_goes_through_json_unchanged() -> None:
    more = {"approval": {"timeout_hours": 0.5, "users": ["ann"]}, "notify": [HOOK, LATE], "deadline_minutes": 2}
    spec = parse_spec(GOOD | more)
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec


def test_slices_are_limited_as_classes_are_where_nothing_else_is_said() -> None:
    images = {"uri": "x", "format": "images", "slices": ["/(?P<site>[a-z]+)_"]}
    spec = parse_spec(GOOD | {"evaluation": images, "gate": {"max_class_drop": 0.02}})
    assert spec.evaluation.slice_fields == ("site",)
    assert spec.gate.slice_limit == 0.02
    assert Gate(max_class_drop=0.02, max_slice_drop=0.1).slice_limit == 0.1


def test_a_requalification_asks_of_slices_what_its_data_have() -> None:
    good = GOOD | {"evaluation": SITES, "gate": {"max_slice_drop": 0.1}}
    without = parse_spec(good | {"requalify": DATA}).requalify
    with_them = parse_spec(good | {"requalify": SITES}).requalify
    assert without is not None
    assert with_them is not None
    assert (without.policy.slice_limit, with_them.policy.slice_limit) == (None, 0.1)


def test_the_engine_follows_the_model() -> None:
    assert parse_spec(GOOD).engine == ("tf_converter",)
    spec = parse_spec(GOOD | {"model": {"name": "digits", "uri": "digits.tflite"}})
    assert spec.engine == ("litert_quantizer",)
    assert spec.variants == ("dynamic_range", "int8_float_fallback", "int8")


def test_two_engines_race_in_the_order_of_the_spec() -> None:
    spec = parse_spec(GOOD | {"engine": ["tf_converter", "litert_quantizer"], "variants": ["int8", "uint8", "int4"]})
    assert spec.quantized_variants == ("int8", "int8.litert_quantizer", "uint8", "int4")
    assert [spec.engine_of(name) for name in spec.quantized_variants] == [
        "tf_converter",
        "litert_quantizer",
        "tf_converter",
        "litert_quantizer",
    ]
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec


def test_files_that_were_given_are_judged_alone_unless_variants_are_named() -> None:
    given = {"candidates": [{"name": "mine", "uri": "mine.tflite"}]}
    alone, beside = parse_spec(GOOD | given), parse_spec(GOOD | given | {"variants": ["int8"]})
    assert (alone.variants, alone.quantized_variants) == ((), ("mine",))
    assert beside.quantized_variants == ("int8", "mine")
    assert beside.engine_of("mine") == "given"


@pytest.mark.parametrize(
    ("change", "where", "expected", "got"),
    [
        ({"engine": "magic"}, "engine.0", "'tf_converter' or 'litert_quantizer'", "'magic'"),
        ({"engine": []}, "engine", "one engine or both", "()"),
        ({"engine": 5}, "engine", "a list", "5"),
        ({"variants": ["int4"]}, "variants", "one that tf_converter can make", "takes `engine: litert_quantizer`"),
        ({"variants": []}, "variants", "at least one variant besides the float32 baseline, or a file", "none"),
        ({"candidates": [{"name": "int8", "uri": "a.tflite"}]}, "candidates", "names of their own", "int8"),
        ({"candidates": [{"name": "a.b", "uri": "a"}, {"name": "a.b", "uri": "b"}]}, "candidates", "none twice", "a.b"),
        ({"candidates": [{"name": "a/b", "uri": "a"}]}, "candidates.0.name", "pattern", "'a/b'"),
        ({"candidates": [{"name": "a"}]}, "candidates.0", "either a finished file (`uri`) or a `recipe`", "neither"),
        (
            {"candidates": [{"name": "a", "recipe": "gs://b/r.json"}]},
            "candidates.0.recipe",
            "s3://bucket/key",
            "gs://b",
        ),
    ],
)
def test_engines_and_given_files_that_cannot_be(change: dict[str, Any], where: str, expected: str, got: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(GOOD | change)
    assert caught.value.where.endswith(where)
    assert expected in caught.value.expected
    assert got in caught.value.got


def test_a_part_of_the_samples_is_for_targets_with_a_runtime_of_their_own() -> None:
    part = {"evaluation": GOOD["evaluation"] | {"target_samples": 100}}
    assert parse_spec(GOOD | part | {"target": "microcontroller"}).evaluation.target_samples == 100
    with pytest.raises(SpecError, match="null for the target cpu, which is judged on the host's own kernels, got 100"):
        parse_spec(GOOD | part)


def with_device(**keys: Any) -> dict[str, Any]:
    return GOOD | {"evaluation": GOOD["evaluation"] | {"device": {"name": "pi5", "evidence": "kept"} | keys}}


def test_a_device_is_judged_on_a_part_of_the_samples_whatever_the_target() -> None:
    keys = with_device()
    keys["evaluation"]["target_samples"] = 100
    spec = parse_spec(keys)
    assert (spec.target, spec.evaluation.target_samples) == ("cpu", 100)
    assert spec.evaluation.device is not None
    assert spec.evaluation.device.address_of("ab") == "kept/ab/pi5.npz"
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("keys", "where", "expected"),
    [
        ({"name": "Pi 5"}, "evaluation.device.name", "pattern"),
        ({"name": "../pi5"}, "evaluation.device.name", "pattern"),
        ({"name": ""}, "evaluation.device.name", "pattern"),
        ({"evidence": "kept/*"}, "evaluation.device.evidence", "a folder, without `*` and `?`"),
        ({"evidence": "gs://b/kept"}, "evaluation.device.evidence", "s3://bucket/key, or a local path"),
        ({"board": "x"}, "evaluation.device.board", "one of the known keys name, evidence"),
    ],
)
def test_devices_that_cannot_be(keys: dict[str, Any], where: str, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(with_device(**keys))
    assert caught.value.where.endswith(where)
    assert expected in caught.value.expected


def test_a_device_says_nothing_of_fresh_data() -> None:
    fresh = {"requalify": {"uri": "fresh.npz", "format": "npz"}}
    with pytest.raises(SpecError, match=r"requalify: expected null with evaluation\.device, which was never fed"):
        parse_spec(with_device() | fresh)


def test_evidence_lies_beside_the_spec(tmp_path: Path) -> None:
    text = (
        "model: {name: m, uri: m.keras}\ncalibration: {uri: c.npz, format: npz}\nevaluation: {uri: e.npz, format: npz"
    )
    for evidence, found in (("kept/", f"{tmp_path}/kept"), ("s3://b/kept/", "s3://b/kept")):
        (tmp_path / "spec.yaml").write_text(f"{text}, device: {{name: pi5, evidence: '{evidence}'}}}}\n")
        device = load_spec(tmp_path / "spec.yaml").evaluation.device
        assert device is not None
        assert device.everything == f"{found}/*/pi5.npz"


def test_what_lies_in_the_folder_of_evidence_and_is_none_has_no_digest() -> None:
    device = parse_spec(with_device()).evaluation.device
    assert device is not None
    assert device.digest_in(f"{'a' * 64}/pi5.npz") == "a" * 64
    assert [device.digest_in(name) for name in ("notes/pi5.npz", f"{'A' * 64}/pi5.npz")] == [None, None]


def test_addresses_of_given_files_are_seen_from_the_spec(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "model: {name: m, uri: m.tflite, recorded_outputs: rec.npz}\n"
        "calibration: {uri: c.npz, format: npz}\n"
        "evaluation: {uri: e.npz, format: npz}\n"
        "candidates: [{name: mine, uri: mine.tflite}, {name: far, uri: 's3://b/far.tflite'}]\n"
    )
    spec = load_spec(tmp_path / "spec.yaml")
    assert spec.model.recorded_outputs == str(tmp_path / "rec.npz")
    assert [each.uri for each in spec.candidates] == [str(tmp_path / "mine.tflite"), "s3://b/far.tflite"]
