"""The objects of a dataset or model as they were pinned: a manifest has one a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from litegate.digest import digest_json
from litegate.records import Record
from litegate.records.fields import Count

__all__ = ["MANIFEST", "Entry", "entries_of", "manifest_bytes", "manifest_digest"]

MANIFEST = "manifest.jsonl"
"""Name of the file that lists the objects of a dataset."""


class Entry(Record):
    """One pinned object: `name` relative to its dataset, `pin` an ETag or `size:mtime_ns`."""

    name: str
    uri: str
    size: Count
    pin: str


def manifest_bytes(entries: Iterable[Entry]) -> bytes:
    """The manifest of a dataset: an entry a line, as JSON."""
    return "\n".join(entry.model_dump_json() for entry in entries).encode()


def entries_of(manifest: Path) -> list[Entry]:
    """What a manifest lists."""
    return [Entry.model_validate_json(line) for line in manifest.read_text().splitlines()]


def manifest_digest(entries: Iterable[Entry]) -> str:
    """Digest of what the entries hold, by name, size and pin; it does not depend on the folder."""
    return digest_json([[entry.name, entry.size, entry.pin] for entry in entries])
