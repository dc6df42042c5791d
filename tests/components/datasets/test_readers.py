"""The readers: what they index, that they stream, and what they refuse."""

from __future__ import annotations

import io
import shutil
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from litegate.datasets.archives import index_tar
from litegate.datasets.images import ImageDataset
from litegate.datasets.npz import NpzDataset
from litegate.errors import DataError
from tests.components.datasets.writers import npy


def npz(path: Path, compressed: bool = False, **arrays: np.ndarray) -> NpzDataset:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return NpzDataset.open({path.name: lambda: path}, "evaluation.uri")


@pytest.mark.parametrize("compressed", [False, True])
def test_an_npz_is_read_row_by_row_whatever_its_layout(tmp_path: Path, compressed: bool) -> None:
    rng = np.random.default_rng(1)
    arrays = {
        "a": rng.normal(size=(50, 3, 2)).astype(np.float32),
        "fortran": np.asfortranarray(rng.normal(size=(50, 4))),
        "numbers": np.arange(50, dtype=np.uint8),
        "label": np.arange(50) % 5,
    }
    dataset = npz(tmp_path / "x.npz", compressed, **arrays)
    assert len(dataset.ids) == 50
    assert dataset.labels is not None
    assert dataset.labels.tolist() == arrays["label"].tolist()
    read = list(dataset.read([49, 0, 17]))
    assert [(index, label) for index, _, label in read] == [(0, 0), (17, 2), (49, 4)]
    rows = {index: features for index, features, _ in read}
    for index, row in rows.items():
        for name in ("a", "fortran", "numbers"):
            np.testing.assert_array_equal(row[name], arrays[name][index])


@pytest.mark.parametrize("label", [np.zeros(400, int), np.zeros((400, 256, 128), np.uint8)], ids=["class", "mask"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, label: np.ndarray) -> None:
    dataset = npz(tmp_path / "big.npz", x=np.zeros((400, 256, 256), np.float32), label=label)
    tracemalloc.start()
    count = sum(1 for _ in dataset.read(range(400)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 400
    assert peak < 8 * 256 * 256 * 4, f"{peak} bytes for rows of {256 * 256 * 4}"


@dataclass(frozen=True)
class Labels:
    says: str
    given: np.ndarray
    classes: list[int] | None
    second: object


LABELS = [
    Labels("integers", np.array([3, 1], np.uint8), [3, 1], 1),
    Labels("truth values", np.array([True, False]), [1, 0], 0),
    Labels("numbers", np.array([0.5, 1.5]), None, 1.5),
    Labels("vectors", np.array([[1, 2], [3, 4]]), None, [3, 4]),
    Labels("masks in Fortran's order", np.asfortranarray([[[True], [False]], [[False], [True]]]), None, [[0], [1]]),
]


@pytest.mark.parametrize("row", LABELS, ids=lambda row: row.says)
def test_labels_are_classes_or_targets(tmp_path: Path, row: Labels) -> None:
    dataset = npz(tmp_path / "x.npz", x=np.zeros((2, 3), np.float32), label=row.given)
    assert dataset.labelled
    assert (None if dataset.labels is None else dataset.labels.tolist()) == row.classes
    ((_, features, label),) = dataset.read([1])
    assert list(features) == ["x"]
    assert isinstance(label, int) == (row.classes is not None)
    np.testing.assert_array_equal(label, row.second)


def test_an_npz_without_labels_has_none(tmp_path: Path) -> None:
    dataset = npz(tmp_path / "x.npz", x=np.zeros((2, 3), np.float32))
    assert (dataset.labels, dataset.labelled) == (None, False)
    assert [label for _, _, label in dataset.read([0, 1])] == [None, None]


@pytest.mark.parametrize("label", [np.array(["a", "b"]), np.array([1j, 2]), np.array(["2020-01-01"] * 2, "M8[D]")])
def test_labels_that_are_no_numbers_are_refused(tmp_path: Path, label: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"array 'label': expected numbers, integers of shape \(samples,\) for classes"):
        npz(tmp_path / "x.npz", x=np.zeros((2, 3), np.float32), label=label)


def test_an_npz_with_pickled_objects_is_refused_before_anything_is_unpickled(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="never unpickled"):
        npz(tmp_path / "x.npz", x=np.array([{"a": 1}, None], object))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "whole .npz file"), (b"PK\x03\x04 half a file", "whole .npz file"), (None, "a .npz file with arrays")],
)
def test_a_damaged_npz_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.npz"
    if content is None:
        shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path)
        (tmp_path / "x.zip").rename(path)
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        NpzDataset.open({"x.npz": lambda: path}, "calibration.uri")


def picture(value: int, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, (value, 0, 0) if mode == "RGB" else value).save(buffer, "PNG")
    return buffer.getvalue()


