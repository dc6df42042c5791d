"""Why a version that passed is not champion."""

from __future__ import annotations

import pytest

from litegate.promotion import aliases_of, standing_of, why_held
from litegate.records import Decision
from tests.components.promotion.ledgers import decision, ledger, registry

TWO = (decision("accepted", 1, 1), decision("accepted", 2, 2))


@pytest.mark.parametrize(
    ("decisions", "version", "gone", "says"),
    [
        (TWO, 1, (), "version 2 was accepted for a later moment, 2026-01-02T00:00:00"),
        ((*TWO, decision("rolled_back", 2)), 2, (), "version 2 was rolled back by ann (because)"),
        ((*TWO, decision("pinned", 1)), 2, (), "version 1 is pinned"),
        (TWO, 7, (), "version 7 was never accepted"),
        (TWO, 2, (1, 2), "version 2 was deleted, or its tags no longer say what was judged"),
    ],
)
def test_one_sentence_says_what_keeps_it(
    decisions: tuple[Decision, ...], version: int, gone: tuple[int, ...], says: str
) -> None:
    standing = standing_of(ledger(*decisions))
    assert why_held(standing, version, aliases_of(standing, registry(gone=gone))) == says
