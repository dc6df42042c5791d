"""A comparison as Markdown and as JUnit's XML: what a person and a CI server act on."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from litegate.comparison.tables import junit, markdown
from litegate.records import BaselineSummary, Comparison, VariantRow

BASELINE = BaselineSummary(bytes=20_000, metric="top1", value=0.9, samples=1000)


def row(variant: str, verdict: str, **found: Any) -> VariantRow:
    given = {
        "bytes": 8000,
        "value": 0.891,
        "drop": 0.009,
        "drop_low": -0.001,
        "drop_high": 0.019,
        "samples": 1000,
        "reasons": (),
        "latency_ms": 0.25,
        "digest": None,
        "uri": None,
        "mlflow_run_id": None,
    }
    return VariantRow(variant=variant, verdict=verdict, **(given | found))


def comparison(*rows: VariantRow, **found: Any) -> Comparison:
    may_ship = tuple(each.variant for each in rows if each.verdict == "passed")
    given = {
        "model": "m",
        "outcome": "passed" if may_ship else "rejected",
        "selected": may_ship[0] if may_ship else None,
        "file": None,
        "why": "the smallest",
        "may_ship": may_ship,
        "baseline": BASELINE,
        "report": "r",
        "folder": "f",
    }
    first = row("float32", "baseline", bytes=20_000, drop=0.0, drop_high=0.0, value=0.9)
    return Comparison(**(given | found), variants=(first, *rows))


LOST = row("int8", "failed", drop=0.05, drop_high=0.07, sentence="int8 failed: top1 drops by 5.00 points | <b>")
GOOD = row("float16", "passed")


def test_the_markdown_names_what_ships_and_why_the_rest_does_not() -> None:
    text = markdown(comparison(GOOD, LOST, warnings=("the data are odd",)))
    head, table, reasons, warnings = text.strip().split("\n\n")
    assert head == "### m: ship float16"
    cells = [
        [cell.replace("&nbsp;", "").strip() for cell in line.strip("|").split(" | ")] for line in table.split("\n")
    ]
    assert cells[2][:3] == ["`float32`", "baseline", "90.00 %"]
    assert cells[3] == ["**`float16`**", "passed", "89.10 %", "+0.90 (at most +1.90)", "8,000 B (40 %)", "0.250"]
    assert reasons == r"- int8 failed: top1 drops by 5.00 points \| &lt;b>", "nothing of it is markup"
    assert warnings == "- warning: the data are odd"


@pytest.mark.parametrize(
    ("found", "head"),
    [
        (comparison(LOST), "nothing passed the gate"),
        (comparison(GOOD, LOST, required=("int8",), outcome="rejected"), "int8 must pass and was rejected"),
    ],
)
def test_the_markdown_says_first_that_it_did_not_pass(found: Comparison, head: str) -> None:
    assert markdown(found).startswith(f"### m: {head}\n")


@pytest.mark.parametrize(
    ("found", "results"),
    [
        (comparison(GOOD, LOST), {"float16": [], "int8": ["skipped"]}),
        (comparison(LOST), {"int8": ["failure"]}),
        (comparison(GOOD, LOST, required=("int8",), outcome="rejected"), {"float16": [], "int8": ["failure"]}),
        (comparison(GOOD, LOST, required=("float16",)), {"float16": [], "int8": ["skipped"]}),
        (comparison(LOST, row("uint8", "inconclusive"), required=("uint8",), outcome="rejected"), None),
    ],
)
def test_a_test_case_fails_if_it_is_why_the_comparison_did(
    found: Comparison, results: dict[str, list[str]] | None
) -> None:
    suite = ElementTree.fromstring(junit(found))
    cases = {case.attrib["name"]: [result.tag for result in case] for case in suite}
    assert cases == (results or {"int8": ["skipped"], "uint8": ["failure"]})
    assert suite.attrib["failures"] == str(sum(each == ["failure"] for each in cases.values()))
    assert (suite.attrib["failures"] == "0") == found.passed


def test_a_name_of_a_class_cannot_break_the_xml() -> None:
    found = comparison(row("int8", "failed", sentence='int8 failed: class "\x00\x1b<&>" is lost'))
    (case,) = ElementTree.fromstring(junit(found))
    assert case[0].attrib["message"] == 'int8 failed: class "  <&>" is lost'
