"""`/cleanup subscribe weekly`: what a channel may subscribe, what it reads on Mondays, and how that ends."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select
from support import people
from support.snapshots import draw

from bot.db.models.edits import Audit
from bot.db.models.slack import WeeklyPost, WeeklySubscription
from bot.sandbox.slack.models import text_of


@pytest.fixture
def students(session, office):
    """Grade 5 of Lincoln with ten students who can be texted, grade 2 with ten who cannot, grade 1 with one."""
    for grade, number in (("5", 10), ("2", 10), ("1", 1)):
        for _ in range(number):
            student = people.student(session, grade=grade, at=office.district.lincoln)
            if grade == "5":
                people.contact(session, student)
    session.commit()


def type_command(office, text, *, person="clara"):
    return text_of(office.people[person].command("/cleanup", text, channel=office.channel).message)


def schools(session):
    session.expire_all()
    return {row.channel_id: row.school_id for row in session.scalars(select(WeeklySubscription))}


def posts(office):
    return [message for message in office.tom.messages(office.channel) if "Who we can text" in text_of(message)]


def advance_to_monday(office, at=time(8, 1)):
    local = office.now().astimezone(office.settings.zone)
    monday = local.date() + timedelta(days=7 - local.weekday())
    due = datetime.combine(monday, at, tzinfo=office.settings.zone)
    office.advance(seconds=(due - local).total_seconds())


def test_weekly_report_is_announced_and_posted_on_monday_once(office, session, students, snapshot):
    assert "Done. This channel gets a report about the whole district" in type_command(office, "subscribe weekly")
    assert "<@UCLARA> set up a weekly report in this channel" in text_of(office.tom.last(office.channel))
    office.tick()
    assert posts(office) == []
    advance_to_monday(office)
    for _ in range(2):
        assert office.tick().failed == ()
        office.advance(minutes=5)
    (post,) = posts(office)
    assert draw(post) == snapshot
    office.advance(days=7)
    office.tick()
    assert len(posts(office)) == 2


def test_report_of_one_school_has_its_grades_but_no_small_one(office, session, students):
    type_command(office, "subscribe weekly school Lincoln")
    assert schools(session) == {office.channel: office.district.lincoln.id}
    advance_to_monday(office)
    office.tick()
    text = text_of(posts(office)[0])
    assert "Who we can text · Lincoln Elementary" in text
    assert "Grade 5" in text
    assert "Grade 1" not in text
    assert "Grade 2" not in text  # Less the others, it would give grade 1 away.


def test_workspace_without_charts_reads_the_weeks_in_words(office, session, students):
    office.slack.refused_blocks.add("data_visualization")
    type_command(office, "subscribe weekly")
    office.tick()
    advance_to_monday(office)
    assert office.tick().failed == ()
    (post,) = posts(office)
    assert {block["type"] for block in post.blocks} == {"header", "section", "context"}
    assert "With an adult we can text, in %" in text_of(post)


def test_second_subscription_changes_nothing(office, session, students):
    type_command(office, "subscribe weekly")
    assert "already gets the weekly report" in type_command(office, "subscribe weekly", person="ana")


def test_digest_and_weekly_report_are_apart(office, session, students):
    type_command(office, "subscribe")
    type_command(office, "subscribe weekly")
    listed = type_command(office, "subscriptions")
    assert "1 channel gets a digest after each mass message" in listed
    assert "1 channel gets the weekly report" in listed
    assert "no more weekly reports" in type_command(office, "unsubscribe weekly")
    assert "no weekly report" in type_command(office, "unsubscribe weekly")
    assert "1 channel gets a digest" in type_command(office, "subscriptions")
    assert schools(session) == {}
    actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["digest.subscribed", "weekly.subscribed", "weekly.unsubscribed"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("subscribe weekly grade 5", "the whole district"),
        ("subscribe weekly school Nowhere", "called “Nowhere”"),
        ("subscribe weekly teacher García", "the whole district"),
    ],
)
def test_other_reports_are_refused(office, session, students, typed, words):
    answer = type_command(office, typed)
    assert words in answer
    assert "Nothing was changed" in answer
    assert schools(session) == {}


def test_school_with_fewer_than_ten_students_is_refused(office, session, students):
    people.student(session, at=office.district.roosevelt)
    session.commit()
    office.tick()
    assert "could point at a child" in type_command(office, "subscribe weekly school Roosevelt", person="dana")
    assert schools(session) == {}


def test_channel_that_is_shared_later_gets_no_report(office, session, students):
    type_command(office, "subscribe weekly")
    office.slack.update_channel(office.channel, shared=True)
    advance_to_monday(office)
    office.tick()
    assert posts(office) == []
    assert "people from outside the district are in the channel now" in text_of(office.clara.last())


def test_closed_school_gets_no_report_and_is_tried_on_monday_only(office, session, students):
    type_command(office, "subscribe weekly school Lincoln")
    office.district.lincoln.active = False
    session.commit()
    advance_to_monday(office)
    office.tick()
    assert state(session) == "pending"  # The scores may come later that day.
    office.advance(hours=16)
    office.tick()
    assert state(session) == "failed"
    assert "was not posted: there are no scores" in text_of(office.clara.last())
    assert posts(office) == []


def state(session):
    session.expire_all()
    return session.scalars(select(WeeklyPost.state)).one()


def test_channel_without_the_bot_is_refused(office, session, students):
    members = office.slack.channels[office.channel].members - {office.slack.bot_user_id}
    office.slack.update_channel(office.channel, members=members)
    assert "I am not in this channel" in type_command(office, "subscribe weekly")
    assert schools(session) == {}
