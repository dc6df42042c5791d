"""Recipes that are given as files: what is one, and what is said of what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litegate.engines.recipe_files import read_recipe
from litegate.errors import BadInput

RULE = {"regex": ".*", "operation": "*", "algorithm_key": "no_quantize", "op_config": {}}


def read(rules: Any) -> Any:
    return read_recipe(json.dumps(rules).encode(), "candidates.mine mine.json")


def test_a_list_of_rules_is_a_recipe() -> None:
    assert read([RULE, RULE]) == [RULE, RULE]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no json", "expected a list of rules .*, in JSON, got no JSON: Expecting value"),
        (b"\xff", "got no JSON: .*utf-8"),
        (b"[" * 100_000, "got no JSON"),
        (b"[]", "got 0 rules"),
        (b"{}", "got dict"),
        (json.dumps([RULE] * 5000).encode(), "got 5000 rules"),
        (b" " * (1 << 20) + b"[]", "expected a recipe of at most 1,048,576 bytes, got 1,048,578 bytes"),
        (b"[1]", "rule 0: expected the keys algorithm_key, op_config, operation, regex, got int"),
        (json.dumps([RULE, {"regex": "."}]).encode(), "rule 1: expected the keys .*, got regex"),
        (json.dumps([RULE | {"regex": "("}]).encode(), "rule 0: regex: expected a regular expression, got '\\('"),
        (json.dumps([RULE | {"regex": 7}]).encode(), "rule 0: regex: expected a regular expression, got 7"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_recipe_is_refused_with_the_place_in_it(content: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=rf"candidates.mine mine.json.*{says}"):
        read_recipe(content, "candidates.mine mine.json")
