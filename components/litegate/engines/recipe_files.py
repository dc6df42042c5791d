"""Recipes of LiteRT's quantizer as JSON files: a list of rules, of which a later one wins over those before it.

The form is that of `RecipeManager.get_quantization_recipe()` of litert-quantizer 0.11. What is checked here is what
can be told without the quantizer; what it makes of the rules, it says itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

from litegate.errors import BadInput

__all__ = ["Rules", "read_recipe"]

Rules = list[dict[str, Any]]

_LARGEST, _MOST = 1 << 20, 4096
_NEEDED = frozenset({"regex", "operation", "algorithm_key", "op_config"})
_FORM = "a list of rules with `regex`, `operation`, `algorithm_key` and `op_config`, as litert-quantizer writes it"


def read_recipe(content: bytes, where: str) -> Rules:
    """The rules of a recipe.

    Args:
        content: of the file.
        where: names it in messages.

    Raises:
        BadInput: it is no recipe.
    """
    if len(content) > _LARGEST:
        raise BadInput(where, f"a recipe of at most {_LARGEST:,} bytes", f"{len(content):,} bytes")
    try:
        rules = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(where, f"{_FORM}, in JSON", f"no JSON: {error}") from None
    if not isinstance(rules, list) or not 0 < len(rules) <= _MOST:
        raise BadInput(where, _FORM, f"{len(rules)} rules" if isinstance(rules, list) else type(rules).__name__)
    for number, rule in enumerate(rules):
        _check(rule, f"{where}: rule {number}")
    return rules


def _check(rule: object, where: str) -> None:
    if not isinstance(rule, dict) or set(rule) != _NEEDED:
        found = ", ".join(map(str, rule)) if isinstance(rule, dict) else type(rule).__name__
        raise BadInput(where, f"the keys {', '.join(sorted(_NEEDED))}", found or "none")
    try:
        re.compile(rule["regex"])
    except (re.error, TypeError) as error:
        raise BadInput(f"{where}: regex", "a regular expression", f"{rule['regex']!r}: {error}") from None
