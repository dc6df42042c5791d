"""What a sample fed: any other value, type, shape, name or label is another digest, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.evaluation.fed import fed_digests

IMAGES = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
LABELS = np.arange(4)


def changed(row: int, value: float) -> np.ndarray:
    other = IMAGES.copy()
    other[row, 0, 0] = value
    return other


def test_one_changed_value_changes_the_digest_of_its_sample_alone() -> None:
    before, after = (fed_digests({"image": each}, LABELS) for each in (IMAGES, changed(2, 12.000001)))
    assert (before == after).tolist() == [True, True, False, True]


def test_a_changed_label_changes_the_digest_of_its_sample_alone() -> None:
    before, after = (fed_digests({"image": IMAGES}, each) for each in (LABELS, np.array([0, 1, 2, 4])))
    assert (before == after).tolist() == [True, True, True, False]


def test_equal_samples_have_equal_digests_wherever_they_stand_and_however_they_lie_in_memory() -> None:
    twice = np.concatenate([IMAGES, IMAGES[::-1]])
    found = fed_digests({"image": np.asfortranarray(twice)}, np.concatenate([LABELS, LABELS[::-1]]))
    assert found[:4].tolist() == found[:3:-1].tolist() == fed_digests({"image": IMAGES}, LABELS).tolist()
    assert len(set(found.tolist())) == 4


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        ({"image": IMAGES.astype(np.float64)}, LABELS),
        ({"image": IMAGES.view(np.uint32)}, LABELS),
        ({"image": IMAGES.reshape(4, 2, 3)}, LABELS),
        ({"image": IMAGES, "length": LABELS}, LABELS),
        ({"image": IMAGES}, LABELS[:, np.newaxis]),
    ],
)
def test_names_types_and_shapes_are_part_of_it(features: dict[str, np.ndarray], labels: np.ndarray) -> None:
    assert not (fed_digests(features, labels) == fed_digests({"image": IMAGES}, LABELS)).any()


def test_the_name_of_a_single_input_does_not_count_for_the_champion_may_have_another() -> None:
    first, second = (fed_digests({name: IMAGES}, LABELS) for name in ("keras_tensor", "keras_tensor_12"))
    assert (first == second).all()


def test_a_label_is_the_same_whatever_type_the_rest_of_its_batch_gives_it() -> None:
    whole, mixed = (fed_digests({"image": IMAGES}, np.array(labels)) for labels in ([1, 2, 3, 4], [1, 2, 3.5, 4]))
    assert (whole == mixed).tolist() == [True, True, False, True]


def test_inputs_that_are_swapped_are_not_the_same() -> None:
    one, other = IMAGES, IMAGES + 1
    first, second = (fed_digests({"a": a, "b": b}, LABELS) for a, b in ((one, other), (other, one)))
    assert not (first == second).any()


def test_targets_and_text_are_digested_too() -> None:
    words = np.array([["left"], ["right"], ["left"]])
    found = fed_digests({"word": words}, np.zeros((3, 2)))
    assert found[0] == found[2] != found[1]
