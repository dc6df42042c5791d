"""The Markdown that people read in MLflow: experiment, pipeline run, variant, model version."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from litegate.presentation.devices import timed
from litegate.presentation.disagreements import differs
from litegate.presentation.fine_tunings import fine_tuned
from litegate.presentation.markdown import fit, number, plain, table
from litegate.presentation.recoveries import recovered
from litegate.presentation.results_note import headline, results
from litegate.records import (
    Aliases,
    Candidate,
    ClassLoss,
    Clause,
    Decision,
    LedgerEntry,
    Lint,
    RegisteredAlias,
    RunResult,
    SliceLoss,
    Verdict,
    warnings_of,
)
from litegate.tracking.views import link, runs_link, variants_link, view_link

__all__ = [
    "BOM",
    "DRIFT_REFERENCE",
    "EVIDENCE",
    "EXPLANATION",
    "FIRMWARE",
    "INSPECTION",
    "LINT",
    "NOTE_LIMIT",
    "REPORT",
    "STATEMENT",
    "VERDICT",
    "experiment_note",
    "ledger_note",
    "lint_warnings",
    "reasons",
    "run_note",
    "variant_note",
]

EXPLANATION = "explanation"
"""Folder of a variant's artifacts that say more than its note."""
FIRMWARE = "firmware"
"""Folder of the artifacts of what was selected for a device with firmware: its file as C source."""
LINT = "lint.json"
"""The parent run's artifact with all that was found about the representative samples."""
INSPECTION = "inspection.json"
RECOVERY, FINE_TUNING = "recovery.json", "fine_tuning.json"
"""A variant's artifact with all that was read from its file's bytes, and its smoke run."""
REPORT = "report.html"
"""The parent run's artifact that answers on one page which file to ship."""
VERDICT = "verdict.json"
"""A variant's artifact with the gate's whole answer; a version may be promoted only if its run has it."""
STATEMENT, BOM, EVIDENCE = "statement.intoto.json", "bom.cdx.json", "evidence.json"
"""A registered variant's artifacts for outsiders: what is said of it in an envelope, signed if there was a key; its
bill of materials; and what the verdict can be found again from. The statement has the digests of both."""
DRIFT_REFERENCE = "drift_reference.json"
"""A registered variant's artifact with what its data looked like; requalification compares later data with it."""
LEDGER_ROWS = 10
_RARE = 10
"""How many classes that are too rare to be judged a note names."""
_SLICES = 5
"""How many slices a note names."""
NOTE_LIMIT = 5000
"""Characters that a description may have: MLflow keeps no more of a version's."""


def experiment_note(model: str, registry: str, experiment_id: str) -> str:
    """What the experiment of a model is about, and where to look first."""
    pages = (
        f"[Charts of the latest run]({view_link(experiment_id)})",
        f"[Variants side by side]({variants_link(experiment_id)})",
        f"[All pipeline runs]({runs_link(experiment_id)})",
        f"[All files]({link(f'experiments/{experiment_id}/models')})",
        f"[What was selected]({link(f'models/{registry}')})",
    )
    return (
        f"Quantization of **{plain(model)}**: {' · '.join(pages)}\n\n"
        "One run per pipeline run, with one child run and one logged model per variant. Every variant was measured on "
        "the same samples as the float32 baseline and judged by the gate; only a version whose verdict is *passed* "
        "may be promoted. Find runs by their tags: ``tags.variant = 'int8' and tags.verdict = 'passed'``."
    )


def run_note(result: RunResult, why: str, links: Mapping[str, str], lint: Lint | None = None) -> str:
    """The outcome in one sentence, where the run can be looked at, the results, what is odd about the data."""
    if result.outcome == "override_run":
        verdict = f"**By these values**: {plain(why)}."
    elif result.selected is None:
        verdict = f"**{result.outcome.capitalize()}: nothing may be promoted**, for {plain(why)}."
    else:
        verdict = f"**Selected: {result.selected.variant}**, version {result.selected.version}: {plain(why)}."
    run = f"experiments/{result.experiment_id}/runs/{result.mlflow_run_id}"
    pages = (
        f"[Report]({link(f'{run}/artifacts/{REPORT}')})",
        f"[Charts of the latest run]({view_link(result.experiment_id)})",
        *(f"[{plain(name.capitalize())}]({url})" for name, url in sorted(links.items())),
    )
    parts = (verdict, " · ".join(pages), results(result.baseline, result.variants), _lint(lint) if lint else "")
    return fit("\n\n".join(part for part in parts if part), NOTE_LIMIT, "the artifact result.json has all of it")


