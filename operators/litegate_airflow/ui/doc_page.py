"""The documentation page of a quantize DAG: what is built, what it must keep, and what is promoted."""

from __future__ import annotations

from collections.abc import Iterator

from litegate.presentation.wording import amount, confidence, is_percent, short_name, value
from litegate.spec import Gate, Spec
from litegate.spec.metric_facts import MetricFacts, built_in_facts

__all__ = ["doc_page"]


def doc_page(name: str, spec: Spec, digest: str = "") -> str:
    """Markdown for a good spec, of which people know the file's name.

    Args:
        digest: of the file, by which `litegate run` knows whether Airflow has read it.
    """
    promoted = f"the {spec.select.replace('_', ' ')} that passes, as `{spec.registry.name}@{spec.registry.alias}`"
    rows = [
        ("model", f"`{spec.model.uri}`"),
        ("target", spec.target),
        ("variants", ", ".join(spec.variants)),
        *(("" if number else "gate", clause) for number, clause in enumerate(_clauses(spec))),
        ("promoted", promoted),
        *([("spec's digest", f"`{digest}`")] if digest else []),
    ]
    table = "\n".join(f"| {key} | {text} |" for key, text in rows)
    return f"""
**{spec.model.name}**, from `{name}`: every variant is measured against the float32 baseline.

| | |
|---|---|
{table}

A run that passes moves the alias; one in which nothing passes is recorded as completely and ends {_ending(spec.gate)}.
When `register` has ended, every task links to its run in MLflow, to the report and to its file.

*Trigger* has a form with these values, to try others by hand. A run that differs from the file is an override run:
it is recorded, and promotes nothing. To ship under other values, edit the file.
"""


def _ending(gate: Gate) -> str:
    return "red, in `promote`" if gate.on_reject == "fail" else "with `promote` skipped"


def _clauses(spec: Spec) -> Iterator[str]:
    metric = built_in_facts(spec.evaluation.metric)
    yield from _clauses_of_metric(spec, metric)
    if metric is None or metric.classifies:
        yield from _clauses_of_classes(spec.gate)
    yield from _clauses_of_slices(spec, metric)
    yield from _clauses_of_file(spec.gate)


def _clauses_of_metric(spec: Spec, metric: MetricFacts | None) -> Iterator[str]:
    gate, percent = spec.gate, metric is not None and is_percent(metric)
    falls = f"{short_name(spec.evaluation.metric)} {'drops' if metric and metric.higher_is_better else 'worsens'}"
    relative = f"{value(gate.max_drop, percent=True)} of the baseline's value"
    limit = relative if gate.drop == "relative" else amount(gate.max_drop, percent)
    yield f"{falls} by at most {limit}, with {confidence(gate.confidence)} confidence"
    if gate.max_drop_from_champion is not None:
        champion = f"`{spec.registry.name}@{spec.registry.alias}`"
        yield f"{falls} by at most {amount(gate.max_drop_from_champion, percent)} from today's {champion}"
    if gate.min_value is not None:
        side = "" if metric is None else " at least" if metric.higher_is_better else " at most"
        yield f"the baseline itself must reach{side} {value(gate.min_value, percent)}"


def _clauses_of_classes(gate: Gate) -> Iterator[str]:
    if gate.max_class_drop is not None:
        proved = f"proved for those with {gate.min_class_samples:,} samples or more"
        yield f"no class loses more than {amount(gate.max_class_drop, percent=True)}, {proved}"
    if gate.max_prediction_shift is not None:
        shift = amount(gate.max_prediction_shift, percent=True)
        yield f"no class's share of a classifier's predictions changes by more than {shift}"


def _clauses_of_slices(spec: Spec, metric: MetricFacts | None) -> Iterator[str]:
    fields, limit = spec.evaluation.slice_fields, spec.gate.slice_limit
    if fields and limit is not None:
        most = amount(limit, metric is not None and is_percent(metric))
        proved = f"proved for those with {spec.gate.min_class_samples:,} samples or more"
        yield f"no slice by {', '.join(fields)} loses more than {most}, {proved}"


def _clauses_of_file(gate: Gate) -> Iterator[str]:
    if gate.max_bytes is not None:
        yield f"at most {gate.max_bytes:,} bytes"
    if gate.max_arena_bytes is not None:
        yield f"an arena of at most {gate.max_arena_bytes:,} bytes"
    if gate.min_size_ratio is not None:
        yield f"at least {gate.min_size_ratio:g} times smaller than the baseline"
    if gate.max_latency_ratio is not None:
        host = f" on {gate.latency_host}" if gate.latency_host else ""
        yield f"at most {gate.max_latency_ratio:g} of the baseline's latency{host}"
    if gate.integer_only:
        yield "integers only: no operator, input or output is float"
