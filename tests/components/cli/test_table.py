from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from litegate.cli.table import print_table
from litegate.records import BaselineSummary, Footprint, RunResult, TimedOnDevice
from tests.components.cli.results import RESULT, line_of, row

WIDE = row("int16x8_float_fallback", verdict="inconclusive", samples=12000)


def shown(result: RunResult, width: int | None = None, marked: str | None = None) -> list[str]:
    """What is printed, on a terminal of a width, or on a pipe."""
    console = Console(width=width, file=StringIO(), force_terminal=width is not None, color_system=None)
    print_table(console, result, (marked, "d" * 64) if marked else None)
    return console.file.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_variant_and_every_column() -> None:
    found = shown(RESULT, marked="int8")
    assert " ".join(found[0].split()) == "variant verdict drop, points bounds size bytes top1 latency ms samples"
    assert line_of(found, "int8") == "* int8 passed +1.00 -0.10 to +1.55 25% 1,024 95.00% 0.0512 697"
    assert line_of(found, "float32") == "float32 baseline - - 100% 4,096 96.00% - 697"
    assert line_of(found, "int16x8") == "int16x8 inconclusive - - - - - - 0"
    assert len(found) == 5, "neither title nor rule"


def test_what_a_file_takes_of_the_device_has_columns_where_it_is_firmware() -> None:
    micro = Footprint(flash_bytes=1024, ram_bytes=5000, operators=("CONV_2D", "SOFTMAX"))
    found = shown(RESULT.model_copy(update={"variants": (row("int8", footprint=micro), RESULT.variants[2])}))
    assert found[0].split("samples")[1].split() == ["arena", "flash", "operators"]
    assert line_of(found, "int8").endswith("697 5,000 1,024 CONV_2D, SOFTMAX")
    assert line_of(found, "float32").endswith("697 - - -")


def test_what_a_compiler_estimates_is_called_an_estimate() -> None:
    compiled = {"flash_bytes": 900, "ram_bytes": 700, "operators": ("ETHOS_U",), "cpu_operators": 0}
    ours = Footprint.model_validate(compiled | {"cycles": 1234, "estimated_by": "vela 5"})
    found = shown(RESULT.model_copy(update={"variants": (row("int8", footprint=ours),)}))
    head = " ".join(found[0].split("samples")[1].split())
    assert head == "SRAM, estimated flash on CPU cycles, estimated operators"
    assert line_of(found, "int8").endswith("697 700 900 0 1,234 ETHOS_U")


def test_clusters_have_a_column_where_there_are_any() -> None:
    clustered = RESULT.model_copy(update={"variants": (row("int8", clusters=41), RESULT.variants[2])})
    found = shown(clustered)
    assert found[0].endswith("samples  clusters")
    assert line_of(found, "int8").endswith("697 41")
    assert line_of(found, "float32").endswith("697 -")


def test_a_device_has_a_column_where_one_has_judged() -> None:
    timed = TimedOnDevice(name="device:pi5", runtime="r", latency_ms=0.3141, latency_p95_ms=0.5, samples=697)
    found = shown(RESULT.model_copy(update={"variants": (row("int8", on_device=timed), RESULT.variants[2])}))
    assert " ".join(found[0].split()).endswith("latency ms on device ms samples")
    assert line_of(found, "int8").endswith("0.314 697")
    assert line_of(found, "float32").endswith("- 697")


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (140, ""),
        (100, "a wider terminal also shows bytes, samples"),
        (80, "a wider terminal also shows bytes, top1, latency ms, samples"),
        (60, "a wider terminal also shows bounds, bytes, top1, latency ms, samples"),
    ],
)
def test_a_narrow_terminal_shows_the_answer_whole_and_names_the_columns_it_leaves_out(
    width: int, left_out: str
) -> None:
    found = shown(RESULT.model_copy(update={"variants": (*RESULT.variants, WIDE)}), width)

    assert found[0] == "digits: the variants"
    table = found[1:8]  # a head, a rule, and a line for each variant
    assert " ".join(line.strip() for line in found[8:]) == left_out
    assert max(map(len, table)) <= width
    assert line_of(table, WIDE.variant).startswith("int16x8_float_fallback inconclusive +1.00")
    assert {"size", "25%"} <= {word for line in table for word in line.split()}


def test_a_metric_that_is_no_share_is_printed_as_it_is_and_a_lower_one_is_better() -> None:
    baseline = BaselineSummary(
        bytes=4096, metric="my.metrics:Blur", higher_is_better=False, percent=False, value=123.456, samples=12000
    )
    wide = row(
        "int16x8_float_fallback",
        value=123.5,
        drop=0.04412,
        drop_low=-1.2345678,
        drop_high=1.23e-6,
        samples=12000,
        verdict="inconclusive",
    )
    open_ = row("int8", value=None, drop=0.1, drop_low=None, drop_high=None)
    half = row("int16x8", drop_low=None)
    result = RESULT.model_copy(update={"baseline": baseline, "variants": (wide, open_, half)})
    found = shown(result)

    assert " ".join(found[0].split()) == "variant verdict loss bounds size bytes Blur latency ms samples"
    assert line_of(found, "float32") == "float32 baseline - - 100% 4,096 123.5 - 12,000"
    assert "+0.04412 -1.235 to +1.23e-06 25% 1,024 123.5" in line_of(found, wide.variant)
    assert "passed +0.1 - 25% 1,024 - 0.0512" in line_of(found, "int8")
    assert "+0.01 - to +0.0155" in line_of(found, "int16x8")
    assert max(map(len, shown(result, 80)[1:-1])) <= 80


def test_a_baseline_without_a_value_still_has_its_row() -> None:
    result = RESULT.model_copy(update={"baseline": RESULT.baseline.model_copy(update={"value": None})})
    assert line_of(shown(result), "float32") == "float32 baseline - - 100% 4,096 - - 697"
