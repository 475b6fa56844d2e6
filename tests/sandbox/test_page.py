"""What a clerk sees and does on the sandbox's page, in a real browser against the real little Slack."""

import re

import pytest
from playwright.sync_api import expect
from slack_sdk import WebClient
from support.page_stage import DESKTOP, PHONE
from support.tiny_bolt_app import LIST, section

PROBE = "<img src=x onerror=\"document.title='taken over'\"> & *bold*"


def say(page, text):
    page.locator("#composer").fill(text)
    page.keyboard.press("Enter")


def ephemeral(page):
    return page.locator(".message.ephemeral")


def dialog(page):
    return page.get_by_role("dialog")


def edit(page):
    """The dialog that a button of the list opens."""
    say(page, "/list")
    ephemeral(page).get_by_role("button", name="Edit").click()
    expect(dialog(page)).to_be_visible()
    expect(dialog(page).get_by_label("phone")).to_be_focused()  # From then on it hears the keyboard.
    return dialog(page)


def test_the_page_opens_on_the_channel_where_digests_arrive(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")
    expect(page.get_by_role("button", name="Act as: Dana Whitfield")).to_be_visible()
    expect(page.get_by_text("Three first steps")).to_be_visible()


def test_a_slash_offers_the_commands_and_enter_completes_one(page):
    page.locator("#composer").press_sequentially("/li")
    expect(page.get_by_role("option", name="/list")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_have_value("/list ")
    expect(page.locator(".usage")).to_contain_text("[anything]")


def test_the_answer_to_a_command_is_marked_and_nobody_else_sees_it(page, open_page):
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("Only visible to you")
    expect(ephemeral(page)).to_contain_text("1 contact")
    marcus = open_page(place="#as=UMARCUS")
    expect(marcus.get_by_role("button", name="Act as: Marcus O'Brien")).to_be_visible()
    expect(ephemeral(marcus)).to_have_count(0)


def test_the_answer_to_ones_own_command_comes_into_view_wherever_one_was_reading(page, stage):
    for number in range(30):
        say(page, f"Good morning {number}")
        expect(page.locator(".message").last).to_contain_text(f"Good morning {number}")
    page.locator(".scroller").evaluate("scroller => { scroller.scrollTop = 0; }")
    say(page, "/list")
    expect(ephemeral(page)).to_be_in_viewport()
    expect(page.get_by_role("button", name="New message")).to_be_hidden()


def test_word_of_a_new_message_does_not_follow_to_another_conversation(page, stage):
    say(page, "\n".join(str(number) for number in range(60)))
    expect(page.locator(".messages")).to_contain_text("59")
    page.locator(".scroller").evaluate("scroller => { scroller.scrollTop = 0; }")
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    client.chat_postMessage(channel=stage.family_texts, text="the digest")
    expect(page.get_by_role("button", name="New message")).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name=re.compile("Tiny")).click()
    expect(page.locator(".home")).to_contain_text("Welcome")
    expect(page.get_by_role("button", name="New message")).to_be_hidden()


def test_a_card_that_a_control_at_its_foot_changed_is_shown_from_its_top(page, stage):
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)

    def rows(word):
        return [section("\n".join(f"{word} {number}." for number in range(80))), LIST[1]]

    posted = client.chat_postMessage(channel=stage.family_texts, text="a page", blocks=rows("first"))
    page.locator(".message .picker").click()
    page.get_by_role("option", name="Five").click()
    expect(page.get_by_role("button", name="Five")).to_be_in_viewport()
    client.chat_update(channel=stage.family_texts, ts=posted["ts"], text="a page", blocks=rows("second"))
    expect(page.get_by_text("second 0.")).to_be_attached()
    page.wait_for_function("document.querySelector('.scroller').scrollTop < 100")


def test_a_date_is_never_broken_over_two_lines(page, stage):
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    client.chat_postMessage(channel=stage.family_texts, text="<!date^1763900000^{date_long}|a day> " * 20)
    page.wait_for_selector(".text time")
    heights = page.locator(".text time").evaluate_all("all => all.map(it => it.getClientRects().length)")
    assert set(heights) == {1}


def test_what_is_typed_faster_than_the_answers_come_is_all_sent_in_order(page):
    for number in range(6):
        say(page, f"Good morning {number}")
    expect(page.locator(".message", has_text="Good morning")).to_have_count(6)
    assert [text[:14] for text in page.locator(".messages .text").all_inner_texts()[-6:]] == [
        f"Good morning {number}" for number in range(6)
    ]


