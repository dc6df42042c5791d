"""Who is champion, as a table: what was decided, what the registry says, where the aliases belong."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import pytest

from litegate.promotion import VersionFacts, aliases_of, standing_of
from litegate.promotion.priority import Priority, best_first
from litegate.records import Aliases, Decision
from tests.components.promotion.ledgers import at, decision, ledger, registry


@dataclass(frozen=True)
class Case:
    id: str
    decisions: tuple[Decision, ...]
    champion: int | None = None
    previous: int | None = None
    candidate: int | None = None
    facts: Callable[[int], VersionFacts | None] = field(default_factory=registry)


def accepted(*versions: int) -> tuple[Decision, ...]:
    """Accepted in this order, each for the day of its number."""
    return tuple(decision("accepted", version, version) for version in versions)


CASES = [
    Case("nothing was decided", ()),
    Case("one was accepted", accepted(1), champion=1),
    Case("the latest moment counts", accepted(1, 2, 3), champion=3, previous=2),
    Case("and not who came last", accepted(3, 1, 2), champion=3, previous=2),
    Case(
        "an old version that was accepted again for a later moment",
        (*accepted(1, 2), decision("accepted", 1, 9)),
        champion=1,
        previous=2,
    ),
    Case(
        "a later entry for an earlier moment lowers no priority",
        (decision("accepted", 1, 9), decision("accepted", 2, 5), decision("accepted", 1, 2)),
        champion=1,
        previous=2,
    ),
    Case(
        "of the same moment the higher version",
        (decision("accepted", 2, 5), decision("accepted", 1, 5)),
        champion=2,
        previous=1,
    ),
    Case("a nomination waits", (*accepted(1), decision("nominated", 2, 2)), champion=1, candidate=2),
    Case(
        "of several the latest is the candidate",
        (decision("nominated", 2, 3), decision("nominated", 1, 2)),
        candidate=2,
    ),
    Case(
        "a person accepts a nomination",
        (*accepted(1), decision("nominated", 2, 2), decision("accepted", 2, digest=None)),
        champion=2,
        previous=1,
    ),
    Case(
        "which counts for the moment of its run, not of the answer",
        (*accepted(1), decision("nominated", 2, 2), *accepted(3), decision("accepted", 2, digest=None)),
        champion=3,
        previous=2,
    ),
    Case(
        "a person rejects a nomination",
        (*accepted(1), decision("nominated", 2, 2), decision("rejected", 2)),
        champion=1,
    ),
    Case(
        "and a second run of the same digest asks nobody",
        (*accepted(1), decision("nominated", 2, 2), decision("rejected", 2), decision("nominated", 2, 3)),
        champion=1,
    ),
    Case("a roll-back", (*accepted(1, 2, 3), decision("rolled_back", 3)), champion=2, previous=1),
    Case(
        "what was rolled back is not champion again by a later run",
        (*accepted(1, 2), decision("rolled_back", 2), decision("accepted", 2, 9)),
        champion=1,
    ),
    Case(
        "but another version is",
        (*accepted(1, 2), decision("rolled_back", 2), decision("accepted", 3, 9)),
        champion=3,
        previous=1,
    ),
    Case(
        "a roll-back to a version",
        (*accepted(1, 2, 3), decision("rolled_back", 3, to=1)),
        champion=1,
        previous=2,
    ),
    Case(
        "is overtaken by a run for a later moment only",
        (*accepted(1, 2, 3), decision("rolled_back", 3, to=1), decision("accepted", 4, 4)),
        champion=1,
        previous=4,
    ),
    Case(
        "a reinstated version has its old priority",
        (*accepted(1, 2), decision("rolled_back", 2), decision("reinstated", 2)),
        champion=2,
        previous=1,
    ),
    Case(
        "a freeze holds against later versions",
        (*accepted(1, 2), decision("frozen", 1), *accepted(3)),
        champion=1,
        previous=3,
    ),
    Case(
        "until it is taken away",
        (*accepted(1, 2), decision("frozen", 1), *accepted(3), decision("unfrozen")),
        champion=3,
        previous=2,
    ),
    Case("a deleted version", accepted(1, 2, 3), champion=2, previous=1, facts=registry(gone=(3,))),
    Case("a version that somebody marked as failed", accepted(1, 2), champion=1, facts=registry(failed=(2,))),
    Case("a version whose digest was changed", accepted(1, 2), champion=1, facts=registry(changed=(2,))),
    Case("no version is left", accepted(1, 2), facts=registry(gone=(1,), failed=(2,))),
    Case("a candidate that was deleted", (decision("nominated", 1, 1),), facts=registry(gone=(1,))),
    Case(
        "a freeze that its entry calls a pin holds",
        (*accepted(1, 2), decision("pinned", 1), *accepted(3)),
        champion=1,
        previous=3,
    ),
    Case(
        "and ends by either name",
        (*accepted(1, 2), decision("pinned", 1), decision("unpinned"), decision("pinned", 1), decision("unfrozen")),
        champion=2,
        previous=1,
    ),
    Case(
        "a frozen version that was deleted",
        (*accepted(1, 2), decision("frozen", 1)),
        champion=2,
        facts=registry(gone=(1,)),
    ),
]


WRONG_CLOCK = "2031-01-01T00:00:00Z"
CASES += [
    Case(
        "a run that began later comes later, whatever its clock said",
        (decision("accepted", 1, 9, begun=0), decision("accepted", 2, 5, begun=1)),
        champion=2,
        previous=1,
    ),
    Case(
        "an entry dated 2031 holds back no run that began after it",
        (
            decision("accepted", 1, order=WRONG_CLOCK, begun=0),
            *(decision("accepted", n, n, begun=n - 1) for n in (2, 3)),
        ),
        champion=3,
        previous=2,
    ),
    Case(
        "nor does one of an older litegate, which did not say when its run began",
        (*accepted(1), decision("accepted", 2, order=WRONG_CLOCK), decision("accepted", 3, 3, begun=2)),
        champion=3,
        previous=2,
    ),
    Case(
        "a run that began earlier and ends later lowers no priority",
        (decision("accepted", 2, 2, begun=0), decision("accepted", 1, 1, begun=0)),
        champion=2,
        previous=1,
    ),
    Case(
        "nor does it if it was nominated only then",
        (
            decision("nominated", 1, 1, begun=0),
            decision("accepted", 2, 2, begun=1),
            decision("accepted", 1, digest=None),
        ),
        champion=2,
        previous=1,
    ),
    Case(
        "an answer counts for its run, which the next run knew of",
        (
            decision("nominated", 1, order=WRONG_CLOCK, begun=0),
            decision("accepted", 2, 2, begun=1),
            decision("accepted", 1, digest=None),
        ),
        champion=2,
        previous=1,
    ),
    Case(
        "a roll-back to a version dated 2031 is overtaken by the next run that begins",
        (*accepted(1, 2), decision("rolled_back", 2, to=1), decision("accepted", 3, 3, begun=3)),
        champion=3,
        previous=1,
    ),
    Case(
        "but not by one that had begun before",
        (*accepted(1, 2), decision("rolled_back", 2, to=1), decision("accepted", 3, 3, begun=2)),
        champion=1,
        previous=3,
    ),
    Case(
        "a roll-back to a version holds against a run that overlaps with it, whatever the clock of that run said",
        (*accepted(1, 2), decision("rolled_back", 2, to=1), decision("accepted", 3, order=WRONG_CLOCK, begun=2)),
        champion=1,
        previous=3,
    ),
    Case(
        "of two roll-backs to a version the later one",
        (*accepted(1, 2, 3, 4), decision("rolled_back", 4, to=1), decision("rolled_back", 1, to=2)),
        champion=2,
        previous=3,
    ),
    Case(
        "a second answer of a person is no second priority",
        (
            decision("nominated", 1, 1, begun=0),
            decision("accepted", 1, digest=None),
            decision("accepted", 2, 2, begun=2),
            decision("accepted", 1, digest=None, key="again"),
        ),
        champion=2,
        previous=1,
    ),
    Case(
        "a version that an older run accepts again keeps its priority before what the newer one knew of",
        (
            decision("accepted", 2, 2, begun=0),
            decision("accepted", 1, 3, begun=1),
            decision("accepted", 1, 4, begun=0),
        ),
        champion=1,
        previous=2,
    ),
    Case(
        "and is not moved behind a wrong clock by it",
        (
            decision("accepted", 2, order=WRONG_CLOCK, begun=0),
            decision("accepted", 1, 3, begun=1),
            decision("accepted", 1, 4, begun=0),
        ),
        champion=1,
        previous=2,
    ),
    Case(
        "nor by a later run whose clock is behind",
        (
            decision("accepted", 1, 9, begun=0),
            decision("accepted", 2, 5, begun=0),
            decision("accepted", 1, order="1970-01-01T00:00:00Z", begun=1),
        ),
        champion=1,
        previous=2,
    ),
    Case(
        "a run that says it began in the future gains nothing over those that begin after it",
        (decision("accepted", 1, 1, begun=900), decision("accepted", 2, 2, begun=1)),
        champion=2,
        previous=1,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_aliases_are_a_function_of_the_ledger_and_the_registry(case: Case) -> None:
    found = aliases_of(standing_of(ledger(*case.decisions)), case.facts)
    assert found == Aliases(champion=case.champion, previous=case.previous, candidate=case.candidate)


def test_the_order_of_acceptances_does_not_matter() -> None:
    found = {
        aliases_of(standing_of(ledger(*accepted(*order))), registry()).model_dump_json()
        for order in permutations((1, 2, 3, 4))
    }
    assert found == {Aliases(champion=4, previous=3).model_dump_json()}


def test_further_entries_are_added_to_what_is_known_and_leave_it_as_it_is() -> None:
    generator = random.Random(8)
    for case in CASES:
        entries = ledger(*case.decisions)
        cut = generator.randint(0, len(entries))
        before = standing_of(entries[:cut])
        assert standing_of(entries[cut:], before) == standing_of(entries)
        assert before == standing_of(entries[:cut])


def test_only_as_many_versions_are_looked_up_as_are_needed() -> None:
    asked: list[int] = []

    def facts(version: int) -> VersionFacts | None:
        asked.append(version)
        return registry()(version)

    aliases_of(standing_of(ledger(*accepted(*range(1, 29)))), facts)
    assert asked == [28, 27]


def test_moments_are_compared_in_one_zone() -> None:
    early = decision("accepted", 1, order="2026-01-05T10:00:00+02:00")
    late = decision("accepted", 2, order="2026-01-05T09:00:00+00:00")
    assert early.order < late.order
    assert early.order == "2026-01-05T08:00:00.000000+00:00"
    assert at(5) < early.order


def test_a_wrong_clock_holds_back_no_run_that_begins_after_it() -> None:
    """Ledgers at random: runs that overlap, one of them with a clock of 1970 or 2031."""
    generator = random.Random(3)
    for _ in range(300):
        runs = generator.randint(2, 8)
        wrong = generator.randrange(runs)
        decisions: list[Decision] = []
        for number in range(runs):
            begun = generator.randint(max(0, number - 2), number)
            clock = {"order": generator.choice(("1970-01-01T00:00:00Z", WRONG_CLOCK))} if number == wrong else {}
            decisions.append(decision("accepted", number + 1, number + 1, begun=begun, **clock))
        ranking = list(standing_of(ledger(*decisions)).ranking())
        assert sorted(ranking) == list(range(1, runs + 1))
        for later, each in enumerate(decisions):
            for known in range(each.begun):
                assert ranking.index(later + 1) < ranking.index(known + 1), (ranking, decisions)


def random_ledger(generator: random.Random, versions: int) -> list[Decision]:
    """Acceptances of runs that overlap, some of the same version, some with a clock of 1970 or 2031."""
    decisions: list[Decision] = []
    for number in range(generator.randint(2, 9)):
        wrong = generator.choice(("1970-01-01T00:00:00Z", WRONG_CLOCK)) if generator.random() < 0.3 else None
        given = {"order": wrong} if wrong else {}
        begun = generator.randint(max(0, number - 3), number)
        version, day = generator.randint(1, versions), begun + generator.randint(1, 3)
        decisions.append(decision("accepted", version, day, begun=begun, key=str(number), **given))
    return decisions


def champion_of(decisions: Sequence[Decision]) -> int | None:
    return aliases_of(standing_of(ledger(*decisions)), registry()).champion


def test_accepting_the_champion_once_more_does_not_take_its_place_away() -> None:
    generator = random.Random(5)
    again = 0
    for _ in range(2000):
        decisions = random_ledger(generator, versions=4)
        before, after = champion_of(decisions[:-1]), champion_of(decisions)
        again += decisions[-1].version == before
        assert after == before or decisions[-1].version != before, decisions
    assert again > 300


def test_in_which_order_runs_that_all_overlap_end_does_not_matter() -> None:
    generator = random.Random(6)
    for _ in range(50):
        runs = [each.model_copy(update={"begun": 0}) for each in random_ledger(generator, versions=3)[:5]]
        assert len({champion_of(each) for each in permutations(runs)}) == 1, runs


def test_the_order_is_the_one_that_is_written_down() -> None:
    """As `best_first` says it, priority by priority and version by version."""

    def plainly(priorities: dict[int, list[Priority]]) -> list[int]:
        order, left = [], dict(priorities)
        while left:
            best = {}
            for version, own in left.items():
                others = [priority.begun for other in left if other != version for priority in left[other]]
                open_ = [priority.rank for priority in own if priority.end >= max(others, default=0)]
                if open_:
                    best[version] = (max(open_), version)
            order.append(max(best, key=best.__getitem__))
            del left[order[-1]]
        return order

    generator = random.Random(7)
    for _ in range(2000):
        priorities = standing_of(ledger(*random_ledger(generator, versions=5))).accepted
        assert list(best_first(priorities)) == plainly(priorities)


def test_the_order_of_ten_thousand_versions_is_found_at_once() -> None:
    priorities = {version: [Priority(version // 2, version, str(version % 97))] for version in range(10_000)}
    assert len(list(best_first(priorities))) == 10_000
    assert list(best_first({version: [Priority(0, version, str(version % 97))] for version in priorities}))[:2] == [
        9990,
        9893,
    ]
