"""Take the README's pictures again from a sandbox on port 3000: `make sandbox`, then `.venv/bin/python docs/pictures.py`."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 2200}, device_scale_factor=2)
        page.goto(f"http://127.0.0.1:{os.environ.get('PORT', '3000')}")
        take_digest(page)
        take_list(page)
        browser.close()


def take_digest(page: Page) -> None:
    page.get_by_text("Show my list").last.wait_for()
    digest = page.locator("ol.messages > li.message").filter(has_text="Show my list")
    digest.last.screenshot(path=FOLDER / "digest.png")


def take_list(page: Page) -> None:
    page.locator("#composer").fill("/cleanup grade 5 blocked")
    page.keyboard.press("Enter")
    page.get_by_text("Grade 5 · Blocked").last.wait_for()
    page.wait_for_timeout(500)
    page.locator("ol.messages > li.message").last.screenshot(path=FOLDER / "list.png")


if __name__ == "__main__":
    main()
