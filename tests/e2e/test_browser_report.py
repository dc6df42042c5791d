"""What a person sees of the report: in MLflow's viewer, as a file, by day and by night, on paper and on a phone."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from litegate.digest import digest_file
from litegate.variants import DOCUMENTED
from tests.e2e.browser import Watched, new_context, picture

pytestmark = pytest.mark.e2e

SCREEN, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 800}
PAPER = {"width": 688, "height": 1017}
"""A4 within the margins that the style sheet sets, at 96 dots per inch."""
_LIGHTNESS = """element => {
  const parts = getComputedStyle(element).getPropertyValue(arguments[1] ?? 'color').match(/[\\d.]+/g).slice(0, 3);
  const [r, g, b] = parts.map(part => part / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.fixture(scope="module")
def report(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report, downloaded."""
    assert demo.code == 0, demo.output
    server, _, rest = demo.result["report"].partition("/#/")
    run_id = rest.partition("/runs/")[2].partition("/")[0]
    path = tmp_path_factory.mktemp("report") / "report.html"
    with urllib.request.urlopen(f"{server}/get-artifact?path=report.html&run_uuid={run_id}") as answer:
        path.write_bytes(answer.read())
    return path


@pytest.fixture(params=["light", "dark", "print", "phone"])
def shown(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Watched]:
    """The file, opened as such, in each of its forms."""
    form = request.param
    size = {"print": PAPER, "phone": PHONE}.get(form, SCREEN)
    context = new_context(browser, viewport=size, color_scheme="dark" if form == "dark" else "light")
    watched = Watched(context.new_page())
    watched.page.emulate_media(media="print" if form == "print" else "screen")
    watched.page.goto(report.as_uri())
    yield watched
    context.close()


def lightness(page: Page, selector: str, part: str = "color") -> float:
    """Of a colour, from 0 to 1."""
    script = f"(element) => ({_LIGHTNESS.replace('arguments[1] ??', repr(part) + ' ||')})(element)"
    return float(page.locator(selector).first.evaluate(script))


def contrast(page: Page, selector: str) -> float:
    """Of a text to the page, as the accessibility guidelines reckon it."""
    pair = sorted((lightness(page, selector), lightness(page, "html", "background-color")))
    return (pair[1] + 0.05) / (pair[0] + 0.05)


def test_the_report_is_whole_and_readable_in_every_form(demo: Any, shown: Watched) -> None:
    page, selected = shown.page, demo.result["selected"]["variant"]
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Ship {selected}")
    expect(page.locator(".headline .sentence")).to_contain_text(f"{selected} may ship: it loses at most")
    expect(page.locator("table.variants tbody tr")).to_have_count(len(DOCUMENTED))
    expect(page.locator("tr.selected")).to_contain_text("ship this")
    for chart in (charts := page.locator(".chart svg")).all():
        box = chart.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 100
    assert charts.count() == 5
    assert shown.overflow <= 0, "nothing is beyond the right edge"
    hidden = page.locator(".wide:has(table.variants)").evaluate("part => part.scrollWidth - part.clientWidth")
    assert hidden <= 0, "the numbers of each variant are seen without scrolling"
    assert contrast(page, ".sentence") > 7
    assert contrast(page, ".note") > 4.5
    assert shown.problems == [], "neither an error nor a violation of the page's security policy"
    assert all(url.startswith(("file:", "data:")) for url in shown.requests)


def test_the_report_is_dark_where_the_reader_likes_it_so(browser: Browser, report: Path) -> None:
    found = {}
    for scheme in ("light", "dark"):
        context = new_context(browser, color_scheme=scheme)
        page = context.new_page()
        page.goto(report.as_uri())
        found[scheme] = lightness(page, "html", "background-color")
        picture(f"report-{scheme}", page)
        context.close()
    assert found["dark"] < 0.05 < 0.9 < found["light"]


def test_mlflow_shows_the_report(demo: Any, page: Page) -> None:
    watched = Watched(page)
    page.goto(demo.result["report"])
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_contain_text(f"Ship {demo.result['selected']['variant']}")
    expect(frame.locator("table.variants tbody tr")).to_have_count(len(DOCUMENTED))
    expect(frame.locator(".chart svg").first).to_be_visible()
    assert [text for text in watched.problems if "Content Security Policy" in text] == []
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert frame.locator("body").evaluate(f"() => {beyond}") <= 0


def test_the_link_of_the_report_downloads_the_file_that_was_judged(demo: Any, page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    champion = demo.result["champion"]
    with page.expect_download() as downloaded:
        page.get_by_role("link", name=f"digits-{champion['variant']}.tflite").click()
    assert digest_file(Path(downloaded.value.path())) == champion["digest"]
    expect(page.get_by_text(f"litegate get digits --version {champion['version']}")).to_be_visible()


def test_the_table_of_the_command_line_is_as_wide_as_a_terminal(demo: Any, litegate: Any, page: Page) -> None:
    shown = Text.from_ansi(litegate.on_terminal(110, "follow", f"{demo.result['dag']}/{demo.result['run']}"))
    begin, end = (shown.plain.index(words) for words in ("digits: the variants", "\nAirflow:"))
    table = shown[begin:end]
    assert max(map(len, table.plain.splitlines())) <= 110
    console = Console(record=True, width=110, highlight=False, file=io.StringIO())
    console.print("$ make run\n...", table, sep="\n", soft_wrap=True)
    style = "margin: 0; padding: 18px; width: max-content; background: #1e1e2e; color: #e6e6f0"
    text = f'<pre style="{style}; font: 14px/1.36 DejaVu Sans Mono, monospace">{{code}}</pre>'
    page.set_content(console.export_html(theme=DIMMED_MONOKAI, code_format=text, inline_styles=True))
    picture("table", page.locator("pre"))
