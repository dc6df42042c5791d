"""What a person sees in Airflow: the run with its graph, the links, the policy, the form, an override run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from litegate.spec import schema_of
from litegate.variants import BASELINE, DOCUMENTED
from tests.e2e.browser import follow, picture

pytestmark = pytest.mark.e2e

DAG = "dags/quantize__digits"
QUANTIZED = [name for name in DOCUMENTED if name != BASELINE]
GRAPH = (
    *("resolve", "lookup_cache", "convert", "sample", "check", "calibrate", "variant"),
    *("evaluate", "benchmark", "gate", "register", "promote"),
)


def exactly(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}$")


def run_page(demo: Any) -> str:
    """The address of the demo's run, as the command line prints it."""
    assert demo.code == 0, demo.output
    return re.findall(r"^Airflow: +(\S+)$", demo.output, re.M)[-1]


def expect_model_training(page: Page) -> None:
    """MLflow's mode in which runs and models are shown, not the one for language models."""
    expect(page).to_have_url(re.compile("workflowType=machine_learning"))
    expect(page.get_by_role("link", name="Model registry")).to_be_visible()
    expect(page.get_by_role("link", name="Judges")).to_have_count(0)


def first_words(key: str) -> str:
    """Of the description of a key of the spec."""
    return " ".join(schema_of(key)["description"].replace("`", "").split()[:5])


def open_form(page: Page, airflow: str) -> Locator:
    page.goto(f"{airflow}/{DAG}")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_role("heading", name="Trigger Dag - quantize__digits")).to_be_visible()
    return form


def test_the_book_of_the_dag_shows_the_policy(demo: Any, airflow: str, page: Page) -> None:
    page.goto(f"{airflow}/{DAG}")
    page.get_by_label("Dag Docs").click()
    book = page.get_by_role("dialog")
    expect(book.get_by_role("row", name="gate top1 drops")).to_contain_text("at most 2.00 points, with 95 % confidence")
    expect(book.get_by_role("row", name="variants")).to_contain_text(", ".join(DOCUMENTED))
    expect(book.get_by_role("row", name="promoted")).to_contain_text("the smallest that passes, as digits@champion")


def test_the_list_of_dags_begins_with_the_models_and_ends_with_one_form(demo: Any, airflow: str, page: Page) -> None:
    page.goto(f"{airflow}/dags?tags=litegate")
    expect(page.get_by_role("link", name="set_champion", exact=True)).to_be_visible()
    listed = [link.inner_text() for link in page.get_by_role("link", name=re.compile("__|^set_champion$")).all()]
    assert listed[-1] == "set_champion"
    assert {"quantize__digits", "retrain__digits", "prepare__digits"} <= set(listed)


def test_the_note_of_a_run_says_what_came_of_it(demo: Any, airflow: str, page: Page) -> None:
    selected = demo.result["selected"]
    page.goto(run_page(demo))
    note = f"promoted v{selected['version']} {selected['variant']}: it loses at most"
    expect(page.get_by_text(re.compile(re.escape(note)))).to_be_visible()


