"""A run of three variants, as its commands show it."""

from __future__ import annotations

from litegate.records import BaselineSummary, Champion, RunResult, VariantRow

__all__ = ["LONG", "NOTHING", "RESULT", "line_of", "row"]

LONG = (
    "float16 may not ship: it loses at least 2.00 points of top1 [bold](1.00 allowed)[/bold], "
    "most of all on cat (12.00 points), with 95 % confidence"
)


def row(variant: str, **values: object) -> VariantRow:
    measured = {"bytes": 1024, "value": 0.95, "drop": 0.01, "drop_low": -0.001, "drop_high": 0.0155, "samples": 697}
    other = {
        "verdict": "passed",
        "reasons": (),
        "latency_ms": 0.0512,
        "digest": "d" * 64,
        "uri": None,
        "mlflow_run_id": "r",
    }
    return VariantRow.model_validate({"variant": variant} | measured | other | values)


NOTHING = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "digest"))
RESULT = RunResult(
    model="digits",
    outcome="selected",
    selected=Champion(variant="int8", version=3, digest="d" * 64),
    baseline=BaselineSummary(bytes=4096, metric="top1", value=0.96, samples=697),
    variants=(
        row("int8"),
        row("float16", verdict="failed", sentence=LONG, reasons=("not shown",)),
        row("int16x8", verdict="inconclusive", reasons=("quantize: segfault",), samples=0, **NOTHING),
    ),
    experiment_id="1",
    mlflow_run_id="abc",
    report="http://mlflow/#/report.html",
)


def line_of(lines: list[str], variant: str) -> str:
    return " ".join(next(line for line in lines if variant in line.split()).split())
