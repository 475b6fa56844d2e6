"""Accessibility: axe-core finds no violation, on desktop and phone, light and dark."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from support.page_server import DESKTOP, PHONE, ephemeral, open_edit, say

AXE = Axe()


def show_channel(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")


def show_commands(page):
    page.locator("#composer").press_sequentially("/li")
    expect(page.get_by_role("option", name="/list")).to_be_visible()


def show_list(page):
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def show_home_tab(page):
    back = page.get_by_role("button", name="Back to the list")
    if back.is_visible():
        back.click()
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    expect(page.locator(".home")).to_contain_text("Welcome")


def show_dialog_with_an_error(page):
    dialog = open_edit(page)
    page.get_by_label("note").fill("bad phone")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_label("phone")).to_have_accessible_description("Write 10 digits.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    "show", [show_channel, show_commands, show_list, show_home_tab, open_edit, show_dialog_with_an_error]
)
def test_axe_finds_no_violation(open_page, show, size, scheme):
    page = open_page(size, scheme)
    show(page)
    page.wait_for_timeout(300)  # Colors are measured, so fading must have ended.
    violations = AXE.run(page).response["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in violations] == []
