"""Decisions that cannot be taken, and what is said about them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from litegate.errors import BadInput
from litegate.promotion import aliases_of, outcome_refusal, refusal, standing_of
from litegate.records import Aliases, Decision
from tests.components.promotion.ledgers import decision, ledger, registry

TWO = (decision("accepted", 1, 1), decision("accepted", 2, 2))
FROZEN = (*TWO, decision("frozen", 2))
WAITING = (*TWO, decision("nominated", 3, 3))
BARRED = (*TWO, decision("accepted", 3, 3), decision("rolled_back", 3, actor="bob"))


@dataclass(frozen=True)
class Case:
    id: str
    before: tuple[Decision, ...]
    asked: Decision
    says: str | None = None


CASES = [
    Case("the first version", (), decision("accepted", 1, 1)),
    Case("another version", TWO, decision("accepted", 3, 3)),
    Case("the same digest again", TWO, decision("accepted", 2, 3)),
    Case("another digest under the same version", TWO, decision("accepted", 2, 3, digest="x"), "the digest sha-2"),
    Case("accepting what waits", WAITING, decision("accepted", 3, digest=None)),
    Case(
        "accepting what does not wait", TWO, decision("accepted", 3, digest=None), "a version whose approval is pending"
    ),
    Case("rejecting what does not wait", TWO, decision("rejected", 2), "a version whose approval is pending"),
    Case("a revoked version that passed again", BARRED, decision("accepted", 3, 9)),
    Case("rolling back the champion", TWO, decision("rolled_back", 2)),
    Case("rolling back another", TWO, decision("rolled_back", 1), "the champion, version 2, got another version"),
    Case("rolling back without a champion", (), decision("rolled_back", 1), "a version that can be rolled back"),
    Case("rolling back a frozen version", FROZEN, decision("rolled_back", 2), "unfreeze it first"),
    Case("rolling back to itself", TWO, decision("rolled_back", 2, to=2), "an accepted version (1), got"),
    Case(
        "rolling back to a revoked one",
        BARRED,
        decision("rolled_back", 2, to=3),
        "a version that was rolled back by bob: reinstate it first",
    ),
    Case("rolling back to a stranger", TWO, decision("rolled_back", 2, to=7), "a version that was never accepted"),
    Case("reinstating what is revoked", BARRED, decision("reinstated", 3)),
    Case("reinstating what is not", TWO, decision("reinstated", 2), "a revoked version (rolled back or rejected)"),
    Case("freezing", TWO, decision("frozen", 1)),
    Case("freezing a stranger", TWO, decision("frozen", 7), "an accepted version (1, 2), got a version that was never"),
    Case("freezing what waits", WAITING, decision("frozen", 3), "an accepted version (1, 2)"),
    Case("unfreezing", FROZEN, decision("unfrozen")),
    Case("unfreezing what an entry calls pinned", (*TWO, decision("pinned", 2)), decision("unfrozen")),
    Case("unfreezing nothing", TWO, decision("unfrozen"), "a frozen version, got none"),
    Case("the expected champion", TWO, decision("accepted", 3, 3, expected=2)),
    Case("another champion by now", TWO, decision("accepted", 3, 3, expected=1), "1, for which this was decided"),
    Case("no champion, as expected", (), decision("accepted", 1, 1, expected=0)),
    Case(
        "a champion where none was expected",
        TWO,
        decision("accepted", 3, 3, expected=0),
        "got version 2: see `litegate history`",
    ),
    Case("it is champion already", TWO, decision("accepted", 2, 3, expected=1)),
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_what_cannot_be_decided_says_why(case: Case) -> None:
    standing = standing_of(ledger(*case.before))
    found = refusal(standing, aliases_of(standing, registry()), case.asked)
    if case.says is None:
        assert found is None
    else:
        assert found is not None
        assert case.says in str(BadInput(*found))


@pytest.mark.parametrize(
    ("asked", "then", "says"),
    [
        (decision("rolled_back", 2), Aliases(champion=1), None),
        (
            decision("rolled_back", 2),
            Aliases(),
            "that can take over, got no such version: promote one first",
        ),
        (decision("rolled_back", 2, to=1), Aliases(champion=3), "version 1 as it was judged"),
        (decision("frozen", 1), Aliases(champion=2), "version 1 as it was judged"),
        (decision("frozen", 1), Aliases(champion=1), None),
        (decision("accepted", 1, 1), Aliases(champion=2), None),
    ],
)
def test_what_would_not_come_about_is_refused(asked: Decision, then: Aliases, says: str | None) -> None:
    found = outcome_refusal(asked, then)
    assert (found is None) == (says is None)
    assert says is None or says in str(BadInput(*found or ("", "", "")))
