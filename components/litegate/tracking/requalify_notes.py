"""The Markdown that people read of requalifications in MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from mlflow.entities import Run

from litegate.presentation.markdown import plain, table
from litegate.records import RegisteredAlias, Requalification, RequalifyRequest
from litegate.tracking import notes

__all__ = ["DRIFT", "experiment_note", "note", "row", "trend_note"]

DRIFT = "drift.json"
"""The artifact with all that was measured of the fresh data."""
ROWS = 15
_HEADS = ("No.", "When", "Version", "Verdict", "Drift", "Action", "Drop", "Drop at most", "Samples")


def experiment_note(model: str) -> str:
    """What the experiment is about."""
    return (
        f"Requalification of the champion of **{plain(model)}** on fresh data: a run for each, and the run "
        "*trend*, whose metrics have a point for each."
    )


def note(request: RequalifyRequest, result: Requalification) -> str:
    """The verdict and the drift in one sentence each, then what they rest on."""
    pages = " · ".join(f"[{plain(name.capitalize())}]({url})" for name, url in sorted(request.links.items()))
    lines = [f"- {plain(said)}" for said in request.drift.notes]
    parts = (
        f"**{plain(result.sentence)}**",
        f"**{plain(result.drift)}**",
        "\n".join(lines),
        _inputs(request),
        notes.variant_note(request.verdict),
        pages,
    )
    return "\n\n".join(part for part in parts if part)


def row(number: int, run: Run, action: str) -> tuple[str, ...]:
    """A line of the trend's table."""
    tags, metrics = run.data.tags, run.data.metrics
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    numbers = (metrics.get(name) for name in ("drop", "drop_high"))
    return (
        str(number),
        f"{started:%Y-%m-%d %H:%M}",
        f"{tags.get('version', '')} ({tags.get('variant', '')})",
        tags.get("verdict", ""),
        tags.get("drift", ""),
        plain(action),
        *("" if value is None else f"{value:.4g}" for value in numbers),
        f"{metrics.get('samples', 0):,.0f}",
    )


def trend_note(channel: RegisteredAlias, rows: Sequence[tuple[str, ...]]) -> str:
    """The latest requalifications, the last one first."""
    shown = "" if len(rows) <= ROWS else f"\n\nThe last {ROWS} of {len(rows)} requalifications."
    return f"**{plain(str(channel))}** on fresh data\n\n{table(_HEADS, 6, rows[:ROWS])}{shown}"


def _inputs(request: RequalifyRequest) -> str:
    rows = [
        (
            plain(found.input),
            f"{found.low:.4g} to {found.high:.4g}{' (the file clips)' if found.clips else ''}",
            f"{found.now.low:.4g} to {found.now.high:.4g}",
            f"{100 * found.outside:.3g} %",
            f"{found.shift:.3g}",
            f"{found.psi:.3g}",
        )
        for found in request.drift.inputs
    ]
    heads = ("Input", "Calibrated range", "Range now", "Outside", "Shift", "Stability index")
    index = request.drift.predictions_psi
    classes = "" if index is None else f"\n\nStability index of the predicted classes: {index:.3g}."
    return f"{table(heads, 3, rows)}{classes} (artifact `{DRIFT}`)"
