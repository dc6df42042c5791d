"""Image datasets: `<class>/<file>` in a folder, below an S3 prefix, or in one tar archive.

Labels are the positions of the class names in their order (`litegate.datasets.class_names`). Images are decoded by
Pillow to float32 values in 0..255 of shape (height, width, channels); scaling and resizing belong to the user's
`preprocess`.
Archives are read member by member and never unpacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import splitext
from typing import Any

import numpy as np

from litegate.datasets.archives import TarIndex, index_tar, open_stream
from litegate.datasets.class_names import class_order
from litegate.datasets.groups import groups_of_paths, slices_of_paths
from litegate.datasets.pictures import decode_image
from litegate.errors import DataError

__all__ = ["ImageDataset"]

Array = np.ndarray[Any, np.dtype[Any]]
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
_FETCHES = 8
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


@dataclass(frozen=True)
class ImageDataset:
    """An indexed set of images; see `litegate.datasets.Dataset`.

    `files` says where each image lies: what fetches its file, or its number in `members` of `archive`.
    """

    where: str
    input_name: str
    channels: int
    archive: Path | None
    members: TarIndex | None
    files: tuple[Any, ...]
    ids: Sequence[str]
    labels: Array | None
    classes: tuple[str, ...]
    groups: Array | None = None
    slices: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        files: Mapping[str, Callable[[], Path]],
        where: str,
        input_name: str,
        channels: int,
        group: str | None = None,
        order: Sequence[str] = (),
        slices: Sequence[str] = (),
    ) -> ImageDataset:
        """Index the images by name; only those that are read are fetched.

        Args:
            files: by name, what fetches the file.
            where: the spec key and the URI, for messages.
            input_name: the model's input that takes the images.
            channels: 1 or 3, as the model takes them.
            group: a regular expression that finds in each path what belongs together, if there is one.
            order: the classes as the spec names them; empty if it does not.

        Raises:
            DataError: there are no images in class folders, their order is not clear, the archive is damaged, or a path
                names no group.
        """
        archive = next(iter(files.values()))() if len(files) == 1 and next(iter(files)).endswith(_ARCHIVES) else None
        members = index_tar(archive, where) if archive else None
        found: Mapping[str, Any] = {name: at for at, name in enumerate(members.names)} if members else files
        images = {name: place for name, place in sorted(found.items()) if _is_image(name)}
        if not images:
            raise DataError(where, "images as <class>/<file>, in a folder or a tar", f"{len(found)} other files")
        names = [_class_of(name, where) for name in images]
        classes = class_order(names, order, where)
        position = {name: index for index, name in enumerate(classes)}
        labels = np.array([position[name] for name in names], np.int64)
        groups = None if group is None else groups_of_paths(images, group, where)
        places = tuple(images.values())
        found = slices_of_paths(list(images), slices, where)
        return cls(where, input_name, channels, archive, members, places, list(images), labels, classes, groups, found)

    @property
    def labelled(self) -> bool:
        """The class folders are the labels."""
        return self.labels is not None

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | None]]:
        """Samples in the order in which they lie on the disk; files are fetched ahead, several at a time."""
        contents = self._from_files(indices) if self.archive is None else self._from_archive(indices)
        for index, data in contents:
            label = None if self.labels is None else int(self.labels[index])
            yield index, {self.input_name: self._decode(data, index)}, label

    def in_reading_order(self, indices: Array) -> Array:
        """As `read` gives them."""
        if self.archive is None or self.members is None:
            return indices
        places = np.array([self.files[index] for index in indices.tolist()], np.int64)
        return indices[np.argsort(np.asarray(self.members.offsets)[places], kind="stable")]

    def _from_files(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, bytes]]:
        indices = [int(index) for index in indices]
        pool = ThreadPoolExecutor(_FETCHES)
        try:
            for index, path in zip(indices, pool.map(lambda index: self.files[index](), indices), strict=True):
                yield index, path.read_bytes()
        finally:
            pool.shutdown(cancel_futures=True)

    def _from_archive(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, bytes]]:
        assert self.archive is not None
        assert self.members is not None
        offsets, sizes = self.members.offsets, self.members.sizes
        with open_stream(self.archive) as stream:
            for index in sorted(map(int, indices), key=lambda index: offsets[self.files[index]]):
                stream.seek(int(offsets[self.files[index]]))
                yield index, stream.read(int(sizes[self.files[index]]))

    def _decode(self, data: bytes, index: int) -> Array:
        return decode_image(data, self.channels, f"{self.where}: {self.ids[index]}")


def _is_image(name: str) -> bool:
    parts = _parts(name)
    hidden = any(part.startswith(".") and part != ".." for part in parts)
    return not hidden and splitext(parts[-1])[1].lower() in _SUFFIXES


def _class_of(name: str, where: str) -> str:
    parts = _parts(name)
    if len(parts) < 2 or parts[-2] == "..":
        raise DataError(f"{where}: {name}", "a class folder above each image (<class>/<file>)", "none")
    return parts[-2]


def _parts(name: str) -> list[str]:
    """Those of a path, at least one; a `Path` takes ten times as long."""
    return [part for part in name.split("/") if part not in ("", ".")] or [""]
