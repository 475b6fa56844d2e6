"""Slack on a bad day, people in a hurry, and requests that nobody should send: the bot says what happened, and that is true."""

import logging

import pytest
from sqlalchemy import delete, select
from support.surfaces import _edit, _student, set_up

from bot.app import make_context
from bot.db.models.edits import Edit
from bot.db.models.roster import StaffRole
from bot.db.models.slack import OpenView, Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.reading import text_of
from bot.slack import open_views

BAD_MOMENTS = [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED]
EVERY_BAD_MOMENT = [*BAD_MOMENTS, Fault.DELAY]
LONGER_THAN_SLACK_WAITS = 4


@pytest.fixture
def scene(office, session):
    return set_up(session, office)


def in_force(session):
    session.rollback()
    return set(session.scalars(select(Edit.value).where(Edit.state == "pending")))


@pytest.mark.parametrize("fault", EVERY_BAD_MOMENT)
def test_what_was_saved_is_never_said_to_be_lost_because_the_dialog_below_could_not_be_drawn(
    office, scene, session, fault
):
    _edit(office.clara, scene)
    office.slack.faults.order("views.update", fault, seconds=LONGER_THAN_SLACK_WAITS)
    saved = office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit()
    assert (saved.error, saved.errors) == (None, {})
    assert "+13125557177" in in_force(session)


@pytest.mark.parametrize("fault", EVERY_BAD_MOMENT)
def test_what_was_undone_is_never_said_to_stand(office, scene, session, fault):
    _student(office.clara, scene)
    office.slack.faults.order("views.update", fault, seconds=LONGER_THAN_SLACK_WAITS)
    undone = office.clara.press(office.clara.view, action_id="edit.undo", value=str(scene.edit))
    assert undone.error is None
    assert len(office.clara.views) == 1
    session.rollback()
    assert session.get(Edit, scene.edit).state == "undone"


@pytest.mark.parametrize("fault", EVERY_BAD_MOMENT)
def test_a_channel_is_subscribed_and_left_as_it_is_said_also_when_it_could_not_be_told(office, session, fault):
    def typed(word):
        office.slack.faults.order("chat.postMessage", fault, seconds=LONGER_THAN_SLACK_WAITS)
        answer = text_of(office.clara.command("/cleanup", word, channel=office.channel).message)
        session.rollback()
        return answer, bool(session.scalars(select(Subscription)).all())

    assert typed("subscribe") == (
        "Done. The digest of the next mass message comes to this channel. `/cleanup unsubscribe` ends it.",
        True,
    )
    assert typed("unsubscribe") == ("Done. No more digests here.", False)


@pytest.mark.parametrize("method", ["users.info", "views.open", "response_url"])
def test_nobody_is_kept_waiting_because_slack_is_slow(office, scene, method):
    message = office.clara.command("/cleanup", "grade 5").message
    office.later(minutes=11)
    office.slack.faults.order(method, Fault.DELAY, seconds=LONGER_THAN_SLACK_WAITS)
    press = {"response_url": "list.show.next", "views.open": "student.open", "users.info": "list.show.next"}[method]
    value = {"student.open": f"{scene.sam} grade 5"}.get(press)
    assert office.clara.press(message, action_id=press, value=value).error is None
    assert "report reference" in text_of(office.clara.last())


def test_a_list_whose_acknowledgement_got_lost_is_not_shown_twice(office, scene):
    digest = office.ana.last(scene.channel)
    before = len(office.ana.messages(scene.channel))
    office.slack.faults.order("response_url", Fault.DROP, taken=True)
    office.ana.press(digest, action_id="digest.show_mine")
    shown = [text_of(one) for one in office.ana.messages(scene.channel)[before:]]
    assert len([one for one in shown if "Sam Rivera" in one]) == 1


def _role_taken(office, session):
    session.execute(delete(StaffRole).where(StaffRole.staff_id == office.district.clara.id))
    session.commit()


def _slack_is_gone(office, _session):
    office.slack.faults.order("response_url", Fault.DROP)


@pytest.mark.parametrize("meanwhile", [_role_taken, _slack_is_gone])
def test_a_list_that_cannot_be_refreshed_any_more_names_nobody_in_the_log(office, scene, session, caplog, meanwhile):
    _student(office.clara, scene)
    opened = session.scalars(select(OpenView).order_by(OpenView.id.desc())).first()
    meanwhile(office, session)
    with caplog.at_level(logging.DEBUG):
        desk = make_context(office.settings, office.engine, now=office.now)
        open_views.refresher(desk)({open_views.CHANGED: opened.id}, office.client)
    assert f"list {opened.id}" in caplog.text
    assert office.district.clara.email not in caplog.text
