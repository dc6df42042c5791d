"""TFRecord files of tf.Example, read without TensorFlow.

The framing is length, masked CRC-32C of the length, data, masked CRC-32C of the data, little endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details); every checksum is verified.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, ClassVar

import google_crc32c
import numpy as np

from litegate.datasets.archives import MAX_MEMBER_BYTES
from litegate.datasets.fields import Raw
from litegate.datasets.groups import GroupIndex
from litegate.datasets.shards import LabelIndex, RecordIndex
from litegate.errors import DataError

__all__ = ["TFRecordShard", "fields_of", "read_records"]

Array = np.ndarray[Any, np.dtype[Any]]
_HEAD, _FOOT = struct.Struct("<QI"), struct.Struct("<I")
_MASK = 0xA282EAD8
_LISTS = {"bytes_list": ("BytesList", "TYPE_BYTES"), "float_list": ("FloatList", "TYPE_FLOAT")} | {
    "int64_list": ("Int64List", "TYPE_INT64")
}


@dataclass(frozen=True)
class TFRecordShard:
    """One indexed TFRecord file; `offsets` says where each record begins."""

    positional: ClassVar[bool] = True
    fetch: Callable[[], Path]
    where: str
    offsets: Array
    fields: Sequence[str]
    numbers: Sequence[str] = ()

    @classmethod
    def open(cls, fetch: Callable[[], Path], where: str, index: RecordIndex) -> TFRecordShard:
        """Verify and index every record.

        Raises:
            DataError: the file is damaged, cut off, packed, or no TFRecord file of tf.Example.
        """
        offsets, fields = array("q"), ()
        named: list[tuple[str, LabelIndex | GroupIndex]] = [(index.labels.name, index.labels), *index.named.items()]
        path = fetch()
        size = path.stat().st_size
        with path.open("rb") as file:
            while (offset := file.tell()) < size:
                place = f"{where}: record {len(offsets)}"
                example = _parse(_record(file, size, place), place)
                fields = fields or tuple(sorted(example))
                for name, part in named:
                    part.add(_value(example[name], place) if name in example else None, place)
                offsets.append(offset)
        return cls(fetch, where, np.array(offsets, np.int64), fields)

    def __len__(self) -> int:
        return len(self.offsets)

    def identity(self, position: int) -> str:
        """The record's position."""
        return str(position)

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """The fields `names` of the records at `positions`, as flat lists or bytes."""
        path = self.fetch()
        with path.open("rb") as file:
            yield from read_records(file, path.stat().st_size, self.offsets, positions, names, self.where)


def read_records(
    file: IO[bytes], size: int, offsets: Array, positions: Array, names: Collection[str], where: str
) -> Iterator[Mapping[str, Raw]]:
    """The fields `names` of the records at `positions` of a file of `size` bytes, as flat lists or bytes.

    Raises:
        DataError: one of them is damaged, or does not begin where `offsets` says.
    """
    for position in positions.tolist():
        place = f"{where}: record {position}"
        file.seek(int(offsets[position]))
        example = _parse(_record(file, size, place), place)
        values = {name: _value(example[name], f"{place}: {name}") for name in names if name in example}
        yield {name: value for name, value in values.items() if value is not None}


def fields_of(file: IO[bytes], size: int, place: str) -> tuple[str, ...]:
    """Names of the fields of the record that begins where the file is.

    Raises:
        DataError: it is damaged.
    """
    return tuple(sorted(_parse(_record(file, size, place), place)))


def _record(file: IO[bytes], size: int, place: str) -> bytes:
    head = file.read(_HEAD.size)
    packed = head[:2] == b"\x1f\x8b" or head[:1] == b"\x78"
    if len(head) < _HEAD.size:
        raise DataError(place, "a whole record", "a file that is cut off")
    length, checksum = _HEAD.unpack(head)
    if _masked(head[:8]) != checksum:
        found = "a packed file, which must be unpacked first" if packed else "a wrong checksum of its length"
        raise DataError(place, "a TFRecord file", found)
    if length > min(MAX_MEMBER_BYTES, size - file.tell() - _FOOT.size):
        raise DataError(place, "a whole record", f"one of {length:,} bytes, of which the file has no more")
    data = file.read(length)
    if _FOOT.unpack(file.read(_FOOT.size))[0] != _masked(data):
        raise DataError(place, "data as it was written", "a wrong checksum of its data")
    return data


def _masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return int((((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF)


def _parse(data: bytes, place: str) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return _example_class().FromString(data).features.feature
    except DecodeError as error:
        raise DataError(place, "a tf.Example", str(error)) from None


def _value(feature: Any, place: str) -> Raw | None:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    values = getattr(feature, kind).value
    if kind == "bytes_list":
        if len(values) > 1:
            raise DataError(place, "one string of bytes", f"{len(values)} of them")
        return bytes(values[0]) if values else None
    return np.fromiter(values, np.float32 if kind == "float_list" else np.int64, len(values))


@cache
def _example_class() -> Any:
    """tf.Example, declared as in tensorflow/core/example, in a pool of its own."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="litegate", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto

    def add(message: Any, name: str, number: int, kind: str, label: str = "LABEL_OPTIONAL", of: str = "") -> Any:
        """A field of a scalar type, or of the message type `of`."""
        options = {"type_name": f".litegate.{of}"} if of else {}
        new = message.field.add(name=name, number=number, label=field.Label.Value(label), **options)
        new.type = field.Type.Value(kind)
        return new

    choice = file.message_type.add(name="Feature")
    choice.oneof_decl.add(name="kind")
    for number, (name, (message, kind)) in enumerate(_LISTS.items(), 1):
        add(file.message_type.add(name=message), "value", 1, kind, "LABEL_REPEATED")
        add(choice, name, number, "TYPE_MESSAGE", of=message).oneof_index = 0
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    add(entry, "key", 1, "TYPE_STRING")
    add(entry, "value", 2, "TYPE_MESSAGE", of="Feature")
    add(features, "feature", 1, "TYPE_MESSAGE", "LABEL_REPEATED", of="Features.FeatureEntry")
    add(file.message_type.add(name="Example"), "features", 1, "TYPE_MESSAGE", of="Features")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("litegate.Example"))
