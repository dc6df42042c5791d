"""Files by reference, and what is to be said of a record that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from pydantic import ValidationError

from litegate.record import KEYED, Record
from litegate.records.fields import Count, Digest, FileName

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["KEYED", "FileRef", "Record", "unreadable"]


class FileRef(Record):
    """Bytes in the workspace.

    Attributes:
        name: relative POSIX path that the file has for its users.
        digest: SHA-256 of the bytes.
        bytes: how many there are.
    """

    name: FileName
    digest: Digest
    bytes: Count


def unreadable(error: Exception) -> str:
    """Why something that is stored is not the record that was expected, in at most 300 characters.

    What this release does not know, a newer one has written: that is not damage, and says what helps.
    """
    if not _is_newer(error):
        return str(error)[:300]
    named = ", ".join(map(_place, error.errors()))[:150]
    return f"a newer litegate has written it, for this one does not know {named}: upgrade this one to read it"


def _is_newer(error: Exception) -> TypeGuard[ValidationError]:
    """Whether all that is wrong are fields and words that are not known."""
    if not isinstance(error, ValidationError):
        return False
    return {each["type"] for each in error.errors()} <= {"extra_forbidden", "literal_error"}


def _place(problem: ErrorDetails) -> str:
    """A field by its path; one whose value is a word with that word."""
    path = ".".join(map(str, problem["loc"]))
    return path if problem["type"] == "extra_forbidden" else f"{path} {problem['input']!r:.60}"
