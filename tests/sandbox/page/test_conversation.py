"""Conversations on the page, in a real browser against the real local Slack: messages, the message box, toasts."""

import re

from playwright.sync_api import expect
from support.page_server import ephemeral, say
from support.tiny_bolt_app import LIST, button, section

PROBE = "<img src=x onerror=\"document.title='taken over'\"> & *bold*"


def test_slash_offers_commands_and_enter_completes_one(page):
    page.locator("#composer").press_sequentially("/li")
    expect(page.get_by_role("option", name="/list")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_have_value("/list ")
    expect(page.locator(".usage")).to_contain_text("[anything]")


def test_command_response_is_marked_as_private(page, open_page):
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("Only visible to you")
    expect(ephemeral(page)).to_contain_text("1 contact")
    marcus = open_page(route="#as=UMARCUS")
    expect(marcus.get_by_role("button", name="Act as: Marcus O'Brien")).to_be_visible()
    expect(ephemeral(marcus)).to_have_count(0)


def test_own_command_response_is_scrolled_into_view(page):
    for number in range(30):
        say(page, f"Good morning {number}")
        expect(page.locator(".message").last).to_contain_text(f"Good morning {number}")
    page.locator(".scroller").evaluate("scroller => { scroller.scrollTop = 0; }")
    say(page, "/list")
    expect(ephemeral(page)).to_be_in_viewport()
    expect(page.get_by_role("button", name="New message")).to_be_hidden()


def test_new_message_button_does_not_follow_to_another_conversation(page, server):
    say(page, "\n".join(str(number) for number in range(60)))
    expect(page.locator(".messages")).to_contain_text("59")
    page.locator(".scroller").evaluate("scroller => { scroller.scrollTop = 0; }")
    server.post("the digest")
    expect(page.get_by_role("button", name="New message")).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name=re.compile("Tiny")).click()
    expect(page.locator(".home")).to_contain_text("Welcome")
    expect(page.get_by_role("button", name="New message")).to_be_hidden()


def test_message_changed_by_its_button_is_shown_from_its_top(page, server):
    def rows(word):
        return [section("\n".join(f"{word} {number}." for number in range(80))), LIST[1]]

    ts = server.post("a page", rows("first"))
    page.locator(".message .picker").click()
    page.get_by_role("option", name="Five").click()
    expect(page.get_by_role("button", name="Five")).to_be_in_viewport()
    server.update(ts, "a page", rows("second"))
    expect(page.get_by_text("second 0.")).to_be_attached()
    page.wait_for_function("document.querySelector('.scroller').scrollTop < 100")


def test_message_changed_by_a_dialog_is_shown_from_its_top(page, server):
    def rows(word):
        lines = section("\n".join(f"{word} {number}." for number in range(80)))
        return [lines, {**section("Sam Rivera"), "accessory": button("contact.edit", "Fix")}]

    ts = server.post("a page", rows("first"))
    page.locator(".message").get_by_role("button", name="Fix").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    server.update(ts, "a page", rows("second"))
    expect(page.get_by_text("second 0.")).to_be_attached()
    page.wait_for_function("document.querySelector('.scroller').scrollTop < 100")


def test_dates_are_never_broken_over_two_lines(page, server):
    server.post("<!date^1763900000^{date_long}|a day> " * 20)
    page.wait_for_selector(".text time")
    heights = page.locator(".text time").evaluate_all("all => all.map(it => it.getClientRects().length)")
    assert set(heights) == {1}


def test_messages_typed_quickly_are_sent_in_order(page):
    for number in range(6):
        say(page, f"Good morning {number}")
    expect(page.locator(".message", has_text="Good morning")).to_have_count(6)
    assert [text[:14] for text in page.locator(".messages .text").all_inner_texts()[-6:]] == [
        f"Good morning {number}" for number in range(6)
    ]


def test_open_menu_stays_while_its_message_changes(page, server):
    ts = server.post("a page", [section("first"), LIST[1]])
    page.locator(".message .picker").click()
    expect(page.get_by_role("option", name="Five")).to_be_visible()
    server.update(ts, "a page", [section("second"), LIST[1]])
    server.post("a message after it")
    expect(page.get_by_text("a message after it")).to_be_visible()
    expect(page.get_by_role("option", name="Five")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("second")).to_be_visible()