def test_the_graph_of_a_run_tells_its_story(demo: Any, airflow: str, page: Page) -> None:
    page.set_viewport_size({"width": 2000, "height": 900})
    page.goto(run_page(demo))
    page.get_by_label("Show Graph").click()
    page.get_by_label("Collapse Details Panel").click()
    page.get_by_test_id("expand-all-button").click()
    graph = page.locator(".react-flow")
    for name in GRAPH:
        expect(graph.get_by_text(name, exact=True)).to_be_visible()
    expect(graph.get_by_text(re.compile(r"^quantize \["))).to_be_visible()  # Airflow counts, and begins with 0
    page.get_by_label("Fit View").or_(page.get_by_title("Fit View")).click()
    boxes = [box for node in graph.locator(".react-flow__node").all() if (box := node.bounding_box())]
    left, top = (min(box[key] for box in boxes) - 20 for key in ("x", "y"))
    right, bottom = (max(box[at] + box[size] for box in boxes) + 20 for at, size in (("x", "width"), ("y", "height")))
    picture("graph", page, clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


def test_mapped_tasks_go_by_their_variants_and_link_to_its_pages(demo: Any, airflow: str, page: Page) -> None:
    page.goto(f"{run_page(demo)}/tasks/group/variant")
    expect(page.get_by_text(f"{len(QUANTIZED)} Task Instances")).to_be_visible()
    for name in QUANTIZED:
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(1)
    quantized = page.get_by_role("row").filter(has=page.get_by_role("link", name="quantize", exact=True))
    quantized.get_by_role("link", name="int8", exact=True).click()
    expect(page.get_by_role("heading", name="quantize [int8]")).to_be_visible()
    page.get_by_role("link", name="Details", exact=True).click()

    run = follow(page.get_by_role("link", name="MLflow run"))
    expect(run.get_by_role("heading", name=exactly("int8"))).to_be_visible()
    expect(run.get_by_text(re.compile("^int8 may ship: it loses at most"))).to_be_visible()
    expect_model_training(run)

    artifact = follow(page.get_by_role("link", name="Artifact"))
    expect(artifact.get_by_role("heading", name="digits-int8")).to_be_visible()
    artifact.get_by_text("artifacts", exact=True).click()
    expect(artifact.get_by_text("digits-int8.tflite")).to_be_visible()
    expect_model_training(artifact)
    expect(page.get_by_role("link", name="Report")).to_be_visible()


def test_the_task_that_registers_links_to_the_run_the_report_and_the_version(
    demo: Any, airflow: str, page: Page
) -> None:
    selected = demo.result["selected"]
    page.goto(f"{run_page(demo)}/tasks/register/details")

    run = follow(page.get_by_role("link", name="MLflow run"))
    expect(run.get_by_role("heading", name=f"selected {selected['variant']}")).to_be_visible()
    expect_model_training(run)

    report = follow(page.get_by_role("link", name="Report"))
    answer = report.frame_locator("iframe").get_by_role("heading", level=1)
    expect(answer).to_contain_text(f"Ship {selected['variant']}")
    expect_model_training(report)

    version = follow(page.get_by_role("link", name="Model version"))
    expect(version.get_by_role("heading", name=f"Version {selected['version']}")).to_be_visible()
    expect(version.get_by_text(re.compile(r"^@\s*champion$")).first).to_be_visible()
    expect_model_training(version)


def test_the_form_says_what_each_field_means_and_refuses_what_is_out_of_range(
    demo: Any, airflow: str, page: Page
) -> None:
    form = open_form(page, airflow)
    expect(form.get_by_text(first_words("select"))).to_be_visible()
    form.get_by_role("button", name="Gate").click()
    expect(form.get_by_text(first_words("gate.max_drop"))).to_be_visible()
    expect(form.get_by_text(first_words("gate.confidence"))).to_contain_text("More than 0.5 and less than 1.")
    form.get_by_label("gate.confidence").fill("1.5")
    form.get_by_test_id("trigger-dag-submit").click()
    expect(page.get_by_text(re.compile("Invalid input for param gate.confidence"))).to_be_visible()
    expect(page).to_have_url(f"{airflow}/{DAG}")


def test_an_override_run_by_the_form_is_shown_as_one(demo: Any, airflow: str, page: Page) -> None:
    form = open_form(page, airflow)
    form.get_by_role("button", name="Gate").click()
    form.get_by_label("gate.max_drop").fill("0.03")
    form.get_by_label("gate.max_drop").blur()
    form.get_by_test_id("trigger-dag-submit").click()
    expect(page).to_have_url(re.compile(f"{DAG}/runs/manual__"))
    override_run = page.url
    expect(page.get_by_role("row", name="promote")).to_contain_text("Skipped", timeout=300_000)
    page.get_by_role("row", name="promote").get_by_role("link").first.click()
    expect(page.get_by_text(re.compile(r"gate\.max_drop 0\.03 \(spec: 0\.02\)")).first).to_be_visible()

    page.goto(f"{override_run.rstrip('/')}/tasks/register/details")
    expect(page.get_by_role("link", name="Model version")).to_have_count(0)
    run = follow(page.get_by_role("link", name="MLflow run"))
    expect(run.get_by_role("heading", name=re.compile("override run", re.IGNORECASE))).to_be_visible()
    expect(run.get_by_text(re.compile(r"gate\.max_drop 0\.03 \(spec: 0\.02\)")).first).to_be_visible()
    expect_model_training(run)
