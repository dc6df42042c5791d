"""What a person sees in MLflow: the experiment, its saved view, the runs side by side, the run, the version."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from litegate.variants import BASELINE, DOCUMENTED
from tests.e2e.browser import follow, picture

pytestmark = pytest.mark.e2e

MODE = "workflowType=machine_learning"


@pytest.fixture
def experiment(demo: Any, litegate: Any) -> str:
    """The address of the demo's experiment, without the mode."""
    assert demo.code == 0, demo.output
    return str(demo.result["report"].partition("/runs/")[0])


def mlflow_run(demo: Any) -> str:
    return str(demo.result["report"].partition("/artifacts/")[0])


def variant_rows(page: Page) -> dict[str, str]:
    """The rows of the note's table, by variant."""
    table = page.get_by_role("table").filter(has=page.get_by_text("Verdict", exact=True))
    expect(table.get_by_role("row")).to_have_count(1 + len(DOCUMENTED))
    texts = (row.inner_text().split("\t") for row in table.get_by_role("row").all()[1:])
    return {cells[0].strip(): cells[1].strip() for cells in texts}


def test_the_experiment_leads_to_the_charts_of_its_latest_run(demo: Any, experiment: str, page: Page) -> None:
    page.goto(f"{experiment}?{MODE}")
    expect(page.get_by_text("quantize/digits").first).to_be_visible()
    expect(page.get_by_text("Quantization of digits:")).to_be_visible()
    view = follow(page.get_by_role("link", name="Charts of the latest run"))
    expect(view.get_by_role("button", name="Quantization trade-offs").first).to_be_visible()
    expect(view.get_by_text(f"{len(DOCUMENTED)} matching runs")).to_be_visible()
    for name in DOCUMENTED:
        expect(view.get_by_role("link", name=name, exact=True)).to_be_visible()
    for title in ("bytes vs. drop", "latency_ms vs. drop"):
        expect(view.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(view.locator("svg.main-svg").first).to_be_visible()
    expect(view.locator("g.points path.point").nth(2 * len(DOCUMENTED) - 1)).to_be_visible()
    view.get_by_label("Hide banner").click()
    expect(view.get_by_text("You're viewing a shared view")).to_have_count(0)
    picture("mlflow", view)


def test_the_variants_can_be_compared_side_by_side(demo: Any, experiment: str, page: Page) -> None:
    page.goto(f"{experiment}?{MODE}")
    view = follow(page.get_by_role("link", name="Charts of the latest run"))
    expect(view.get_by_text(f"{len(DOCUMENTED)} matching runs")).to_be_visible()
    view.get_by_label("Select all runs").check(force=True)
    view.get_by_role("button", name="Compare").click()
    expect(view.get_by_text(f"Comparing {len(DOCUMENTED)} Runs from 1 Experiment")).to_be_visible()
    for name in DOCUMENTED:
        expect(
            view.get_by_role("columnheader", name=name).or_(view.get_by_text(name, exact=True)).first
        ).to_be_attached()


def test_the_logged_models_go_by_their_variants(demo: Any, experiment: str, page: Page) -> None:
    page.goto(f"{experiment}?{MODE}")
    models = follow(page.get_by_role("link", name="All files"))
    for name in DOCUMENTED:
        expect(models.get_by_role("link", name=f"digits-{name}", exact=True).first).to_be_visible()


def test_the_variants_of_the_latest_run_stand_side_by_side_with_metrics_and_verdicts(
    demo: Any, experiment: str, page: Page
) -> None:
    page.goto(f"{experiment}?{MODE}")
    view = follow(page.get_by_role("link", name="Variants side by side"))
    expect(view.get_by_text(f"{len(DOCUMENTED)} matching runs")).to_be_visible()
    for name in ("bytes", "drop", "drop_high", "latency_ms", "top1", "verdict"):
        expect(view.get_by_role("columnheader", name=name, exact=True).first).to_be_visible()
    for row in demo.result["variants"]:
        expect(view.get_by_role("gridcell", name=str(row["bytes"]), exact=True).first).to_be_visible()


def test_the_pipeline_runs_show_what_each_of_them_selected_and_who_began_it(
    demo: Any, experiment: str, page: Page
) -> None:
    page.goto(f"{experiment}?{MODE}")
    view = follow(page.get_by_role("link", name="All pipeline runs"))
    expect(view.get_by_role("link", name=f"selected {demo.result['selected']['variant']}").first).to_be_visible()
    for name in ("User", "Source", "drop", "drop_high", "size_ratio", "top1"):
        expect(view.get_by_role("columnheader", name=name, exact=True).first).to_be_visible()
    expect(view.get_by_role("gridcell", name="airflow", exact=True).first).to_be_visible()
    expect(view.get_by_role("link", name="int8", exact=True)).to_have_count(0)


def test_the_promotion_log_leads_to_the_version_and_to_the_run_that_promoted_it(
    demo: Any, experiment: str, page: Page
) -> None:
    base = experiment.partition("/#")[0]
    asked = f"{base}/api/2.0/mlflow/experiments/get-by-name?experiment_name=promotions/digits@champion"
    with urllib.request.urlopen(asked) as answer:
        tags = {tag["key"]: tag["value"] for tag in json.load(answer)["experiment"]["tags"]}
    page.goto(f"{base}/#/experiments/0/runs/{tags['litegate.ledger']}?{MODE}")
    expect(page.get_by_role("heading", name="digits@champion")).to_be_visible()
    page.get_by_text("Show more").first.click()
    run = follow(page.get_by_role("link", name=re.compile("^quantize__digits")).first)
    expect(run.get_by_role("heading", name=re.compile("^selected "))).to_be_visible()
    expect(run).to_have_url(re.compile(MODE))
    version = follow(page.get_by_role("link", name=re.compile(r"^version \d+$")).first)
    expect(version.get_by_role("heading", name=re.compile(r"^Version \d+$"))).to_be_visible()


def test_the_pipeline_run_tells_its_outcome_and_shows_all_variants(demo: Any, experiment: str, page: Page) -> None:
    selected = demo.result["selected"]
    page.goto(f"{mlflow_run(demo)}?{MODE}")
    expect(page.get_by_role("heading", name=f"selected {selected['variant']}")).to_be_visible()
    page.get_by_label("Expand description").click()
    outcome = f"Selected: {selected['variant']}, version {selected['version']}: the smallest of"
    expect(page.get_by_text(outcome)).to_be_visible()
    assert variant_rows(page) == {row["variant"]: row["verdict"] for row in demo.result["variants"]}
    for name in DOCUMENTED:
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()
    expect(
        follow(page.get_by_role("link", name="Report")).frame_locator("iframe").get_by_role("table").first
    ).to_be_visible()


def test_a_variants_run_shows_its_verdict_and_what_it_rests_on(demo: Any, experiment: str, page: Page) -> None:
    row = next(row for row in demo.result["variants"] if row["variant"] != BASELINE)
    page.goto(f"{experiment}/runs/{row['mlflow_run_id']}?{MODE}")
    expect(page.get_by_role("heading", name=row["variant"], exact=True)).to_be_visible()
    page.get_by_label("Expand description").click()
    expect(page.get_by_text(row["sentence"], exact=True)).to_be_visible()
    expect(page.get_by_text("What the policy asks for")).to_be_visible()
    expect(page.get_by_role("cell", name="max_drop", exact=True)).to_be_visible()


def test_the_version_has_its_card_and_the_alias(demo: Any, experiment: str, page: Page) -> None:
    selected = demo.result["selected"]
    row = next(row for row in demo.result["variants"] if row["variant"] == selected["variant"])
    page.goto(f"{experiment.partition('#')[0]}#/models/digits/versions/{selected['version']}?{MODE}")
    expect(page.get_by_role("heading", name=f"Version {selected['version']}")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^@\s*champion$")).first).to_be_visible()
    expect(page.get_by_text(row["sentence"], exact=True).first).to_be_visible()
    expect(page.get_by_text('mlflow.pyfunc.load_model("models:/digits@champion")')).to_be_visible()
    assert variant_rows(page) == {row["variant"]: row["verdict"] for row in demo.result["variants"]}
    picture("version", page)
