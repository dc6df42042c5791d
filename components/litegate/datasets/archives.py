"""Archives of users: read member by member, never unpacked, and refused where they are not what they should be."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from litegate.datasets.tar_members import FILE, FOLDER, Member, members
from litegate.errors import DataError

__all__ = ["MAX_MEMBER_BYTES", "TarIndex", "check_zip", "index_tar", "open_stream"]

Array = np.ndarray[Any, np.dtype[Any]]
MAX_MEMBERS = 20_000_000
MAX_MEMBER_BYTES = 1 << 30
MAX_RATIO = 200
"""How many times larger unpacked than packed; a bomb is 1,000 times, images and text at most 20."""
_SMALL = 1 << 30
"""So few bytes are no danger, however well they were packed."""
_MAGIC: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


@dataclass(frozen=True)
class TarIndex:
    """Names, offsets and sizes of the regular files of a tar, in its order: 16 bytes each and the name."""

    names: list[str]
    offsets: Array
    sizes: Array


def open_stream(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is packed by gzip, bzip2 or xz; told by its first bytes."""
    with path.open("rb") as file:
        magic = file.read(2)
    return cast("IO[bytes]", _MAGIC[magic](path) if magic in _MAGIC else path.open("rb"))


def index_tar(path: Path, where: str) -> TarIndex:
    """Walk over the headers of a tar, packed or not.

    Raises:
        DataError: it is damaged, too large, or has a member that is no regular file or leads out of the archive.
    """
    names, offsets, sizes = [], array("q"), array("q")
    limit = max(_SMALL, MAX_RATIO * path.stat().st_size)
    try:
        with open_stream(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in members(archive, stream):
                _check_member(member, where, limit)
                if member.kind == FILE:
                    names.append(member.name)
                    offsets.append(member.offset)
                    sizes.append(member.size)
                if len(names) > MAX_MEMBERS:
                    raise DataError(where, f"at most {MAX_MEMBERS:,} files in a tar", "more")
            _check_end(archive, stream, where)
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, ValueError) as error:
        raise DataError(where, "a whole tar archive", f"{type(error).__name__}: {error}") from None
    return TarIndex(names, np.array(offsets, np.int64), np.array(sizes, np.int64))


def check_zip(archive: zipfile.ZipFile, where: str) -> None:
    """Refuse an archive that would unpack to far more than it holds, or that holds two members of one name.

    Raises:
        DataError: it does.
    """
    members = archive.infolist()
    names = [member.filename for member in members]
    twice = len(names) - len(set(names))
    if twice or len(names) > MAX_MEMBERS:
        raise DataError(where, "members with names of their own", f"{twice} names that are there twice")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > max(_SMALL, MAX_RATIO * packed):
        found = f"{packed:,} bytes that unpack to {unpacked:,} (a zip bomb)"
        raise DataError(where, f"an archive that unpacks to at most {MAX_RATIO} times its size", found)


def _check_member(member: Member, where: str, limit: int) -> None:
    place = f"{where}: {member.name!r:.200}"
    if member.name.startswith("/") or ".." in member.name.split("/"):  # a Path would intern each part of each name
        raise DataError(place, "names inside the archive", "a path that leads out of it")
    if member.kind not in (FILE, FOLDER):
        raise DataError(place, "regular files and folders in a tar", f"a {member.kind}")
    if member.size > MAX_MEMBER_BYTES or member.offset + member.size > limit:
        found = f"{member.size:,} bytes at {member.offset:,}"
        raise DataError(place, f"at most {MAX_MEMBER_BYTES:,} bytes a file, {limit:,} in all", found)


def _check_end(archive: tarfile.TarFile, stream: IO[bytes], where: str) -> None:
    """tarfile takes a damaged header, or the end of the file, for the end of the archive."""
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise DataError(where, "a whole tar archive", f"no header and no end mark at byte {archive.offset:,}")
