"""The page as a whole: what is on it, for every kind of run, and that nothing on it can do harm."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from litegate.records import Cause, DataFinding, Disagreement, Lint, RareClass, Reason
from litegate.variants import BASELINE, DOCUMENTED
from tests.components.report.page import Page
from tests.components.report.runs import AUC, MAE, MadeRun, Variant, inspection, loss

QUANTIZED = tuple(name for name in DOCUMENTED if name != BASELINE)
CRASHED = Reason(code="quantize_segfault", message="quantize failed: died by SIGSEGV")
HURT = Reason(code="above_max_drop", message="it loses at least 32.00 points of top1 (1.00 allowed), on 1,000 samples")
OPEN = Reason(code="undecided_max_drop", message="it loses between 0.10 and 1.90 points of top1 (1.00 allowed)")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}"

INT8 = Variant(name="int8", inspection=inspection("int8"), classes=(loss(0, 0.02), loss(1, -0.01, proved=True)))
ONE = MadeRun(variants=[INT8], selected="int8", inspection=inspection("float32"))
EIGHT = MadeRun(
    variants=[
        Variant(name=name, bytes=None, drop=None, state="failed", reasons=(CRASHED,))
        if name.startswith("int16")
        else replace(INT8, name=name, bytes=100_000 + 1_000 * place, latency=0.1 + 0.01 * place)
        for place, name in enumerate(QUANTIZED)
    ],
    selected="dynamic_range",
)
REJECTED = MadeRun(
    variants=[
        Variant(name="int8", state="inconclusive", drop=0.01, half=0.009, needed=23_456, reasons=(OPEN,)),
        Variant(name="uint8", state="failed", drop=0.35, half=0.03, reasons=(HURT,)),
    ]
)
BASELINE_ONLY = MadeRun(variants=[])
NOTHING_CONVERTED = MadeRun(
    variants=[Variant(name=name, bytes=None, drop=None, state="failed", reasons=(CRASHED,)) for name in QUANTIZED]
)
NO_LATENCY = MadeRun(
    variants=[replace(INT8, latency=None), Variant(name="float16", latency=None)],
    selected="int8",
    baseline_latency=None,
)
NO_CLASSES = MadeRun(
    variants=[Variant(name="int8", drop=1.234e-5, half=4e-6), Variant(name="float16", drop=-2e-6, half=1e-6)],
    selected="int8",
    metric=MAE,
    value=0.0123,
    spec={"evaluation": {"uri": "s3://data/eval.npz", "format": "npz", "metric": "mae"}, "gate": {"max_drop": 1e-4}},
)
WHOLE_SET = MadeRun(variants=[INT8], selected="int8", metric=AUC)
ZERO_LIMIT = MadeRun(variants=[Variant(name="int8", state="inconclusive")], spec={"gate": {"max_drop": 0.0}})

RUNS = {
    "one variant": ONE,
    "eight, of which two could not be converted": EIGHT,
    "rejected": REJECTED,
    "the baseline only": BASELINE_ONLY,
    "nothing could be converted": NOTHING_CONVERTED,
    "no latency": NO_LATENCY,
    "no classes": NO_CLASSES,
    "metric of a whole set": WHOLE_SET,
    "nothing may be lost": ZERO_LIMIT,
}


@pytest.fixture(scope="module", params=RUNS)
def made(request: pytest.FixtureRequest) -> tuple[MadeRun, str, Page]:
    """Each run with its page, as text and parsed."""
    run = RUNS[request.param]
    html = run.html()
    return run, html, Page(html)


def test_the_page_is_well_formed_and_every_reference_on_it_leads_somewhere(made):
    _, html, page = made

    assert page.unclosed == []
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="#|url\(#)([^")]+)', html) + page.attributes("aria-labelledby")
    assert set(wanted) <= set(ids)


def test_the_page_loads_nothing_and_runs_nothing(made):
    _, html, page = made

    assert not page.names & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert page.attributes("src", "srcset", "data", "action") == []
    assert "@import" not in page.style
    links = {f'href="{link}"' for link in page.attributes("href")}
    for known in ('http-equiv="Content-Security-Policy"', *links):
        html = html.replace(known, "")
    assert "http" not in html
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page.attributes("content")


def test_every_variant_has_its_row_with_the_verdict_and_what_was_not_measured_is_a_dash(made):
    run, _, page = made
    rows = {row[0].split()[0]: row for row in page.tables[0]}

    assert list(rows) == ["Variant", BASELINE, *(each.name for each in run.variants)]
    for each in run.variants:
        assert each.state in rows[each.name][1]
        missing = each.drop is None, each.bytes is None, each.latency is None or each.bytes is None
        assert tuple(rows[each.name][column] == "\u2013" for column in (3, 4, 5)) == missing


def test_the_same_run_gives_the_same_page():
    assert EIGHT.html() == EIGHT.html()


def test_colours_come_from_the_style_sheet_alone_so_that_dark_and_print_follow(made):
    html = made[1]
    outside = html[: html.index("<style>")] + html[html.index("</style>") :]

    assert re.findall(r"(?<!&)#[0-9a-f]{3,8}\b", outside) == []
    used = set(re.findall(r"var\(--([a-z0-9-]+)", html)) - {"strength", "tint"}
    for scheme in ("prefers-color-scheme: dark", "media print"):
        block = html[html.index(scheme) :]
        defined = set(re.findall(r"--([a-z0-9-]+):", block[: block.index("}\n")]))
        assert used - defined <= {"worse", "better"}, scheme


def test_the_headline_names_the_file_what_is_proved_and_where_it_is():
    page = Page(ONE.html())

    assert page.text.startswith("Ship int8 \u2013 cats Which file do I ship? cats \u25cf Ship int8 cats-int8.tflite")
    assert (
        "int8 passed, in one sentence It is the smallest of 2 that passed the gate, registered as version 3"
        in page.text
    )
    assert "97.7 KiB, 33 % of float32" in page.text
    assert "0.70 points of top1" in page.text
    assert "0.100 ms, 33.3 % (32.7 to 34.3) of float32\u2019s on testhost" in page.text
    assert "Download cats-int8.tflite" in page.text
    assert ["int8 ship this integer only, int8 input/output", "\u25cf passed"] in [row[:2] for row in page.rows]


def test_a_rejected_run_says_so_first_and_what_came_closest():
    page = Page(REJECTED.html())

    assert page.text.startswith("Ship none of them \u2013 cats")
    assert "Nothing passed the gate; int8 came closest. The alias champion of cats stays where it is." in page.text
    assert "ship this" not in page.text


def test_without_any_measurement_the_page_says_so():
    page = Page(NOTHING_CONVERTED.html())

    assert "No variant was measured." in page.text
    assert "There are no classes to compare: nothing was measured." in page.text
    assert "No file was inspected." in page.text
    assert "Nothing was measured, so nothing is claimed." in page.text
    assert page.text.count("fewer than two files have both numbers") == 2
    assert "svg" not in page.names


def test_a_noisy_host_is_named_wherever_latencies_are_shown():
    busy = replace(ONE, variants=[replace(each, noise="it waited for a processor") for each in ONE.variants])
    page = Page(busy.html())
    assert "on testhost (noisy)" in page.text
    assert "Measured on testhost, which was noisy: it waited for a processor; one thread." in page.text


def test_a_latency_that_is_missing_takes_its_chart_away_and_no_other():
    page = Page(NO_LATENCY.html())

    assert "not measured" in page.text
    assert "Not in the chart: float32 (no latency), int8 (no latency), float16 (no latency)." in page.text
    titles = [label.partition(".")[0] for label in page.attributes("aria-label")]
    assert titles[0] == "Drop against size"
    assert "Drop against latency" not in titles


def test_a_metric_where_lower_is_better_rises_and_keeps_its_own_unit():
    page = Page(NO_CLASSES.html())

    assert "Rise at most 1.634e-05 of mae" in page.text
    assert "There are no classes to compare: mae was measured without them." in page.text
    assert "+1.234e-05" in page.text


def test_everything_that_users_named_is_escaped():
    finding = DataFinding(severity="warning", code="outliers", input=EVIL, message=EVIL, samples=(EVIL,))
    evil = Variant(
        name="int8",
        state="failed",
        host=EVIL,
        reasons=(Reason(code="above_max_drop", message=EVIL),),
        classes=(loss(0, 0.1, EVIL),),
        inspection=inspection("int8", EVIL),
    )
    run = MadeRun(
        variants=[evil],
        model=EVIL,
        lint=Lint(findings=(finding,), samples=20, compared=10, searched=10),
        links={EVIL: "https://airflow/" + EVIL, "bad": "javascript:alert(1)"},
    )
    html = run.html({"int8": (loss(0, 0.1, EVIL), loss(1, 0.2, "$x_{1}$ \\frac"))})
    page = Page(html)

    assert not page.names & {"script", "img"}
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") >= 9
    assert "{{ 7*7 }}" in page.text
    assert "javascript:" not in html
    assert page.unclosed == []
    links = [found for name, found in page.elements if name == "a"]
    assert [(link["target"], link["rel"]) for link in links] == [("_blank", "noopener noreferrer")]


def test_a_thousand_classes_fit_one_page():
    classes = tuple(loss(label, 0.3 if label == 777 else 0.001 * (label % 7)) for label in range(1000))
    run = MadeRun(variants=[replace(INT8, name=name) for name in QUANTIZED], selected="int8")
    html = run.html(dict.fromkeys(QUANTIZED, classes))

    assert len(html) < 400_000
    page = Page(html)
    assert "The 30 of 1,000 classes that lose most" in page.text
    rows = [row for row in page.rows if row[0].startswith(("class-", "mean of"))]
    assert len(rows) == 31
    assert rows[0][0] == "class-777"
    assert rows[-1][0] == "mean of the 970 other classes"


def test_the_classes_that_are_too_rare_to_be_judged_are_named_under_the_heat_map():
    rare = (RareClass(name="a<b", samples=2, predicted=1),)
    page = Page(MadeRun(variants=[replace(INT8, classes=(loss(1, 0.1),), rare=rare)], selected="int8").html())
    assert "int8: too rare to be judged by themselves: a<b (2 samples, 1 predicted by float32)." in page.text


def test_what_the_data_are_and_what_is_odd_about_them_is_on_the_page():
    finding = DataFinding(severity="warning", code="too_few", message="20 different samples", samples=("a.png",))
    run = replace(ONE, lint=Lint(findings=(finding,), samples=20, compared=500, searched=600))
    page = Page(run.html())

    assert "20 representative samples were examined, compared with 500 evaluation samples" in page.text
    assert ["too_few warning", "all", "20 different samples", "a.png"] in page.rows
    assert "The calibration data were not examined." in Page(ONE.html()).text
    assert "the float32 file differs from the source model by at most 1e-06" in page.text


def test_what_is_odd_about_the_evaluation_is_among_the_first_lines():
    finding = DataFinding(severity="warning", code="chance", data="evaluation", message="which may be chance")
    run = replace(ONE, lint=Lint(findings=(finding,), samples=20, compared=500, searched=600))
    first = Page(run.html()).text.partition("The variants")[0]
    assert "Warning: which may be chance." in first


def test_three_warnings_are_among_the_first_lines_and_how_many_more_there_are():
    findings = tuple(DataFinding(severity="warning", code="shift", message=f"odd {at}") for at in range(5))
    run = replace(ONE, lint=Lint(findings=findings, samples=20, compared=500, searched=600))
    first = Page(run.html()).text.partition("The variants")[0]
    assert first.count("Warning:") == 3
    assert "2 more: the data" in first


def test_where_the_bytes_go_is_told_for_every_file():
    page = Page(ONE.html())

    assert ["int8", "80.08", "1.95", "0.00", "15.62", "0 %"] in page.rows
    assert ["float32", "80.08", "1.95", "0.00", "15.62", "100 %"] in page.rows
    assert ["weights int8", "3", "80.1 KiB", "82.0 %"] in page.rows
    assert "CONV_2D" in page.text


def test_what_may_ship_is_a_link_that_a_browser_follows_with_the_command_for_a_shell():
    made = MadeRun(variants=(Variant(name="int8"),), selected="int8")
    page = Page(made.html())

    address = "http://127.0.0.1/ajax-api/2.0/mlflow/logged-models/m-int8/artifacts/files"
    assert page.attributes("href") == [f"{address}?artifact_file_path=artifacts%2Fcats-int8.tflite"]
    assert "litegate get cats --version 3" in page.text


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("kernels", "int8: the kernels of Target did it: on Host it loses at most 0.50 points."),
        ("quantization", "int8: the quantization did it: on Host it loses at least -0.10 points as well."),
        (None, None),
    ],
)
def test_the_target_is_set_against_the_host(cause: Cause | None, said: str | None) -> None:
    found = Disagreement(
        runtime="Target",
        host="Host",
        samples=1000,
        outputs=0.72,
        classes=0.033,
        difference=0.003,
        low=-0.006,
        high=0.012,
        confidence=0.95,
        cause=cause,
        host_drop=0.002,
        host_low=-0.001,
        host_high=0.005,
    )
    page = Page(MadeRun(variants=[replace(INT8, disagreement=found)]).html())
    text = " ".join(page.text.split())
    assert "Each file was run by Target, whose word counts, and by Host on this host, on the same 1,000 samples" in text
    assert "int8 72 % 3.3 % +0.30 -0.60 to +1.20" in text
    assert (said in text) if said else ("did it" not in text)


def test_where_the_host_counts_nothing_is_set_against_it() -> None:
    assert "The target against this host" not in ONE.html()
