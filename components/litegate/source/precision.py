"""Keras files saved under a policy of half precision, as float32: LiteRT's converter has no operators for the others.

Under `mixed_float16` and `mixed_bfloat16` layers keep their weights in float32 and compute in 16 bits, so that the
weights are as saved. Those of a model that is float16 altogether are exact in float32.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

__all__ = ["half_policies", "in_float32"]

_HALF = frozenset({"float16", "bfloat16", "mixed_float16", "mixed_bfloat16"})
_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})


def half_policies(config: Any) -> list[str]:
    """The policies of half precision in an architecture, sorted."""
    return sorted({found for _, _, found in _places(config)})


def in_float32(path: Path, copy: Path) -> list[str]:
    """Copy a Keras file, with float32 in the place of every policy of half precision.

    Returns:
        The policies that were replaced. Where there are none, nothing is written.
    """
    return _archive(path, copy) if zipfile.is_zipfile(path) else _hdf5(path, copy)


def _archive(path: Path, copy: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        replaced = _replace(config)
        if replaced:
            with zipfile.ZipFile(copy, "w") as changed:
                for member in archive.infolist():
                    data = json.dumps(config) if member.filename == "config.json" else archive.read(member)
                    changed.writestr(member.filename, data)
    return replaced


def _hdf5(path: Path, copy: Path) -> list[str]:
    with h5py.File(path, "r") as file:
        config = json.loads(file.attrs["model_config"])
    replaced = _replace(config)
    if replaced:
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
    return replaced


def _replace(config: Any) -> list[str]:
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
