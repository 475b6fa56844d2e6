"""Whose edits let a mass message arrive hears of it once, privately, and by name only of whom they may still see."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update
from support import edits, people
from support import mass_messages as messages

from bot.access import Reach
from bot.db.models.roster import StudentContact, StudentSchool
from bot.db.models.slack import DigestPost
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.reading import text_of

POST = "chat.postMessage"


def fixed(session, office, *contacts, by="UCLARA"):
    """Clara (or who has this id) gives listed contacts new numbers; the next message, on its way, was delivered to them."""
    actor = people.acting(office.district.dana, reach=Reach.DISTRICT)
    deliveries = []
    for number, one in enumerate(contacts):
        edits.change(session, one, phone=f"+131255590{number:02d}", actor=replace(actor, user_id=by))
        deliveries.append(messages.a_delivery(one, to=f"+131255590{number:02d}"))
    message = messages.a_message(*deliveries, sent_at=office.now())
    messages.registered(session, message, now=office.now())
    for one in deliveries:
        messages.told(session, one["provider_id"], now=office.now())
    session.commit()
    return message["id"]


def families(session, office, number):
    """So many contacts on the list, each of a student of their own at Lincoln."""
    given = [f"Maria{one}" for one in range(number)]
    at = office.district.lincoln
    return [people.listed(session, people.contact(session, people.student(session, at=at), given=one)) for one in given]


def heard(person):
    return [text_of(one) for one in person.messages() if "worked" in text_of(one)]


def state(session):
    session.expire_all()
    return [post.state for post in session.scalars(select(DigestPost))]


def test_whoever_fixed_a_contact_hears_that_it_worked_once_and_by_name(office, session):
    fixed(session, office, *families(session, office, 1))
    for _ in range(3):
        assert office.tick().failed == ()
        office.later(minutes=5)
    (said,) = heard(office.clara)
    assert "Your fix worked" in said
    assert "“Early dismissal today” reached 1 contact that you had fixed." in said
    assert "• Maria0 Rivera (Sam Rivera)" in said
    assert heard(office.ana) == []
    assert "Rivera" not in office.clara.messages()[-1].text


def test_many_are_named_up_to_ten_and_then_counted(office, session):
    fixed(session, office, *families(session, office, 12))
    office.tick()
    (said,) = heard(office.clara)
    assert "12 of your fixes worked" in said
    assert said.count("• Maria") == 10
    assert "… and 2 more." in said


def test_only_those_whom_the_fixer_may_still_see_are_named_and_counted(office, session):
    seen, moved, removed = families(session, office, 3)
    fixed(session, office, seen, moved, removed)
    links, places = StudentContact, StudentSchool
    theirs = select(links.student_id).where(links.contact_id == moved.id)
    session.execute(update(places).where(places.student_id.in_(theirs)).values(school_id=office.district.roosevelt.id))
    session.execute(update(links).where(links.contact_id == removed.id).values(active=False))
    session.commit()
    office.tick()
    (said,) = heard(office.clara)
    assert "reached 1 contact that" in said
    assert "Maria0" in said
    assert "Maria1" not in said
    assert "Maria2" not in said


@pytest.mark.parametrize("change", [{"deleted": True}, {"bot": True}, {"guest": True}])
def test_nobody_who_is_gone_or_is_no_person_is_told(office, session, change):
    other = office.slack.add_user("Otto", user_id="UOTTO", email=office.district.dana.email, **change)
    fixed(session, office, *families(session, office, 1), by=other.id)
    before = len([one for one in office.slack.calls if one.method == POST])
    assert office.tick().failed == ()
    assert len([one for one in office.slack.calls if one.method == POST]) == before
    assert state(session) == ["failed"]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_one_whose_answer_was_lost_is_never_sent_again_and_nobody_is_told_of_that(office, session, fault, taken):
    fixed(session, office, *families(session, office, 1))
    office.slack.faults.order(POST, fault, taken=taken)
    for _ in range(4):
        assert office.tick().failed == ()
        office.later(minutes=5)
    assert len(heard(office.clara)) == taken
    assert len(office.clara.messages()) == taken
    assert state(session) == ["failed"]


@pytest.mark.parametrize(("method", "fault"), [(POST, Fault.RATELIMITED), ("users.info", Fault.HTTP_500)])
def test_what_slack_surely_did_not_take_is_sent_in_the_end(office, session, method, fault):
    fixed(session, office, *families(session, office, 1))
    office.slack.faults.order(method, fault)
    for _ in range(3):
        assert office.tick().failed == ()
        office.later(minutes=5)
    assert len(heard(office.clara)) == 1


def test_a_name_pings_nobody(office, session):
    student = people.student(session, "<!channel>", at=office.district.lincoln)
    fixed(session, office, people.listed(session, people.contact(session, student, given="<@UANA>")))
    office.tick()
    assert "&lt;@UANA&gt;" in str(office.clara.messages()[-1].blocks)
