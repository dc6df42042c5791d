"""Data sets that are damaged, hostile, do not fit the model, or would spoil calibration."""

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


def _section(role: str, path: Path, form: str, **more: Any) -> Mapping[str, Any]:
    section = {"uri": str(path), "format": form} | more
    return {role: section | ({"samples": 100} if role == "calibration" else {})}


def changed(change: Callable[[Arrays], Any], role: str = "evaluation") -> Make:
    """The sound arrays of a role with something done to them; what the change returns replaces them."""

    def make(place: Place) -> Mapping[str, Any]:
        with np.load(place.models / ("test.npz" if role == "evaluation" else "calibration.npz")) as archive:
            arrays = {name: archive[name].copy() for name in archive.files}
        arrays = change(arrays) or arrays
        np.savez(place.folder / "changed.npz", **arrays)
        return _section(role, place.folder / "changed.npz", "npz")

    return make


def calibration(change: Callable[[Arrays], Any]) -> Make:
    return changed(change, "calibration")


def content(form: str, name: str, write: Callable[[Path, Place], object], role: str = "evaluation") -> Make:
    """A file of any format, written by `write`."""

    def make(place: Place) -> Mapping[str, Any]:
        write(place.folder / name, place)
        return _section(role, place.folder / name, form)

    return make


def _put(arrays: Arrays, name: str, at: tuple[int, ...], value: float) -> None:
    arrays[name][at] = value


def _with(**made: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name]) for name, change in made.items()}


def _bomb(path: Path, place: Place) -> None:
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


def _declares(path: Path, place: Place) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        header = io.BytesIO()
        shape = (100_000_000, 8, 8, 1)
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
        archive.writestr("image.npy", header.getvalue() + bytes(1024))


def _cut(path: Path, place: Place) -> None:
    path.write_bytes((place.models / "test.npz").read_bytes()[:20_000])


def _flipped(path: Path, place: Place) -> None:
    data = bytearray((place.models / "test.npz").read_bytes())
    data[20_000] ^= 0x40
    path.write_bytes(data)


def tar(name: str, data: bytes = b"x", **header: Any) -> Callable[[Path, Place], None]:
    """A tar of images with one member more, which is not what it should be."""

    def write(path: Path, place: Place) -> None:
        with tarfile.open(path, "w") as archive:
            for label in range(4):
                _add(archive, f"class{label}/0.png", _png())
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


def _png(size: tuple[int, int] = (8, 8)) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", size).save(stream, "PNG")
    return stream.getvalue()


def images(files: Callable[[], dict[str, bytes]]) -> Make:
    """A folder of image files."""

    def make(place: Place) -> Mapping[str, Any]:
        for name, data in files().items():
            path = place.folder / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return _section("evaluation", place.folder / "images", "images")

    return make


def _classes(data: bytes, count: int = 4) -> dict[str, bytes]:
    return {f"class{label}/0.png": data for label in range(count)}


def _tfrecord(*payloads: bytes) -> Callable[[Path, Place], None]:
    def write(path: Path, place: Place) -> None:
        path.write_bytes(b"".join(struct.pack("<QI", len(each), 1) + each + struct.pack("<I", 1) for each in payloads))

    return write


def _text(text: str) -> Callable[[Path, Place], None]:
    return lambda path, place: path.write_text(text)


def _row(name: str, wrong: str, says: str, make: Make, stage: str = "evaluate", **more: Any) -> Row:
    return Row(f"data-{name}", wrong, stage, says, make, **more)


