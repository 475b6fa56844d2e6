"""The shortcuts: the list from anywhere in Slack, and from a digest the contacts it counts."""

import pytest
from support import people, screens, surfaces

from bot.sandbox.slack import message_store
from bot.sandbox.slack.models import text_of


@pytest.fixture
def scene(session, office):
    return surfaces.set_up(session, office)


def test_list_in_a_dialog_pages_and_narrows_there(office, scene):
    clara = office.clara
    assert clara.shortcut("list.open").ok
    assert scene.sam in screens.student_ids(clara.view)
    assert clara.press(clara.view, action_id="list.show.next").ok
    assert "list.show.previous" in screens.action_ids(clara.view)
    assert clara.choose(clara.view, "Landline", action_id="list.show.status").ok
    assert screens.student_ids(clara.view) == [scene.sam]
    assert len(clara.views) == 1


def test_fix_from_the_list_dialog_redraws_the_list_below(office, scene):
    clara = office.clara
    clara.shortcut("list.open")
    value = screens.row_value(clara.view, scene.sam)
    screens.open_student(clara, clara.view, value=value)
    assert clara.press(clara.view, action_id="contact.edit", value=str(scene.lars)).ok
    assert clara.fill(clara.view, {"phone": "(312) 555-7177"}).submit().ok
    assert [view.body["callback_id"] for view in clara.views] == ["list.dialog", "student.dialog"]
    below = text_of(clara.views[0])
    assert "2 of them fixed, waiting for the next message" in below
    assert scene.sam not in screens.student_ids(clara.views[0])  # Fixed students are on the last page.


def test_download_opens_on_top_of_the_list_dialog(office, scene):
    office.clara.shortcut("list.open")
    assert office.clara.press(office.clara.view, action_id="list.download").ok
    assert [view.body["callback_id"] for view in office.clara.views] == ["list.dialog", "list.download_asked"]


def test_digest_leads_to_the_contacts_it_counts(office, scene, session):
    session.connection().exec_driver_sql("UPDATE digest_posts SET filter_text = 'landline'")
    session.commit()
    digest = office.clara.last(office.channel)
    assert office.clara.message_shortcut("digest.who_is_affected", digest).ok
    message = office.clara.last(office.channel)
    assert text_of(message).startswith("Landline\n")
    assert screens.student_ids(message) == [scene.sam]


def test_message_shortcut_on_another_message_is_refused(office, scene):
    message_store.post(office.slack, office.channel, user=office.ana.id, text="Who has the bus list?")
    other = office.clara.last(office.channel)
    assert office.clara.message_shortcut("digest.who_is_affected", other).ok
    answer = office.clara.last(office.channel)
    assert screens.student_ids(answer) == []
    assert "isn't a digest" in text_of(answer)


def test_students_without_a_contact_on_the_list_are_not_counted(office, scene, session):
    """Kim10 of the scene and Lone have no adult who can be texted, and neither has Ida, who is not on the list."""
    lonely = people.student(session, "Lone", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, lonely))
    people.student(session, "Ida", "Unlisted", at=office.district.lincoln)
    session.commit()
    assert "*2 of these students have no adult we can text" in text_of(office.clara.command("/cleanup").message)


def test_list_counts_own_changes_that_the_sis_does_not_have(office, scene):
    assert "3 changes of yours" in text_of(office.clara.command("/cleanup", "grade 5").message)
    assert "changes of yours" not in text_of(office.ana.command("/cleanup", "grade 5").message)
