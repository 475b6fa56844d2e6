"""A real browser for the tests of the sandbox's page: the system's Chromium, never a downloaded one."""

import os
import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright
from support import page_stage
from support.page_stage import DESKTOP

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")
PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        sentence = "The browser tests need Chromium, and there is none: install Debian's package `chromium`."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def stage():
    with page_stage.opened() as stage:
        yield stage


@pytest.fixture
def complaints():
    """What the page's console said was wrong."""
    return []


@pytest.fixture
def open_page(browser, stage, complaints):
    """Opens the page; at the end, nothing may have gone wrong in its console but refusals, which browsers log."""
    contexts = []

    def open_page(size=DESKTOP, scheme="light", place=""):
        context = browser.new_context(**size, color_scheme=scheme, locale="en-US")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(stage.url + "/" + place)
        expect(page.locator(".pane-title h1")).to_be_attached()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if not re.search(r"status of (409|422)", text)] == []


@pytest.fixture
def page(open_page):
    return open_page()
