"""Keras files saved under a policy of half precision, as float32: LiteRT's converter has no operators for the others.

Under `mixed_float16` and `mixed_bfloat16` layers keep their weights in float32 and compute in 16 bits, so that the
weights are as saved. Those of a model that is float16 altogether are exact in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["to_float32"]

_HALF = frozenset({"float16", "bfloat16", "mixed_float16", "mixed_bfloat16"})
_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})


def to_float32(config: Any) -> list[str]:
    """Put float32 in the place of every policy and type of half precision in an architecture.

    Returns:
        What was replaced, sorted.
    """
    places = list(_places(config))
    for holder, key, _ in places:
        holder[key] = "float32"
    return sorted({found for _, _, found in places})


def _places(config: Any) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Where a policy or a type of half precision stands: its holder, the key in it, and what it is."""
    stack = [config]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            inner = item.get("config")
            if item.get("class_name") in _POLICIES and isinstance(inner, dict) and inner.get("name") in _HALF:
                yield inner, "name", inner["name"]
            if isinstance(item.get("dtype"), str) and item["dtype"] in _HALF:
                yield item, "dtype", item["dtype"]
            stack += item.values()
        elif isinstance(item, list):
            stack += item
