"""The section on how a file was trained for quantization."""

from __future__ import annotations

import re

from tests.components.presentation.test_fine_tunings import fine_tuning
from tests.components.report.runs import MadeRun, Variant


def section(*variants: Variant) -> str:
    page = MadeRun(variants=variants, selected=variants[0].name).html()
    found = page.partition('<h2 id="fine-tuned">')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def test_it_shows_what_was_simulated_and_what_that_brought() -> None:
    found = section(Variant(name="fine_tuned", fine_tuning=fine_tuning(layers=("<b>", "last"))))
    assert "Trained for 12 s as int8, with 8 bits simulated in 2 layers" in found
    assert "int8 before 90 % 80 % 20,000" in found
    assert "int8 after 0.5 % 10 % 20,000" in found
    assert "which the training was not given" in found
    assert "Simulated in 8 bits: &lt;b&gt;, last." in found
    assert "Trained in float: rows (LSTM)." in found


def test_without_a_training_there_is_no_section() -> None:
    assert section(Variant(name="int8")) == ""
