"""The panel of the district beside the conversation."""

from playwright.sync_api import expect


def test_mass_message_shows_progress_and_completes_its_step(page, server):
    page.get_by_label("Title").fill("Picture day")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "120")
    expect(page.locator("#district")).to_contain_text("120 of 560 receipts")
    server.district.finish_sending()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator(".sent")).to_contain_text("Picture day")
    expect(page.locator(".step.done")).to_contain_text("Send the next mass message")


def test_failed_task_shows_its_reason(page):
    page.get_by_role("button", name="Run the nightly sync now").click()
    expect(page.locator("#district")).to_contain_text("too many rows would disappear")


def test_sis_number_is_stored_or_refused_under_its_field(page, server):
    page.get_by_text("Contacts in the SIS").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo")
    number.fill("12")
    number.press("Enter")
    expect(page.get_by_text("That is too short for a number.")).to_be_visible()
    number.fill("+13125550199")
    number.press("Enter")
    expect(page.get_by_text("The SIS now has +13125550199")).to_be_visible()
    assert server.district.phones["p-1"] == "+13125550199"


def test_sis_number_and_its_button_are_on_one_line(page):
    page.get_by_text("Contacts in the SIS").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo").bounding_box()
    change = page.get_by_role("button", name="Change the number of Rosa").bounding_box()
    assert (change["y"], change["height"]) == (number["y"], number["height"])


def test_new_toast_replaces_the_previous_one(page):
    page.get_by_text("Contacts in the SIS").click()
    page.get_by_label("Search the SIS").fill("rosa")
    number = page.get_by_label("Rosa Hernández Ava, Mateo")
    for typed in ("+13125550198", "+13125550199"):
        number.fill(typed)
        number.press("Enter")
        expect(page.get_by_text(f"The SIS now has {typed}")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(1)


def test_first_step_types_the_command_without_sending_it(page):
    page.get_by_role("button", name="Type it for me").click()
    expect(page.locator("#composer")).to_have_value("/cleanup grade 5 blocked")
    expect(page.locator("#composer")).to_be_focused()
