"""The page for whoever reads it with a screen reader, by keyboard or with little contrast: axe-core finds nothing to complain of."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sandbox.test_page import edit, ephemeral, say
from support.page_stage import DESKTOP, PHONE

AXE = Axe()


def complaints_of_axe(page):
    """What axe-core calls a violation, with where it is."""
    page.wait_for_timeout(300)  # Colours are measured, so what fades in has to be there.
    found = AXE.run(page).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def _a_channel(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")


def _commands(page):
    page.locator("#composer").press_sequentially("/li")
    expect(page.get_by_role("option", name="/list")).to_be_visible()


def _a_list(page):
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def _a_home_tab(page):
    back = page.get_by_role("button", name="Back to the list")
    if back.is_visible():
        back.click()
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    expect(page.locator(".home")).to_contain_text("Welcome")


def _a_dialog(page):
    edit(page)


def _a_dialog_with_an_error(page):
    opened = edit(page)
    page.get_by_label("note").fill("bad phone")
    opened.get_by_role("button", name="Save").click()
    expect(page.get_by_label("phone")).to_have_accessible_description("Write 10 digits.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("arrive", [_a_channel, _commands, _a_list, _a_home_tab, _a_dialog, _a_dialog_with_an_error])
def test_axe_has_nothing_to_complain_of(open_page, arrive, size, scheme):
    page = open_page(size, scheme)
    arrive(page)
    assert complaints_of_axe(page) == []
