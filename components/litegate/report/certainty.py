"""How sure the gate is, clause by clause, and what would make it surer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from litegate.gate.sentences import clause_unit
from litegate.presentation import wording
from litegate.presentation.shared_confidence import shared_confidence
from litegate.records import Clause, Verdict
from litegate.report.charts import Interval, intervals
from litegate.report.run import Row, Run

__all__ = ["Certainty", "ClauseLine", "ClausePart", "certainty"]

_MISSING = "\u2013"
_QUESTIONS = {
    "max_drop": "{loss} of {metric} against float32",
    "max_drop_from_champion": "{loss} of {metric} against the champion",
    "min_value": "how far float32 itself misses the {metric} asked for",
    "max_class_drop": "{loss} of the class that decides",
    "max_slice_drop": "{loss} of {metric} on the slice that decides",
    "max_prediction_shift": "change of one class's share in the predictions",
}


@dataclass(frozen=True)
class ClauseLine:
    """A clause as it was tested on one variant."""

    name: str
    subject: str
    state: str
    found: str
    bounds: str
    p_value: str
    samples: str
    clusters: str
    needed: str


@dataclass(frozen=True)
class ClausePart:
    """A clause of the policy for all variants.

    Attributes:
        key: the spec's key.
        question: what it is about, with its unit.
        open: whether it is undecided for any variant.
        by_class: whether it is about single classes.
    """

    key: str
    question: str
    limit: str
    chart: Markup
    lines: tuple[ClauseLine, ...]
    open: bool
    by_class: bool


@dataclass(frozen=True)
class Certainty:
    """All clauses, what was claimed, and what would make the answer surer."""

    claim: str
    parts: tuple[ClausePart, ...]
    surer: tuple[str, ...]


def certainty(run: Run) -> Certainty:
    """How sure the gate is about every variant."""
    names = dict.fromkeys(clause.name for row in run.variants for clause in row.verdict.clauses)
    judged = sum(bool(row.verdict.clauses) for row in run.variants)
    level = wording.confidence(run.policy.confidence)
    claim = (
        f"With {level} confidence, no variant passes that breaks the policy.{_shared(run)}"
        if judged
        else "Nothing was measured, so nothing is claimed."
    )
    return Certainty(f"{claim}{_clusters(run)}", tuple(_part(run, name) for name in names), tuple(_surer(run)))


def _shared(run: Run) -> str:
    """Why single bounds are stricter."""
    levels = [row.verdict.confidence for row in run.variants if row.verdict.clauses]
    return "".join(f" {line[:1].upper()}{line[1:]}." for line in shared_confidence(run.policy.confidence, levels))


def _clusters(run: Run) -> str:
    """What is counted where samples are not independent of each other."""
    found = [row.verdict for row in run.variants if row.verdict.clusters is not None]
    if not found:
        return ""
    group = run.spec.evaluation.group
    what = "Exact duplicates" if group is None else f"Samples of one group (`{group}`), and exact duplicates,"
    most = max(found, key=lambda verdict: verdict.samples)
    seen = wording.samples_in(most.samples, most.clusters, most.host_samples)
    return f" {what} are one cluster, and the gate counts clusters: {seen}. Nothing is assumed of samples within one."


def _part(run: Run, name: str) -> ClausePart:
    found = [(row, clause) for row in run.variants for clause in row.verdict.clauses if clause.name == name]
    unit, limit = clause_unit(name, run.metric, run.policy), found[0][1].limit
    question = _QUESTIONS.get(name, name).format(loss=run.loss, metric=run.metric_name)
    rows = [_interval(row, clause, unit.factor) for row, clause in found]
    words = f"{name}, {unit.number(limit)} allowed. " + "; ".join(
        f"{row.name}: {row.found:+.3g}, {row.state}" for row in rows
    )
    style = ".4g" if unit.factor == 1 else ".2f"
    label = f"{unit.name.strip() or 'in its own unit'}"
    chart = intervals(f"clause-{name}", rows, unit.factor * limit, label, style, words)
    lines = tuple(_line(row, clause, unit) for row, clause in found)
    return ClausePart(
        key=name,
        question=f"{question[:1].upper()}{question[1:]}",
        limit=unit.text(limit),
        chart=chart,
        lines=lines,
        open=any(line.state == "inconclusive" for line in lines),
        by_class=any(line.subject for line in lines),
    )


def _interval(row: Row, clause: Clause, factor: float) -> Interval:
    low, high = (None if end is None else factor * end for end in (clause.low, clause.high))
    return Interval(row.name, factor * clause.estimate, low, high, clause.state)


def _line(row: Row, clause: Clause, unit: wording.Unit) -> ClauseLine:
    low, high = (_MISSING if end is None else unit.number(end, sign="+") for end in (clause.low, clause.high))
    return ClauseLine(
        name=row.name,
        subject=clause.subject,
        state=clause.state,
        found=unit.number(clause.estimate, sign="+"),
        bounds=f"{low} to {high}",
        p_value=f"{clause.p_value:.3f}" if clause.p_value >= 0.001 else "< 0.001",
        samples=f"{clause.samples:,}",
        clusters="" if clause.clusters is None else f"in {clause.clusters:,} clusters",
        needed=_needed(clause, row.verdict.clusters),
    )


def _needed(clause: Clause, clusters: int | None) -> str:
    if clause.state != "inconclusive":
        return ""
    unit = "" if clusters is None else " clusters"
    return "no number" if clause.needed is None else f"about {wording.about(clause.needed)}{unit}"


def _surer(run: Run) -> Iterator[str]:
    """What to do about what is open, then what narrows every interval."""
    open_: dict[str, list[str]] = {}
    for row in run.variants:
        if row.state == "inconclusive":
            open_.setdefault(_more(run, row), []).append(row.name)
    yield from (f"{', '.join(names)}: {what}" for what, names in open_.items())
    widths = [
        (row.verdict.drop_high - row.verdict.drop_low, row)
        for row in run.measured
        if row.verdict.drop_high is not None and row.verdict.drop_low is not None
    ]
    if widths:
        width, row = max(widths, key=lambda item: item[0])
        seen = wording.samples_in(row.verdict.samples, row.verdict.clusters, row.verdict.host_samples)
        yield (
            f"The widest interval is that of {row.name}: {run.unit.text(width)} from end to end on "
            f"{seen}. It narrows with the square root of "
            f"their number: four times as many {'' if row.verdict.clusters is None else 'clusters '}halve it."
        )
    if sum(bool(row.verdict.clauses) for row in run.variants) > 1:
        yield "All variants of the spec share the error rate: without those that are not needed, each bound is tighter."


def _more(run: Run, row: Row) -> str:
    """Where the samples that would decide are to come from."""
    needed, verdict = row.verdict.needed, row.verdict
    if needed is None:
        limits = ", ".join(clause.name for clause in verdict.clauses if clause.state == "inconclusive")
        return f"{_decides(verdict)}; it is too close to its limit ({limits}) for that."
    there = verdict.samples if verdict.clusters is None else verdict.clusters
    return f"{_decides(verdict)}, {there:,} were there; {_where(run, row, needed)}."


def _decides(verdict: Verdict) -> str:
    return wording.would_decide(verdict.needed, verdict.clusters)


def _where(run: Run, row: Row, needed: int) -> str:
    verdict, other = row.verdict, "" if row.verdict.clusters is None else " that are in none of these clusters"
    if verdict.clusters is None and needed <= verdict.available:
        return "the data has them"
    caps = (run.spec.evaluation.max_samples, run.spec.evaluation.max_samples_by_variant.get(row.name))
    if any(caps):
        return f"raise evaluation.max_samples, or add labelled samples{other} where there are not as many"
    if verdict.clusters is not None:
        return f"add labelled samples{other} to the evaluation data: copies, and more of the same groups, say little"
    return f"add about {wording.about(max(needed - verdict.available, 1))} labelled samples to the evaluation data"
