"""The rows of `make bench`: what each figure is, the limit that it is to reach, and the function that measures it.

A function stands here as `module:function` of this package, so that a row loads nothing before its turn. It takes a
`Bench` and returns the figure; it measures both sides of a ratio itself, side by side. A new row is a line here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tests.benchmarks.bench_context import Bench

__all__ = ["PARTS", "ROWS", "Row", "measuring"]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: what it is, for people; a ratio names both of its sides.
        function: what measures it.
        limit: the largest value that is good enough, or the smallest if `at_least`.
        unit: `s` for seconds, nothing for a ratio.
    """

    what: str
    function: str
    limit: float
    at_least: bool = False
    unit: str = ""

    def reached(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


def measuring(function: str) -> Callable[[Bench], Any]:
    """The function of a row or a part."""
    module, _, name = function.partition(":")
    found: Callable[[Bench], Any] = getattr(importlib.import_module(f"tests.benchmarks.{module}"), name)
    return found


PARTS = MappingProxyType({"benefits": "benefits_part:write_benefits"})
"""Further parts of `docs/benchmarks.md`, each with what measures it and writes it to `parts/NAME.md` of the folder."""

ROWS = MappingProxyType(
    {
        "pipeline_vs_script": Row(
            "ResNet-8, 10,000 images, all eight variants: `litegate run`, servers up / the script",
            "pipeline_rows:pipeline_vs_script",
            0.5,
        ),
        "compare_vs_script": Row(
            "ResNet-8, the same without servers: `litegate compare` / the script",
            "pipeline_rows:compare_vs_script",
            0.4,
        ),
        "pipeline_sequential_vs_script": Row(
            "ResNet-8, the same with `evaluation.sequential`: `litegate run` / the script",
            "pipeline_rows:pipeline_sequential_vs_script",
            0.2,
        ),
        "airflow_seconds": Row(
            "ResNet-8: the run of Airflow, less the work on its critical path",
            "pipeline_rows:airflow_seconds",
            10,
            unit="s",
        ),
        "airflow_share": Row(
            "ResNet-8: that / all of the run",
            "pipeline_rows:airflow_share",
            0.15,
        ),
        "small_pipeline_vs_script": Row(
            "digits, 697 images, all eight variants: `litegate run`, servers up / the script",
            "pipeline_rows:small_pipeline_vs_script",
            1.5,
        ),
        "rerun_seconds": Row(
            "the same `litegate run` again, nothing changed; the slower of digits and ResNet-8",
            "pipeline_rows:rerun_seconds",
            8,
            unit="s",
        ),
        "parse_50_specs_s": Row(
            "the first parse of `dags/litegate_dags.py` with 50 specs, where Airflow is imported",
            "parse_row:parse_50_specs_s",
            2,
            unit="s",
        ),
        "ledger_10000_s": Row(
            "a decision about a model whose ledger has 10,000 entries, in a process that has read nothing yet",
            "ledger_row:ledger_10000_s",
            1,
            unit="s",
        ),
        "models_20_at_once": Row(
            "20 small models at once: wall time / (the CPU time of their runs, as one takes it alone, / cores)",
            "at_once_row:models_20_at_once",
            1.2,
        ),
        "register_seconds": Row(
            "`register` of eight variants on a server that has registered them before, in a process with MLflow",
            "register_row:register_seconds",
            3,
            unit="s",
        ),
        "idle_share": Row(
            "what the embedded servers use of a core while nothing runs",
            "idle_row:idle_share",
            0.05,
        ),
        "calibrate_once": Row(
            "MobileNetV2, 200 samples, all integer variants, equal bytes: one calibration / a converter call for each",
            "calibrate_row:calibrate_once",
            0.35,
        ),
        "step_startup": Row(
            "until a warm step's own code runs / `import tensorflow` with everything installed",
            "startup_row:step_startup",
            0.1,
        ),
        "sampling_bytes": Row(
            "500 of 1,000,000 records from S3, NPZ and indexed TFRecord: bytes that are read / all",
            "sampling_rows:sampling_bytes",
            0.05,
        ),
        "sampling_time": Row(
            "the same: wall time / that of reading all",
            "sampling_rows:sampling_time",
            0.05,
        ),
        "one_pass": Row(
            "MobileNetV2, 2,000 JPEG images of 224x224: one pass for all eight variants / a pass for each",
            "evaluation_rows:one_pass",
            0.6,
        ),
        "evaluation_throughput": Row(
            "ResNet-8, int8 and float32: invokes a second / cores x those of one bare thread",
            "evaluation_rows:evaluation_throughput",
            0.85,
            at_least=True,
        ),
        "evaluation_memory": Row(
            "peak of memory of an evaluation: 1,000,000 samples / 10,000",
            "evaluation_rows:evaluation_memory",
            1.2,
        ),
    }
)
