"""The Markdown of the notes."""

from __future__ import annotations

from litegate.records import (
    Aliases,
    ClassLoss,
    Clause,
    Decision,
    LedgerEntry,
    RareClass,
    Reason,
    RegisteredAlias,
    Verdict,
)
from litegate.tracking import notes


def narrow(note: str) -> list[str]:
    """The lines of a note, without the gaps between the columns of its tables."""
    return note.replace(" &nbsp; |", " |").splitlines()


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
    assert narrow(notes.variant_note(verdict)) == [
        "**int8 is undecided: &lt;b>**",
        "",
        "- because",
        "",
        "**What the policy asks for**",
        "",
        "| Clause | Of | State | Found | At least | At most | Allowed | Samples | Would decide |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| max_drop_from_champion |  | inconclusive | 0.004 | -0.003 |  | 0.01 | 1,000 | 3,200 |",
        "",
        "**The classes that lost most**",
        "",
        "| Class | Float32 | Variant | Lost | At least | At most | Samples | Proved |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a\\|b | 0.9 | 0.8 | 0.1 | 0.05 | 0.15 | 100 | yes |",
        "",
        "22 of 1,000 samples flipped; the same answer on 98.10 %.",
    ]


def test_a_note_names_the_classes_that_are_too_rare_whatever_the_state():
    rare = tuple(RareClass(name=name, samples=9, predicted=2) for name in ("<b>", "dog"))
    verdict = Verdict(variant="int8", state="failed", sentence="int8 may not ship", rare=rare, rare_classes=30)
    one, other = "&lt;b> (9 samples, 2 predicted by float32)", "dog (9 samples, 2 predicted by float32)"
    said = f"too rare to be judged by themselves: {one}, {other} and 28 more"
    assert notes.variant_note(verdict).splitlines()[-1] == said


def test_a_note_shows_clusters_where_there_are_any():
    clause = Clause(
        name="max_drop",
        state="inconclusive",
        estimate=0.004,
        low=-0.003,
        high=0.02,
        limit=0.01,
        p_value=0.2,
        samples=1000,
        clusters=50,
        needed=320,
    )
    verdict = Verdict(variant="int8", state="inconclusive", samples=1000, clusters=50, clauses=(clause,))
    assert narrow(notes.variant_note(verdict))[4:7] == [
        "| Clause | Of | State | Found | At least | At most | Allowed | Samples | Clusters | Would decide |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| max_drop |  | inconclusive | 0.004 | -0.003 | 0.02 | 0.01 | 1,000 | 50 | 320 clusters |",
    ]


def test_a_long_reason_is_cut():
    verdict = Verdict(variant="int8", state="failed", reasons=(Reason(code="x", message="word " * 1000),))
    assert len(notes.variant_note(verdict)) < 300


def test_a_note_with_too_many_clauses_ends_with_a_whole_line_and_says_where_the_rest_is():
    clauses = tuple(
        Clause(
            name="max_class_drop",
            subject=f"class {i}",
            state="passed",
            estimate=0.0,
            low=0.0,
            high=0.0,
            limit=0.1,
            p_value=0.01,
            samples=100,
        )
        for i in range(1000)
    )
    note = notes.variant_note(Verdict(variant="int8", state="passed", clauses=clauses))
    assert len(note) <= notes.NOTE_LIMIT
    last, _, notice = note.rpartition("\n\n")
    assert last.endswith(" |")
    assert "verdict.json has all of it" in notice


def test_the_experiment_s_note_links_to_pages_that_open_in_the_mode_for_models():
    note = notes.experiment_note("toy", "registered-toy", "7")
    links = [part.partition(")")[0] for part in note.split("](")[1:]]
    assert [link.partition("?")[0] for link in links] == [
        "#/experiments/7/runs",
        "#/experiments/7/runs",
        "#/experiments/7/runs",
        "#/experiments/7/models",
        "#/models/registered-toy",
    ]
    assert all("workflowType=machine_learning" in link for link in links)


def test_a_ledger_s_note_leads_to_the_run_that_decided_and_is_no_longer_than_mlflow_keeps():
    channel = RegisteredAlias(registry="a" * 200)
    decision = Decision(
        channel=channel,
        action="accepted",
        key="run version 1",
        actor="quantize__kws/manual__1",
        why="it passed the gate " * 9,
        version=1,
        mlflow_run_id="f" * 32,
    )
    entry = LedgerEntry(
        number=0, time="2026-01-01T00:00:00+00:00", decision=decision, before=None, after=1, previous=""
    )
    note = notes.ledger_note(channel, Aliases(champion=1), [entry] * 20, "7")
    assert (
        f"| [quantize__kws/manual__1](#/experiments/7/runs/{'f' * 32}?workflowType=machine_learning) |"
        in note.replace(" &nbsp; |", " |")
    )
    assert "none → 1" in note
    assert len(note) <= notes.NOTE_LIMIT
