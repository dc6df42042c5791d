"""The ledger of a registered-model alias in MLflow: a run whose parameters are the entries.

MLflow never changes or deletes a parameter of a run, and two that write one at once cannot both succeed: its
database has one row for a run and key. So entry `n` is the parameter `entry-n`, the first writer has the
number, and the other one reads again. Which run it is, is settled in the same way: the name of an experiment is
unique, and the alias's own experiment is created together with the tag that names the run. A long ledger goes on in
further runs, its pages; the tag then names one of the latest, and each page the one that follows it.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from litegate.attestation.signing import enveloped, signer
from litegate.attestation.statements import about_ledger
from litegate.errors import BadInput, StoreError
from litegate.promotion import Standing, check_chain, entry_digest, standing_of
from litegate.records import Aliases, LedgerEntry, LedgerHead, RegisteredAlias, unreadable
from litegate.tracking import notes, pages, run_data, runs

__all__ = ["EXPERIMENT", "Ledger"]

EXPERIMENT = "promotions"
RUN_TAG = "litegate.ledger"
KEY = "entry-{:05d}"
HEAD_TAG = "litegate.ledger_head"
TRIES = 6
_NO_RIGHT = (401, 403)
VALUE_LIMIT = 6000  # MLflow cuts a longer parameter off, and nobody could repair it

_NOTE = (
    "The promotion logs: one run for each registered model and alias. Its description shows who is champion and the "
    "latest decisions; its parameters are all of them."
)


class Ledger:
    """The ledger entries of one registered-model alias, in MLflow."""

    def __init__(self, client: MlflowClient, channel: RegisteredAlias) -> None:
        self.client, self.channel = client, channel
        self._run_id: str | None = None
        self._page: Run | None = None
        self._read: tuple[tuple[str, str], ...] = ()
        self._entries: tuple[LedgerEntry, ...] = ()
        self._added: tuple[tuple[LedgerEntry, ...], Standing] = (), Standing()

    @property
    def where(self) -> str:
        """Names it in messages."""
        return f"ledger of {self.channel}"

    @property
    def _marker_name(self) -> str:
        return f"{EXPERIMENT}/{self.channel}"

    def run_id(self, create: bool = False) -> str | None:
        """The run that holds the entries; None where there is none and none is to be made."""
        if self._run_id is None:
            experiment = self._marker() or (self._create() if create else None)
            self._run_id = None if experiment is None else self._named_by(experiment)
        return self._run_id

    def entries(self) -> tuple[LedgerEntry, ...]:
        """All entries, the first one first.

        Raises:
            StoreError: one is missing, changed or not readable, or the run itself is gone.
        """
        run_id = self.run_id()
        if run_id is None:
            return ()
        page = self._active(run_id)
        while (run_id := pages.following(page)) is not None:
            page = self._active(run_id)
        if self._page is None or page.info.run_id != self._page.info.run_id:
            self._read, self._entries = (), pages.archived(self.client, page, self.where)
        self._page, self._run_id = page, page.info.run_id
        found = tuple((key, text) for key, text in sorted(page.data.params.items()) if key.startswith("entry-"))
        if found != self._read:
            self._entries = self._checked(found)
            self._read = found
        return self._entries

    def standing(self, entries: tuple[LedgerEntry, ...]) -> Standing:
        """What these entries of the ledger come to; only those behind the ones that were given before are added up."""
        known, standing = self._added
        if entries[: len(known)] != known:
            known, standing = (), Standing()
        if len(known) < len(entries):
            standing = standing_of(entries[len(known) :], standing)
        self._added = entries, standing
        return standing

    def _checked(self, found: tuple[tuple[str, str], ...]) -> tuple[LedgerEntry, ...]:
        """All entries where the page holds `found`; what was read before, to the letter, was checked then."""
        before = len(self._entries) - len(self._read)
        same = found[: len(self._read)] == self._read
        known = self._entries if same else self._entries[:before]
        entries = (*known, *(self._entry(key, text) for key, text in found[len(known) - before :]))
        check_chain(entries, self.where, checked=len(known))
        return entries

    def append(self, entry: LedgerEntry) -> bool:
        """Write an entry under its number; False if another writer has taken the number.

        Raises:
            BadInput: it is longer than MLflow keeps.
            StoreError: MLflow keeps refusing, or says that this account may not write.
        """
        text, key = entry.model_dump_json(), KEY.format(entry.number)
        if len(text) > VALUE_LIMIT:
            where = f"the texts of the decision about {self.channel}"
            raise BadInput(
                where, f"a ledger entry of at most {VALUE_LIMIT:,} characters", f"{len(text):,}: shorten them"
            )
        run_id = self._run_of(entry)
        refused = ""
        for attempt in range(TRIES):
            try:
                self.client.log_param(run_id, key, text)
                return True
            except MlflowException as error:
                refused = error.message
                if error.get_http_status_code() in _NO_RIGHT:
                    said = f"MLflow does not let this account write entry {entry.number}: {refused}"
                    raise StoreError(f"{self.where}: {said}") from error
            # What counts is what is there: an answer may be lost, and a database may be busy.
            written = self.client.get_run(run_id).data.params.get(key)
            if written is not None:
                return bool(written == text)
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)
        raise StoreError(f"{self.where}: MLflow does not take entry {entry.number}: {refused}: try again")

    def describe(self, now: Aliases) -> None:
        """Say on the run's page who is champion, and how it came about by the entries that were read last.

        The parameters alone are hard to read. Who has a key signs how far the ledger is, for nothing follows the last
        entry that would show a change of it.
        """
        tags = {name: "" if version is None else str(version) for name, version in now} | self._signed_head()
        page = self._page or self._run(str(self.run_id()))
        note = notes.ledger_note(self.channel, now, self._entries, page.info.experiment_id)
        run_data.tag(self.client, str(self.run_id()), tags | {run_data.NOTE: note})

    def head(self) -> LedgerHead:
        """How far the ledger is."""
        self.entries()
        return self._head()

    def signed_head(self) -> str:
        """The signed statement about how far the ledger was when somebody with a key wrote to it last; or nothing."""
        return "" if self._page is None else str(self._page.data.tags.get(HEAD_TAG, ""))

    def _signed_head(self) -> dict[str, str]:
        by = signer()
        if by is None or not self._entries:
            return {}
        return {HEAD_TAG: enveloped(about_ledger(self._head()), by)}

    def _head(self) -> LedgerHead:
        known = self._entries
        return LedgerHead(ledger=str(self.channel), entries=len(known), head=entry_digest(known[-1]) if known else None)

    def _run_of(self, entry: LedgerEntry) -> str:
        """The run that is to hold an entry: all writers agree on it, for all of them know the entries before."""
        run_id = str(self.run_id(create=True))
        if self._page is not None and entry.number == len(self._entries) and len(self._read) >= pages.SIZE:
            run_id = pages.open_page(self.client, self._page, self._entries)
            marker = self._marker()
            if marker is not None:
                self.client.set_experiment_tag(marker.experiment_id, RUN_TAG, run_id)
        return run_id

    def _entry(self, key: str, text: str) -> LedgerEntry:
        try:
            entry = LedgerEntry.model_validate_json(text)
        except ValueError as error:
            raise StoreError(f"{self.where}: {key} is not a valid ledger entry: {unreadable(error)}") from None
        if key != KEY.format(entry.number):
            raise StoreError(f"{self.where}: {key} holds entry {entry.number}: it was not written by litegate")
        return entry

    def _active(self, run_id: str) -> Run:
        run = self._run(run_id)
        if run.info.lifecycle_stage != "active":
            remedy = f"restore it (`mlflow runs restore --run-id {run_id}`) or its experiment {EXPERIMENT}"
            raise StoreError(f"{self.where}: its run was deleted: {remedy}")
        return run

    def _run(self, run_id: str) -> Run:
        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            named = f"which the experiment {self._marker_name} names"
            raise StoreError(f"{self.where}: there is no run {run_id}, {named} as {RUN_TAG}") from None

    def _marker(self) -> Experiment | None:
        return self.client.get_experiment_by_name(self._marker_name)

    def _create(self) -> Experiment:
        """The alias's experiment with a new, empty ledger, or the one that another writer has just made."""
        hub = runs.experiment(self.client, EXPERIMENT, lambda _: _NOTE)
        experiment = self._older_marker(hub)
        if experiment is not None:
            return experiment
        run = self.client.create_run(hub, run_name=str(self.channel), tags={"model": self.channel.registry})
        self.client.set_terminated(run.info.run_id)  # a ledger is not at work: nobody shall wait for its end
        note = f"The ledger of {self.channel} is run `{run.info.run_id}` of the experiment `{EXPERIMENT}`."
        tags = {RUN_TAG: run.info.run_id, run_data.NOTE: note}
        with suppress(MlflowException):  # somebody else was first, or what follows says what is wrong
            self.client.create_experiment(self._marker_name, tags=tags)
        experiment = self._marker()
        if experiment is None:
            raise StoreError(f"{self.where}: MLflow does not create the experiment {self._marker_name}")
        if experiment.tags.get(RUN_TAG) != run.info.run_id:
            self.client.delete_run(run.info.run_id)
        return experiment

    def _older_marker(self, hub: str) -> Experiment | None:
        """The alias's experiment if another writer has just made it; one that lost its ledger must not get another.

        Raises:
            StoreError: there is a ledger, but no experiment that names it.
        """
        found = self.client.search_runs([hub], f"attributes.run_name = '{self.channel}'")
        older = [run.info.run_id for run in found if KEY.format(0) in run.data.params]
        experiment = self._marker()
        if older and experiment is None:
            gone = f"the experiment {self._marker_name}, which names that run, is gone: rename it back"
            raise StoreError(f"{self.where}: run {older[0]} holds the entries, but {gone}")
        return experiment

    def _named_by(self, experiment: Experiment) -> str:
        run_id = experiment.tags.get(RUN_TAG)
        if run_id is None:
            remedy = "restore it with the id of the ledger's run"
            raise StoreError(f"{self.where}: the experiment {experiment.name} has no tag {RUN_TAG}: {remedy}")
        return str(run_id)
