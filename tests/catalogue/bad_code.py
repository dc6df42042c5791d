"""The user's own code: `preprocess` and metrics that cannot be imported, raise, hang, or do what they may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.catalogue.row import Make, Place, Row

PREPROCESS = "def change(features, label):\n    "


def preprocess(source: str, name: str = "change") -> Make:
    def make(place: Place) -> Mapping[str, Any]:
        (place.folder / "users.py").write_text(source)
        return {"preprocess": f"users:{name}"}

    return make


def body(line: str) -> Make:
    return preprocess(PREPROCESS + line + "\n")


def metric(source: str) -> Make:
    def make(place: Place) -> Mapping[str, Any]:
        (place.folder / "metrics.py").write_text(source)
        data = {"uri": str(place.models / "test.npz"), "format": "npz"}
        return {"evaluation": data | {"metric": "metrics:Mine"}}

    return make


METRIC = """
class Mine:
    higher_is_better = True
    range = (0, 1)
    per_sample = True

    def score(self, outputs, labels):
        import numpy as np
        return {}
"""


def _row(name: str, wrong: str, stage: str, says: str, make: Make, **more: Any) -> Row:
    return Row(f"code-{name}", wrong, stage, says, make, **more)


CODE = (
    _row(
        "no-module",
        "A module that is not there",
        "resolve",
        "preprocess: expected the module nowhere...got no such module",
        lambda place: {"preprocess": "nowhere:change"},
    ),
    _row(
        "syntax",
        "A module that is no Python",
        "resolve",
        "preprocess: expected valid Python in...users.py",
        preprocess("def change(:\n"),
    ),
    _row(
        "no-function",
        "A function that is not in the module",
        "sample",
        "a function change in...got no such name",
        preprocess("def other(): pass\n"),
    ),
    _row(
        "import-error",
        "A module that imports what is not installed",
        "sample",
        "all that users imports, got no module named not_installed",
        preprocess("import not_installed\n" + PREPROCESS + "return features, label\n"),
    ),
    _row(
        "import-raises",
        "A module that raises as it is imported",
        "sample",
        "a module users that can be imported, got RuntimeError: boom",
        preprocess("raise RuntimeError('boom')\n"),
    ),
    _row(
        "raises",
        "A preprocess that raises",
        "sample",
        "preprocess: expected a pair (features, label), got ValueError: boom for sample",
        body("raise ValueError('boom')"),
    ),
    _row(
        "none",
        "A preprocess that returns nothing",
        "sample",
        "a pair (features, label) for one sample, got NoneType",
        body("return None"),
    ),
    _row(
        "float64",
        "A preprocess that changes the type",
        "sample",
        "to be type float32, got float64",
        body("return {name: value.astype('float64') for name, value in features.items()}, label"),
    ),
    _row(
        "nan",
        "A preprocess that divides by zero",
        "sample",
        "finite numbers, got NaN or infinity",
        preprocess(
            "import numpy\n" + PREPROCESS + "return {k: numpy.float32('nan') * v for k, v in features.items()}, label\n"
        ),
    ),
    _row(
        "label",
        "A preprocess that makes a label into text",
        "evaluate",
        "an integer label, got 'cat' for sample",
        body("return features, 'cat'"),
    ),
    _row(
        "label-range",
        "A preprocess that shifts the labels",
        "evaluate",
        "labels from 0 to 3, got 10",
        body("return features, label + 100"),
    ),
    _row(
        "hangs",
        "An endless loop in preprocess",
        "sample",
        "no result after 6 s",
        body("while True: pass"),
        ending="timeout",
        environment={"LITEGATE_TIME_LIMIT": "6"},
    ),
    _row(
        "allocates",
        "A preprocess that takes more memory than it may",
        "sample",
        "MemoryError",
        body("return [bytes(1 << 28) for _ in range(100)]"),
        ending="out_of_memory",
        environment={"LITEGATE_MEMORY_LIMIT": "3G"},
    ),
    _row(
        "exits",
        "A preprocess that ends the process as if all were well",
        "sample",
        "exit code 0 without a result",
        body("__import__('os')._exit(0)"),
        ending="no_result",
    ),
    _row(
        "segfaults",
        "A preprocess that reads at address 0",
        "sample",
        "SIGSEGV",
        body("__import__('ctypes').string_at(0)"),
        ending="segfault",
    ),
    _row("aborts", "A preprocess that aborts", "sample", "SIGABRT", body("__import__('os').abort()"), ending="abort"),
    _row(
        "secrets",
        "A preprocess that writes outside its folder",
        "sample",
        "No such file or directory: '/var/tmp/litegate-evil'",
        body("open('/var/tmp/litegate-evil', 'w')"),
    ),
    _row(
        "label-dependent",
        "A preprocess that tells the model the label",
        "lint",
        "an evaluation that means something...label_dependent",
        body("return {'image': features['image'] * 0 + label}, label"),
    ),
    _row(
        "metric-constant",
        "A metric that gives every sample the same value",
        "lint",
        "an evaluation that means something...constant_metric",
        metric(METRIC.format("np.ones(len(labels))")),
    ),
    _row(
        "metric-raises",
        "A metric that cannot be made",
        "resolve",
        "evaluation.metric: expected...got",
        metric(METRIC + "    def __init__(self): raise ValueError('boom')\n"),
    ),
    _row(
        "metric-no-range",
        "A metric without a range",
        "resolve",
        "evaluation.metric: expected...range",
        metric(METRIC.replace("range =", "span =")),
    ),
    _row(
        "metric-shape",
        "A metric with one number for all samples",
        "evaluate",
        "evaluation.metric: expected...got",
        metric(METRIC.format("np.zeros(1)")),
    ),
    _row(
        "metric-range",
        "A metric outside its own range",
        "evaluate",
        "evaluation.metric: expected...got",
        metric(METRIC.format("np.full(len(labels), 7.0)")),
    ),
    _row(
        "metric-nan",
        "A metric that is not a number",
        "evaluate",
        "evaluation.metric: expected...got",
        metric(METRIC.format("np.full(len(labels), np.nan)")),
    ),
)
