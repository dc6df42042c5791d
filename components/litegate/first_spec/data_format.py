"""The format of a dataset by the names of its files; a tar is looked into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from litegate.datasets.archives import index_tar
from litegate.errors import DataError
from litegate.storage.manifests import Entry
from litegate.storage.user_objects import fetch, listed

__all__ = ["data_format"]

_SUFFIXES = MappingProxyType(
    {".npz": "npz", ".npy": "npy", ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv"}
    | {".tfrecord": "tfrecord", ".tfrecords": "tfrecord", ".tfrec": "tfrecord", ".tar": "tar"}
    | dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"), "images")
)
_LOOKED_AT = 1000
_EXPECTED = "data that litegate reads (npz, npy, csv, parquet, tfrecord, tars or folders of images)"


def data_format(uri: str, where: str, cache: Path) -> str:
    """The format that a spec would name.

    Args:
        uri: a file, a folder, a prefix or a glob.
        where: names it in messages.
        cache: where a tar on S3 is fetched to, for its members tell more than its name.

    Raises:
        DataError: there is nothing, or nothing that is known.
    """
    found = [each.entry for each in islice(listed(uri, where), _LOOKED_AT)]
    if not found:
        raise DataError(f"{where} {uri}", "a file or folder with data", "nothing")
    counts = Counter(filter(None, (_by_name(each.name) for each in found)))
    if not counts:
        names = ", ".join(each.name for each in found[:3])
        raise DataError(f"{where} {uri}", f"{_EXPECTED}, or --format", names)
    ((form, _),) = counts.most_common(1)
    return _tar_format(found, cache, where) if form == "tar" else form


def _by_name(name: str) -> str | None:
    """By the first suffix that is known: `part.tfrecord-00001-of-00008` has its own after it."""
    for suffix in PurePosixPath(name.lower()).suffixes:
        known = _SUFFIXES.get(suffix) or _SUFFIXES.get(suffix.partition("-")[0])
        if known:
            return known
    return None


def _tar_format(found: Sequence[Entry], cache: Path, where: str) -> str:
    """Images in folders of their classes, or the files of WebDataset's samples."""
    first = next(each for each in found if _by_name(each.name) == "tar")
    paths = [PurePosixPath(name) for name in index_tar(fetch(first, cache, where), f"{where} {first.uri}").names]
    samples = Counter((path.parent, path.name.partition(".")[0]) for path in paths)
    in_classes = all(len(path.parts) > 1 and _by_name(path.name) == "images" for path in paths)
    return "images" if in_classes and max(samples.values(), default=0) == 1 else "webdataset"