def test_menu_in_a_message_keeps_its_choice(page, server):
    say(page, "/list")
    ephemeral(page).locator(".picker").click()
    page.get_by_role("option", name="Five").click()
    expect(ephemeral(page).get_by_role("button", name="Five")).to_be_visible()
    while "actions" not in server.received[-1]:  # The page shows a choice before the app receives it.
        page.wait_for_timeout(50)
    assert server.received[-1]["actions"][0]["selected_option"]["value"] == "five"
    page.reload()
    expect(ephemeral(page).get_by_role("button", name="Five")).to_be_visible()


def test_ephemeral_message_can_be_dismissed(page):
    say(page, "/list")
    page.get_by_role("button", name="Dismiss").click()
    expect(ephemeral(page)).to_have_count(0)


def test_message_appears_for_others_without_a_reload(page, open_page):
    marcus = open_page(route="#as=UMARCUS")
    say(page, "The buses leave at two.")
    expect(marcus.locator(".messages")).to_contain_text("The buses leave at two.")


def test_typed_markup_stays_text(page):
    say(page, PROBE)
    expect(page.locator(".messages")).to_contain_text("<img src=x onerror=")
    expect(page.locator(".messages img")).to_have_count(0)
    expect(page.locator(".messages strong")).to_have_text("bold")
    assert page.title() != "taken over"


def test_new_message_is_announced_to_screen_readers(page, server):
    server.post("3 contacts joined the list")
    expect(page.locator("#announcer")).to_contain_text("Tiny: 3 contacts joined the list")


def test_slow_command_shows_an_error_and_keeps_its_text(page):
    say(page, "/slow")
    expect(page.get_by_role("alert").filter(has_text="longer than 3 seconds")).to_be_visible()
    expect(page.locator("#composer")).to_have_value("/slow")


def test_mistyped_command_suggests_the_known_one(page):
    say(page, "/lis t")
    expect(page.get_by_role("alert").filter(has_text="Did you mean /list?")).to_be_visible()


def test_refusal_is_shown_once_although_its_toast_comes_first(page, server):
    routes = []
    page.route("**/sandbox/slack/type", lambda route: routes.append((route, route.fetch())))
    with page.expect_response(
        lambda response: "/slack/screen" in response.url and response.json()["toast"] is not None
    ):
        say(page, "/slow")
    server.post("the digest")
    expect(page.locator(".messages")).to_contain_text("the digest")
    ((route, answer),) = routes
    route.fulfill(response=answer)
    expect(page.locator("#conversation").get_by_role("alert")).to_contain_text("longer than 3 seconds")
    assert page.locator(".toast").count() == 0


def test_toast_during_a_pending_response_is_shown_after_it(page, server):
    routes = []
    page.route("**/sandbox/slack/type", lambda route: routes.append((route,)))
    with page.expect_response(
        lambda response: "/slack/screen" in response.url and response.json()["toast"] is not None
    ):
        say(page, "The buses leave at two.")
        server.slack.show_toast("UDANA", "The other window was refused.")
    server.post("the digest")
    expect(page.locator(".messages")).to_contain_text("the digest")
    server.slack.show_toast("UDANA", None)  # It has expired by then.
    ((route,),) = routes
    route.continue_()
    expect(page.locator(".toast")).to_contain_text("The other window was refused.")


def test_invite_command_adds_the_app_to_a_channel(page):
    page.get_by_role("button", name="front-office").click()
    expect(page.get_by_role("button", name="Add Tiny")).to_be_visible()
    say(page, "/invite @tiny")
    expect(page.get_by_role("button", name="Add Tiny")).to_have_count(0)


def test_button_adds_the_app_to_a_channel(page):
    page.get_by_role("button", name="front-office").click()
    page.get_by_role("button", name="Add Tiny").click()
    expect(page.get_by_role("button", name="Add Tiny")).to_have_count(0)


def test_unresponsive_sandbox_is_reported_until_it_responds(page, console_errors):
    page.route("**/sandbox/slack/wait*", lambda route: route.fulfill(status=502, body="gone"))
    say(page, "hello")
    expect(page.get_by_text("The sandbox is not responding.")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.get_by_text("The sandbox is not responding.")).to_be_hidden()
    console_errors.clear()
