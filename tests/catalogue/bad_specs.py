"""Specs that are wrong by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.catalogue.row import Make, Row


def keys(**changes: Any) -> Make:
    return lambda place: changes


def text(content: str) -> Make:
    return lambda place: {"text": content}


def _row(name: str, wrong: str, says: str, make: Make) -> Row:
    return Row(f"spec-{name}", wrong, "spec", says, make)


def _gate(**changes: Any) -> Make:
    return keys(gate=changes)


def _evaluation(**changes: Any) -> Make:
    def make(place: Any) -> Mapping[str, Any]:
        return {"evaluation": {"uri": "test.npz", "format": "npz", **changes}}

    return make


def _watch(seconds: int) -> Make:
    return keys(model={"name": "x", "uri": "s3://b/*.keras", "watch": seconds})


DATA = {"uri": "data.npz", "format": "npz"}
SPECS = (
    _row("not-yaml", "No YAML", "valid YAML, got", text("model: [")),
    _row("a-list", "A list in place of a mapping", "a mapping of spec keys, got list", text("- model\n")),
    _row("empty", "An empty file", "a mapping of spec keys, got NoneType", text("")),
    _row("twice", "A key that is there twice", "the key 'name' is there twice", text("model: {name: a, name: b}\n")),
    _row("no-text", "A binary file", "valid YAML, got", lambda place: {"bytes": b"\xff\xfe\x00model"}),
    _row(
        "python",
        "A YAML tag that makes Python objects",
        "valid YAML, got",
        text("!!python/object/apply:os.system [ls]"),
    ),
    _row("missing", "A required key is missing", "model: expected a value, the key is required", keys(model=None)),
    _row("unknown", "An unknown key", "the unknown key 'gates' (did you mean gate?)", keys(gates={})),
    _row("unknown-inside", "An unknown key of a section", "gate.max_drp...did you mean max_drop?", _gate(max_drp=0.1)),
    _row(
        "type",
        "Text in place of a number",
        "gate.max_drop: expected a valid number, got 'little'",
        _gate(max_drop="little"),
    ),
    _row("range", "A number out of range", "gate.confidence: expected less than 1, got 1.5", _gate(confidence=1.5)),
    _row("nan", "NaN as a limit", "gate.max_drop: expected...got nan", _gate(max_drop=float("nan"))),
    _row(
        "name", "A model name with a path in it", "model.name: expected", keys(model={"name": "../x", "uri": "m.keras"})
    ),
    _row(
        "scheme",
        "An address of an unknown kind",
        "model.uri: expected s3://bucket/key, or a local path, got 'http://x/y'",
        keys(model={"name": "x", "uri": "http://x/y"}),
    ),
    _row("format", "An unknown data format", "evaluation.format: expected", _evaluation(format="pickle")),
    _row(
        "metric",
        "An unknown metric",
        "evaluation.metric: expected one of top1...got 'accuracy'",
        _evaluation(metric="accuracy"),
    ),
    _row(
        "detection",
        "A detection metric without the names of its outputs",
        "evaluation.detection: expected detection for map50, got null",
        _evaluation(metric="map50"),
    ),
    _row(
        "both",
        "Two ways of stopping early at once",
        "first_samples or sequential...got both",
        _evaluation(first_samples=100, sequential=True),
    ),
    _row(
        "sequential-auc",
        "A metric of a whole set, sample by sample",
        "evaluation.sequential: expected false for roc_auc",
        _evaluation(metric="roc_auc", sequential=True),
    ),
    _row(
        "variant",
        "An unknown variant",
        "variants...one of float32, dynamic_range...got 'int9'",
        keys(variants=["int9"]),
    ),
    _row(
        "engine",
        "A variant that the engine cannot make",
        "variants: expected one that tf_converter can make (...), got int4, which takes `engine: litert_quantizer`",
        keys(variants=["int4"]),
    ),
    _row(
        "candidate-name",
        "A finished file by the name of a variant",
        "candidates: expected names of their own, none twice and none of a variant, got int8",
        keys(candidates=[{"name": "int8", "uri": "mine.tflite"}]),
    ),
    _row(
        "recover-floats",
        "Float operators where integers are all there is",
        "recover.may_use: expected what microcontroller runs (int16x8) and computes on integers alone, got float32",
        keys(target="microcontroller", recover={"may_use": ["float32"]}),
    ),
    _row(
        "recover-edgetpu",
        "A recovery for hardware without mixed precision",
        "recover: expected null for the target edgetpu, which runs no file of mixed precision, got a search for one",
        keys(target="edgetpu", recover={}),
    ),
    _row(
        "fine-tune-base",
        "A training for a file that the target cannot run",
        "fine_tune.base: expected one that microcontroller runs (int8, uint8), got int8_float_fallback",
        keys(
            target="microcontroller",
            fine_tune={"entry_point": "tuning:tune", "data": "train.npz", "base": "int8_float_fallback"},
        ),
    ),
    _row(
        "only-float",
        "Nothing to quantize",
        "variants: expected at least one variant besides the float32 baseline",
        keys(variants=["float32"]),
    ),
    _row(
        "target",
        "Variants that the target cannot run",
        "at least one that edgetpu can run (int8, uint8), got float16",
        keys(target="edgetpu", variants=["float16"]),
    ),
    _row(
        "drop",
        "A drop of more than everything",
        "gate.max_drop: expected at most 1 for top1 (0.01 is one point), got 5",
        _gate(max_drop=5),
    ),
    _row(
        "alias",
        "An alias that MLflow keeps for itself",
        "registry.alias: expected an alias that MLflow does not reserve",
        keys(registry={"alias": "latest"}),
    ),
    _row(
        "schedule",
        "A schedule that never comes",
        "schedule: expected a cron expression that has a next time",
        keys(schedule="0 0 31 2 *"),
    ),
    _row(
        "training-twice",
        "A function and a command that train",
        "retrain: expected either entry_point or command, got both",
        keys(retrain={"entry_point": "training:train", "command": ["python", "train.py"]}),
    ),
    _row(
        "training-arguments",
        "Arguments for a command that has its own",
        "retrain.arguments: expected the arguments of a command in the command itself",
        keys(retrain={"command": ["python", "train.py"], "arguments": {"epochs": 3}}),
    ),
    _row(
        "training-folder",
        "A training that would replace a folder file by file",
        "model.uri: expected a .keras or .h5 file, or folder/*/saved_model.pb...got s3://b/saved_model",
        keys(model={"name": "x", "uri": "s3://b/saved_model"}, retrain={"command": ["true"]}),
    ),
    _row("watch", "A watcher that never rests", "model.watch: expected greater than or equal to 1, got 0", _watch(0)),
    _row("preprocess", "A file name in place of a function", "preprocess: expected", keys(preprocess="scale.py")),
)
