"""A `preprocess` that is asked again, and with another label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from litegate.lint.probing import Probe

Features = dict[str, Any]
LABELS = np.arange(40) % 10


def scaled(features: Features, label: Any) -> tuple[Features, Any]:
    features["x"] /= 255  # in place, as users do
    return features, label


def relabelled(features: Features, label: Any) -> tuple[Features, Any]:
    return scaled(features, label)[0], label // 2


def not_a_number(features: Features, label: Any) -> tuple[Features, Any]:
    return {"x": features["x"] * np.nan}, label


def reused(buffer: Any = np.zeros(4)) -> Callable[..., Any]:  # noqa: B008
    def preprocess(features: Features, label: Any) -> tuple[Features, Any]:
        buffer[:] = features["x"]
        return {"x": buffer}, label

    return preprocess


def told(features: Features, label: Any) -> tuple[Features, Any]:
    return {"x": features["x"] + label}, label


def told_of_one_class(features: Features, label: Any) -> tuple[Features, Any]:
    return {"x": features["x"] * (label != 7)}, label


def random(features: Features, label: Any) -> tuple[Features, Any]:
    return {"x": features["x"] + np.random.rand()}, label


def counting() -> Callable[..., Any]:
    calls: list[int] = []

    def preprocess(features: Features, label: Any) -> tuple[Features, Any]:
        calls.append(1)
        return {"x": features["x"] + len(calls)}, label

    return preprocess


def checking(features: Features, label: Any) -> tuple[Features, Any]:
    if not np.all(features["x"] == label):
        raise ValueError("not the label of this sample")
    return features, label


def asked(preprocess: Callable[..., Any], labels: Any = LABELS) -> list[tuple[str, str]]:
    probe = Probe(preprocess, labels if labels.ndim == 1 else None)
    for label in labels.tolist() if labels.ndim == 1 else labels:
        expected = preprocess({"x": np.full(4, float(np.max(label)))}, label)[1]
        assert np.array_equal(probe({"x": np.full(4, float(np.max(label)))}, label)[1], expected)
    return [(each.severity, each.code) for each in probe.findings()]


@pytest.mark.parametrize("preprocess", [scaled, relabelled, not_a_number, reused()])
def test_features_that_depend_on_the_sample_alone_are_fine(preprocess: Callable[..., Any]) -> None:
    assert asked(preprocess) == []


@pytest.mark.parametrize("preprocess", [told, told_of_one_class])
def test_features_that_depend_on_the_label_are_an_error(preprocess: Callable[..., Any]) -> None:
    assert asked(preprocess) == [("error", "label_dependent")]


def test_targets_are_tried_with_those_of_another_sample() -> None:
    targets = np.arange(80.0).reshape(40, 2)
    assert asked(lambda features, target: (features, target / 2), targets) == []
    told_target = asked(lambda features, target: ({"x": features["x"] * target[0]}, target), targets)
    assert told_target == [("error", "label_dependent")]


@pytest.mark.parametrize("preprocess", [random, counting()])
def test_features_that_are_others_the_next_time_are_an_error(preprocess: Callable[..., Any]) -> None:
    assert asked(preprocess) == [("error", "random_preprocess")]


def test_a_preprocess_that_fails_for_another_label_is_a_warning() -> None:
    assert asked(checking) == [("warning", "label_dependent")]
