"""The pages of a ledger: runs that hold the newest entries, each with an archive of all that came before it.

MLflow reads a run with all of its parameters or not at all, so a ledger in one run is slower with every entry. A page
that holds `SIZE` entries is closed: its parameter `next-page`, which the first writer sets and nobody changes, names
the run that goes on. That one begins with an archive of all earlier entries, whose digest is a parameter of it.
"""

from __future__ import annotations

import gc
import gzip
import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.records import Decision, LedgerEntry, RegisteredAlias
from litegate.tracking import artifacts

__all__ = ["SIZE", "archived", "following", "open_page"]

SIZE = 200
NEXT, ARCHIVE, FILE = "next-page", "archive", "archive.json.gz"


def following(page: Run) -> str | None:
    """The run that goes on where this page was closed."""
    named = page.data.params.get(NEXT)
    return None if named is None else str(named)


def archived(client: MlflowClient, page: Run, where: str) -> tuple[LedgerEntry, ...]:
    """All entries before the first one of a page.

    They were checked when the page was opened; that they are the same is what the digest says, which MLflow never
    changes. The chain goes on from the last of them.

    Args:
        where: names the ledger, for the message.

    Raises:
        StoreError: the archive is gone, or is not what the page's parameter says.
    """
    digest = page.data.params.get(ARCHIVE)
    if digest is None:
        return ()
    return _entries(digest) if digest in _contents else _fetched(client, page, digest, where)


def open_page(client: MlflowClient, closed: Run, entries: Sequence[LedgerEntry]) -> str:
    """The run that goes on behind `entries`, the last of which are on the page that is to be closed.

    Of several writers the first one's page counts; the others take theirs back.
    """
    content = gzip.compress(json.dumps([entry.to_json() for entry in entries]).encode(), mtime=0)
    run = client.create_run(closed.info.experiment_id, run_name=closed.info.run_name, tags=_tags(closed))
    artifacts.upload(client, run, {FILE: content})
    client.log_param(run.info.run_id, ARCHIVE, digest_bytes(content))
    client.set_terminated(run.info.run_id)
    try:
        client.log_param(closed.info.run_id, NEXT, run.info.run_id)
    except MlflowException:
        named = following(client.get_run(closed.info.run_id))
        if named != run.info.run_id:  # else it was our own answer that was lost
            client.delete_run(run.info.run_id)
        if named is None:
            raise
        return named
    return str(run.info.run_id)


def _tags(closed: Run) -> dict[str, str]:
    return {"model": closed.data.tags.get("model", ""), "continues": closed.info.run_id}


_contents: dict[str, bytes] = {}
"""By digest, so that a decision, which reads the ledger several times, fetches it once."""


def _fetched(client: MlflowClient, page: Run, digest: str, where: str) -> tuple[LedgerEntry, ...]:
    try:
        with tempfile.TemporaryDirectory() as folder:
            content = Path(client.download_artifacts(page.info.run_id, FILE, folder)).read_bytes()
        if digest_bytes(content) != digest:
            raise ValueError(f"expected the digest {digest}, got {digest_bytes(content)}")
        _contents.clear()
        _contents[digest] = content
        return _entries(digest)
    except (MlflowException, OSError, ValueError, KeyError, TypeError) as error:
        said = f"{FILE} of run {page.info.run_id}, with all earlier entries, cannot be read: {str(error)[:300]}"
        raise StoreError(f"{where}: {said}") from None


@lru_cache(1)
def _entries(digest: str) -> tuple[LedgerEntry, ...]:
    collects = gc.isenabled()
    gc.disable()  # it would look at all that has been made so far again and again: none of it is garbage
    try:
        return tuple(map(_entry, json.loads(gzip.decompress(_contents[digest]))))
    finally:
        if collects:
            gc.enable()


_EMPTY: dict[str, Any] = {}
_DECISION, _ENTRY = Decision.model_construct(**_EMPTY), LedgerEntry.model_construct(**_EMPTY)
"""To be copied with other fields, in half of the time that it takes to construct one without validation."""


def _entry(fields: Mapping[str, Any]) -> LedgerEntry:
    """An entry that was valid when it was archived: to validate 10,000 of them again takes most of a second."""
    said = fields["decision"]
    decision = _DECISION.model_copy(update={**said, "channel": _channel(**said["channel"])})
    return _ENTRY.model_copy(update={**fields, "decision": decision})


@lru_cache(8)
def _channel(registry: str, alias: str) -> RegisteredAlias:
    """All entries of a ledger have the same."""
    return RegisteredAlias.model_construct(registry=registry, alias=alias)
