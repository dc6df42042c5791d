"""Looking at an HDF5 file before Keras reads it: links to other files, and sizes that are only declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py

from litegate.errors import ModelError
from litegate.source.bounds import check_bounds

__all__ = ["check_hdf5"]

_LARGEST_RATIO = 1000
_SMALL = 1 << 20


def check_hdf5(file: h5py.File, where: str) -> int:
    """Refuse what lies in other files, and arrays that declare far more than they hold.

    Args:
        where: the spec key and the URI, for messages.

    Returns:
        How many numbers the arrays hold.

    Raises:
        ModelError: there is such a link or array, or the arrays are too large together.
    """
    arrays = list(_arrays(file, where))
    for array in arrays:
        held = array.id.get_storage_size()
        if array.nbytes > max(_SMALL, _LARGEST_RATIO * held):
            declared = f"{array.nbytes:,} bytes declared for {array.name!r}"
            raise ModelError(where, f"arrays with the bytes that they declare, here {held:,}", declared)
    check_bounds(0, sum(array.nbytes for array in arrays), where)
    return sum(int(array.size) for array in arrays)


def _arrays(group: Any, where: str) -> Iterator[Any]:
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise ModelError(where, "no links to other files", f"{group.name}/{name} -> {link.filename}")
        if isinstance(link, h5py.SoftLink):
            continue  # what it leads to is looked at in its own place
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _arrays(item, where)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ModelError(where, "no links to other files", f"{item.name}, whose values lie in another file")
            yield item