def variant_note(verdict: Verdict, candidate: Candidate | None = None) -> str:
    """The verdict of one variant in one sentence, then what it rests on, and what is odd about its file."""
    parts = (
        f"**{plain(headline(verdict))}**",
        "\n".join(f"- {plain(reason.message)}" for reason in verdict.reasons),
        _clauses(verdict.clauses, verdict.clusters),
        _classes(verdict.classes),
        _slices(verdict.slices, verdict.slice_count),
        plain(verdict.too_rare(_RARE)),
        _on_target(verdict, candidate),
        _on_device(candidate),
        _recovered(candidate),
        _fine_tuned(candidate),
        _flips(verdict),
        _file(candidate) if candidate else "",
    )
    whole = "\n\n".join(part for part in parts if part)
    return fit(whole, NOTE_LIMIT, "the artifact verdict.json has all of it")


def _on_target(verdict: Verdict, candidate: Candidate | None) -> str:
    if verdict.disagreement is None or candidate is None:
        return ""
    said = differs(verdict.disagreement, candidate.evaluated.metric)
    return f"{plain(said[0].upper() + said[1:])}."


def _on_device(candidate: Candidate | None) -> str:
    found = None if candidate is None else candidate.evaluated.on_device
    return "" if found is None else f"Judged on {plain(timed(found))}."


def _recovered(candidate: Candidate | None) -> str:
    found = candidate.artifact.recovery if candidate else None
    return plain(f"Recovered: {recovered(found)}.") if found else ""


def _fine_tuned(candidate: Candidate | None) -> str:
    found = candidate.artifact.fine_tuning if candidate else None
    return plain(f"Fine-tuned: {fine_tuned(found)}.") if found else ""


def lint_warnings(lint: Lint) -> str:
    """How many findings there are, and their codes."""
    codes = ", ".join(sorted({finding.code for finding in lint.findings}))
    return f"{len(lint.findings)}: {codes}" if codes else "0"


def ledger_note(channel: RegisteredAlias, now: Aliases, entries: Sequence[LedgerEntry], experiment_id: str) -> str:
    """Who is champion, and the latest entries of its ledger, the last one first, with links to what they name.

    Args:
        experiment_id: of any experiment: MLflow opens a run under each, but by its id alone in the wrong mode.
    """
    states = [f"{name}: {_version(channel, version, '**none**', '**version {}**')}" for name, version in now]
    heads = ("When", "What", "Version", "Who", "Why", "Champion")
    rows = [
        (
            entry.time[:19].replace("T", " "),
            entry.decision.effect.replace("_", " "),
            _version(channel, entry.decision.version),
            _who(entry.decision, experiment_id),
            plain(textwrap.shorten(entry.decision.why, 120)),
            " → ".join("none" if version is None else str(version) for version in _champions(entry)),
        )
        for entry in reversed(entries[-LEDGER_ROWS:])
    ]
    shown = "" if len(entries) <= LEDGER_ROWS else f"\n\nThe last {LEDGER_ROWS} of {len(entries)} entries."
    whole = f"**{plain(str(channel))}**: {', '.join(states)}\n\n{table(heads, len(heads), rows)}{shown}"
    return fit(whole, NOTE_LIMIT, "the parameters have all of it")


def _champions(entry: LedgerEntry) -> tuple[int | None, ...]:
    """The champion's version before and after, once where it stayed."""
    return (entry.after,) if entry.before == entry.after else (entry.before, entry.after)


def _version(channel: RegisteredAlias, version: int | None, none: str = "", shown: str = "{}") -> str:
    """A link to a version's page."""
    page = link(f"models/{quote(channel.registry)}/versions/{version}")
    return none if version is None else f"[{shown.format(version)}]({page})"


