"""Dialogs, menus and confirmations of the app on the page."""

from playwright.sync_api import expect
from support import tiny_bolt_app
from support.page_server import dialog, ephemeral, open_edit, say

from bot.sandbox.slack import view_store


def test_dialog_focuses_its_first_field(page):
    open_edit(page)
    expect(page.get_by_label("phone")).to_be_focused()
    expect(page.get_by_label("phone")).to_have_value("555")


def test_error_is_under_its_field_and_typed_values_stay(page):
    edit = open_edit(page)
    page.get_by_label("note").fill("bad phone")
    page.get_by_label("phone").fill("12")
    edit.get_by_role("button", name="Save").click()
    phone = page.get_by_label("phone")
    expect(phone).to_be_focused()
    expect(phone).to_have_value("12")
    expect(phone).to_have_accessible_description("Write 10 digits.")
    expect(page.get_by_label("note")).to_have_value("bad phone")


def test_touched_and_untouched_values_reach_the_app(page, server):
    edit = open_edit(page)
    page.get_by_label("note").fill("called her")
    page.get_by_label("Call").check()
    edit.get_by_role("button", name="Save").click()
    expect(edit).to_have_count(0)
    values = server.received[-1]["view"]["state"]["values"]
    assert values["phone"]["typed"]["value"] == "555"
    assert values["note"]["typed"]["value"] == "called her"
    assert values["method"]["chosen"]["selected_option"]["value"] == "call"


def test_escape_closes_a_dialog_and_returns_the_focus(page):
    open_edit(page)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(ephemeral(page).get_by_role("button", name="Edit")).to_be_focused()


def test_second_escape_is_not_an_error(page):
    open_edit(page)
    page.route("**/sandbox/slack/close", lambda route: (route.fetch(), route.continue_()))
    with page.expect_response("**/sandbox/slack/close") as answer:
        page.keyboard.press("Escape")
    assert answer.value.status == 409
    expect(dialog(page)).to_have_count(0)
    assert page.locator(".toast").count() == 0


def test_tab_does_not_leave_a_dialog(page):
    open_edit(page)
    inside = [page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")]
    for _ in range(12):
        page.keyboard.press("Tab")
        inside.append(
            page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        )
    assert all(inside)


def test_stacked_dialog_goes_back_or_closes_all(page):
    edit = open_edit(page)
    page.get_by_label("note").fill("push")
    edit.get_by_role("button", name="Save").click()
    expect(page.get_by_label("note")).to_have_value("")
    edit.get_by_role("button", name="Back").click()
    expect(page.get_by_label("note")).to_have_value("push")
    edit.get_by_role("button", name="Save").click()
    expect(edit.get_by_role("button", name="Back")).to_be_visible()
    edit.get_by_role("button", name="Close").click()
    expect(dialog(page)).to_have_count(0)


def test_external_menu_works_by_keyboard(page, server):
    edit = open_edit(page)
    edit.get_by_role("button", name="Teacher").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("ruth")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(edit.get_by_role("button", name="Teacher: Ruth Okafor")).to_be_focused()
    edit.get_by_role("button", name="Save").click()
    expect(edit).to_have_count(0)
    values = server.received[-1]["view"]["state"]["values"]
    assert values["teacher"]["chosen"]["selected_option"]["value"] == "ruth okafor"


def test_escape_in_a_menu_leaves_the_dialog_open(page):
    edit = open_edit(page)
    edit.get_by_role("button", name="Teacher").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(edit).to_be_visible()


def test_declined_confirmation_sends_nothing(page, server):
    say(page, "/list")
    ephemeral(page).get_by_role("button", name="Remove").click()
    confirmation = page.get_by_role("alertdialog", name="Remove?")
    expect(confirmation).to_contain_text("This cannot be undone.")
    confirmation.get_by_role("button", name="Cancel").click()
    assert len(server.received) == 1
    ephemeral(page).get_by_role("button", name="Remove").click()
    confirmation.get_by_role("button", name="Remove").click()
    expect(ephemeral(page)).to_contain_text("Removed")


def test_chosen_file_reaches_the_app(page, server):
    element = {"type": "file_input", "action_id": "chosen", "filetypes": ["csv"], "max_files": 1}
    label = {"type": "plain_text", "text": "Report"}
    block = {"type": "input", "block_id": "report", "label": label, "element": element}
    view_store.push_modal(server.slack, "UDANA", tiny_bolt_app.dialog(block, tiny_bolt_app.text_input("note")))
    page.get_by_label("Report").set_input_files({"name": "r.csv", "mimeType": "text/csv", "buffer": b"a,b"})
    expect(dialog(page).get_by_text("r.csv")).to_be_visible()
    dialog(page).get_by_role("button", name="Save").click()
    expect(dialog(page)).to_have_count(0)
    [file] = server.received[-1]["view"]["state"]["values"]["report"]["chosen"]["files"]
    assert server.slack.files[file["id"]].content == b"a,b"
