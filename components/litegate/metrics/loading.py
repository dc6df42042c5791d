"""A metric by its name in the spec."""

from __future__ import annotations

from typing import Any

from litegate.errors import BadInput, SpecError
from litegate.metrics.base import WHERE, Metric
from litegate.metrics.decoded import decoded_metric
from litegate.metrics.detection import detection_metric
from litegate.metrics.of_samples import metric_of_samples
from litegate.metrics.of_sets import metric_of_sets
from litegate.metrics.reconstruction import reconstruction_metric
from litegate.metrics.users import user_metric
from litegate.records import Judged, UserCode
from litegate.spec.metric_facts import DECODED, DETECTIONS, MetricFacts, built_in_facts
from litegate.user_code.entry_point import load_class
from litegate.user_code.source import check_source

__all__ = ["load_metric"]

EVERYTHING = Judged()


def load_metric(name: str, code: UserCode | None = None, judged: Judged = EVERYTHING) -> Metric:
    """The metric that a spec names.

    Args:
        name: one that comes with litegate, or the user's `package.module:Class`.
        code: source of the user's class.
        judged: which outputs are judged; `value` does not need it.

    Raises:
        SpecError: there is no such metric, its source or that of the decoder is not what it was when the run began,
            or the user's class cannot be made or does not declare what it must.
    """
    facts = built_in_facts(name)
    if facts is not None:
        return _built_in(facts, judged)
    if code is None:
        raise SpecError(WHERE, "a metric that comes with litegate, or the source of package.module:Class", name)
    return user_metric(name, _made(code), judged.output)


def _built_in(facts: MetricFacts, judged: Judged) -> Metric:
    if facts.name in DETECTIONS:
        return detection_metric(facts, judged.detection)
    if facts.name in DECODED:
        return decoded_metric(facts, judged.output, judged.decoder)
    if facts.name == "reconstruction_auc":
        return reconstruction_metric(facts, judged.output)
    return (metric_of_samples if facts.per_sample else metric_of_sets)(facts, judged.output)


def _made(code: UserCode) -> Any:
    check_source(code, WHERE)
    try:
        users_class = load_class(code.reference, code.folder)
    except BadInput as error:
        raise SpecError(WHERE, f"{error.expected} for {error.where}", error.got) from error
    try:
        return users_class()
    except Exception as error:
        expected = f"a class {code.reference} that is made without arguments"
        raise SpecError(WHERE, expected, f"{type(error).__name__}: {error}") from error
