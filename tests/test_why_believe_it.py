"""The numbers of docs/why-believe-it.md are those of the gate's code, or of elementary probability."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm

from litegate.gate.clustered import ClusteredProportions
from litegate.gate.evidence import Approximate, PairedProportions, needed
from litegate.gate.multiplicity import holm
from litegate.outcomes.clusters import Clusters
from tests.benchmarks.searched_cases import SEARCHED
from tests.benchmarks.simulate import simulate

PAGE = (Path(__file__).parents[1] / "docs/why-believe-it.md").read_text()
DISCORDANT = 0.038
"""The share of samples that exactly one of float and its quantization gets right."""
LIMIT, ALPHA = 0.01, 0.05

Rule = Callable[[int, int, int], bool]


def naive(total: int, lost: int, gained: int) -> bool:
    return lost - gained <= LIMIT * total + 1e-9


def gate(total: int, lost: int, gained: int) -> bool:
    return PairedProportions(total, lost, gained).p_within(LIMIT) <= ALPHA


@cache
def ships(rule: Rule, total: int, loss: float) -> float:
    """The exact probability that a rule passes a variant with this true loss."""
    losing, gaining = (DISCORDANT + loss) / 2, (DISCORDANT - loss) / 2
    sum_ = 0.0
    for lost in range(binom.isf(1e-9, total, losing).astype(int) + 1):
        fewest = _fewest(lambda gained, lost=lost: rule(total, lost, gained), lost)
        chance = binom.pmf(lost, total, losing)
        sum_ += chance * binom.sf(fewest - 1, total - lost, gaining / (1 - losing))
    return sum_


def _fewest(passes: Callable[[int], bool], most: int) -> int:
    """How many samples must be gained to pass, by bisection."""
    low, high = 0, most + 400
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle + 1, high)
    return low


def found(pattern: str) -> tuple[str, ...]:
    """The groups of the pattern's only place on the page, whose blanks are alike."""
    places = re.findall(pattern, " ".join(PAGE.split()))
    assert len(places) == 1, f"{pattern}: {places}"
    return (places[0],) if isinstance(places[0], str) else places[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table whose head begins with the title."""
    table = PAGE.split(f"| {title}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("row", rows("the variant truly loses"), ids=lambda row: row[0])
def test_how_often_each_rule_ships_a_variant(row: list[str]) -> None:
    loss = float(row[0].removesuffix(" points")) / 100
    assert row[1:] == [f"{ships(rule, 1000, loss):.1%}".replace("%", " %") for rule in (naive, gate)]


def test_what_the_naive_rule_throws_away() -> None:
    rejected = 1 - ships(naive, 1000, 0.0)
    assert found(r"one perfect model in (\d+)\.") == (f"{1 / rejected:.0f}",)
    assert 25 * rejected >= 1, "five a day, a week of five days"


def test_how_often_a_perfect_model_passes_with_more_samples() -> None:
    first, second, third = found(r"2,500 samples ([\d.]+) % of .* with 5,000 ([\d.]+) %, with 10,000 ([\d.]+) %")
    assert (first, second) == tuple(f"{100 * ships(gate, total, 0.0):.1f}" for total in (2500, 5000))
    assert third == f"{100 * ships(gate, 10_000, 0.0):.2f}"


@pytest.mark.parametrize("row", rows("samples | lost"), ids="-".join)
def test_the_bounds_of_a_verdict(row: list[str]) -> None:
    total, lost, gained = (int(cell.replace(",", "")) for cell in row[:3])
    evidence = PairedProportions(total, lost, gained)
    low, high = evidence.bounds(1 - ALPHA)
    assert row[3:6] == [f"{100 * value:.2f}" for value in (evidence.estimate, low, high)]
    proved = evidence.p_within(LIMIT) <= ALPHA, evidence.p_beyond(LIMIT) <= ALPHA
    assert row[6] == {(True, False): "passed", (False, True): "failed"}.get(proved, "undecided")


def test_the_text_repeats_the_first_row_of_the_verdicts() -> None:
    first = rows("samples | lost")[0]
    assert found(r"lost (\d+) that float had right, and gained (\d+)\. The difference is ([\d.]+)") == tuple(first[1:4])
    assert found(r"at most ([\d.]+) points \(and at least (-[\d.]+)\)") == (first[5], first[4])


def test_the_least_that_proves_a_limit() -> None:
    assert found(r"limit of one point (\d+) unchanged") == (str(needed(PairedProportions(300, 0, 0), LIMIT, ALPHA)),)
    assert gate(361, 0, 0)
    assert not gate(360, 0, 0)


def test_paired_and_unpaired_samples() -> None:
    power = ((norm.isf(ALPHA) + norm.isf(0.2)) / LIMIT) ** 2
    unpaired, paired = power * 2 * 0.7546 * (1 - 0.7546), power * DISCORDANT
    said = [int(number.replace(",", "")) for number in found(r"and ([\d,]+) samples of each .* takes ([\d,]+) pairs")]
    assert said == [round(unpaired, -2), round(paired, -1)]


def test_ten_looks() -> None:
    steps = np.random.default_rng(17).standard_normal((100_000, 10)).cumsum(axis=1)
    passed = (steps / np.sqrt(np.arange(1, 11)) > norm.isf(ALPHA)).any(axis=1).mean()
    assert found(r"it passes in (\d+) % of all cases") == (f"{100 * passed:.0f}",)


def test_many_variants() -> None:
    assert found(r"pass in up to (\d+) % of the runs") == (f"{100 * (1 - 0.95**8):.0f}",)
    values = [float(number) for number in found(r"p-values ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+) only the first")]
    assert [adjusted <= ALPHA for adjusted in holm(values)] == [True, False, False, False]
    assert sum(value < ALPHA for value in values) == 3


def test_few_samples() -> None:
    total, lost, gained, high = found(r"With (\d+) samples and (\d+) lost, (\d+) gained, the loss may be ([\d.]+)")
    evidence = PairedProportions(int(total), int(lost), int(gained))
    assert high == f"{100 * evidence.bounds(0.95)[1]:.2f}"
    assert evidence.p_within(0.03) <= ALPHA
    assert found(r"names the number, here about (\d+)") == (f"{round(needed(evidence, LIMIT, ALPHA) or 0, -1)}",)


def test_copies_that_are_taken_for_independent() -> None:
    def often(times: int) -> Rule:
        return lambda total, lost, gained: gate(times * total, times * lost, times * gained)

    assert found(
        r"in ([\d.]+) % of all runs if 100 samples that are there a hundred times each are taken for 10,000"
    ) == (f"{100 * ships(often(100), 100, LIMIT):.1f}",)
    assert found(r"were each of 1,000 there twice, in ([\d.]+) %") == (f"{100 * ships(often(2), 1000, LIMIT):.1f}",)


def test_the_least_number_of_clusters_that_proves_a_limit() -> None:
    def passes(videos: int, frames: int) -> bool:
        number = np.repeat(np.arange(videos), frames)
        evidence = ClusteredProportions.of(np.zeros(len(number), int), Clusters(number, number))
        return evidence.p_within(LIMIT) <= ALPHA

    videos, fewer = map(int, found(r"With (\d+) videos in which nothing changes .* is proved, with (\d+) it is not"))
    for frames in (2, 100):
        assert passes(videos, frames)
        assert not passes(videos - 1, frames)
        assert not passes(fewer, frames)


def test_rare_classes_and_what_was_not_seen() -> None:
    assert found(r"exclude a loss of more than ([\d.]+) points") == (
        f"{100 * PairedProportions(50, 0, 0).bounds(0.95)[1]:.1f}",
    )
    assert found(r"can vanish for ([\d.]+) points") == (f"{100 * 50 / 10_000:.1f}",)
    unseen = Approximate(300, 0.0, 0.0, 1.0, 1.0).bounds(0.95)[1]
    assert found(r"up to ([\d.]+) % of all may be") == (f"{100 * unseen:.2f}",)


def test_the_code_of_the_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec("\n".join(line.removeprefix("  ") for line in code.splitlines()))
    said = [float(number) for number in re.findall(r"-?[\d.]+", code.split("#")[1])]
    printed = [float(number) for number in re.findall(r"-?[\d.]+", capsys.readouterr().out)]
    assert said == pytest.approx(printed, abs=5e-4)
    assert math.isclose(said[0], printed[0], abs_tol=5e-6)


def test_a_file_that_was_searched_for_passes_no_more_often_on_samples_of_its_own() -> None:
    (percent,) = found(r"Thirty files at the limit, the best one judged on others: it passes in fewer than (\d+) % of")
    assert found(r"Judged on what it was chosen by, in (two of three)\.")
    runs = 400
    apart, same = (simulate(case, False, [17], runs).passed / runs for case in SEARCHED[::2])
    assert apart < int(percent) / 100 + 2.5 * (0.05 * 0.95 / runs) ** 0.5
    assert same == pytest.approx(2 / 3, abs=3 * (2 / 9 / runs) ** 0.5)
