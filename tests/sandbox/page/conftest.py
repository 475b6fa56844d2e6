"""A real browser for the tests of the page: the system's Chromium, never a downloaded one."""

import os
import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright
from support.page_server import DESKTOP, serve_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DISABLED = ("gpu", "quic", "background-networking", "component-update", "sync")
TIMEOUT_MS = 20_000


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        reason = "The browser tests need Chromium. Install it, for example Debian's package `chromium`."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in DISABLED)]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def server():
    with serve_page() as server:
        yield server


@pytest.fixture
def console_errors():
    return []


@pytest.fixture
def open_page(browser, server, console_errors):
    """A function that opens the page. At the end its console may contain only refusals, which browsers log."""
    contexts = []

    def open_page(size=DESKTOP, scheme="light", route=""):
        context = browser.new_context(**size, color_scheme=scheme, locale="en-US")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda line: console_errors.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        page.goto(f"{server.url}/{route}")
        expect(page.locator(".pane-title h1")).to_be_attached()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in console_errors if not re.search(r"status of (409|422)", text)] == []


@pytest.fixture
def page(open_page):
    return open_page()
