"""Why a version that passed is not champion."""

from __future__ import annotations

import pytest

from litegate.promotion import aliases_of, standing_of, why_blocked
from litegate.records import Decision
from tests.components.promotion.ledgers import decision, ledger, registry

TWO = (decision("accepted", 1, 1), decision("accepted", 2, 2))
LATER = (decision("accepted", 1, 3, begun=0), decision("accepted", 2, 2, begun=1))
ANOTHER = (
    decision("accepted", 1, 9, begun=0),
    decision("accepted", 3, 1, begun=1),
    decision("accepted", 2, 2, begun=0),
)
CHOSEN = (*TWO, decision("accepted", 3, 3), decision("rolled_back", 3, to=2), decision("accepted", 1, 9, begun=0))
FIRST = "version 2 has priority:"


@pytest.mark.parametrize(
    ("decisions", "version", "gone", "says"),
    [
        (TWO, 1, (), f"{FIRST} its run overlapped with this one's and was due later, 2026-01-02T00:00:00"),
        (LATER, 1, (), f"{FIRST} its run began when this one had been accepted (entry 0 of the ledger)"),
        (
            ANOTHER,
            1,
            (),
            f"{FIRST} the run of version 3 began when this one had been accepted (entry 0 of the ledger)",
        ),
        (
            (*LATER, decision("accepted", 3, 3, begun=2)),
            1,
            (3,),
            f"{FIRST} its run began when this one had been accepted (entry 0 of the ledger)",
        ),
        (CHOSEN, 1, (), f"{FIRST} a roll-back named it (entry 3 of the ledger)"),
        ((*TWO, decision("rolled_back", 2)), 2, (), "version 2 was rolled back by ann (because)"),
        ((*TWO, decision("frozen", 1)), 2, (), "version 1 is frozen"),
        (TWO, 7, (), "version 7 was never accepted"),
        (TWO, 2, (1, 2), "version 2 was deleted, or its tags no longer have the judged verdict and digest"),
    ],
)
def test_one_sentence_says_what_keeps_it(
    decisions: tuple[Decision, ...], version: int, gone: tuple[int, ...], says: str
) -> None:
    standing = standing_of(ledger(*decisions))
    assert why_blocked(standing, version, aliases_of(standing, registry(gone=gone))) == says