def image_folder(root: Path) -> dict[str, Callable[[], Path]]:
    for name, data in {
        "cat/1.png": picture(10),
        "cat/2.PNG": picture(20),
        "ant/1.png": picture(30, mode="L"),
        "ant/notes.txt": b"not an image",
        "ant/.hidden.png": b"not an image either",
        ".ipynb_checkpoints/1.png": picture(40),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return {path.relative_to(root).as_posix(): partial(Path, path) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ["", ".tar", ".tar.gz"])
def test_class_folders_become_labels_in_alphabetical_order(tmp_path: Path, ending: str) -> None:
    paths = image_folder(tmp_path / "images")
    if ending:
        form = {".tar": "tar", ".tar.gz": "gztar"}[ending]
        archive = shutil.make_archive(str(tmp_path / "images"), form, tmp_path / "images")
        paths = {f"images{ending}": partial(Path, archive)}
    dataset = ImageDataset.open(paths, "evaluation.uri", "image", 3)
    assert dataset.classes == ("ant", "cat")
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [0, 1, 1]
    read = list(dataset.read([0, 1, 2]))
    assert {index: label for index, _, label in read} == {0: 0, 1: 1, 2: 1}
    pixels = {index: features["image"] for index, features, _ in read}
    assert {index: value[0, 0].tolist() for index, value in pixels.items()} == {
        0: [30, 30, 30],
        1: [10, 0, 0],
        2: [20, 0, 0],
    }
    assert (pixels[0].shape, pixels[0].dtype) == ((4, 6, 3), np.float32)


def test_a_model_with_one_channel_gets_grey_images(tmp_path: Path) -> None:
    dataset = ImageDataset.open(image_folder(tmp_path), "evaluation.uri", "image", 1)
    ((_, features, _),) = dataset.read([0])
    assert features["image"].shape == (4, 6, 1)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("evil", "message"),
    [
        (member("cat/link.png", tarfile.SYMTYPE, "/etc/passwd"), "regular files and folders in a tar, got a link"),
        (member("cat/hard.png", tarfile.LNKTYPE, "cat/1.png"), "got a link"),
        (member("cat/pipe.png", tarfile.FIFOTYPE), "got a device, pipe"),
        (member("cat/device.png", tarfile.CHRTYPE), "got a device, pipe"),
        (member("../../cat/out.png"), "a path that leads out of it"),
        (member("/cat/out.png"), "a path that leads out of it"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_a_tar_with_links_devices_or_ways_out_is_refused(tmp_path: Path, evil: tarfile.TarInfo, message: str) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        good = member("cat/1.png")
        good.size = len(picture(1))
        archive.addfile(good, io.BytesIO(picture(1)))
        archive.addfile(evil, io.BytesIO(b""))
    with pytest.raises(DataError, match=message):
        ImageDataset.open({"evil.tar": lambda: path}, "calibration.uri", "image", 3)
    assert [item.name for item in tmp_path.iterdir()] == ["evil.tar"]


@pytest.mark.parametrize("cut", [700, 1024, 1800, 3072])
def test_a_tar_that_is_cut_off_anywhere_is_refused(tmp_path: Path, cut: int) -> None:
    image_folder(tmp_path / "images")
    path = Path(shutil.make_archive(str(tmp_path / "images"), "tar", tmp_path / "images"))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match="a whole tar archive"):
        ImageDataset.open({"images.tar": lambda: path}, "calibration.uri", "image", 3)


def test_the_index_of_a_tar_is_small(tmp_path: Path) -> None:
    path = tmp_path / "many.tar"
    with tarfile.open(path, "w") as archive:
        for index in range(5000):
            archive.addfile(member(f"cat/{index:05}.png"))
    tracemalloc.start()
    index_tar(path, "calibration.uri")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 5000 < 200


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litegate.datasets.archives._SMALL", 1 << 22)
    archive = zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("x.npy", "w", force_zip64=True) as file:
        for _ in range(11):
            file.write(bytes(1 << 20))
    with pytest.raises(DataError, match="zip bomb"):
        NpzDataset.open({"x.npz": lambda: tmp_path / "x.npz"}, "calibration.uri")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", npy(np.zeros((3, 2))))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", npy(np.ones((3, 2))))
    with pytest.raises(DataError, match="1 names that are there twice"):
        NpzDataset.open({"x.npz": lambda: tmp_path / "x.npz"}, "calibration.uri")


@pytest.mark.parametrize("side", [9000, 20_000])
def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, side: int) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "huge.png").write_bytes(picture(0, (side, side), "1"))
    place = partial(Path, tmp_path / "cat" / "huge.png")
    dataset = ImageDataset.open({"cat/huge.png": place}, "evaluation.uri", "image", 3)
    with pytest.raises(DataError, match=r"cat/huge\.png: expected (an image of at most|a readable image)"):
        list(dataset.read([0]))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": b"x"}, "images as <class>/<file>"),
        ({"a.png": b"x"}, "a class folder above each image"),
        ({"x.tar": b"x"}, "a whole tar archive"),
    ],
)
def test_what_is_no_image_folder_is_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        ImageDataset.open({name: partial(Path, tmp_path / name) for name in files}, "evaluation.uri", "image", 3)


@pytest.mark.parametrize("data", [b"", b"not a picture", picture(1)[:40]])
def test_a_damaged_image_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "broken.png").write_bytes(data)
    place = partial(Path, tmp_path / "cat" / "broken.png")
    dataset = ImageDataset.open({"cat/broken.png": place}, "evaluation.uri", "image", 3)
    with pytest.raises(DataError, match=r"cat/broken\.png: expected a readable image"):
        list(dataset.read([0]))


def test_only_the_images_that_are_read_are_fetched(tmp_path: Path) -> None:
    paths, fetched = image_folder(tmp_path), []

    def fetch(name: str) -> Path:
        fetched.append(name)
        return paths[name]()

    files = {name: partial(fetch, name) for name in paths}
    dataset = ImageDataset.open(files, "calibration.uri", "image", 3)
    assert [index for index, *_ in dataset.read([2, 0])] == [2, 0]
    assert sorted(fetched) == ["ant/1.png", "cat/2.PNG"]
