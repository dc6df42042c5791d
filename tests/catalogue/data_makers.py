"""How datasets are made, damaged and named in a spec."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.catalogue.row import Make, Place, Row

Arrays = dict[str, np.ndarray]


def keys_of(role: str, path: Path, form: str, **more: Any) -> Mapping[str, Any]:
    section = {"uri": str(path), "format": form} | more
    return {role: section | ({"samples": 100} if role == "calibration" else {})}


def data_row(name: str, wrong: str, says: str, make: Make, stage: str = "evaluate", **more: Any) -> Row:
    return Row(f"data-{name}", wrong, stage, says, make, **more)


def changed(change: Callable[[Arrays], Any], role: str = "evaluation") -> Make:
    """The sound arrays of a role with something done to them; what the change returns replaces them."""

    def make(place: Place) -> Mapping[str, Any]:
        with np.load(place.models / ("test.npz" if role == "evaluation" else "calibration.npz")) as archive:
            arrays = {name: archive[name].copy() for name in archive.files}
        arrays = change(arrays) or arrays
        np.savez(place.folder / "changed.npz", **arrays)
        return keys_of(role, place.folder / "changed.npz", "npz")

    return make


def calibration(change: Callable[[Arrays], Any]) -> Make:
    return changed(change, "calibration")


def content(form: str, name: str, write: Callable[[Path, Place], object], role: str = "evaluation") -> Make:
    """A file of any format, written by `write`."""

    def make(place: Place) -> Mapping[str, Any]:
        write(place.folder / name, place)
        return keys_of(role, place.folder / name, form)

    return make


def put(arrays: Arrays, name: str, at: tuple[int, ...], value: float) -> None:
    arrays[name][at] = value


def with_changed(**made: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name]) for name, change in made.items()}


def bomb(path: Path, place: Place) -> None:
    """5 MB, of which the image array becomes 1.2 GB."""
    header = io.BytesIO()
    shape = (72 << 16, 8, 8, 1)
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("image.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        for _ in range(72):
            member.write(bytes(1 << 24))


def declares(path: Path, place: Place) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        header = io.BytesIO()
        shape = (100_000_000, 8, 8, 1)
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
        archive.writestr("image.npy", header.getvalue() + bytes(1024))


def cut(path: Path, place: Place) -> None:
    path.write_bytes((place.models / "test.npz").read_bytes()[:20_000])


def flipped(path: Path, place: Place) -> None:
    data = bytearray((place.models / "test.npz").read_bytes())
    data[20_000] ^= 0x40
    path.write_bytes(data)


def tar(name: str, data: bytes = b"x", **header: Any) -> Callable[[Path, Place], None]:
    """A tar of images with one member more, which is not what it should be."""

    def write(path: Path, place: Place) -> None:
        with tarfile.open(path, "w") as archive:
            for label in range(4):
                _add(archive, f"class{label}/0.png", png())
            member = tarfile.TarInfo(name)
            member.size = len(data) if not header else 0
            for key, value in header.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))

    return write


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def png(size: tuple[int, int] = (8, 8)) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", size).save(stream, "PNG")
    return stream.getvalue()


def huge_png() -> bytes:
    """A PNG whose header says 40,000 x 40,000."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def images(files: Callable[[], dict[str, bytes]]) -> Make:
    """A folder of image files."""

    def make(place: Place) -> Mapping[str, Any]:
        for name, data in files().items():
            path = place.folder / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return keys_of("evaluation", place.folder / "images", "images")

    return make


def class_folders(data: bytes, count: int = 4) -> dict[str, bytes]:
    return {f"class{label}/0.png": data for label in range(count)}


def tfrecord_file(*payloads: bytes) -> Callable[[Path, Place], None]:
    def write(path: Path, place: Place) -> None:
        path.write_bytes(b"".join(struct.pack("<QI", len(each), 1) + each + struct.pack("<I", 1) for each in payloads))

    return write


def text_file(text: str) -> Callable[[Path, Place], None]:
    return lambda path, place: path.write_text(text)


def unnamed_pair(place: Place) -> Mapping[str, Any]:
    path = place.folder / "positional.npz"
    np.savez(path, *(np.zeros((20, 4), np.float32) for _ in range(2)))
    model = {"model": {"name": "test", "uri": str(place.models / "two_inputs.keras")}}
    return model | dict(keys_of("calibration", path, "npz"))


def near_copies(place: Place) -> Mapping[str, Any]:
    with np.load(place.models / "calibration.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(place.folder / "near.npz", **(arrays | {"image": arrays["image"] + np.float32(1e-6)}))
    return keys_of("evaluation", place.folder / "near.npz", "npz")
