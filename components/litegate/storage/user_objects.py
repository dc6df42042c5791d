"""Objects that users bring: listed into manifests, and fetched as they were pinned by their version."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from litegate.digest import digest_file, digest_json
from litegate.errors import DataError
from litegate.storage.copies import holds
from litegate.storage.globs import matches, split_glob
from litegate.storage.manifests import Entry
from litegate.storage.opening import local_path, open_storage
from litegate.storage.protocol import Refused, Storage, Stored
from litegate.storage.spans import Span, parts_of, write_together
from litegate.storage.use import use_local
from litegate.storage.whole_files import write_whole

__all__ = [
    "DIGEST_SUFFIX",
    "Listed",
    "Wanted",
    "fetch",
    "fetch_spans",
    "is_whole",
    "list_entries",
    "listed",
    "object_digest",
    "object_name",
    "put",
]

log = logging.getLogger("litegate")

DIGEST_SUFFIX = ".sha256"
"""Of the file beside a fetched object that says what the object was when it came."""


Wanted = tuple[Entry, Sequence[Span]]
"""An object, and parts of it."""


class Listed(NamedTuple):
    """An object as it was found, and when it was last written, in seconds since the epoch."""

    entry: Entry
    modified: float


def list_entries(uri: str, where: str, needed: bool = True) -> tuple[Entry, ...]:
    """Every object of a dataset or model: the file itself, all files below a folder or prefix, or those of a glob.

    Args:
        uri: `s3://bucket/key`, `s3://bucket/prefix/`, or a local path; with `*` or `?` all that it stands for.
        where: the spec key that names it, for the message.
        needed: whether there must be something.

    Returns:
        Entries sorted by name; a single object has its own base name.

    Raises:
        DataError: if there is nothing, and there must be something; or the S3 server refuses.
    """
    entries = tuple(sorted((each.entry for each in listed(uri, where)), key=lambda entry: entry.name))
    if needed and not entries:
        raise DataError(where, "an existing file, folder or S3 object", f"nothing at {uri}")
    return entries


def listed(uri: str, where: str) -> Iterator[Listed]:
    """The same in no order, each with its time; nothing where there is nothing.

    Of a glob little more is listed than what matches.

    Raises:
        DataError: the S3 server refuses.
    """
    folder, pattern = split_glob(uri) or (uri, "")
    storage = open_storage(folder)
    with _naming(where, uri):
        single = None if pattern else storage.find("")
        if single is not None:
            yield _listed(storage, single, uri.rstrip("/").rpartition("/")[2])
            return
        beginning = re.split(r"[*?]", pattern, maxsplit=1)[0]
        for page in storage.pages(beginning, deep=not pattern or "/" in pattern or "**" in pattern):
            found = (each for each in page if not pattern or matches(each.name, pattern))
            yield from (_listed(storage, each, each.name) for each in found)


def fetch(entry: Entry, cache_folder: Path, where: str) -> Path:
    """A local file with the pinned object's bytes.

    What lies on this host is used where it lies; other objects are fetched once into `cache_folder`, with their digest
    beside them, by which they are verified from then on. An ETag is not always a digest.

    Raises:
        DataError: if the object is gone or is no longer the pinned one.
    """
    path = local_path(entry.uri)
    if path is None:
        return _fetched(entry, cache_folder, where)
    found = open_storage(entry.uri).find("")
    if found is None or found.version != entry.pin:
        raise DataError(where, f"{entry.uri} as it was when the run began", "a changed or missing file")
    return path


def fetch_spans(wanted: Sequence[Wanted], folder: Path, cache_folder: Path, where: str) -> list[Path]:
    """For each pinned object a local file with parts of it in their places; what is between them may be anything.

    Args:
        wanted: each object once, and the parts of it.
        folder: of the caller alone, where parts are kept; what is in the cache as a whole, or lies on this host, is
            used where it lies.

    Raises:
        DataError: an object is gone or is no longer the pinned one, or it is not as long as that.
    """
    paths, parts = [], []
    for entry, spans in wanted:
        if any(not 0 <= start < end <= entry.size for start, end in spans):
            raise DataError(where, f"parts of {entry.uri}, which has {entry.size:,} bytes", f"{list(spans)[:3]}")
        if local_path(entry.uri) is not None or is_whole(cache_folder / "objects" / object_name(entry)):
            paths.append(fetch(entry, cache_folder, where))
        else:
            paths.append(folder / object_name(entry))
            parts += parts_of(entry, spans, paths[-1])
    with _naming(where):
        write_together(parts)
    return paths


def is_whole(path: Path) -> bool:
    """Whether a fetched object is there, and is what it was when it came."""
    try:
        return holds(path, path.with_suffix(DIGEST_SUFFIX).read_text().strip())
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def object_digest(entry: Entry, path: Path) -> str:
    """SHA-256 of what `fetch` has just given for an entry."""
    fetched = local_path(entry.uri) is None
    return path.with_suffix(DIGEST_SUFFIX).read_text().strip() if fetched else digest_file(path)


def object_name(entry: Entry) -> str:
    """The name that a fetched object has in a cache."""
    return digest_json([entry.uri, entry.pin])


def put(path: Path, uri: str) -> None:
    """Copy a local file to `uri`, whole or not at all, replacing what was there."""
    open_storage(uri).put("", path)


def _listed(storage: Storage, stored: Stored, name: str) -> Listed:
    entry = Entry(name=name, uri=storage.uri(stored.name), size=stored.size, pin=stored.version)
    return Listed(entry, stored.modified)


def _fetched(entry: Entry, cache_folder: Path, where: str) -> Path:
    target = cache_folder / "objects" / object_name(entry)
    beside = target.with_suffix(DIGEST_SUFFIX)
    if use_local(target) and use_local(beside):
        if is_whole(target):
            return target
        log.warning("the cached copy of %s (%s) is damaged: it is fetched again", entry.uri, target)
    seen = hashlib.sha256()
    with _naming(where, entry.uri):
        blocks = open_storage(entry.uri).read("", entry.pin)
        write_whole(target, _seen(seen, _of_size(entry, blocks)))
    write_whole(beside, iter((seen.hexdigest().encode(),)))
    return target


def _of_size(entry: Entry, blocks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        yield block
    if size != entry.size:
        raise ConnectionError(f"{entry.uri}: {size:,} bytes of {entry.size:,} came")


def _seen(digest: hashlib._Hash, blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


@contextmanager
def _naming(where: str, uri: str | None = None) -> Iterator[None]:
    """What the user can mend names the spec key; a server that does not answer stays what it is.

    Args:
        uri: what is asked for; None where the error says it.
    """
    try:
        yield
    except Refused as refused:
        raise DataError(where, "a readable S3 object or prefix", str(refused)) from None
    except FileNotFoundError as error:
        raise DataError(where, "a readable S3 object or prefix", f"nothing at {uri or error}") from None