def test_a_menu_that_is_open_stays_while_its_message_changes(page, stage):
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    posted = client.chat_postMessage(channel=stage.family_texts, text="a page", blocks=[section("first"), LIST[1]])
    page.locator(".message .picker").click()
    expect(page.get_by_role("option", name="Five")).to_be_visible()
    client.chat_update(channel=stage.family_texts, ts=posted["ts"], text="a page", blocks=[section("second"), LIST[1]])
    client.chat_postMessage(channel=stage.family_texts, text="a message after it")
    expect(page.get_by_text("a message after it")).to_be_visible()
    expect(page.get_by_role("option", name="Five")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("second")).to_be_visible()


def test_an_ephemeral_message_can_be_dismissed(page):
    say(page, "/list")
    page.get_by_role("button", name="Dismiss").click()
    expect(ephemeral(page)).to_have_count(0)


def test_what_one_person_writes_the_other_sees_without_reloading(page, open_page):
    marcus = open_page(place="#as=UMARCUS")
    say(page, "The buses leave at two.")
    expect(marcus.locator(".messages")).to_contain_text("The buses leave at two.")


def test_markup_that_somebody_types_stays_text(page):
    say(page, PROBE)
    expect(page.locator(".messages")).to_contain_text("<img src=x onerror=")
    expect(page.locator(".messages img")).to_have_count(0)
    expect(page.locator(".messages strong")).to_have_text("bold")
    assert page.title() != "taken over"


def test_a_command_that_takes_too_long_says_so_and_keeps_what_was_typed(page):
    say(page, "/slow")
    expect(page.get_by_role("alert").filter(has_text="longer than 3 seconds")).to_be_visible()
    expect(page.locator("#composer")).to_have_value("/slow")


def test_a_refusal_is_said_once_though_the_news_of_it_comes_before_the_answer(page, stage):
    held = []
    page.route("**/sandbox/slack/type", lambda route: held.append((route, route.fetch())))
    with page.expect_response(lambda answer: "/slack/screen" in answer.url and answer.json()["toast"] is not None):
        say(page, "/slow")
    WebClient(stage.slack.bot_token, base_url=stage.api_url).chat_postMessage(
        channel=stage.family_texts, text="the digest"
    )
    expect(page.locator(".messages")).to_contain_text("the digest")
    ((route, answer),) = held
    route.fulfill(response=answer)
    expect(page.locator("#conversation").get_by_role("alert")).to_contain_text("longer than 3 seconds")
    assert page.locator(".toast").count() == 0


def test_what_is_said_in_passing_while_an_answer_is_on_its_way_is_heard_after_it(page, stage):
    held = []
    page.route("**/sandbox/slack/type", lambda route: held.append((route,)))
    with page.expect_response(lambda answer: "/slack/screen" in answer.url and answer.json()["toast"] is not None):
        say(page, "The buses leave at two.")
        stage.slack.toast("UDANA", "Somebody else's window was refused.")
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    client.chat_postMessage(channel=stage.family_texts, text="the digest")
    expect(page.locator(".messages")).to_contain_text("the digest")
    stage.slack.toast("UDANA", None)  # Slack has forgotten it by then.
    ((route,),) = held
    route.continue_()
    expect(page.locator(".toast")).to_contain_text("Somebody else's window was refused.")


def test_a_command_that_is_nearly_one_is_answered_with_the_one_that_was_meant(page):
    say(page, "/lis t")
    expect(page.get_by_role("alert").filter(has_text="Did you mean /list?")).to_be_visible()


