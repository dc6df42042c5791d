"""A ledger that was changed shows it."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.digest import digest_json
from litegate.errors import StoreError
from litegate.promotion import chained, check_chain
from litegate.records import Decision, LedgerEntry
from tests.components.promotion.ledgers import decision, ledger

ENTRIES = ledger(*(decision("accepted", version, version) for version in (1, 2, 3)))


def changed(number: int, **fields: Any) -> list[LedgerEntry]:
    entries = list(ENTRIES)
    entries[number] = entries[number].model_copy(update=fields)
    return entries


def test_what_was_written_fits() -> None:
    check_chain(ENTRIES, "ledger")
    check_chain((), "ledger")


def test_every_field_of_a_new_entry_is_written_and_covered() -> None:
    assert set(ENTRIES[0].to_json()["decision"]) == set(Decision.model_fields)
    assert [LedgerEntry.model_validate(entry.to_json()) for entry in ENTRIES] == list(ENTRIES)


def test_a_ledger_from_before_a_field_was_added_goes_on() -> None:
    first = ENTRIES[0].to_json()
    del first["decision"]["begun"], first["decision"]["order"]
    second = ENTRIES[1].to_json() | {"previous": digest_json(first)}
    entries = tuple(map(LedgerEntry.model_validate, (first, second)))
    check_chain((*entries, chained(entries, decision("accepted", 3, 3), 2, 3)), "ledger")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (ENTRIES[1:], "ledger: expected entry 0, got entry 1: one was removed"),
        ((ENTRIES[0], ENTRIES[2]), "expected entry 1, got entry 2"),
        (changed(0, time="2020-01-01T00:00:00+00:00"), "entry 1 does not follow the one before it"),
        (changed(1, after=7), "entry 2 does not follow"),
        (changed(1, decision=decision("accepted", 9, 9)), "entry 2 does not follow"),
        (changed(2, previous=""), "entry 2 does not follow"),
    ],
)
def test_a_removed_or_changed_entry_is_named(entries: Any, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        check_chain(entries, "ledger")


def test_what_was_checked_before_is_not_checked_again_but_what_follows_must_fit_to_it() -> None:
    check_chain(changed(1, previous="other")[:2], "ledger", checked=2)
    with pytest.raises(StoreError, match="entry 2 does not follow"):
        check_chain(changed(1, after=7), "ledger", checked=2)
    with pytest.raises(StoreError, match="expected entry 1, got entry 2"):
        check_chain((ENTRIES[0], ENTRIES[2]), "ledger", checked=1)
