"""Looking at a `.keras` or `.h5` file before Keras loads it."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import h5py

from litegate.errors import ModelError
from litegate.source.bounds import MAX_CONFIG_BYTES, check_bounds
from litegate.source.hdf5 import check_hdf5
from litegate.source.keras_config import check_config
from litegate.source.precision import to_float32

__all__ = ["check_keras_file", "in_float32", "keras_version"]

_WEIGHTS = "model.weights.h5"
_LARGEST_RATIO = 200
_SMALL = 1 << 20


def check_keras_file(path: Path, where: str) -> None:
    """Refuse a file that holds code, leads out of itself, or declares more than it has.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: with the member, layer or array that is refused, or because the file is damaged.
    """
    try:
        if zipfile.is_zipfile(path) or path.suffix == ".keras":
            _check_archive(path, where)
        else:
            with h5py.File(path, "r") as file:
                check_config(_config_of(file), check_hdf5(file, where), where)
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        found = f"an unreadable one ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        raise ModelError(where, "a whole Keras file with its architecture", found) from None


def keras_version(path: Path) -> str:
    """The version of the Keras that wrote a file that was checked."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    with h5py.File(path, "r") as file:
        version = file.attrs.get("keras_version", "2.0")
        return version.decode() if isinstance(version, bytes) else str(version)


def in_float32(path: Path, copy: Path) -> list[str]:
    """Copy a file that was checked, with float32 in the place of half precision: see `litegate.source.precision`.

    Returns:
        What was replaced. Where that is nothing, nothing is written.
    """
    return _archive_in_float32(path, copy) if path.suffix == ".keras" else _hdf5_in_float32(path, copy)


def _archive_in_float32(path: Path, copy: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        replaced = to_float32(config)
        if replaced:
            with zipfile.ZipFile(copy, "w") as changed:
                for name in archive.namelist():
                    changed.writestr(name, json.dumps(config) if name == "config.json" else archive.read(name))
    return replaced


def _hdf5_in_float32(path: Path, copy: Path) -> list[str]:
    with h5py.File(path, "r") as file:
        config = _config_of(file)
    replaced = to_float32(config)
    if replaced:
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
    return replaced


def _check_archive(path: Path, where: str) -> None:
    with zipfile.ZipFile(path) as archive:
        _check_members(archive.infolist(), where)
        config = json.loads(archive.read("config.json"))
        json.loads(archive.read("metadata.json"))["keras_version"]
        if _WEIGHTS not in archive.namelist():
            raise KeyError(f"There is no item named '{_WEIGHTS}' in the archive")
        with archive.open(_WEIGHTS) as weights, h5py.File(weights, "r") as file:
            elements = check_hdf5(file, where)
    check_config(config, elements, where)


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    check_bounds(len(members), sum(member.file_size for member in members), where)
    names = [member.filename for member in members]
    if "saved_model.pb" in {PurePosixPath(name).name for name in names}:
        raise ModelError(where, "a SavedModel as a folder", "one packed in a zip archive: unpack it")
    for member in members:
        name = PurePosixPath(member.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in member.filename:
            raise ModelError(where, "members inside the archive", f"the name {member.filename!r}")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ModelError(where, "regular files in the archive", f"the link {member.filename!r}")
        if names.count(member.filename) > 1:
            raise ModelError(where, "every member once", f"{member.filename!r} twice")
        if member.file_size > max(_SMALL, _LARGEST_RATIO * member.compress_size):
            found = f"{member.filename!r} of {member.file_size:,} bytes from {member.compress_size:,}"
            raise ModelError(where, f"a compression of at most {_LARGEST_RATIO} times", found)
        if member.filename == "config.json" and member.file_size > MAX_CONFIG_BYTES:
            raise ModelError(where, f"an architecture of at most {MAX_CONFIG_BYTES:,} bytes", f"{member.file_size:,}")


def _config_of(file: h5py.File) -> Any:
    if "model_config" not in file.attrs:
        raise ValueError("no model_config in it, so it may hold weights alone: save the whole model")
    return json.loads(file.attrs["model_config"])
