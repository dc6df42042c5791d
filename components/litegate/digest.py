"""Digests of bytes, files and JSON values: SHA-256 everywhere, in hexadecimal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["OtherBytes", "digest_bytes", "digest_file", "digest_json", "digest_tree", "verified"]


class OtherBytes(ValueError):
    """Bytes are not those that a digest names; `digest` is their own."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"their digest is {digest}")
        self.digest = digest


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified(blocks: Iterable[bytes], digest: str) -> Iterator[bytes]:
    """The same blocks.

    Raises:
        OtherBytes: after the last one, if together they are not what `digest` names.
    """
    seen = hashlib.sha256()
    for block in blocks:
        seen.update(block)
        yield block
    if seen.hexdigest() != digest:
        raise OtherBytes(seen.hexdigest())


def digest_json(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`: keys sorted, no white space, no NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return digest_bytes(text.encode())


def digest_tree(files: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of what `sha256sum` prints for the files of a folder, sorted by name.

    Args:
        files: the relative name of each, and the SHA-256 of its bytes.
    """
    return digest_bytes("".join(_listed(name, digest) for name, digest in sorted(files)).encode())


def _listed(name: str, digest: str) -> str:
    """A line of `sha256sum`: a name that would break the line is escaped, and a backslash in front says so."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"
