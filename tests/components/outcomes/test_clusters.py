"""Which samples are one cluster, against an independent search of the connected parts of a graph."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import t

from litegate.gate.student import from_normal, to_normal
from litegate.outcomes.clusters import Clusters, Sizes
from litegate.outcomes.columns import Outcomes


def outcomes(samples: int, **columns: np.ndarray) -> Outcomes:
    rows = np.arange(samples)
    return Outcomes(rows, rows.astype("S"), **columns)


def digests(content: np.ndarray) -> np.ndarray:
    """Sixteen bytes that are equal where the content is."""
    return np.frombuffer(np.random.default_rng(0).bytes(16 * 5000), "S16")[content]


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = len(np.unique(np.stack([one, other]), axis=1).T)
    return pairs == len(np.unique(one)) == len(np.unique(other))


@pytest.mark.parametrize("copies", [40, 400, 4000])
def test_clusters_are_the_connected_parts_of_groups_and_duplicates(copies: int) -> None:
    rng = np.random.default_rng(copies)
    content, group = rng.integers(copies, size=1000), rng.integers(300, size=1000)
    graph = coo_matrix((np.ones(1000), (group, 300 + content)), (300 + copies, 300 + copies))
    expected = connected_components(graph, directed=False)[1][group]
    found = Clusters.of(outcomes(1000, fed=digests(content), group=group.astype("S")))
    assert found is not None
    assert same_partition(found.number, expected)
    assert found.sizes.tolist() == np.bincount(found.number).tolist()


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_long_chain_of_groups_with_copies_in_common_is_one_cluster(shuffled: bool) -> None:
    place = np.arange(5000)
    if shuffled:
        place = np.random.default_rng(1).permutation(place)
    found = Clusters.of(outcomes(5000, fed=digests((place + 1) // 2), group=(place // 2).astype("S")))
    assert found is not None
    assert len(found) == 1


def test_samples_that_differ_and_have_no_groups_are_independent() -> None:
    assert Clusters.of(outcomes(100)) is None
    assert Clusters.of(outcomes(100, fed=digests(np.arange(100)))) is None
    assert Clusters.of(outcomes(100, group=np.arange(100).astype("S"))) is None
    assert Clusters.of(outcomes(0, fed=digests(np.arange(0)))) is None


@pytest.mark.parametrize("width", [5, 16, 32])
def test_digests_of_any_width_are_equal_only_as_a_whole(width: int) -> None:
    fed = np.array([(b"1234567890" * 4)[: width - 1] + end for end in (b"a", b"b", b"a")], f"S{width}")
    found = Clusters.of(outcomes(3, fed=fed))
    assert found is not None
    assert found.number.tolist() == [0, 1, 0]
    assert Clusters.of(outcomes(2, fed=fed[:2])) is None


def test_some_of_the_rows_have_the_clusters_that_are_among_them() -> None:
    found = Clusters.of(outcomes(6, group=np.array(list("aabbcc"), "S")))
    assert found is not None
    part = found.take(np.array([0, 2, 3]))
    assert part is not None
    assert part.sizes.tolist() == [1, 2]
    assert found.take(np.array([0, 2, 4])) is None, "one sample of each"
    assert found.rows(np.array([2, 0, 2])).tolist() == [4, 5, 0, 1, 4, 5]
    assert found.sums(np.arange(6.0)).tolist() == [1, 5, 9]


def test_what_is_found_to_belong_to_an_earlier_visit_is_not_new() -> None:
    group, fed = np.array(list("aabbccdd"), "S"), digests(np.array([0, 1, 2, 3, 4, 1, 5, 6]))
    found = Clusters.of(outcomes(8, group=group, fed=fed))
    assert found is not None
    assert found.sizes.tolist() == [4, 2, 2], "c has a copy of what is in a"
    assert found.first_visits.tolist() == [0, 1, 2, 3, 6, 7]


def test_the_largest_clusters_come_first() -> None:
    sizes = Sizes.of(np.array([1] * 50 + [10] * 5))
    assert (sizes.clusters, sizes.samples, sizes.largest) == (55, 100, 10)
    assert sizes.effective == pytest.approx(100**2 / (50 + 500))
    assert [sizes.share(number) for number in (0.5, 1, 5, 15, 55)] == pytest.approx([0.05, 0.1, 0.5, 0.6, 1.0])
    assert [sizes.mean_of_largest(share) for share in (0.0, 0.1, 0.5, 0.6, 1.0)] == pytest.approx(
        [10, 10, 10, 60 / 15, 100 / 55]
    )


@pytest.mark.parametrize("freedom", [29, 60, 200, 5000])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.00625, 1e-5])
def test_students_quantiles_are_scipys(freedom: float, alpha: float) -> None:
    deviate = t.isf(alpha, 1e9)
    assert from_normal(deviate, freedom) == pytest.approx(t.isf(alpha, freedom), rel=1e-3)
    assert to_normal(from_normal(-deviate, freedom), freedom) == pytest.approx(-deviate)
