"""Files saved under a policy of half precision."""

from __future__ import annotations

import copy
from typing import Any

from litegate.source.precision import to_float32

POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
CONFIG: Any = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"class_name": "Conv2D", "config": {"name": "a", "dtype": POLICY}},
            {
                "class_name": "Dense",
                "config": {"dtype": {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}}},
            },
            {"class_name": "Activation", "config": {"name": "float16", "dtype": "float32"}},
            {"class_name": "InputLayer", "config": {"dtype": "float16"}},
        ]
    },
}


def test_half_precision_is_replaced_and_nothing_else() -> None:
    config = copy.deepcopy(CONFIG)
    assert to_float32(config) == ["float16", "mixed_bfloat16", "mixed_float16"]
    conv, dense, activation, given = config["config"]["layers"]
    assert conv["config"] == {"name": "a", "dtype": POLICY | {"config": {"name": "float32"}}}
    assert dense["config"]["dtype"]["config"]["name"] == "float32"
    assert activation["config"] == {"name": "float16", "dtype": "float32"}
    assert given["config"]["dtype"] == "float32"
    assert to_float32(config) == []
