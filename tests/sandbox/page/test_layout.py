"""Navigation and layout of the page, on desktop and phone."""

import re

import pytest
from playwright.sync_api import expect
from support.page_server import DESKTOP, PHONE, ephemeral, say


def test_page_opens_on_the_digest_channel(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")
    expect(page.get_by_role("button", name="Act as: Dana Whitfield")).to_be_visible()
    expect(page.get_by_text("Three first steps")).to_be_visible()


def test_skip_link_leads_to_the_message_box(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the message box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_focused()
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def test_unknown_user_in_the_address_is_ignored(page):
    page.evaluate("location.hash = 'as=UUNKNOWN'")
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def test_home_tab_shows_what_the_app_published(page):
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    expect(page.get_by_role("tab", name="Home")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".home")).to_contain_text("Welcome")
    page.get_by_role("tab", name="Home").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Messages")).to_be_focused()


def test_acting_as_another_person_shows_their_slack(page):
    expect(page.get_by_role("button", name="front-office")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Act as")).click()
    page.get_by_role("option", name="Marcus O'Brien").click()
    expect(page.get_by_role("button", name="front-office")).to_have_count(0)
    expect(page).to_have_url(re.compile("as=UMARCUS"))


def test_reload_keeps_user_and_conversation(page):
    page.get_by_role("button", name="front-office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("front-office")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("front-office")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")


def test_phone_shows_one_pane_and_the_district_as_a_sheet(open_page):
    page = open_page(PHONE)
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.get_by_role("main")).to_be_hidden()
    page.get_by_role("button", name="front-office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("front-office")
    page.get_by_role("button", name=re.compile("District")).click()
    expect(page.get_by_text("Three first steps")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Three first steps")).to_be_hidden()
    expect(page.locator(".district-button")).to_be_focused()


def test_app_tabs_on_a_phone_are_below_the_title(open_page):
    page = open_page(PHONE)
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    tabs, title = page.get_by_role("tablist"), page.locator(".pane-title")
    expect(tabs).to_be_visible()
    assert tabs.bounding_box()["y"] >= title.bounding_box()["y"] + title.bounding_box()["height"]


def test_menu_on_a_phone_does_not_raise_the_keyboard(open_page, server):
    for number in range(8):
        server.slack.add_user(f"Teacher {number}", user_id=f"UTEACHER{number}", title="Teacher")
    page = open_page(PHONE)
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name=re.compile("^Act as")).click()
    expect(page.get_by_role("listbox", name="Act as")).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_current_menu_row_is_never_under_the_search_field(open_page, server, size):
    for number in range(12):
        server.slack.add_user(f"Teacher {number}", user_id=f"UTEACHER{number}", title="Teacher")
    page = open_page(size)
    page.locator(".back").dispatch_event("click")
    page.get_by_role("button", name=re.compile("^Act as")).click()
    search, current = page.get_by_role("combobox", name="Search Act as"), page.locator(".menu-row.current")

    def is_clear():
        box = search.bounding_box()
        return current.bounding_box()["y"] >= box["y"] + box["height"]

    expect(current).to_contain_text("Dana Whitfield")
    assert is_clear()
    page.keyboard.press("ArrowUp")
    expect(current).to_contain_text("Teacher 11")
    for _ in range(13):
        page.keyboard.press("ArrowUp")
        assert is_clear()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_screen(open_page, server, size):
    page = open_page(size)
    server.post("x" * 400)
    expect(page.locator(".messages")).to_contain_text("xxxx")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scroller = page.locator(".scroller")
    assert scroller.evaluate("it => it.scrollWidth <= it.clientWidth")