SHAPES = (
    _row(
        "missing",
        "No data at the address",
        "evaluation.uri: expected an existing file, folder or S3 object, got nothing at",
        lambda p: _section("evaluation", p.folder / "none.npz", "npz"),
        "resolve",
    ),
    _row(
        "float64",
        "float64 in place of float32",
        "to be type float32, got float64",
        changed(_with(image=lambda v: v.astype(np.float64))),
    ),
    _row("uint8", "uint8 in place of float32", "got uint8", changed(_with(image=lambda v: v.astype(np.uint8)))),
    _row("shape", "Images of another size", "shape (batch, 8, 8, 1), got", changed(_with(image=lambda v: v[:, :7]))),
    _row(
        "channels-first",
        "Channels first",
        "shape (batch, 8, 8, 1), got",
        changed(_with(image=lambda v: v.transpose(0, 3, 1, 2))),
    ),
    _row(
        "flat", "Flattened images", "shape (batch, 8, 8, 1), got", changed(_with(image=lambda v: v.reshape(len(v), 64)))
    ),
    _row(
        "name",
        "An array under another name",
        "image, got picture",
        changed(lambda a: {"picture": a["image"], "label": a["label"]}),
    ),
    _row(
        "extra",
        "An array more than the model has inputs",
        "got image, mask",
        changed(lambda a: a | {"mask": a["image"]}),
    ),
    _row(
        "lengths",
        "More images than labels",
        "the same number of samples in every array",
        changed(_with(label=lambda v: v[:5])),
    ),
    _row(
        "empty",
        "No samples",
        "at least one sample, got none",
        changed(lambda a: {name: value[:0] for name, value in a.items()}),
    ),
    _row(
        "only-labels",
        "Labels without samples",
        "one array per input of the model, got no array besides the labels",
        changed(lambda a: {"label": a["label"]}),
    ),
    _row(
        "unlabelled",
        "No labels to evaluate with",
        "labels, which top1 needs, got none",
        changed(lambda a: {"image": a["image"]}),
    ),
    _row(
        "label-large",
        "A label beyond the model's classes",
        "labels from 0 to 3, got 4",
        changed(_with(label=lambda v: v + 1)),
    ),
    _row("label-negative", "A negative label", "labels from 0 to 3, got -1", changed(_with(label=lambda v: v - 1))),
    _row(
        "label-float",
        "Numbers in place of classes",
        "integers of shape (samples,) as labels for top1, got targets",
        changed(_with(label=lambda v: v.astype(np.float32))),
    ),
    _row(
        "label-text",
        "Words in place of classes",
        "array 'label': expected numbers",
        changed(_with(label=lambda v: v.astype(str))),
    ),
    _row(
        "label-one-hot",
        "One-hot labels",
        "integers of shape (samples,) as labels for top1, got targets",
        changed(_with(label=lambda v: np.eye(4)[v])),
    ),
    _row(
        "nan",
        "NaN in a sample",
        "finite numbers, got NaN or infinity in sample 3",
        changed(lambda a: _put(a, "image", (3, 0, 0, 0), np.nan)),
    ),
    _row(
        "infinity",
        "Infinity in a sample",
        "finite numbers, got NaN or infinity in sample 5",
        changed(lambda a: _put(a, "image", (5, 0, 0, 0), np.inf)),
    ),
)
FILES = (
    _row(
        "objects",
        "Python objects in an array, which only unpickling could read",
        "Python objects, which are never unpickled",
        changed(_with(image=lambda v: np.array([{"a": 1}] * len(v), object))),
    ),
    _row(
        "objects-label",
        "Python objects as labels",
        "Python objects, which are never unpickled",
        changed(_with(label=lambda v: v.astype(object))),
    ),
    _row("npz-cut", "A .npz that is cut off", "a whole .npz file, got BadZipFile", content("npz", "cut.npz", _cut)),
    _row(
        "npz-bit", "One wrong bit in a .npz", "a whole .npz file, got BadZipFile", content("npz", "bit.npz", _flipped)
    ),
    _row(
        "npz-text", "Text called .npz", "a whole .npz file, got BadZipFile", content("npz", "text.npz", _text("hello"))
    ),
    _row(
        "npz-bomb",
        "A .npz that unpacks to a thousand times its size",
        "an archive that unpacks to at most",
        content("npz", "bomb.npz", _bomb),
    ),
    _row(
        "npz-declares",
        "An array that declares 25 GB and has 1 kB",
        "25,600,000,000 bytes, as its header says, got 1,024 bytes",
        content("npz", "declares.npz", _declares),
    ),
    _row(
        "npz-many",
        "A folder for a format of one file",
        "one .npz file, got",
        lambda p: _section("evaluation", p.models / "keras3_saved_model", "npz"),
    ),
    _row(
        "tar-up",
        "A tar whose member leads out of it",
        "names inside the archive, got a path that leads out of it",
        content("images", "a.tar", tar("../../evil.png")),
    ),
    _row(
        "tar-absolute",
        "A tar with an absolute name",
        "names inside the archive, got a path that leads out of it",
        content("images", "a.tar", tar("/tmp/evil.png")),
    ),
    _row(
        "tar-link",
        "A tar with a symbolic link",
        "regular files and folders in a tar, got a link",
        content("images", "a.tar", tar("class0/1.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    ),
    _row(
        "tar-device",
        "A tar with a device",
        "regular files and folders in a tar, got a device, pipe or sparse file",
        content("images", "a.tar", tar("class0/1.png", type=tarfile.CHRTYPE)),
    ),
    _row(
        "tar-cut",
        "A tar that is cut off",
        "a whole tar archive, got",
        content(
            "images",
            "a.tar",
            lambda path, place: (
                tar("class0/1.png", bytes(9000))(path, place) or path.write_bytes(path.read_bytes()[:6000])
            ),
        ),
    ),
    _row(
        "no-images",
        "A folder without images",
        "images as <class>/<file>",
        images(lambda: {"class0/notes.txt": b"none"}),
    ),
    _row(
        "no-classes",
        "Images without class folders",
        "a class folder above each image",
        images(lambda: {"0.png": _png()}),
    ),
    _row(
        "classes",
        "Fewer class folders than the model has classes",
        "4 class folders, as many as the model has classes, got 3",
        images(lambda: _classes(_png(), 3)),
    ),
    _row(
        "image-damaged",
        "An image that cannot be decoded",
        "a readable image, got",
        images(lambda: _classes(_png()[:45])),
    ),
    _row(
        "image-size",
        "Images of another size than the model takes",
        "shape (batch, 8, 8, 1), got",
        images(lambda: _classes(_png((9, 9)))),
    ),
    _row(
        "image-bomb",
        "A small file that declares a billion pixels",
        "a readable image, got Image size (1600000000 pixels) exceeds limit",
        images(lambda: _classes(_huge())),
    ),
    _row(
        "tfrecord",
        "A TFRecord with a wrong checksum",
        "a TFRecord file, got a wrong checksum of its length",
        content("tfrecord", "a.tfrecord", _tfrecord(b"hello")),
    ),
    _row(
        "tfrecord-cut",
        "A TFRecord that is cut off",
        "a whole record, got a file that is cut off",
        content("tfrecord", "a.tfrecord", lambda path, place: path.write_bytes(b"\1\2\3")),
    ),
    _row(
        "parquet", "Text called .parquet", "a whole Parquet file, got", content("parquet", "a.parquet", _text("hello"))
    ),
    _row(
        "csv-columns",
        "A line of a CSV with a column less",
        "2 columns, as in the header, got 1",
        content("csv", "a.csv", _text("x,label\n1,0\n1\n")),
    ),
    _row(
        "csv-header",
        "A CSV with the same column twice",
        "a header with a name for each column",
        content("csv", "a.csv", _text("x,x\n1,0\n")),
    ),
)
CALIBRATION = (
    _row(
        "calibration-nan",
        "NaN in a calibration sample, which the converter ignores",
        "finite numbers, got NaN or infinity",
        calibration(lambda a: _put(a, "image", (slice(None), 0, 0, 0), np.nan)),
        "sample",
    ),
    _row(
        "calibration-infinity",
        "Infinity in a calibration sample, which kills the converter",
        "finite numbers, got NaN or infinity",
        calibration(lambda a: _put(a, "image", (slice(None), 0, 0, 0), -np.inf)),
        "sample",
    ),
    _row(
        "calibration-scale",
        "Calibration without the scaling of the evaluation data",
        "sane calibration data...scale",
        calibration(_with(image=lambda v: v * 255)),
        "lint",
    ),
    _row(
        "calibration-zeros",
        "Calibration samples of nothing but zeros",
        "sane calibration data...constant...every value of every sample is 0",
        calibration(_with(image=np.zeros_like)),
        "lint",
    ),
    _row(
        "calibration-outlier",
        "A pixel of 1e5 among the calibration samples",
        "sane calibration data...outliers",
        calibration(lambda a: _put(a, "image", (slice(None, None, 40), 0, 0, 0), 1e5)),
        "lint",
    ),
    _row(
        "calibration-shift",
        "Calibration samples that are shifted",
        "sane calibration data",
        calibration(_with(image=lambda v: v - 10)),
        "lint",
    ),
    _row(
        "calibration-few",
        "Two calibration samples",
        "sane calibration data...too_few",
        calibration(lambda a: {name: value[:2] for name, value in a.items()}),
        "lint",
    ),
    _row(
        "calibration-leak",
        "Calibration samples out of the evaluation set",
        "sane calibration data...leakage",
        lambda p: _section("calibration", p.models / "test.npz", "npz"),
        "lint",
    ),
    _row(
        "calibration-swap",
        "Two unnamed inputs of one shape, which could be swapped",
        "could be swapped",
        lambda p: _pair(p),
        "sample",
    ),
)


def _huge() -> bytes:
    """A PNG whose header says 40,000 x 40,000."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _pair(place: Place) -> Mapping[str, Any]:
    path = place.folder / "positional.npz"
    np.savez(path, *(np.zeros((20, 4), np.float32) for _ in range(2)))
    model = {"model": {"name": "test", "uri": str(place.models / "two_inputs.keras")}}
    return model | dict(_section("calibration", path, "npz"))


DATA = (*SHAPES, *FILES, *CALIBRATION)
