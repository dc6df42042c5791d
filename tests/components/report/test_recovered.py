"""The section on how a file was recovered: ranking, steps, and what each bought."""

from __future__ import annotations

import re

from litegate.records import OperatorSensitivity, RecoveryStep
from tests.components.presentation.test_recoveries import BASE, lifted, recovery
from tests.components.report.runs import MadeRun, Variant

AFTER = BASE.model_copy(update={"disagreement": 0.002, "error": 0.1, "bytes": 29_672, "milliseconds": 0.03})
RANKING = (
    OperatorSensitivity(
        operator="CONV_2D #1 of main", layer="<b>", error=0.13, snr_db=0.58, added=0.875, in_float=BASE, around=AFTER
    ),
    OperatorSensitivity(operator="SOFTMAX #2 of main", added=-0.01),
)
STEPS = (
    RecoveryStep(operators=(lifted(1), lifted(3)), before=BASE, after=AFTER, tried=24, kept=True),
    RecoveryStep(
        operators=(lifted(3).model_copy(update={"precision": None}),), before=AFTER, after=BASE, tried=1, kept=False
    ),
)


def section(*variants: Variant) -> str:
    page = MadeRun(variants=variants, selected=variants[0].name).html()
    found = page.partition('<h2 id="recovered">')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def test_it_shows_ranking_and_steps_and_on_what_it_was_tuned() -> None:
    found = section(Variant(name="recovered", recovery=recovery(after=AFTER, ranking=RANKING, steps=STEPS)))
    assert "Float32 for CONV_2D #1 of main (b); int16x8 for CONV_2D #3 of main; 9,672 bytes more than int8" in found
    assert "Ranges were found on 50 calibration samples, and 31 files tried on 50 others." in found
    assert "which the search has not seen" in found
    assert "1 float32: CONV_2D #1 of main, CONV_2D #3 of main 90 % → 0.2 % 80 % → 10 % +9,672" in found
    assert "2 as it was: CONV_2D #3 of main 0.2 % → 90 %" in found
    assert "24 yes" in found
    assert found.count(" no ") == 1
    assert "CONV_2D #1 of main &lt;b&gt; 0.13 0.6 +87.5 90 % +0 +0 0.2 % +9,672 +0.02" in found
    assert "SOFTMAX #2 of main -1 " in found


def test_without_a_search_there_is_no_section() -> None:
    assert section(Variant(name="int8")) == ""
