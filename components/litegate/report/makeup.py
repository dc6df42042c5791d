"""Where the bytes and the work of each file go."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from litegate.records import Inspection, OperatorUse
from litegate.report.charts import Stack, stacks
from litegate.report.run import Row, Run, kib

__all__ = ["FileMakeup", "Makeup", "makeup"]

_ROLES = ("weights", "biases", "constants", "structure")
_ROLE_OF = {"weights": "weights", "bias": "biases", "constant": "constants"}
_LARGEST = 5
_TIMES = " \u00d7 "


@dataclass(frozen=True)
class FileMakeup:
    """One file as its bytes have it, in words and lists.

    Attributes:
        roles: KiB by what they are for, as in the chart.
        float_share: of its arithmetic.
        buffers: kind, how many, bytes, share of the file.
        largest: name, type and shape, bytes of the largest constants.
        operators: as they are in the file; `more` is how many kinds are not listed.
        computing: how much of the arithmetic is float.
        weights: how they are scaled, and how far they are from the float32 file's.
    """

    name: str
    scheme: str
    roles: tuple[str, ...]
    float_share: str
    buffers: tuple[tuple[str, int, str, str], ...]
    largest: tuple[tuple[str, str, str], ...]
    operators: tuple[OperatorUse, ...]
    more: int
    computing: str
    weights: str


@dataclass(frozen=True)
class Makeup:
    """All files that were inspected, and a chart of what their bytes are for."""

    chart: Markup
    roles: tuple[str, ...]
    files: tuple[FileMakeup, ...]


def makeup(run: Run) -> Makeup | None:
    """Where the bytes go; None where no file was inspected."""
    rows = [row for row in run.rows if row.inspection]
    if not rows:
        return None
    bars = [_bar(row, row.inspection) for row in rows if row.inspection]
    words = "Bytes by what they are for. " + "; ".join(f"{bar.name}: {bar.text}" for bar in bars)
    chart = stacks("bytes", bars, _ROLES, "KiB", words)
    return Makeup(chart, _ROLES, tuple(_file(row, row.inspection) for row in rows if row.inspection))


def _bar(row: Row, inspection: Inspection) -> Stack:
    parts = {role: size / 1024 for role, size in _roles(inspection).items()}
    return Stack(row.name, parts, kib(row.bytes or 0))


def _roles(inspection: Inspection) -> dict[str, int]:
    """Bytes by what they are for."""
    sizes = dict.fromkeys(_ROLES, 0)
    for buffer in inspection.buffers:
        sizes[_ROLE_OF.get(buffer.kind.partition(" ")[0], _ROLES[-1])] += buffer.bytes
    return sizes


def _file(row: Row, inspection: Inspection) -> FileMakeup:
    total = row.bytes or 1
    listed = inspection.largest[:_LARGEST]
    return FileMakeup(
        name=row.name,
        scheme=inspection.scheme,
        roles=tuple(f"{size / 1024:,.2f}" for size in _roles(inspection).values()),
        float_share=f"{100 * inspection.float_share:.3g} %",
        buffers=tuple(
            (use.kind, use.buffers, kib(use.bytes), f"{100 * use.bytes / total:.1f} %") for use in inspection.buffers
        ),
        largest=tuple(
            (item.name, f"{item.type} {_TIMES.join(map(str, item.shape))}", kib(item.bytes)) for item in listed
        ),
        operators=inspection.operators,
        more=max(inspection.kinds - len(inspection.operators), 0),
        computing=_computing(inspection),
        weights=_weights(inspection),
    )


def _computing(found: Inspection) -> str:
    share = f"{100 * found.float_share:.3g} % of {found.macs:,} multiply-accumulates on float activations"
    if not found.macs:
        share = f"{found.float_operators} of them compute on float activations"
    islands = f", in {found.islands} islands among integer operators" if found.islands else ""
    return f"{found.operator_count:,} operators of {found.kinds:,} kinds; {share}{islands}."


def _weights(found: Inspection) -> str:
    if not found.per_axis + found.per_tensor:
        return "No quantized weights."
    scaled = f"Quantized weights: {found.per_axis} scaled per axis, {found.per_tensor} per tensor"
    if found.weight_error is None:
        return f"{scaled}."
    return f"{scaled}; at most {found.weight_error:.2g} quantization steps from float32 (rounding explains 0.5)."
