"""Writes the same samples in every format, as its own tools would."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from litegate.datasets.tfrecord import _example_class

Array = np.ndarray[Any, np.dtype[Any]]
Fields = Mapping[str, Any]


def files_of(*paths: Path) -> dict[str, Callable[[], Path]]:
    return {path.name: partial(Path, path) for path in paths}


def example(fields: Fields) -> bytes:
    """A serialized tf.Example: bytes, floats or integers by name."""
    message = _example_class()()
    for name, value in fields.items():
        feature = message.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif np.asarray(value).dtype.kind == "f":
            feature.float_list.value.extend(np.ravel(value).tolist())
        else:
            feature.int64_list.value.extend(np.ravel(value).tolist())
    return message.SerializeToString()


def tfrecord(path: Path, payloads: Sequence[bytes]) -> Path:
    def masked(data: bytes) -> bytes:
        crc = google_crc32c.value(data)
        return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

    with path.open("wb") as file:
        for data in payloads:
            length = struct.pack("<Q", len(data))
            file.write(length + masked(length) + data + masked(data))
    return path


def npy(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


def tar(path: Path, members: Sequence[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def write(form: str, path: Path, x: Array, label: Array, **more: Sequence[Any]) -> Path:
    """Samples of one input `x` with labels and `more` fields of text or integers, in any of the formats of records."""
    others = [dict(zip(more, values, strict=True)) for values in zip(*more.values(), strict=True)] or [{}] * len(x)
    if form == "tfrecord":
        texts = [
            {name: value.encode() if isinstance(value, str) else value for name, value in each.items()}
            for each in others
        ]
        records = zip(x, label, texts, strict=True)
        return tfrecord(path, [example({"x": one, "label": each, **text}) for one, each, text in records])
    if form == "parquet":
        columns = {"x": [one.ravel() for one in x], "label": list(label), **more}
        pq.write_table(pa.table(columns), path, row_group_size=7, write_page_checksum=True)
        return path
    if form == "webdataset":
        pairs = enumerate(zip(x, label, others, strict=True))
        suffix = "cls" if label.dtype.kind in "iu" else "label.npy"
        content = [
            (f"{index:05}.{name}", data)
            for index, (one, each, other) in pairs
            for name, data in (
                ("x.npy", npy(one)),
                (suffix, str(each).encode() if suffix == "cls" else npy(each)),
                *([("json", json.dumps(other).encode())] if other else ()),
            )
        ]
        return tar(path, content)
    header = ",".join([*(f"f{at}" for at in range(x[0].size)), "label", *more])
    records = zip(x, label, others, strict=True)
    rows = [",".join(map(str, [*one.ravel().tolist(), each, *other.values()])) for one, each, other in records]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path
