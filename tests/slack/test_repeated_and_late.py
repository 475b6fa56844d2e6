"""Pressed twice, sent off again because Slack hung up, hours or months late: done once, and the answer is true."""

import pytest
from sqlalchemy import update
from support import surfaces as doors
from support.surfaces import _bulk, _edit, _remove, _spoken_stop, _student, _switched, _taken, knock

from bot.db.models.messages import ListEntry
from bot.db.models.roster import StudentContact
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def scene(session, office):
    return doors.set_up(session, office)


DIALOGS = {
    "save": (_edit, lambda _: {"phone": "(312) 555-7177", "method": "call"}),
    "remove": (_remove, lambda _: {"reason": "asked"}),
    "told us to stop": (_spoken_stop, lambda _: {}),
    "several to autocalls": (_bulk, _switched),
    "several removed": (_bulk, lambda person: _switched(person) | {"what": "remove asked"}),
    "several taken": (_bulk, lambda person: _switched(person) | {"what": "take"}),
}
BUTTONS = {
    "take it": (_student, "claim.take"),
    "free it again": (_taken, "claim.free"),
    "use the suggested number": (_student, "suggestion.use"),
    "switch to autocall": (_student, "method.switch_to_call"),
    "undo removal": (_student, "removal.undo"),
}
SETTLED = {
    "edit.undo": "undone already",
    "conflict.keep_ours": "settled already",
    "conflict.take_sis": "settled already",
}


def effects(knocked):
    """The tables that hold what staff decided."""
    return knocked.changed & {"edits", "removals", "contacts", "student_contacts"}


@pytest.mark.parametrize("dialog", DIALOGS)
def test_a_dialog_sent_off_again_is_done_once_and_says_what_it_said(office, scene, session, dialog):
    arrive, values = DIALOGS[dialog]
    arrive(office.clara, scene)
    filled = office.clara.fill(office.clara.view, values(office.clara))
    assert filled.submit().ok
    office.settled()
    said = text_of(office.clara.view)
    knocked = knock(office, session, lambda: _again(filled))
    assert not effects(knocked)
    assert text_of(office.clara.view) == said


def _again(filled):
    outcome = filled.submit_stale()
    assert not outcome.errors
    return outcome


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_pressed_twice_is_done_once_and_nobody_is_told_off(office, scene, session, button):
    arrive, action_id = BUTTONS[button]
    arrive(office.clara, scene)
    before = office.clara.view
    assert office.clara.press(before, action_id=action_id).ok
    office.settled()
    knocked = knock(office, session, lambda: office.clara.press_stale(before, action_id=action_id))
    assert not effects(knocked)
    assert "Not done" not in knocked.sent


@pytest.mark.parametrize("action_id", SETTLED)
def test_what_was_chosen_is_said_to_be_chosen(office, scene, session, action_id):
    _student(office.clara, scene)
    before = office.clara.view
    assert office.clara.press(before, action_id=action_id).ok
    knocked = knock(office, session, lambda: office.clara.press_stale(before, action_id=action_id))
    assert not effects(knocked)
    assert SETTLED[action_id] in knocked.sent


@pytest.mark.parametrize("has_swept", [True, False])
def test_a_dialog_left_open_for_an_hour_is_saved_though_the_list_behind_it_is_out_of_reach(
    office, scene, session, has_swept
):
    _edit(office.clara, scene)
    office.later(hours=1)
    if has_swept:
        office.tick()
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit().ok
    office.settled()
    assert "Saved: Maria Rivera" in text_of(office.clara.view)


def test_the_button_of_a_digest_two_months_old_shows_the_list_as_it_is_today(office, scene, session):
    digest = office.ana.last(scene.channel)
    session.execute(update(ListEntry).where(ListEntry.contact_id != scene.maria).values(status="inactive"))
    session.commit()
    office.later(days=60)
    assert office.ana.press(digest, action_id="digest.show_mine").ok
    said = text_of(office.ana.last(scene.channel))
    assert "*Inactive* 12" in said.replace("\u00a0", " ")
    assert "Sam Rivera" in said


def test_a_button_of_an_older_version_says_so_where_it_is_pressed(office, scene):
    arrive, press = doors.EVERY["button of an older version"]
    arrive(office.clara, scene)
    assert press(office.clara, scene).ok
    assert "This is from an older version of me, so nothing was done." in text_of(office.clara.last())


def test_a_dialog_of_a_contact_that_is_gone_meanwhile_says_so_and_changes_nothing(office, scene, session):
    _edit(office.clara, scene)
    of_maria = StudentContact.contact_id == scene.maria
    session.execute(update(StudentContact).where(of_maria).values(active=False))
    session.commit()
    filled = office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"})
    knocked = knock(office, session, filled.submit)
    assert "not on your list any more" in knocked.sent
    assert knocked.is_harmless


def test_a_dialog_of_a_contact_that_a_colleague_removed_meanwhile_says_so(office, scene):
    _edit(office.clara, scene)
    _remove(office.ana, scene)
    assert office.ana.fill(office.ana.view, {"reason": "asked"}).submit().ok
    late = office.clara.fill(office.clara.view, {"phone": "312 555 7177"}).submit()
    assert "has been removed meanwhile" in late.errors["phone"]
