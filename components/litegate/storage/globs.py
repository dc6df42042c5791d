"""Names with wildcards: `s3://bucket/prefix/*.parquet`, `data/part-?.csv`, `data/**/*.tfrecord`.

`*` and `?` stand for characters other than `/`, `**/` for any number of folders.
"""

from __future__ import annotations

import re

__all__ = ["matches", "split_glob"]

_TOKENS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def split_glob(uri: str) -> tuple[str, str] | None:
    """The folder that holds all matches, and the pattern below it; None where `uri` has no wildcard.

    The folder ends with `/`, so that on S3 it is a prefix and never an object.
    """
    wildcard = re.search(r"[*?]", uri)
    if wildcard is None:
        return None
    cut = uri.rfind("/", 0, wildcard.start()) + 1
    return uri[:cut], uri[cut:]


def matches(name: str, pattern: str) -> bool:
    """Whether the whole of `name`, a path with `/`, is one that `pattern` stands for."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.fullmatch("".join(_TOKENS.get(part, re.escape(part)) for part in parts), name, re.DOTALL) is not None
