"""The list from anywhere in Slack, and from a digest who it is about."""

import pytest
from support import people
from support import surfaces as doors

from bot.sandbox.slack import posting
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def scene(session, office):
    return doors.set_up(session, office)


def test_the_list_opens_in_a_dialog_and_is_paged_and_narrowed_there(office, scene):
    clara = office.clara
    assert clara.shortcut("list.open").ok
    assert "Sam Rivera" in text_of(clara.view)
    assert clara.press(clara.view, action_id="list.show.next").ok
    assert "Page 2 of 2" in text_of(clara.view)
    assert clara.choose(clara.view, "Landline", action_id="list.show.status").ok
    assert "1 student" in text_of(clara.view)
    assert len(clara.views) == 1


def test_a_contact_is_fixed_from_the_dialog_and_the_list_below_is_brought_up_to_date(office, scene):
    clara = office.clara
    clara.shortcut("list.open")
    button = next(
        block["accessory"]["value"]
        for block in clara.view.body["blocks"]
        if block.get("accessory", {}).get("value", "").startswith(f"{scene.sam} ")
    )
    assert clara.press(clara.view, action_id="student.open", value=button).ok
    assert clara.press(clara.view, action_id="contact.edit", value=str(scene.lars)).ok
    assert clara.fill(clara.view, {"phone": "(312) 555-7177"}).submit().ok
    office.settled()
    assert len(clara.views) == 2
    listed = next(view for view in clara.views if view.body["callback_id"] == "list.dialog")
    assert "7177" in text_of(listed)
    assert "waiting for the next mass message" in text_of(listed)


def test_the_download_is_asked_for_on_top_of_the_list(office, scene):
    office.clara.shortcut("list.open")
    assert office.clara.press(office.clara.view, action_id="list.download").ok
    assert [view.body["callback_id"] for view in office.clara.views] == ["list.dialog", "list.download_asked"]


def test_a_digest_leads_to_those_it_counts(office, scene, session):
    session.connection().exec_driver_sql("UPDATE digest_posts SET filter_text = 'landline'")
    session.commit()
    digest = office.clara.last(office.channel)
    assert office.clara.message_shortcut("digest.who_is_affected", digest).ok
    said = text_of(office.clara.last(office.channel))
    assert "Landline" in said
    assert "1 student" in said


def test_any_other_message_is_said_to_be_no_digest(office, scene):
    posting.post(office.slack, office.channel, user=office.ana.id, text="Who has the bus list?")
    other = office.clara.last(office.channel)
    assert office.clara.message_shortcut("digest.who_is_affected", other).ok
    assert "That is no digest of mine." in text_of(office.clara.last(office.channel))


def test_the_list_says_of_how_many_of_its_students_nobody_hears(office, scene, session):
    lonely = people.student(session, "Lone", at=office.district.lincoln)
    people.listed(session, people.contact(session, lonely))
    session.commit()
    people.student(session, "Ida", "Unlisted", at=office.district.lincoln)
    session.commit()
    said = text_of(office.clara.command("/cleanup").message)
    assert "*Of these 13 students, 1 has no adult who can be texted.*" in said
    assert "*This student has no adult who can be texted.*" in text_of(office.clara.command("/cleanup", "lone").message)


def test_the_list_says_how_many_of_ones_own_changes_the_sis_does_not_have(office, scene):
    said = text_of(office.clara.command("/cleanup", "grade 5").message)
    assert "3 changes of yours are not yet in the student information system" in said
    assert "changes of yours" not in text_of(office.ana.command("/cleanup", "grade 5").message)


def test_a_list_on_which_everybody_has_somebody_warns_of_nobody(office, scene):
    assert "no adult who" not in text_of(office.clara.command("/cleanup", "youngman").message)
