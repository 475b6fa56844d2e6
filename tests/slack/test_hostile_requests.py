"""Slack misbehaves or is slow, and requests come at the wrong moment: the answer to the person is true in each case."""

import logging

import pytest
from slack_bolt import BoltContext
from sqlalchemy import delete, select
from support import screens, surfaces

from bot.app import make_context
from bot.db.models.edits import Edit
from bot.db.models.roster import StaffRole
from bot.db.models.slack import OpenView, Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of
from bot.slack.kit import respond
from bot.slack.kit.open_views import REDRAW, Redraw
from bot.slack.refresh import refresher

FAULTS = [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED, Fault.DELAY]
TOO_LONG = 4  # Seconds; Slack waits three.


@pytest.fixture
def slack_waits(slack_waits, monkeypatch):
    """Slack waits as long as for other tests, but the bot gives up on a slow Slack after its two seconds."""
    monkeypatch.setattr(respond, "SLACK_TIMEOUT", 2)


@pytest.fixture
def scene(office, session):
    return surfaces.set_up(session, office)


def pending_values(session):
    session.rollback()
    return set(session.scalars(select(Edit.value).where(Edit.state == "pending")))


@pytest.mark.parametrize("fault", FAULTS)
def test_saved_change_is_not_reported_lost_when_the_redraw_fails(office, scene, session, fault):
    surfaces.open_edit(office.clara, scene)
    office.slack.faults.inject("views.update", fault, seconds=TOO_LONG)
    outcome = office.clara.fill(office.clara.view, {"phone": "(312) 555-7177"}).submit()
    assert (outcome.error, outcome.errors) == (None, {})
    assert "+13125557177" in pending_values(session)


@pytest.mark.parametrize("fault", FAULTS)
def test_undone_change_is_not_reported_as_failed_when_the_redraw_fails(office, scene, session, fault):
    surfaces.open_student(office.clara, scene)
    office.slack.faults.inject("views.update", fault, seconds=TOO_LONG)
    outcome = office.clara.press(office.clara.view, action_id="edit.undo", value=str(scene.edit))
    assert outcome.error is None
    assert len(office.clara.views) == 1
    session.rollback()
    assert session.get(Edit, scene.edit).state == "undone"


@pytest.mark.parametrize("fault", FAULTS)
def test_answer_about_a_subscription_is_true_when_the_post_fails(office, session, fault):
    def typed(command):
        office.slack.faults.inject("chat.postMessage", fault, seconds=TOO_LONG)
        message = office.clara.command("/cleanup", command, channel=office.channel).message
        session.rollback()
        return text_of(message), bool(session.scalars(select(Subscription)).all())

    answer, is_subscribed = typed("subscribe")
    assert answer.startswith("Done.")
    assert is_subscribed
    answer, is_subscribed = typed("unsubscribe")
    assert answer.startswith("Done.")
    assert not is_subscribed


@pytest.mark.parametrize(
    ("method", "action_id"),
    [("users.info", "list.show.next"), ("views.open", "student.open")],
)
def test_slow_slack_ends_in_an_answer_with_a_reference(office, scene, method, action_id):
    message = office.clara.command("/cleanup", "grade 5").message
    office.advance(minutes=11)
    office.slack.faults.inject(method, Fault.DELAY, seconds=TOO_LONG)
    value = f"{scene.sam} grade 5" if action_id == "student.open" else None
    assert office.clara.press(message, action_id=action_id, value=value).error is None
    assert "report reference" in text_of(office.clara.last())


def test_list_whose_acknowledgement_got_lost_is_shown_once(office, scene):
    digest = office.ana.last(scene.channel)
    before = len(office.ana.messages(scene.channel))
    office.slack.faults.inject("response_url", Fault.DROP, applied=True)
    office.ana.press(digest, action_id="digest.show_mine")
    lists = [message for message in office.ana.messages(scene.channel)[before:] if screens.student_ids(message)]
    assert len(lists) == 1


def _lose_role(office, session):
    session.execute(delete(StaffRole).where(StaffRole.staff_id == office.district.clara.id))
    session.commit()


def _drop_the_response(office, _session):
    office.slack.faults.inject("response_url", Fault.DROP, times=2)


@pytest.mark.parametrize("fail", [_lose_role, _drop_the_response])
def test_failed_redraw_logs_no_personal_data(office, scene, session, caplog, fail):
    surfaces.open_student(office.clara, scene)
    list_id = session.scalars(select(OpenView.id).order_by(OpenView.id.desc())).first()
    fail(office, session)
    context = BoltContext({"user_id": office.clara.id, REDRAW: Redraw(list_id)})
    # What the SDK writes at this level is every response of Slack's.
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.INFO, "slack_sdk"):
        refresher(make_context(office.settings, office.engine, now=office.now))(context, office.client)
    assert f"list {list_id}" in caplog.text
    assert office.district.clara.email not in caplog.text
