"""A registered version as whoever fetches its file needs it."""

from __future__ import annotations

from litegate.records.base import FileRef, Record

__all__ = ["RegisteredFile", "VersionRequest"]


class VersionRequest(Record):
    """Which version of a registered model: by its number, by an alias, or the newest of a variant; one of the three."""

    registry: str
    version: int | None = None
    alias: str | None = None
    variant: str | None = None


class RegisteredFile(Record):
    """A version, its file and what it rests on.

    Attributes:
        variants: all that were judged on these bytes; `variant` is the one that was selected.
        aliases: of the registered model that point to it now.
        verdict: in one sentence; empty where MLflow has none.
        mlflow_run: address of the page of the run with the verdict.
    """

    registry: str
    version: int
    variant: str
    variants: tuple[str, ...]
    aliases: tuple[str, ...]
    file: FileRef
    verdict: str
    mlflow_run: str
