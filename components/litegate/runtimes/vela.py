"""Vela, Arm's compiler for the Ethos-U: which operators it places there, and what it estimates.

Its exit code is 0 even where every operator stays on the CPU, so its tables are read, and the file that it writes:
there an operator is either a call of the Ethos-U or left on the CPU. Estimates are for Arm's default system of each
family, and must be called so. Source: the options and tables of ethos-u-vela 5.2.0.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from litegate.runtimes.runtime import LeftOnCpu, Placed
from litegate.runtimes.said import saying

__all__ = ["DISTRIBUTION", "place"]

DISTRIBUTION = "ethos-u-vela"

_CALL = "ethos-u"
"""What Vela calls the operator that stands for all that the Ethos-U runs."""
_WARNED = re.compile(r"operator: (\w+), ofm: '(.*)'\n\s*-?\s*Reason: (.*)")
_LONGEST = 200
_MEMORIES = ("sram", "dram", "flash")
_OPERATORS = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


@dataclass(frozen=True)
class _Operator:
    """An operator of a file: its kind, that of a custom one its own name, and its first output."""

    name: str
    output: str


def place(content: bytes, accelerator: str, folder: Path) -> Placed:
    """Compile a file, and read where its operators are and what they cost.

    Args:
        content: of a .tflite file.
        accelerator: the configuration, such as `ethos-u55-128`.
        folder: an empty one, which Vela writes to.

    Raises:
        RuntimeError: Vela cannot compile it, or its tables do not fit the file that it wrote; with its own words.
    """
    source = folder / "model.tflite"
    source.write_bytes(content)
    said = _compile(source, accelerator, folder)
    compiled = folder / "model_vela.tflite"
    if not compiled.is_file():
        raise RuntimeError(_last_words(said))
    summary, rows = _tables(folder)
    left = list(_operators(compiled.read_bytes()))
    on_cpu = [each for each in left if each.name != _CALL]
    _check(on_cpu, rows)
    nothing = len(on_cpu) == len(left)
    sizes = {memory: _bytes(summary, memory) for memory in _MEMORIES}
    return Placed(
        compiler=f"{DISTRIBUTION} {version(DISTRIBUTION)}",
        system=f"{summary['system_config']}, {summary['memory_mode']}",
        operators=sum(1 for _ in _operators(content)),
        accelerated=len(left) - len(on_cpu),
        on_cpu=tuple(_with_reasons(on_cpu, said)),
        sram_bytes=sizes["sram"],
        dram_bytes=sizes["dram"],
        flash_bytes=sizes["flash"],
        cycles=None if nothing else round(float(summary["cycles_total"])),
        milliseconds=None if nothing else 1000 * float(summary["inference_time"]),
        compiled=compiled,
    )


def _compile(source: Path, accelerator: str, folder: Path) -> str:
    """Everything that Vela says meanwhile: some of it in Python, some in C++."""
    from ethosu.vela import vela

    asked = ["--accelerator-config", accelerator, "--show-cpu-operations", "--verbose-performance"]
    printed = io.StringIO()
    with saying() as said, redirect_stdout(printed), redirect_stderr(printed):
        try:
            vela.main([str(source), *asked, "--output-dir", str(folder)])
        except (Exception, SystemExit) as error:
            why = "" if isinstance(error, SystemExit) else f"\n{error}"
            raise RuntimeError(_last_words(f"{said()}\n{printed.getvalue()}{why}")) from None
        return f"{said()}\n{printed.getvalue()}"


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"Vela wrote no file: {' '.join(lines[-1:])[:_LONGEST]}"


def _tables(folder: Path) -> tuple[Mapping[str, str], list[dict[str, str]]]:
    """The summary of the whole file, and a row for each operation."""
    summaries, layers = list(folder.glob("model_summary_*.csv")), folder / "model_per-layer.csv"
    if len(summaries) != 1 or not layers.is_file():
        raise RuntimeError(
            f"expected Vela to write a summary and a table of operations, got {len(summaries)} summaries"
        )
    with summaries[0].open(newline="") as file:
        (summary,) = csv.DictReader(file)
    with layers.open(newline="") as file:
        return summary, list(csv.DictReader(file))


def _check(on_cpu: list[_Operator], rows: list[dict[str, str]]) -> None:
    """Table and file must say the same: a row of the table is an operation, of which an operator may have several."""
    said = {row["Name"] for row in rows if row["Target"] != "NPU"}
    found = {each.output for each in on_cpu}
    if bool(said) != bool(found):
        places = (", ".join(sorted(each)) or "nothing" for each in (said, found))
        raise RuntimeError("Vela's table leaves {} on the CPU, and the file that it wrote {}".format(*places))


def _bytes(summary: Mapping[str, str], memory: str) -> int:
    """Of all memories of a kind, from KiB."""
    kib = (float(size) for name, size in summary.items() if name.endswith(f"{memory}_memory_used"))
    return round(1024 * sum(kib))


def _with_reasons(on_cpu: list[_Operator], said: str) -> Iterator[LeftOnCpu]:
    reasons = {(name, output): reason.strip()[:_LONGEST] for name, output, reason in _WARNED.findall(said)}
    for each in on_cpu:
        yield LeftOnCpu(each.name, each.output[:_LONGEST], reasons.get((each.name, each.output), ""))


def _operators(content: bytes) -> Iterator[_Operator]:
    """Of all subgraphs of a file."""
    model = schema.Model.GetRootAs(content, 0)
    for graph in (model.Subgraphs(number) for number in range(model.SubgraphsLength())):
        for operator in (graph.Operators(number) for number in range(graph.OperatorsLength())):
            code = model.OperatorCodes(operator.OpcodeIndex())
            custom = code.CustomCode()
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            output = graph.Tensors(operator.Outputs(0)).Name() if operator.OutputsLength() else b""
            yield _Operator(custom.decode() if custom else _OPERATORS[number], (output or b"").decode())
