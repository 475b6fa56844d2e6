"""Thanks for fixes: once, privately, and only with the names of contacts whom the editor may still see."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db.models.roster import StudentContact, StudentSchool
from bot.db.models.slack import DigestPost
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

POST = "chat.postMessage"


def fix(session, office, *contacts, by="UCLARA"):
    """Change the numbers of listed contacts and deliver a message to them, which is final as soon as the clock ticks."""
    actor = people.actor_of(office.district.dana, level=AccessLevel.DISTRICT)
    deliveries = []
    for number, contact in enumerate(contacts):
        edits.change(session, contact, phone=f"+131255590{number:02d}", actor=replace(actor, user_id=by))
        deliveries.append(messages.a_delivery(contact, to=f"+131255590{number:02d}"))
    message = messages.a_message(*deliveries, sent_at=office.now())
    messages.register(session, message, now=office.now())
    for delivery in deliveries:
        messages.report(session, delivery["provider_id"], now=office.now())
    session.commit()


def families(session, office, number):
    """Add listed contacts, each of a student of their own at Lincoln."""
    students = [people.student(session, at=office.district.lincoln) for _ in range(number)]
    contacts = [people.contact(session, student, given=f"Maria{index}") for index, student in enumerate(students)]
    return [people.list_contact(session, contact) for contact in contacts]


def thanks(person):
    return [text_of(message) for message in person.messages() if "worked" in text_of(message)]


def state(session):
    session.expire_all()
    return [post.state for post in session.scalars(select(DigestPost))]


def test_editor_is_thanked_once_with_names(office, session):
    fix(session, office, *families(session, office, 1))
    for _ in range(3):
        assert office.tick().failed == ()
        office.advance(minutes=5)
    (words,) = thanks(office.clara)
    assert "Your fix worked" in words
    assert "“Early dismissal today” was delivered to 1 contact that you had fixed." in words
    assert "• Maria0 Rivera (Sam Rivera)" in words
    assert thanks(office.ana) == []
    assert "Rivera" not in office.clara.messages()[-1].text


def test_ten_contacts_are_named_and_the_rest_counted(office, session):
    fix(session, office, *families(session, office, 12))
    office.tick()
    (words,) = thanks(office.clara)
    assert "12 of your fixes worked" in words
    assert words.count("• Maria") == 10
    assert "… and 2 more." in words


def test_only_contacts_the_editor_may_still_see_are_named(office, session):
    seen, moved, removed = families(session, office, 3)
    fix(session, office, seen, moved, removed)
    links, places = StudentContact, StudentSchool
    theirs = select(links.student_id).where(links.contact_id == moved.id)
    session.execute(update(places).where(places.student_id.in_(theirs)).values(school_id=office.district.roosevelt.id))
    session.execute(update(links).where(links.contact_id == removed.id).values(active=False))
    session.commit()
    office.tick()
    (words,) = thanks(office.clara)
    assert "to 1 contact that" in words
    assert "Maria0" in words
    assert "Maria1" not in words
    assert "Maria2" not in words


@pytest.mark.parametrize("change", [{"deleted": True}, {"bot": True}, {"guest": True}])
def test_editor_without_access_gets_no_thanks(office, session, change):
    other = office.slack.add_user("Otto", user_id="UOTTO", email=office.district.dana.email, **change)
    fix(session, office, *families(session, office, 1), by=other.id)
    assert office.tick().failed == ()
    assert POST not in {call.method for call in office.slack.calls}
    assert state(session) == ["failed"]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_thanks_whose_answer_was_lost_are_not_sent_again(office, session, fault, taken):
    fix(session, office, *families(session, office, 1))
    office.slack.faults.inject(POST, fault, applied=taken)
    for _ in range(4):
        assert office.tick().failed == ()
        office.advance(minutes=5)
    assert len(thanks(office.clara)) == taken
    assert len(office.clara.messages()) == taken
    assert state(session) == ["failed"]


@pytest.mark.parametrize(("method", "fault"), [(POST, Fault.RATELIMITED), ("users.info", Fault.HTTP_500)])
def test_thanks_that_slack_did_not_accept_are_sent_later(office, session, method, fault):
    fix(session, office, *families(session, office, 1))
    office.slack.faults.inject(method, fault)
    for _ in range(3):
        assert office.tick().failed == ()
        office.advance(minutes=5)
    assert len(thanks(office.clara)) == 1


def test_name_pings_no_one(office, session):
    student = people.student(session, "<!channel>", at=office.district.lincoln)
    fix(session, office, people.list_contact(session, people.contact(session, student, given="<@UANA>")))
    office.tick()
    assert "&lt;@UANA&gt;" in str(office.clara.messages()[-1].blocks)
