"""Requests that are repeated, sent again after a timeout, or hours or months late: done once, with a true answer."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import update
from support import screens, surfaces

from bot.db.models.messages import ListEntry
from bot.db.models.roster import StudentContact
from bot.sandbox.slack.models import text_of
from bot.slack.kit import blocks as b


@pytest.fixture
def scene(session, office):
    return surfaces.set_up(session, office)


DIALOGS = {
    "Edit": (surfaces.open_edit, lambda _: {"phone": "(312) 555-7177", "method": "call"}),
    "Remove": (surfaces.open_remove, lambda _: {"reason": "asked"}),
    "Told us to stop": (surfaces.open_opt_out, lambda _: {}),
    "switch several": (surfaces.open_bulk, surfaces.switch_some_to_call),
    "remove several": (
        surfaces.open_bulk,
        lambda person: surfaces.switch_some_to_call(person) | {"what": "remove asked"},
    ),
    "claim several": (surfaces.open_bulk, lambda person: surfaces.switch_some_to_call(person) | {"what": "claim"}),
}
BUTTONS = {
    "claim.take": surfaces.open_kim,
    "claim.free": surfaces.open_claimed,
    "suggestion.use": surfaces.open_student,
    "method.switch_to_call": surfaces.open_student,
    "removal.undo": surfaces.open_student,
}
# Buttons that are refused the second time, with telling words of the refusal.
FINAL_BUTTONS = {
    "edit.undo": "undone already",
    "conflict.keep_ours": "settled already",
    "conflict.take_sis": "settled already",
}


def decisions(effects):
    """Return the changed tables that hold what staff decided."""
    return effects.changed & {"edits", "removals", "contacts", "student_contacts"}


@pytest.mark.parametrize("dialog", DIALOGS)
def test_dialog_submitted_again_is_done_once_with_the_same_answer(office, scene, session, dialog):
    prepare, values = DIALOGS[dialog]
    prepare(office.clara, scene)
    filled = office.clara.fill(office.clara.view, values(office.clara))
    assert filled.submit().ok
    answer = text_of(office.clara.view)
    effects = surfaces.observe(office, session, lambda: _submit_again(filled))
    assert not decisions(effects)
    assert text_of(office.clara.view) == answer


def _submit_again(filled):
    outcome = filled.submit_stale()
    assert not outcome.errors
    return outcome


@pytest.mark.parametrize("action_id", BUTTONS)
def test_button_pressed_twice_is_done_once_without_an_error(office, scene, session, action_id):
    BUTTONS[action_id](office.clara, scene)
    before = office.clara.view
    assert office.clara.press(before, action_id=action_id).ok
    effects = surfaces.observe(office, session, lambda: office.clara.press_stale(before, action_id=action_id))
    assert not decisions(effects)
    assert "answer.sorry" not in effects.sent


@pytest.mark.parametrize("action_id", FINAL_BUTTONS)
def test_choice_made_already_is_refused(office, scene, session, action_id):
    surfaces.open_student(office.clara, scene)
    before = office.clara.view
    assert office.clara.press(before, action_id=action_id).ok
    effects = surfaces.observe(office, session, lambda: office.clara.press_stale(before, action_id=action_id))
    assert not decisions(effects)
    assert FINAL_BUTTONS[action_id] in effects.sent


@pytest.mark.parametrize("has_swept", [True, False])
def test_dialog_open_for_an_hour_is_saved(office, scene, session, has_swept):
    """The list behind it cannot be redrawn anymore."""
    surfaces.open_edit(office.clara, scene)
    office.advance(hours=1)
    if has_swept:
        office.tick()
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit().ok
    assert "Saved: Maria Rivera" in text_of(office.clara.view)


def test_button_of_an_old_digest_shows_the_current_list(office, scene, session):
    digest = office.ana.last(scene.channel)
    session.execute(update(ListEntry).where(ListEntry.contact_id != scene.maria).values(status="inactive"))
    session.commit()
    office.advance(days=60)
    assert office.ana.press(digest, action_id="digest.show_mine").ok
    message = office.ana.last(scene.channel)
    assert "Inactive: " in text_of(message)
    assert scene.sam in screens.student_ids(message)


def test_button_of_an_older_version_says_that_nothing_was_done(office, scene):
    entry = surfaces.ALL["button of an older version"]
    entry.prepare(office.clara, scene)
    assert entry.act(office.clara, scene).ok
    assert "older version" in text_of(office.clara.last())


def test_dialog_of_a_contact_that_left_changes_nothing(office, scene, session):
    surfaces.open_edit(office.clara, scene)
    of_maria = StudentContact.contact_id == scene.maria
    session.execute(update(StudentContact).where(of_maria).values(active=False))
    session.commit()
    filled = office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"})
    effects = surfaces.observe(office, session, filled.submit)
    assert surfaces.NOT_ON_YOUR_LIST in effects.sent
    assert effects.is_harmless


def test_dialog_of_a_contact_that_a_colleague_removed_is_refused(office, scene):
    surfaces.open_edit(office.clara, scene)
    surfaces.open_remove(office.ana, scene)
    assert office.ana.fill(office.ana.view, {"reason": "asked"}).submit().ok
    outcome = office.clara.fill(office.clara.view, {"phone": "312 555 7177"}).submit()
    assert "removed" in outcome.errors["phone"]


def make_old(office, view, **old):
    """Change the open dialog into one that an older version drew, and return it."""
    office.slack.views[view.id] = replace(view, body={**view.body, **old})
    return office.slack.views[view.id]


def with_old_inputs(view):
    """Return the blocks with other ids of the inputs."""
    return [
        block | {"block_id": f"old_{block['block_id']}", "optional": True} if block["type"] == "input" else block
        for block in view.blocks
    ]


@pytest.mark.parametrize("dialog", ["Edit", "Remove", "Told us to stop", "switch several", "download"])
def test_submitted_dialog_of_an_older_version_is_answered(office, scene, session, dialog):
    prepare, values = {**DIALOGS, "download": (surfaces.open_download, lambda _: {"form": "csv"})}[dialog]
    prepare(office.clara, scene)
    view = office.clara.fill(office.clara.view, values(office.clara)).view
    for old in (
        {"callback_id": "dialog.of_old"},
        {"private_metadata": ""},
        {"private_metadata": "{}"},
        {"blocks": with_old_inputs(view)},
    ):
        filled = replace(office.clara.fill(make_old(office, view, **old), {}), person=office.clara)
        effects = surfaces.observe(office, session, filled.submit_stale)
        assert "older version" in effects.sent
        assert effects.is_harmless


@pytest.mark.parametrize("action_id", ["contact.edit", "claim.take", "student.open_sibling.0", "dialog.of_old"])
def test_button_in_a_dialog_of_an_older_version_is_answered(office, scene, session, action_id):
    surfaces.open_student(office.clara, scene)
    button = b.button("Old", action_id, "no-id")
    make_old(office, office.clara.view, private_metadata='{"student": "7"}', blocks=b.actions([button], block_id="old"))
    press = partial(office.clara.press_stale, office.clara.view, action_id=action_id)
    effects = surfaces.observe(office, session, press)
    assert "older version" in effects.sent
    assert effects.is_harmless


def test_shortcut_of_an_older_version_is_answered(office, scene):
    office.slack.manifest["features"]["shortcuts"].append(
        {"name": "Old", "type": "global", "callback_id": "list.of_old", "description": "Old"}
    )
    assert office.clara.shortcut("list.of_old").ok
    assert "older version" in text_of(office.clara.view)