def test_the_skip_link_leads_to_the_message_box_and_the_page_goes_on(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the message box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_focused()
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def test_an_address_that_names_nobody_leaves_the_person_who_they_are(page):
    page.evaluate("location.hash = 'as=UNOBODY'")
    say(page, "/list")
    expect(ephemeral(page)).to_contain_text("1 contact")


def test_a_dialog_starts_in_its_first_field_with_what_stands_there(page):
    edit(page)
    expect(page.get_by_label("phone")).to_be_focused()
    expect(page.get_by_label("phone")).to_have_value("555")


def test_an_error_stands_under_its_field_and_what_was_typed_stays(page):
    opened = edit(page)
    page.get_by_label("note").fill("bad phone")
    page.get_by_label("phone").fill("12")
    opened.get_by_role("button", name="Save").click()
    phone = page.get_by_label("phone")
    expect(phone).to_be_focused()
    expect(phone).to_have_value("12")
    expect(phone).to_have_accessible_description("Write 10 digits.")
    expect(page.get_by_label("note")).to_have_value("bad phone")


def test_what_is_typed_and_what_is_left_alone_reach_the_app(page, stage):
    opened = edit(page)
    page.get_by_label("note").fill("called her")
    page.get_by_label("Call").check()
    opened.get_by_role("button", name="Save").click()
    expect(opened).to_have_count(0)
    values = stage.heard[-1]["view"]["state"]["values"]
    assert values["phone"]["typed"]["value"] == "555"
    assert values["note"]["typed"]["value"] == "called her"
    assert values["method"]["chosen"]["selected_option"]["value"] == "call"


def test_escape_closes_a_dialog_and_the_focus_returns_to_its_button(page):
    edit(page)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(ephemeral(page).get_by_role("button", name="Edit")).to_be_focused()


def test_escape_pressed_once_too_often_is_no_mistake(page):
    edit(page)
    page.route("**/sandbox/slack/close", lambda route: (route.fetch(), route.continue_()))
    with page.expect_response("**/sandbox/slack/close") as answer:
        page.keyboard.press("Escape")
    assert answer.value.status == 409
    expect(dialog(page)).to_have_count(0)
    assert page.locator(".toast").count() == 0


def test_tab_does_not_leave_a_dialog(page):
    edit(page)
    inside = [page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")]
    for _ in range(12):
        page.keyboard.press("Tab")
        inside.append(
            page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        )
    assert all(inside)


def test_a_dialog_on_top_of_another_goes_back_and_the_cross_closes_both(page):
    opened = edit(page)
    page.get_by_label("note").fill("push")
    opened.get_by_role("button", name="Save").click()
    expect(page.get_by_label("note")).to_have_value("")
    opened.get_by_role("button", name="Back").click()
    expect(page.get_by_label("note")).to_have_value("push")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_role("button", name="Back")).to_be_visible()
    opened.get_by_role("button", name="Close").click()
    expect(dialog(page)).to_have_count(0)


def test_a_menu_that_asks_the_app_is_searched_and_chosen_by_keyboard(page, stage):
    opened = edit(page)
    opened.get_by_role("button", name="Teacher").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("ruth")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(opened.get_by_role("button", name="Teacher: Ruth Okafor")).to_be_focused()
    opened.get_by_role("button", name="Save").click()
    expect(opened).to_have_count(0)
    values = stage.heard[-1]["view"]["state"]["values"]
    assert values["teacher"]["chosen"]["selected_option"]["value"] == "ruth okafor"


def test_escape_in_an_open_menu_leaves_the_dialog_open(page):
    opened = edit(page)
    opened.get_by_role("button", name="Teacher").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(opened).to_be_visible()


def test_a_button_that_asks_first_does_nothing_when_the_answer_is_no(page, stage):
    say(page, "/list")
    ephemeral(page).get_by_role("button", name="Remove").click()
    asked = page.get_by_role("alertdialog", name="Remove?")
    expect(asked).to_contain_text("This cannot be undone.")
    asked.get_by_role("button", name="Cancel").click()
    assert len(stage.heard) == 1
    ephemeral(page).get_by_role("button", name="Remove").click()
    asked.get_by_role("button", name="Remove").click()
    expect(ephemeral(page)).to_contain_text("Removed")


def test_a_menu_in_a_message_tells_the_app_and_keeps_its_choice(page, stage):
    say(page, "/list")
    ephemeral(page).locator(".picker").click()
    page.get_by_role("option", name="Five").click()
    expect(ephemeral(page).get_by_role("button", name="Five")).to_be_visible()
    while "actions" not in stage.heard[-1]:  # The page shows a choice before the app has heard of it.
        page.wait_for_timeout(50)
    assert stage.heard[-1]["actions"][0]["selected_option"]["value"] == "five"
    page.reload()
    expect(ephemeral(page).get_by_role("button", name="Five")).to_be_visible()


def test_the_home_tab_shows_what_the_app_published_for_this_person(page):
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    expect(page.get_by_role("tab", name="Home")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".home")).to_contain_text("Welcome")
    page.get_by_role("tab", name="Home").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Messages")).to_be_focused()


