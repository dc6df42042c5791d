"""Another engine and another runtime: a module and a row of each, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import litegate
from litegate.settings import settings

pytestmark = pytest.mark.e2e

SOURCE = Path(str(litegate.__file__)).parent
ENGINE = '''
"""Halves the weights' bytes without being asked how."""

import tensorflow as tf


def make(source, recipe, calibration):
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [getattr(tf, recipe["weights"])]
    return converter.convert()
'''
RUNTIME = '''
"""LiteRT with everything turned round: what it likes best comes last."""

from litegate.runtimes.litert import LiteRTModel
from litegate.runtimes.runtime import Facts


class Contrary(LiteRTModel):
    def __init__(self, content, signature):
        super().__init__(content, signature)
        self.kernels = "contrary"

    def predict(self, features):
        return {name: -value for name, value in super().predict(features).items()}


def load(content, signature=None):
    return Contrary(content, signature)


def facts(content):
    return Facts("0.1", "contrary")
'''
ROWS = {
    "engines/__init__.py": ('"tf_converter": "', '"toy": "litegate.engines.toy", "tf_converter": "'),
    "runtimes/__init__.py": ('"litert": "', '"contrary": "litegate.runtimes.contrary", "litert": "'),
    "variants.py": (
        '            _of_tf_converter("dynamic_range"',
        '            Variant("toy_half", "a toy", float16=True, engine="toy", recipe={"weights": "float16"}),\n'
        '            _of_tf_converter("dynamic_range"',
    ),
}
GPU = '"gpu": Target(("float16",), frozenset({"float16"})),'
UPSIDE_DOWN = '"gpu": Target(("toy_half",), frozenset({"toy_half"}), runtime="contrary"),'
COMPARE = """
import json, sys
import litegate
result = litegate.compare(sys.argv[1], out=sys.argv[2], quiet=True)
print(json.dumps(result.to_json()))
"""


@dataclass(frozen=True)
class Installation:
    """litegate's source with toys in it, and a home of its own."""

    root: Path

    def add(self, module: str, text: str) -> None:
        (self.root / "litegate" / module).write_text(text)

    def change(self, module: str, before: str, after: str) -> None:
        path = self.root / "litegate" / module
        text = path.read_text()
        assert text.count(before) == 1
        path.unlink()  # it is the real one under another name
        path.write_text(text.replace(before, after))

    def compare(self, spec: Path) -> dict[str, Any]:
        """In another process, whose own children run this source as well."""
        python = self.root / "python"
        real = settings().pythons["tensorflow"]
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{self.root}" exec "{real}" "$@"\n')
        python.chmod(0o755)
        environment = os.environ | {
            "PYTHONPATH": str(self.root),
            "LITEGATE_HOME": str(self.root / "home"),
            "LITEGATE_READABLE": f"{self.root}{os.pathsep}{real.parents[1]}",
            "LITEGATE_TENSORFLOW_PYTHON": str(python),
        }
        command = [sys.executable, "-c", COMPARE, str(spec), str(self.root / "out")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SOURCE, tmp_path / "source" / "litegate", ignore=ignored, copy_function=os.link)
    return Installation(tmp_path / "source")


def test_a_toy_engine_and_a_toy_runtime_are_a_module_and_a_row_each(
    installation: Installation, models: Path, tmp_path: Path
) -> None:
    installation.add("engines/toy.py", ENGINE)
    installation.add("runtimes/contrary.py", RUNTIME)
    for module, (before, after) in ROWS.items():
        installation.change(module, before, after)
    installation.change("variants.py", GPU, UPSIDE_DOWN)
    spec = {
        "model": {"name": "toys", "uri": str(models / "keras3.keras")},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
        "target": "cpu",
        "variants": ["toy_half"],
        "gate": {"max_drop": 0.05},
    }
    path = tmp_path / "toys.yaml"
    path.write_text(json.dumps(spec))
    by_cpu = installation.compare(path)
    made = {row["variant"]: row for row in by_cpu["variants"]}["toy_half"]
    assert made["verdict"] == "passed"
    assert made["bytes"] < 0.7 * by_cpu["baseline"]["bytes"], "its weights are halved"
    path.write_text(json.dumps(spec | {"target": "gpu"}))
    upside_down = installation.compare(path)
    assert upside_down["baseline"]["value"] < 0.25 < by_cpu["baseline"]["value"], "the target's runtime was asked"
    assert {row["variant"]: row["digest"] for row in upside_down["variants"]}["toy_half"] == made["digest"]
