"""Files that the bot put into Slack are deleted there when they are old, whatever became of them meanwhile."""

import pytest
from sqlalchemy import func, select

from bot.app import make_context
from bot.db.models.slack import PostedFile
from bot.sandbox.slack.faults import Fault
from bot.slack.kit import api_errors, files
from bot.slack.kit.api_errors import Outcome


@pytest.fixture
def posted(office):
    """Post two files a day apart, and return their ids."""
    channel = office.client.conversations_open(users=office.clara.id)["channel"]["id"]
    context = make_context(office.settings, office.engine, now=office.now)
    for name in ("first.csv", "second.csv"):
        files.send_file(context, office.client, channel, name, b"student")
        office.advance(days=1)
    return context, list(office.slack.files)


def remembered(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(PostedFile))


def test_file_is_deleted_after_its_days_and_a_younger_one_stays(office, posted, session):
    context, (_first, second) = posted
    assert files.delete_old_files(context, office.client) == 0
    office.advance(days=5, minutes=1)
    assert files.delete_old_files(context, office.client) == 1
    assert (list(office.slack.files), remembered(session)) == ([second], 1)


def test_file_that_a_person_deleted_is_done(office, posted, session):
    context, (first, _second) = posted
    del office.slack.files[first]
    office.advance(days=9)
    assert files.delete_old_files(context, office.client) == 2
    assert remembered(session) == 0


@pytest.mark.parametrize("fault", [Fault.RATELIMITED, Fault.HTTP_500, Fault.DROP])
def test_file_waits_while_slack_cannot_delete_it(office, posted, session, fault):
    context, _ids = posted
    office.advance(days=9)
    office.slack.faults.inject("files.delete", fault)
    assert files.delete_old_files(context, office.client) == 0
    assert remembered(session) == 2
    assert files.delete_old_files(context, office.client) == 2


def test_file_whose_sharing_was_lost_is_deleted_too(office, session):
    channel = office.client.conversations_open(users=office.clara.id)["channel"]["id"]
    office.slack.faults.inject("files.completeUploadExternal", Fault.DROP)
    context = make_context(office.settings, office.engine, now=office.now)
    sent = api_errors.call(lambda: files.send_file(context, office.client, channel, "list.csv", b"student"))
    assert sent.outcome is Outcome.UNCLEAR
    office.advance(days=8)
    assert files.delete_old_files(context, office.client) == 1
    assert (office.slack.files, remembered(session)) == ({}, 0)


def test_clock_deletes_old_files(office, posted):
    office.advance(days=9)
    assert office.tick().counts["files_deleted"] == 2
