"""A run as all parts of the report see it: one row for each variant, and numbers in the metric's own unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlencode

from litegate.presentation import wording
from litegate.records import (
    Benchmark,
    Candidate,
    Champion,
    Comparison,
    Inspection,
    RegisterRequest,
    RunResult,
    VariantRow,
    Verdict,
)
from litegate.spec import Gate, Spec
from litegate.spec.metric_facts import MetricFacts
from litegate.variants import BASELINE, variant_of

__all__ = ["Row", "Run", "kib"]


@dataclass(frozen=True)
class Row:
    """One variant: what the gate said, and what was measured where there is a file.

    Attributes:
        link: where a browser can download the file.
        selected: whether it is the one that may be promoted.
    """

    verdict: Verdict
    candidate: Candidate | None
    link: str | None
    selected: bool

    @property
    def name(self) -> str:
        """litegate's name of the variant."""
        return self.verdict.variant

    @property
    def title(self) -> str:
        """The LiteRT documentation's name of it."""
        return variant_of(self.name).title

    @property
    def state(self) -> str:
        """The verdict in one word."""
        return self.verdict.state

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        reasons = "; ".join(reason.message for reason in self.verdict.reasons)
        return self.verdict.sentence or ": ".join(filter(None, (f"{self.name} {self.state}", reasons)))

    @property
    def bytes(self) -> int | None:
        """Size of the file."""
        return self.candidate.artifact.file.bytes if self.candidate else None

    @property
    def benchmark(self) -> Benchmark | None:
        """Its latency, where it was measured."""
        return self.candidate.benchmark if self.candidate else None

    @property
    def inspection(self) -> Inspection | None:
        """What was read from its bytes."""
        return self.candidate.inspection if self.candidate else None


@dataclass(frozen=True)
class Run:
    """Everything about a run that the report is made from.

    Attributes:
        rows: the baseline first, then the variants in the order of the spec.
    """

    request: RegisterRequest
    result: RunResult | Comparison

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All that were asked for, measured or not."""
        measured = (self.request.baseline, *self.request.candidates)
        candidates = {candidate.artifact.variant: candidate for candidate in measured}
        links = {row.variant: self._link(row) for row in self.result.variants}
        selected = self.request.selection.variant
        return tuple(
            Row(
                verdict=verdict,
                candidate=candidates.get(verdict.variant),
                link=links.get(verdict.variant),
                selected=verdict.variant == selected,
            )
            for verdict in self.request.verdicts
        )

    @cached_property
    def variants(self) -> tuple[Row, ...]:
        """All but the baseline."""
        return tuple(row for row in self.rows if row.name != BASELINE)

    @property
    def measured(self) -> tuple[Row, ...]:
        """The variants whose loss is known."""
        return tuple(row for row in self.variants if row.verdict.drop is not None)

    @property
    def selected(self) -> Row | None:
        """What may be promoted."""
        return next((row for row in self.rows if row.selected), None)

    @property
    def registers(self) -> bool:
        """Whether what passes is registered; a comparison leaves files alone."""
        return isinstance(self.result, RunResult)

    @property
    def version(self) -> Champion | None:
        """The registered version of what may be promoted."""
        return self.result.selected if isinstance(self.result, RunResult) else None

    @property
    def spec(self) -> Spec:
        """What was asked for."""
        return self.request.resolved.spec

    @property
    def policy(self) -> Gate:
        """What a variant must keep."""
        return self.spec.gate

    @property
    def metric(self) -> MetricFacts:
        """What was measured."""
        return self.request.baseline.evaluated.metric

    @property
    def metric_name(self) -> str:
        """The metric as people call it."""
        return wording.short_name(self.metric.name)

    @property
    def percent(self) -> bool:
        """Whether the metric's values are shares."""
        return wording.is_percent(self.metric)

    @property
    def unit(self) -> wording.Unit:
        """Of the metric's differences."""
        return wording.unit_of(self.percent)

    @property
    def style(self) -> str:
        """The format of differences in that unit."""
        return ".2f" if self.percent else ".4g"

    @property
    def loss(self) -> str:
        """What a loss of this metric is called."""
        return "drop" if self.metric.higher_is_better else "rise"

    @property
    def baseline_bytes(self) -> int:
        """Size of the float32 file."""
        return self.request.baseline.artifact.file.bytes

    def file_name(self, variant: str) -> str:
        """The name of the file, wherever it is kept."""
        return f"{self.spec.model.name}-{variant}.tflite"

    def _link(self, row: VariantRow) -> str | None:
        """The address by which MLflow's own pages download a file of a logged model; a comparison has it beside it."""
        name = self.file_name(row.variant)
        if isinstance(self.result, Comparison):
            return quote(name)
        if row.mlflow_model_id is None:
            return None
        mlflow = self.result.report.partition("/#/")[0]
        query = urlencode({"artifact_file_path": f"artifacts/{name}"})
        return f"{mlflow}/ajax-api/2.0/mlflow/logged-models/{row.mlflow_model_id}/artifacts/files?{query}"


def kib(size: int) -> str:
    """A size as people compare it: three or more significant digits in KiB, from 10 MiB on in MiB."""
    if size >= 10 * 1024**2:
        return f"{size / 1024**2:,.1f} MiB"
    return f"{size / 1024:,.{2 if size < 10 * 1024 else 1}f} KiB"
