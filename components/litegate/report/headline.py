"""The headline of the report: which file may ship, and what of it is proved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from litegate.presentation import wording
from litegate.presentation.benchmarks import share_bounds
from litegate.records import Comparison, Overrides
from litegate.report.run import Row, Run, kib
from litegate.report.table_rows import data_warnings

__all__ = ["Headline", "headline"]

_WARNINGS = 3


@dataclass(frozen=True)
class Headline:
    """What a person reads first.

    Attributes:
        state: of the verdict that it rests on.
        title: which file, in a few words.
        sentence: the verdict in one sentence.
        why: how it came to that.
        file, digest, link: of what may ship; empty where nothing may.
        command: what fetches it at a shell; empty where it is not registered.
        figures: what matters most, each with its name.
        warnings: what is odd about the data that all of this rests on; the first of them.
        more_warnings: how many others there are.
    """

    state: str
    title: str
    sentence: str
    why: str
    file: str = ""
    digest: str = ""
    link: str = ""
    command: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    more_warnings: int = 0


def headline(run: Run) -> Headline:
    """The headline of a run's report."""
    row, overrides = run.selected, run.request.resolved.overrides
    warnings = data_warnings(run.request)
    found = replace(
        _nothing(run) if row is None else _ship(run, row),
        warnings=warnings[:_WARNINGS],
        more_warnings=len(warnings[_WARNINGS:]),
    )
    if isinstance(run.result, Comparison):
        return _of_comparison(found, run.result)
    return found if overrides is None else _of_overrides(found, row, overrides)


def _of_comparison(found: Headline, result: Comparison) -> Headline:
    """What had to pass decides, and what was not tested is said."""
    why = " ".join((found.why, *(f"{each}." for each in result.not_tested)))
    if result.passed or not result.required:
        return replace(found, why=why)
    return replace(found, state="failed", title=result.answer, why=why, file="")


def _of_overrides(found: Headline, row: Row | None, overrides: Overrides) -> Headline:
    """What would ship if the spec said so; there is no file, for nothing does."""
    return replace(
        found,
        title=f"An override run: {row.name if row else 'nothing'} would ship",
        why=f"{found.why} Nothing of an override run is registered or promoted. This one: {overrides}.",
        file="",
    )


def _ship(run: Run, row: Row) -> Headline:
    champion, registry = run.version, run.spec.registry
    version = f", registered as version {champion.version} of {registry.name}" if champion else ""
    return Headline(
        state=row.state,
        title=f"Ship {row.name}",
        sentence=row.sentence,
        why=f"It is {run.request.selection.why}{version}.",
        file=run.file_name(row.name),
        digest=row.verdict.digest or "",
        link=row.link or "",
        command=f"litegate get {registry.name} --version {champion.version}" if champion else "",
        figures=_figures(run, row),
    )


def _nothing(run: Run) -> Headline:
    closest = _closest(run)
    return Headline(
        state=closest.state if closest else "failed",
        title="Ship none of them",
        sentence=closest.sentence if closest else "No variant was measured.",
        why=f"{_capital(run.request.selection.why)}{f'; {closest.name} came closest' if closest else ''}."
        + (f" The alias {run.spec.registry.alias} of {run.spec.registry.name} stays where it is." * run.registers),
        figures=_figures(run, closest) if closest else (),
    )


def _closest(run: Run) -> Row | None:
    """What might still pass comes before what failed; among equals the least loss that is still possible."""

    def distance(row: Row) -> tuple[bool, float, str]:
        possible = row.verdict.drop_high if row.verdict.drop_high is not None else float("inf")
        return row.state != "inconclusive", possible, row.name

    return min(run.measured, key=distance, default=None)


def _figures(run: Run, row: Row) -> tuple[tuple[str, str], ...]:
    found = (
        ("Size", _size(run, row)),
        (f"{run.loss} at most".capitalize(), _loss(run, row)),
        ("Latency", _latency(row)),
        ("Judged on", _samples(run, row)),
    )
    return tuple((name, text) for name, text in found if text)


def _size(run: Run, row: Row) -> str:
    if row.bytes is None:
        return ""
    return f"{kib(row.bytes)}, {100 * row.bytes / run.baseline_bytes:.0f} % of float32"


def _loss(run: Run, row: Row) -> str:
    high = row.verdict.drop_high
    return "" if high is None else f"{run.unit.text(high)} of {run.metric_name}"


def _latency(row: Row) -> str:
    ours = row.benchmark
    if ours is None:
        return "not measured"
    share = f", {share_bounds(ours.ratio)} of float32\u2019s" if ours.ratio else ""
    return f"{wording.milliseconds(ours.latency_ms)} ms{share} on {ours.host}{' (noisy)' if ours.noisy else ''}"


def _samples(run: Run, row: Row) -> str:
    found = wording.samples_in(row.verdict.samples, row.verdict.clusters, row.verdict.host_samples)
    sure = f", {wording.confidence(run.policy.confidence)} confidence"
    return found + (sure if row.verdict.confidence else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
