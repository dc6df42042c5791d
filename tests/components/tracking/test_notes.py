"""The Markdown of the notes."""

from __future__ import annotations

from litegate.records import ClassLoss, Clause, Reason, Verdict
from litegate.tracking import notes


def test_a_variant_s_note_begins_with_the_sentence_and_shows_every_clause_and_the_worst_classes():
    clause = Clause(
        name="max_drop_from_champion",
        state="inconclusive",
        estimate=0.004,
        low=-0.003,
        high=None,
        limit=0.01,
        p_value=0.2,
        samples=1000,
        needed=3200,
    )
    loss = ClassLoss(
        label=3, name="a|b", samples=100, baseline=0.9, value=0.8, drop=0.1, low=0.05, high=0.15, proved=True
    )
    verdict = Verdict(
        variant="int8",
        state="inconclusive",
        sentence="int8 is undecided: <b>",
        reasons=(Reason(code="x", message="because"),),
        samples=1000,
        clauses=(clause,),
        classes=(loss,),
        agreement=0.981,
        flipped=22,
    )
    assert notes.variant_note(verdict).splitlines() == [
        "**int8 is undecided: &lt;b>**",
        "",
        "- because",
        "",
        "| Clause | Of | State | Found | At least | At most | Allowed | Samples | Would decide |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| max_drop_from_champion |  | inconclusive | 0.004 | -0.003 |  | 0.01 | 1,000 | 3,200 |",
        "",
        "| Class | Float32 | Variant | Lost | At least | At most | Samples | Proved |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a\\|b | 0.9 | 0.8 | 0.1 | 0.05 | 0.15 | 100 | yes |",
        "",
        "22 of 1,000 samples flipped; the same answer on 98.10 %.",
    ]


def test_a_long_reason_is_cut():
    verdict = Verdict(variant="int8", state="failed", reasons=(Reason(code="x", message="word " * 1000),))
    assert len(notes.variant_note(verdict)) < 300
