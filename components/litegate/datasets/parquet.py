"""Parquet files: a column is a field; row groups are read one at a time, with their page checksums verified."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from litegate.datasets.fields import Raw
from litegate.datasets.shards import LabelIndex, RecordIndex
from litegate.errors import DataError

__all__ = ["MAX_GROUP_BYTES", "ParquetShard"]

Array = np.ndarray[Any, np.dtype[Any]]
MAX_GROUP_BYTES = 2 << 30


@dataclass(frozen=True)
class ParquetShard:
    """One indexed Parquet file; `starts` are the rows at which its row groups begin, and their number."""

    positional: ClassVar[bool] = True
    fetch: Callable[[], Path]
    where: str
    starts: Array
    fields: Sequence[str]
    numbers: Sequence[str]

    @classmethod
    def open(cls, fetch: Callable[[], Path], where: str, index: RecordIndex) -> ParquetShard:
        """Read the footer, the labels, the groups and the slices.

        Raises:
            DataError: the file is damaged or no Parquet file, or labels are missing.
        """
        with _opened(fetch(), where) as file:
            columns = [each for each in file.schema_arrow if not each.name.startswith("__index_level_")]
            counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            named = [each.name for each in columns]
            asked = {index.labels.name, *index.named}
            wanted = [name for name in named if name in asked]
            for group, rows in enumerate(counts):
                read = zip(wanted, _read_group(file, group, wanted, where).columns, strict=True) if wanted else ()
                _add_to(index, dict(read), rows, where)
        numbers = tuple(each.name for each in columns if _is_number(each.type))
        return cls(fetch, where, np.cumsum([0, *counts]), tuple(named), numbers)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def identity(self, position: int) -> str:
        """The row's position."""
        return str(position)

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """The columns `names` of the rows at `positions`."""
        with _opened(self.fetch(), self.where) as file:
            for group, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
                here = positions[(positions >= start) & (positions < end)]
                if not len(here):
                    continue
                table = _read_group(file, group, list(names), self.where)
                for position in here.tolist():
                    place = f"{self.where}: row {position}"
                    row = {name: table.column(name)[position - int(start)] for name in names}
                    yield {name: _value(cell, f"{place}: column {name!r}") for name, cell in row.items()}


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())  # the default one reserves address space, which is limited here
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise DataError(where, "a whole Parquet file", f"{type(error).__name__}: {error!s:.300}") from None


def _read_group(file: Any, group: int, names: list[str], where: str) -> Any:
    metadata = file.metadata.row_group(group)
    columns = (metadata.column(at) for at in range(metadata.num_columns))
    size = sum(each.total_uncompressed_size for each in columns if each.path_in_schema.split(".")[0] in names)
    if size > MAX_GROUP_BYTES:
        raise DataError(where, f"row groups of at most {MAX_GROUP_BYTES:,} bytes", f"{size:,} bytes in group {group}")
    return file.read_row_group(group, columns=names, use_threads=False)


def _add_to(index: RecordIndex, columns: Mapping[str, Any], rows: int, where: str) -> None:
    """The labels, groups and slices of a row group."""
    labels = index.labels
    if labels.name in columns:
        _add_labels(columns[labels.name], labels, where)
    elif rows:
        labels.add(None, where)
    for name, each in index.named.items():
        for value in columns[name].to_pylist() if name in columns else [None] * rows:
            each.add(value, where)


def _add_labels(column: Any, labels: LabelIndex, where: str) -> None:
    import pyarrow.types as kinds

    if column.null_count:
        raise DataError(where, f"a label in every row of {labels.name!r}", f"{column.null_count} empty ones")
    if not len(column):
        return
    if kinds.is_integer(column.type) or kinds.is_boolean(column.type):
        labels.extend(column.to_numpy(), where)
    elif kinds.is_string(column.type) or kinds.is_large_string(column.type) or kinds.is_dictionary(column.type):
        expected = "numbers as labels, integers for classes"
        raise DataError(where, expected, f"text such as {column[0].as_py()!r} in the column {labels.name!r}")
    else:
        labels.targets(where, *_shapes(column, where))


def _shapes(column: Any, where: str) -> Iterator[tuple[int, ...]]:
    """The shapes of lists, one for each length that there is."""
    import pyarrow.compute as compute
    import pyarrow.types as kinds

    if not (kinds.is_list(column.type) or kinds.is_large_list(column.type)):
        return
    lengths = compute.list_value_length(column).to_numpy()
    for row in np.unique(lengths, return_index=True)[1].tolist():
        yield np.shape(_value(column[row], f"{where}: row {row}: column {column.type}"))


def _value(cell: Any, place: str) -> Raw:
    import pyarrow as pa

    if isinstance(cell, pa.ExtensionScalar):
        cell = cell.value
    if not cell.is_valid:
        raise DataError(place, "a value", "an empty cell")
    if isinstance(cell, pa.StructScalar) and "bytes" in cell:  # how Hugging Face's datasets keep images
        return _value(cell["bytes"], place)
    if isinstance(cell, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        if _is_number(cell.type.value_type):
            return np.asarray(cell.values.to_numpy(zero_copy_only=False))
        return _array(cell.as_py(), place)
    value = cell.as_py()
    return value if isinstance(value, bytes) else _array(value, place)


def _array(value: Any, place: str) -> Array:
    try:
        found = np.asarray(value)
    except ValueError:
        raise DataError(place, "lists of one length", "lists of several lengths") from None
    if found.dtype.kind not in "biuf":
        raise DataError(place, "numbers, lists of numbers or an encoded image", f"{value!r:.60}")
    return found


def _is_number(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind))
