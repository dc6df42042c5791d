"""Runs to report on, made of records alone: no file is needed to make a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from litegate.digest import digest_bytes
from litegate.presentation.wording import is_percent
from litegate.records import (
    Artifact,
    BaselineSummary,
    Benchmark,
    BufferUse,
    Candidate,
    Champion,
    ClassLoss,
    Clause,
    ConversionCheck,
    DataRef,
    Disagreement,
    Evaluated,
    FileRef,
    FineTuning,
    Inspection,
    LargeBuffer,
    LatencyRatio,
    Lint,
    MetricFacts,
    ModelRef,
    OperatorUse,
    Overrides,
    RareClass,
    Reason,
    Recovery,
    RegisterRequest,
    Resolved,
    RunResult,
    SampleSet,
    Selection,
    Signature,
    TensorSpec,
    VariantRow,
    Verdict,
)
from litegate.report import drawn, render
from litegate.spec import parse_spec

TOP1 = MetricFacts(name="top1")
MAE = MetricFacts(name="mae", higher_is_better=False, high=None)
AUC = MetricFacts(name="roc_auc", per_sample=False)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A variant of a made-up run; `bytes` is None where it could not be converted."""

    name: str
    state: str = "passed"
    drop: float | None = 0.002
    half: float = 0.005
    bytes: int | None = 100_000
    latency: float | None = 0.1
    host: str = "testhost"
    noise: str = ""
    reasons: tuple[Reason, ...] = ()
    classes: tuple[ClassLoss, ...] = ()
    rare: tuple[RareClass, ...] = ()
    clauses: tuple[Clause, ...] | None = None
    needed: int | None = None
    clusters: int | None = None
    inspection: Inspection | None = None
    disagreement: Disagreement | None = None
    recovery: Recovery | None = None
    fine_tuning: FineTuning | None = None


@dataclass(frozen=True, kw_only=True)
class MadeRun:
    """A made-up run of variants on a model."""

    variants: Sequence[Variant]
    selected: str | None = None
    model: str = "cats"
    metric: MetricFacts = TOP1
    baseline_latency: float | None = 0.3
    inspection: Inspection | None = None
    lint: Lint | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    value: float = 0.9
    overrides: Overrides | None = None

    def html(self, classes: dict[str, Sequence[ClassLoss]] | None = None) -> str:
        """The page."""
        return render(self.request, self.result, drawn(self.request, self.result, classes))

    @property
    def request(self) -> RegisterRequest:
        """What the step `register` is asked."""
        baseline = Variant(
            name="float32", bytes=300_000, drop=0.0, latency=self.baseline_latency, inspection=self.inspection
        )
        return RegisterRequest(
            run_key="dag/run",
            links=self.links,
            resolved=self._resolved(),
            conversion_check=ConversionCheck(samples=20, max_abs_difference=1e-6, agreement=1.0),
            samples=SampleSet(file=_ref("samples"), samples=20, available=50, labels={}),
            lint=self.lint,
            tools={"tensorflow": "2.21.0"},
            baseline=self._candidate(baseline),
            candidates=tuple(self._candidate(each) for each in self.variants if each.bytes is not None),
            verdicts=(self._baseline(), *(self._verdict(each) for each in self.variants)),
            selection=Selection(
                variant=self.selected,
                why="the smallest of 2 that passed the gate" if self.selected else "nothing passed the gate",
            ),
        )

    @property
    def result(self) -> RunResult:
        """What the step makes of it."""
        digest = digest_bytes(str(self.selected).encode())
        return RunResult(
            model=self.model,
            outcome="selected" if self.selected else "rejected",
            selected=Champion(variant=self.selected, version=3, digest=digest) if self.selected else None,
            baseline=BaselineSummary(
                bytes=300_000,
                metric=self.metric.name,
                higher_is_better=self.metric.higher_is_better,
                percent=is_percent(self.metric),
                value=self.value,
                samples=1000,
            ),
            variants=tuple(self._row(each) for each in self.variants),
            experiment_id="1",
            mlflow_run_id="2",
            report="http://127.0.0.1/#/report",
        )

    def _row(self, each: Variant) -> VariantRow:
        return VariantRow(
            variant=each.name,
            bytes=each.bytes,
            value=None,
            drop=each.drop,
            drop_low=None,
            drop_high=None,
            samples=1000,
            verdict=each.state,
            reasons=(),
            latency_ms=each.latency,
            digest=None,
            uri=None if each.bytes is None else f"mlflow-artifacts:/{each.name}.tflite",
            mlflow_run_id=None,
            mlflow_model_id=None if each.bytes is None else f"m-{each.name}",
        )

    def _baseline(self) -> Verdict:
        digest = digest_bytes(b"float32")
        return Verdict(
            variant="float32", state="baseline", value=self.value, drop=0.0, drop_low=0.0, drop_high=0.0, digest=digest
        )

    def _verdict(self, each: Variant) -> Verdict:
        if each.drop is None:
            return Verdict(variant=each.name, state=each.state, reasons=each.reasons)
        low, high = each.drop - each.half, each.drop + each.half
        clause = Clause(
            name="max_drop",
            state=each.state,
            estimate=each.drop,
            low=low,
            high=high,
            limit=0.01,
            p_value=0.01,
            samples=1000,
            clusters=each.clusters,
            needed=each.needed,
        )
        return Verdict(
            variant=each.name,
            state=each.state,
            sentence=f"{each.name} {each.state}, in one sentence",
            reasons=each.reasons,
            disagreement=each.disagreement,
            value=self.value - each.drop,
            baseline=self.value,
            drop=each.drop,
            drop_low=low,
            drop_high=high,
            confidence=0.975,
            p_value=0.01,
            samples=1000,
            clusters=each.clusters,
            available=1000,
            needed=each.needed,
            clauses=(clause,) if each.clauses is None else each.clauses,
            classes=each.classes,
            rare=each.rare,
            rare_classes=len(each.rare),
            digest=digest_bytes(each.name.encode()),
        )

    def _candidate(self, each: Variant) -> Candidate:
        digest = digest_bytes(each.name.encode())
        tensor = TensorSpec(shape=(-1, 8), dtype="float32")
        artifact = Artifact(
            variant=each.name,
            file=FileRef(name=f"{each.name}.tflite", digest=digest, bytes=each.bytes or 0),
            signatures={"serving_default": Signature(inputs={"x": tensor}, outputs={"y": tensor})},
            recovery=each.recovery,
            fine_tuning=each.fine_tuning,
        )
        share = (each.latency or 0.3) / (self.baseline_latency or 0.3)
        benchmark = Benchmark(
            ratio=LatencyRatio(estimate=share, low=0.98 * share, high=1.03 * share, confidence=0.95, rounds=31),
            noise=each.noise,
            variant=each.name,
            artifact_digest=digest,
            latency_ms=each.latency or 0.0,
            latency_p95_ms=1.0,
            runs=50,
            host=each.host,
            kernels="xnnpack",
        )
        return Candidate(
            artifact=artifact,
            evaluated=Evaluated(
                variant=each.name,
                artifact_digest=digest,
                metric=self.metric,
                samples=1000,
                available=1000,
                outcomes=_ref("outcomes"),
                seconds=1.0,
                kernels="xnnpack",
            ),
            benchmark=None if each.latency is None else benchmark,
            inspection=each.inspection,
        )

    def _resolved(self) -> Resolved:
        data = {"uri": "s3://data/eval.npz", "format": "npz"}
        model = {"name": "cats", "uri": "s3://models/cats.keras"}
        spec = {"model": model, "calibration": data, "evaluation": data, "variants": "all"} | self.spec
        pinned = DataRef(uri=data["uri"], format="npz", digest=digest_bytes(b"data"), manifest=_ref("manifest"))
        return Resolved(
            spec=parse_spec(spec),
            model=ModelRef(uri=model["uri"], format="keras", digest=digest_bytes(b"model"), files=()),
            calibration=pinned,
            evaluation=pinned,
            metric=self.metric,
            overrides=self.overrides,
        )


