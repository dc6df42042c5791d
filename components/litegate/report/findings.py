"""What the run rests on: the data with their findings, the baseline, and everything that pins it down."""

from __future__ import annotations

from dataclasses import dataclass

from litegate.records import DataFinding, Evaluated
from litegate.report.run import Run

__all__ = ["Findings", "findings"]


@dataclass(frozen=True)
class Findings:
    """The data section.

    Attributes:
        examined: what was examined, in one sentence.
        found: what is odd about the data.
        baseline: what is odd about the float32 file, or that nothing is.
        facts: what the run started from and was computed with, by name.
    """

    examined: str
    found: tuple[DataFinding, ...]
    baseline: str
    facts: tuple[tuple[str, str], ...]


def findings(run: Run) -> Findings:
    """What is known about the data and the baseline."""
    lint = run.request.lint
    examined = "The calibration data were not examined."
    if lint is not None:
        examined = (
            f"{lint.samples:,} representative samples were examined, compared with {lint.compared:,} evaluation "
            f"samples and looked for in {lint.searched:,}: {_findings(len(lint.findings))}."
        )
    return Findings(examined, lint.findings if lint else (), _conversion_check(run), _facts(run))


def _findings(number: int) -> str:
    return "nothing is odd about them" if not number else f"{number} finding{'s' if number > 1 else ''}"


def _conversion_check(run: Run) -> str:
    check = run.request.conversion_check
    if check.max_abs_difference is None:
        return "".join(f" Warning: {each}." for each in check.warnings).strip()
    source = "source model" if check.compared_with == "model" else "recorded outputs of its source model"
    samples = "representative samples" if check.compared_with == "model" else "recorded samples"
    same = "" if check.agreement is None else f", and predicts the same on {100 * check.agreement:.4g} % of them"
    return (
        f"On {check.samples:,} {samples} the float32 file differs from the {source} by at most "
        f"{check.max_abs_difference:.2g}{same}." + "".join(f" Warning: {each}." for each in check.warnings)
    )


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    request = run.request
    resolved, samples, evaluated = request.resolved, request.samples, request.baseline.evaluated
    seed = run.spec.calibration.seed
    facts = {
        "Model": f"{resolved.model.uri} ({_short(resolved.model.digest)})",
        "Calibration data": f"{resolved.calibration.uri} ({_short(resolved.calibration.digest)}), "
        f"{samples.samples:,} of {samples.available:,} samples, seed {seed}",
        "Evaluation data": f"{resolved.evaluation.uri} ({_short(resolved.evaluation.digest)}), "
        f"{evaluated.samples:,} of {evaluated.available:,} samples{_clusters(evaluated)}",
        "Groups": resolved.evaluation.group or "",
        "Metric": run.metric.name,
        "Preprocess": resolved.preprocess.reference if resolved.preprocess else "",
        "Target": run.spec.target,
        "Selected by": run.spec.select.replace("_", " "),
        "Kernels": ", ".join(sorted({row.candidate.evaluated.kernels for row in run.rows if row.candidate})),
        "Tools": ", ".join(f"{name} {version}" for name, version in sorted(request.tools.items())),
        "Pipeline run": request.run_key,
    }
    return tuple((name, text) for name, text in facts.items() if text)


def _clusters(evaluated: Evaluated) -> str:
    return "" if evaluated.clusters is None else f" in {evaluated.clusters:,} clusters"


def _short(digest: str) -> str:
    return digest[:12]
