"""How source models are made, damaged and named in a spec."""

from __future__ import annotations

import json
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.catalogue.row import Make, Place, Row


def named(path: Path) -> dict[str, Any]:
    return {"model": {"name": "test", "uri": str(path)}}


def model_row(name: str, wrong: str, stage: str, says: str, make: Make, **more: Any) -> Row:
    return Row(f"model-{name}", wrong, stage, says, make, **more)


def sound(name: str) -> Make:
    return lambda place: named(place.models / name)


def hostile(name: str) -> Make:
    return lambda place: named(place.hostile / name)


def file(name: str, content: bytes | Callable[[Place], bytes]) -> Make:
    def make(place: Place) -> Mapping[str, Any]:
        path = place.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content(place))
        return named(path)

    return make


def damaged(change: Callable[[Path], object], source: str = "keras3_saved_model") -> Make:
    """A SavedModel with something done to its folder."""

    def make(place: Place) -> Mapping[str, Any]:
        copy = place.folder / "saved"
        shutil.copytree(place.models / source, copy)
        change(copy)
        return named(copy)

    return make


def members(change: Callable[[dict[str, bytes]], object], links: tuple[str, ...] = ()) -> Make:
    """A `.keras` archive with something done to its members."""

    def make(place: Place) -> Mapping[str, Any]:
        with zipfile.ZipFile(place.hostile / "plain.keras") as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        change(found)
        path = place.folder / "changed.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in found.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if name in links:
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, data)
        return named(path)

    return make


def config(change: Callable[[dict[str, Any]], object]) -> Make:
    """A `.keras` archive with another layer than it was saved with."""

    def edit(found: dict[str, bytes]) -> None:
        architecture = json.loads(found["config.json"])
        change(architecture["config"]["layers"][1])
        found["config.json"] = json.dumps(architecture).encode()

    return members(edit)


def packed_as_tar(place: Place) -> bytes:
    path = place.folder / "made.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(place.models / "keras3_saved_model", "model")
    return path.read_bytes()


def packed_as_zip(place: Place) -> bytes:
    return Path(
        shutil.make_archive(str(place.folder / "made"), "zip", place.models / "keras3_saved_model")
    ).read_bytes()


def cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def many_files(folder: Path) -> None:
    (folder / "assets").mkdir(exist_ok=True)
    for number in range(2001):
        (folder / "assets" / str(number)).touch()


def data_of(place: Place, name: str) -> dict[str, Any]:
    section = {"uri": str(place.models / name), "format": "npz"}
    return {"calibration": section | {"samples": 100}, "evaluation": section}
