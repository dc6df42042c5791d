"""What is decided about who is champion, and the ledger that keeps it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from litegate.records.base import Record
from litegate.records.fields import Count, Moment
from litegate.spec import Registry

__all__ = [
    "Action",
    "Aliases",
    "ChannelState",
    "Decided",
    "Decision",
    "LedgerEntry",
    "LedgerRequest",
    "Position",
    "PositionRequest",
    "RegisteredAlias",
    "Revoked",
]

Action = Literal[
    "nominated",
    "accepted",
    "rejected",
    "rolled_back",
    "reinstated",
    "frozen",
    "unfrozen",
    "reconciled",
    "pinned",
    "unpinned",
]
"""What an entry of the ledger does:

    nominated     the version passed the gate, and approval by a person is pending
    accepted      the version may be champion
    rejected      a person refused it: it may not be champion until it is reinstated
    rolled_back   it was champion and may not be again until it is reinstated
    reinstated    it may be champion again, with its old priority
    frozen        it is champion whatever else is accepted, until unfrozen
    unfrozen      the freeze is over
    reconciled    nobody decided, but a version was deleted or changed outside, and so the champion changed
    pinned        the old name of `frozen`, in ledgers that were begun before it was renamed
    unpinned      the old name of `unfrozen`
"""


Text = Annotated[str, Field(max_length=1000)]

_RENAMED: dict[Action, Action] = {"pinned": "frozen", "unpinned": "unfrozen"}


class RegisteredAlias(Record):
    """A registered model and the alias that consumers load: each has a ledger and a champion of its own."""

    registry: str
    alias: str = "champion"

    @classmethod
    def of(cls, registry: Registry) -> RegisteredAlias:
        """Where a spec's version is registered, and the alias by which it is promoted."""
        return cls(registry=registry.name, alias=registry.alias)

    def __str__(self) -> str:
        return f"{self.registry}@{self.alias}"

    @property
    def previous(self) -> str:
        """The alias of the version that would be champion if the champion were not."""
        return "previous" if self.alias == "champion" else f"{self.alias}-previous"

    @property
    def candidate(self) -> str:
        """The alias of the first version whose approval is pending."""
        return "candidate" if self.alias == "champion" else f"{self.alias}-candidate"


class _KeptForEver(Record):
    """What is written as it was read, to the field: the digest of a ledger entry covers what it was written with.

    So a field that came to a record later, with its default, is not in the JSON of what was written before.
    """

    @model_serializer(mode="wrap")
    def _as_written(self, fields_of: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in fields_of(self).items() if name in self.model_fields_set}


class Decision(_KeptForEver):
    """What a person or a run decides about a registered-model alias.

    Attributes:
        key: names the decision; the second one of the same key changes nothing, so that retries are harmless.
        actor: who decided: a person, or the pipeline run.
        version: None for `unfrozen`, and for `rolled_back` that takes whatever is champion; the entry names it.
        to: for `rolled_back`: the version that is to be champion then; None: the one that the order gives.
        digest, variant: of the version, where the caller knows them from the verdict; they must be the version's.
        begun: how many entries the ledger had when the run began, which gives the version its priority;
            None where that is not known.
        order: the moment for which the run was due; it decides between runs that overlapped.
        expected: the champion that the decision was made for; another one by now is an error. 0: none.
    """

    channel: RegisteredAlias
    action: Action
    key: str = Field(min_length=1, max_length=500)
    actor: Text
    why: Text
    version: int | None = None
    to: int | None = None
    digest: str | None = None
    variant: str | None = None
    begun: Count | None = None
    order: Moment | None = None
    expected: int | None = None
    verdict: Text = ""
    run_key: Text = ""
    mlflow_run_id: str = ""

    @property
    def effect(self) -> Action:
        """The action by its present name; an entry itself keeps the old one, which its digest covers."""
        return _RENAMED.get(self.action, self.action)


class LedgerEntry(_KeptForEver):
    """One decision in the ledger; it is never changed and never removed.

    Attributes:
        number: from 0 without a gap.
        before, after: the champion's version before and after, None where there is none.
        previous: SHA-256 of the entry before, so that a change of any entry shows in all that follow.
    """

    number: int
    time: Moment
    decision: Decision
    before: int | None
    after: int | None
    previous: str


class Aliases(Record):
    """The versions that the three aliases should point to."""

    champion: int | None = None
    previous: int | None = None
    candidate: int | None = None


class Decided(Record):
    """The effect of a decision.

    Attributes:
        entry: the entry that records it, perhaps by an earlier try.
        moved: whether the champion is another one because of it.
    """

    entry: LedgerEntry
    aliases: Aliases
    moved: bool


class LedgerRequest(Record):
    """Which registered-model alias to read.

    Attributes:
        reconcile: whether to set its aliases right, else they are only looked at.
        actor: who asks; named where the champion turns out to have changed although nobody decided so.
    """

    channel: RegisteredAlias
    reconcile: bool = True
    actor: Text = "litegate"


class PositionRequest(Record):
    """Where a ledger stood when a pipeline run began; for the same run it is always the same."""

    channel: RegisteredAlias
    run_key: str


class Position(Record):
    """How many entries a ledger has."""

    entries: Count


class Revoked(Record):
    """A version that was rolled back or rejected, and the ledger entry that says so."""

    version: int
    entry: LedgerEntry


class ChannelState(Record):
    """A registered-model alias as its ledger has it: its champion, what is pending or revoked, and all entries.

    Attributes:
        aliases: where the aliases belong.
        found: where they pointed when the step `ledger` read them; None where it did not.
    """

    channel: RegisteredAlias
    aliases: Aliases
    found: Aliases | None = None
    frozen: int | None
    pending: tuple[int, ...]
    revoked: tuple[Revoked, ...]
    entries: tuple[LedgerEntry, ...]