def loss(label: int, drop: float, name: str | None = None, proved: bool = False) -> ClassLoss:
    """What a variant loses of a class with 100 samples."""
    return ClassLoss(
        label=label,
        name=name or f"class-{label}",
        samples=100,
        baseline=0.9,
        value=0.9 - drop,
        drop=drop,
        low=drop - 0.05,
        high=None,
        proved=proved,
    )


def inspection(scheme: str, name: str = "conv") -> Inspection:
    """What is read from a file of 100,000 bytes."""
    is_float = scheme == "float32"
    use = OperatorUse(
        name="CONV_2D",
        computes="float" if is_float else "integer",
        inputs=(scheme,),
        outputs=(scheme,),
        count=3,
        macs=1000,
    )
    return Inspection(
        variant=scheme,
        artifact_digest=digest_bytes(scheme.encode()),
        scheme=scheme,
        inputs={"x": scheme},
        outputs={"y": scheme},
        operators=(use,),
        kinds=1,
        operator_count=3,
        float_operators=3 if is_float else 0,
        float_names=("CONV_2D",) if is_float else (),
        macs=1000,
        float_macs=1000 if is_float else 0,
        islands=0,
        island_examples=(),
        per_axis=0 if is_float else 3,
        per_tensor=0,
        buffers=(
            BufferUse(kind=f"weights {scheme}", buffers=3, bytes=82_000),
            BufferUse(kind="structure", buffers=1, bytes=16_000),
            BufferUse(kind=f"bias {scheme}", buffers=3, bytes=2_000),
        ),
        largest=(LargeBuffer(name=name, type=scheme, shape=(64, 3, 3, 64), bytes=36_864),),
        weights_compared=0 if is_float else 3,
        weight_error=None if is_float else 0.5,
        findings=(),
        blocking=(),
    )


def _ref(name: str) -> FileRef:
    return FileRef(name=name, digest=digest_bytes(name.encode()), bytes=1)
