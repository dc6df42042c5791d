"""A real browser for the end-to-end tests: the system's Chromium, which Playwright drives as a person would."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect, sync_playwright

__all__ = ["Watched", "close_pages", "follow", "launched", "new_context", "picture", "show_pages", "sign_in"]

PATIENCE = 60_000
"""Milliseconds; this suite also runs on two busy cores."""
SIZE = {"width": 1440, "height": 900}
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# As if the assistant's panel, which covers a quarter of a fresh browser's window, had been closed once.
_CLOSED = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"


def executable() -> str:
    """Where the browser is. Where `LITEGATE_BROWSER` names one, as in CI, its want is a failure and no skip."""
    named = os.environ.get("LITEGATE_BROWSER")
    if named is not None:
        if shutil.which(named) is None:
            pytest.fail(f"LITEGATE_BROWSER: expected a browser that can be run, got {named!r}")
        return named
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on the PATH: `deploy/chromium.sh` installs Debian's, or name one in LITEGATE_BROWSER")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser without a window."""
    path = executable()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser profile of its own, with patience."""
    context = browser.new_context(**{"viewport": SIZE, "locale": "en-GB", "timezone_id": "UTC"} | options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_CLOSED)
    return context


def sign_in(page: Page, airflow: str, password: str) -> None:
    """Log in to Airflow through its form."""
    page.goto(airflow)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Dags", exact=True)).to_be_visible()


def follow(link: Locator) -> Page:
    """The page that a link opens beside its own."""
    with link.page.expect_popup() as opened:
        link.click()
    return opened.value


def close_pages(context: BrowserContext) -> None:
    """Close all pages, and forget what sites keep in the browser of how somebody likes them."""
    for page in context.pages:
        with suppress(Error):  # an empty page has nowhere to keep anything
            page.evaluate("localStorage.clear()")
        page.close()


class Watched:
    """A page, and what happens on it that a person does not see."""

    def __init__(self, page: Page) -> None:
        self.page, self.problems, self.requests = page, list[str](), list[str]()
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    @property
    def overflow(self) -> int:
        """How many pixels of the page are beyond its right edge."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def picture(name: str, shown: Page | Locator, **options: Any) -> None:
    """A picture of the documentation, written where `LITEGATE_SCREENSHOTS` says; small, for it is in git."""
    folder = os.environ.get("LITEGATE_SCREENSHOTS")
    if folder:
        image = Image.open(io.BytesIO(shown.screenshot(animations="disabled", **options)))
        image.convert("RGB").save(Path(folder) / f"{name}.png", optimize=True)


def show_pages(context: BrowserContext, folder: Path) -> list[str]:
    """Save what each open page shows, for whoever has to understand a failure; where, and of which address."""
    shown = []
    for number, page in enumerate(context.pages):
        path = folder / f"page-{number}.png"
        page.screenshot(path=path)
        shown.append(f"{path}: {page.url}")
    return shown
