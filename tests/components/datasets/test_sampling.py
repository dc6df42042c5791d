"""The choice of samples: deterministic, nested, stable, stratified."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from litegate.datasets.sampling import choose, choose_stratified, in_random_order, ranks_of_positions

IDS = [f"class{index % 3}/{index}.jpg" for index in range(3000)]


def test_the_choice_does_not_depend_on_the_order_of_the_data() -> None:
    shuffled = list(np.random.default_rng(0).permutation(IDS))
    assert {IDS[i] for i in choose(IDS, 100, 17)} == {shuffled[i] for i in choose(shuffled, 100, 17)}


def test_a_smaller_choice_is_the_beginning_of_a_larger_one() -> None:
    assert choose(IDS, 500, 17)[:100].tolist() == choose(IDS, 100, 17).tolist()


def test_appended_data_changes_few_of_the_chosen() -> None:
    before, after = set(choose(IDS, 200, 17)), set(choose([*IDS, *(f"new/{i}" for i in range(30))], 200, 17))
    assert len(before & after) >= 190


def test_seeds_choose_differently_and_uniformly() -> None:
    assert choose(IDS, 100, 1).tolist() != choose(IDS, 100, 2).tolist()
    means = [np.mean(choose(IDS, 300, seed)) for seed in range(20)]
    assert abs(np.mean(means) - 1499.5) < 60


def test_ranks_of_positions_are_those_of_a_hash() -> None:
    """The same for more samples, others for another file or seed, and uniform: also of files that follow each other."""
    ranks = ranks_of_positions("part-0.npz", 10_000, 17)
    assert ranks.dtype == np.uint64
    assert np.array_equal(ranks[:100], ranks_of_positions("part-0.npz", 100, 17))
    others = [ranks_of_positions(name, 10_000, seed) for name, seed in (("part-1.npz", 17), ("part-0.npz", 18))]
    assert len(set(np.concatenate([ranks, *others]).tolist())) == 30_000
    for each in (ranks, *others):
        counts = np.bincount((each >> np.uint64(60)).astype(int), minlength=16)
        assert chisquare(counts).pvalue > 1e-6
        assert abs(np.corrcoef(each.astype(float), np.arange(10_000))[0, 1]) < 0.05


@pytest.mark.parametrize("count", [None, 3000, 5000])
def test_all_are_chosen_when_there_are_not_more(count: int | None) -> None:
    assert choose(IDS, count, 17).tolist() == list(range(3000))


def test_groups_are_visited_as_a_whole_in_an_order_that_depends_on_their_names_alone() -> None:
    groups = np.array([f"group {place % 97}" for place in range(len(IDS))], "S")
    order = in_random_order(IDS, None, 17, groups)
    assert sorted(order.tolist()) == list(range(len(IDS)))
    visited = groups[order]
    names = visited[np.flatnonzero(np.append(True, visited[1:] != visited[:-1]))].tolist()
    assert len(names) == 97, "one after the other"
    assert names != sorted(names)
    backwards = in_random_order(IDS[::-1], None, 17, groups[::-1])
    assert [IDS[::-1][place] for place in backwards] == [IDS[place] for place in order]
    assert in_random_order(IDS, 100, 17, groups).tolist() == order[:100].tolist()
    assert in_random_order(IDS, None, 18, groups).tolist() != order.tolist()


def test_all_in_random_order_are_still_in_the_order_of_their_hashes() -> None:
    order = in_random_order(IDS, None, 17).tolist()
    assert sorted(order) == list(range(3000))
    assert order[:500] == choose(IDS, 500, 17).tolist() == in_random_order(IDS, 500, 17).tolist()
    assert order != in_random_order(IDS, None, 18).tolist()


def test_each_label_gets_its_proportion() -> None:
    labels = np.array([0] * 2000 + [1] * 900 + [2] * 100)
    chosen = choose_stratified(IDS, labels, 100, 17)
    assert np.bincount(labels[chosen]).tolist() == [67, 30, 3]


@pytest.mark.parametrize("count", [1, 2, 7, 100, 299])
def test_exactly_as_many_as_asked_for_are_chosen(count: int) -> None:
    labels = np.arange(300) % 7
    chosen = choose_stratified(IDS[:300], labels, count, 17)
    assert len(chosen) == len(set(chosen.tolist())) == count


def test_without_labels_the_choice_is_plain() -> None:
    assert choose_stratified(IDS, None, 50, 17).tolist() == choose(IDS, 50, 17).tolist()


def test_a_smaller_stratified_choice_is_part_of_a_larger_one_of_the_same_proportions() -> None:
    labels = np.arange(3000) % 3
    small, large = (choose_stratified(IDS, labels, count, 17).tolist() for count in (30, 300))
    assert set(small) < set(large)
    assert [index for index in large if index in set(small)] == small
