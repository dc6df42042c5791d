"""The base of all records, and files by reference."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

__all__ = ["FileRef", "Record"]


class Record(BaseModel):
    """Base of all records: frozen, no unknown keys, JSON both ways."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values; `model_validate` is the way back."""
        return self.model_dump(mode="json")


class FileRef(Record):
    """Bytes in the workspace.

    Attributes:
        name: relative POSIX path that the file has for its users.
        digest: SHA-256 of the bytes.
        bytes: how many there are.
    """

    name: str
    digest: str
    bytes: int

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError("a relative path without '..'")
        return value