def test_acting_as_somebody_else_shows_their_slack(page):
    expect(page.get_by_role("button", name="front-office")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Act as")).click()
    page.get_by_role("option", name="Marcus O'Brien").click()
    expect(page.get_by_role("button", name="front-office")).to_have_count(0)
    expect(page).to_have_url(re.compile("as=UMARCUS"))


def test_a_reload_keeps_the_person_and_the_place(page):
    page.get_by_role("button", name="front-office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("front-office")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("front-office")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("family-texts")


def test_the_app_is_added_to_a_channel_with_the_command_it_names(page):
    page.get_by_role("button", name="front-office").click()
    expect(page.get_by_role("button", name="Add Tiny")).to_be_visible()
    say(page, "/invite @tiny")
    expect(page.get_by_role("button", name="Add Tiny")).to_have_count(0)


def test_the_app_is_added_to_a_channel_with_a_button(page):
    page.get_by_role("button", name="front-office").click()
    page.get_by_role("button", name="Add Tiny").click()
    expect(page.get_by_role("button", name="Add Tiny")).to_have_count(0)


def test_a_mass_message_shows_its_progress_and_ticks_the_step(page, stage):
    page.get_by_label("Title").fill("Picture day")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "120")
    expect(page.locator("#district")).to_contain_text("120 of 560 receipts")
    stage.district.arrive()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator(".sent")).to_contain_text("Picture day")
    expect(page.locator(".step.done")).to_contain_text("Send the next mass message")


def test_work_that_failed_says_why(page):
    page.get_by_role("button", name="Run the nightly sync now").click()
    expect(page.locator("#district")).to_contain_text("too many would vanish")


def test_a_number_changed_in_the_sis_is_refused_under_its_field_or_held(page, stage):
    page.get_by_text("What the SIS holds").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo")
    number.fill("12")
    number.press("Enter")
    expect(page.get_by_text("That is too short for a number.")).to_be_visible()
    number.fill("+13125550199")
    number.press("Enter")
    expect(page.get_by_text("The SIS now holds +13125550199")).to_be_visible()
    assert stage.district.phones["p-1"] == "+13125550199"


def test_a_number_in_the_sis_and_its_button_stand_on_one_line(page):
    page.get_by_text("What the SIS holds").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo").bounding_box()
    change = page.get_by_role("button", name="Change the number of Rosa").bounding_box()
    assert (change["y"], change["height"]) == (number["y"], number["height"])


def test_what_is_said_in_passing_replaces_what_was_said_before(page):
    page.get_by_text("What the SIS holds").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo")
    for typed in ("+13125550198", "+13125550199"):
        number.fill(typed)
        number.press("Enter")
        expect(page.get_by_text(f"The SIS now holds {typed}")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(1)


def test_the_first_step_types_the_command_and_leaves_enter_to_the_person(page):
    page.get_by_role("button", name="Type it for me").click()
    expect(page.locator("#composer")).to_have_value("/cleanup grade 5 blocked")
    expect(page.locator("#composer")).to_be_focused()


def test_a_phone_shows_one_pane_at_a_time_and_the_district_as_a_sheet(open_page):
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


def test_on_a_phone_the_tabs_of_the_app_leave_its_name_readable(open_page):
    page = open_page(PHONE)
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name=re.compile("Tiny")).first.click()
    tabs, title = page.get_by_role("tablist"), page.locator(".pane-title")
    expect(tabs).to_be_visible()
    assert tabs.bounding_box()["y"] >= title.bounding_box()["y"] + title.bounding_box()["height"]


def test_on_a_phone_a_menu_does_not_raise_the_keyboard_over_its_options(open_page, stage):
    for number in range(8):
        stage.slack.add_user(f"Teacher {number}", user_id=f"UTEACHER{number}", title="Teacher")
    page = open_page(PHONE)
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name=re.compile("^Act as")).click()
    expect(page.get_by_role("listbox", name="Act as")).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_row_of_a_menu_that_is_walked_to_is_never_under_its_search(open_page, stage, size):
    for number in range(12):
        stage.slack.add_user(f"Teacher {number}", user_id=f"UTEACHER{number}", title="Teacher")
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
def test_nothing_is_wider_than_the_screen(open_page, stage, size):
    page = open_page(size)
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    client.chat_postMessage(channel=stage.family_texts, text="x" * 400)
    expect(page.locator(".messages")).to_contain_text("xxxx")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scroller = page.locator(".scroller")
    assert scroller.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_a_new_message_is_announced_to_who_cannot_see_it(page, stage):
    client = WebClient(stage.slack.bot_token, base_url=stage.api_url)
    client.chat_postMessage(channel=stage.family_texts, text="3 contacts joined the list")
    expect(page.locator("#voice")).to_contain_text("Tiny: 3 contacts joined the list")


def test_a_sandbox_that_stopped_is_said_and_so_is_its_return(page, complaints):
    page.route("**/sandbox/slack/wait*", lambda route: route.fulfill(status=502, body="gone"))
    say(page, "hello")
    expect(page.get_by_text("The sandbox does not answer.")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.get_by_text("The sandbox does not answer.")).to_be_hidden()
    complaints.clear()