def _who(decision: Decision, experiment_id: str) -> str:
    """Who decided; a pipeline run by its run in MLflow, which leads to the one in Airflow."""
    name = plain(textwrap.shorten(decision.actor, 80))
    page = link(f"experiments/{experiment_id}/runs/{decision.mlflow_run_id}")
    return f"[{name}]({page})" if decision.mlflow_run_id else name


def reasons(verdict: Verdict) -> str:
    """All reasons on one line: code and sentence."""
    return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons)


def _lint(lint: Lint) -> str:
    """What is odd about the data, a line for each finding; nothing where all is well."""
    lines = [f"- {finding.data.capitalize()}: {finding.code}: {plain(finding.message)}" for finding in lint.findings]
    return "\n".join([*lines, "", f"(artifact `{LINT}`)"]) if lines else ""


def _clauses(clauses: Sequence[Clause], clusters: int | None) -> str:
    """What the policy asks for, as it was tested; with clusters where there are any."""
    unit, head = ("", ()) if clusters is None else (" clusters", ("Clusters",))
    rows = [
        (
            clause.name,
            plain(clause.subject),
            clause.state,
            *(number(found, ".4g") for found in (clause.estimate, clause.low, clause.high, clause.limit)),
            f"{clause.samples:,}",
            *(() if clusters is None else ("" if clause.clusters is None else f"{clause.clusters:,}",)),
            "" if clause.needed is None else f"{clause.needed:,}{unit}",
        )
        for clause in clauses
    ]
    heads = ("Clause", "Of", "State", "Found", "At least", "At most", "Allowed", "Samples", *head, "Would decide")
    return f"**What the policy asks for**\n\n{table(heads, 3, rows)}" if rows else ""


def _classes(classes: Sequence[ClassLoss]) -> str:
    """The classes that lost most."""
    rows = [
        (
            plain(loss.name),
            *(number(found, ".4g") for found in (loss.baseline, loss.value, loss.drop, loss.low, loss.high)),
            f"{loss.samples:,}",
            "yes" if loss.proved else "",
        )
        for loss in classes
    ]
    heads = ("Class", "Float32", "Variant", "Lost", "At least", "At most", "Samples", "Proved")
    return f"**The classes that lost most**\n\n{table(heads, 1, rows)}" if rows else ""


def _slices(slices: Sequence[SliceLoss], count: int) -> str:
    """The slices that lost most."""
    rows = [
        (
            plain(loss.name),
            *(number(found, ".4g") for found in (loss.baseline, loss.value, loss.drop, loss.low, loss.high)),
            f"{loss.samples:,}",
            loss.state,
        )
        for loss in slices[:_SLICES]
    ]
    heads = ("Slice", "Float32", "Variant", "Lost", "At least", "At most", "Samples", "State")
    return f"**The slices that lost most, of {count:,}**\n\n{table(heads, 1, rows)}" if rows else ""


def _flips(verdict: Verdict) -> str:
    found = f"{verdict.flipped:,} of {verdict.samples:,} samples flipped" if verdict.samples else ""
    agreement = "" if verdict.agreement is None else f"; the same answer on {100 * verdict.agreement:.2f} %"
    files = f" (artifacts in `{EXPLANATION}/`)" if verdict.explanation else ""
    return f"{found}{agreement}{files}." if found and verdict.state != "baseline" else ""


def _file(candidate: Candidate) -> str:
    """What the file is by its bytes, then its warnings."""
    found = candidate.inspection
    if found is None:
        return ""
    heavy = f"{100 * found.float_share:.3g} % of {found.macs:,} multiply-accumulates in float"
    what = (
        f"The file is **{plain(found.scheme)}**: {found.operator_count} operators, {heavy} (artifact `{INSPECTION}`)."
    )
    warnings = [f"- Warning: {plain(warning)}" for warning in warnings_of(found, candidate.smoke)]
    on_device = [f"On the device: {plain(str(candidate.footprint))}."] if candidate.footprint else []
    return "\n".join([what, *on_device, *([""] if warnings else []), *warnings])
