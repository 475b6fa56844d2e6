"""`/cleanup unverified`: contacts who are not on the list, and whose number nothing has verified for twelve months."""

import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from support import edits, mail_server, people
from support import mass_messages as messages
from support.snapshots import draw
from support.surfaces import clerk

from bot.cleanup_list import unverified
from bot.db.models.edits import Audit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Student
from bot.sandbox.slack.models import text_of

YEAR = timedelta(days=365)


@pytest.fixture
def families(session, office):
    """Sam's mother Maria got no text for a year, and the others of grade 5 are verified, on the list, or get no texts."""
    lincoln, now = office.district.lincoln, office.now()
    sam, eva = (people.student(session, name, at=lincoln) for name in ("Sam", "Eva"))
    people.student(session, "Una", grade="2", at=lincoln)
    maria = people.contact(session, sam, phone="+13125557301")
    pia = people.contact(session, eva, given="Pia", phone="+13125557302")
    messages.send(session, {maria: "delivered"}, now=now - YEAR - timedelta(days=2))
    messages.send(session, {pia: "delivered"}, now=now - YEAR + timedelta(days=2))
    called = people.contact(session, sam, given="Called")
    session.add(PhoneNumber(phone=called.sis_phone, verified_at=now - timedelta(days=3), verified_how="call"))
    people.list_contact(session, people.contact(session, eva, given="Listed"))
    people.contact(session, eva, given="Autocall", method="call")
    people.contact(session, eva, given="Nonumber", phone=None)
    stopped = people.contact(session, eva, given="Stopped")
    session.add(PhoneNumber(phone=stopped.sis_phone, status="opt_out", opted_out_at=now, opted_out_by="twilio"))
    session.commit()
    return maria


def show(person, typed="unverified"):
    return person.command("/cleanup", typed).message


def test_worklist_shows_who_was_not_verified_for_a_year(office, families, snapshot):
    assert draw(show(office.clara)) == snapshot


@pytest.mark.parametrize(
    "typed",
    [
        "unverified",
        "not verified",
        "Not verified for 12 months",
        "grade 5 not-verified in the last year",
        "unverified 5th",
    ],
)
def test_words_for_it(office, families, typed):
    assert "Maria Rivera" in text_of(show(office.clara, typed))


@pytest.mark.parametrize(
    "typed",
    [
        "grade 5 unverified",
        "unverified Rivera",
        "maria unverified 5th",
        "unverified Lincoln Elementary",
        "sin verificar grado 5",
    ],
)
def test_filter_with_its_contact_in_any_order(office, families, typed):
    assert "Maria Rivera" in text_of(show(office.clara, typed))


def test_filter_narrows_it(office, families):
    assert "within 12 months" in text_of(show(office.clara, "unverified grade 2"))


def test_name_narrows_it_to_the_contacts_of_that_name(office, session, families):
    sam = people.student(session, "Kim", "Abbot", at=office.district.lincoln)
    people.contact(session, sam, given="Lee")
    session.commit()
    shown = text_of(show(office.clara, "unverified Lee"))
    assert ("Lee Rivera" in shown, "Maria" in shown) == (True, False)
    assert "No contact here for *Zzyzx*" in text_of(show(office.clara, "unverified Zzyzx"))


def test_number_of_months_narrows_it(office, session, families):
    eva = people.student(session, "Ivo", "Old", at=office.district.lincoln)
    old = people.contact(session, eva, given="Pat", phone="+13125557311")
    messages.send(session, {old: "delivered"}, now=office.now() - timedelta(days=200))
    session.commit()
    assert "Pat" not in text_of(show(office.clara, "unverified"))
    assert "Pat" not in text_of(show(office.clara, "unverified 7 months"))
    shown = text_of(show(office.clara, "grade 5 unverified for 6 months"))
    assert "Not verified for 6 months · Grade 5" in shown
    assert "Pat" in shown


def test_misspelled_months_are_months(office, families):
    assert "Not verified for 6 months" in text_of(show(office.clara, "unverified 6 moths"))


@pytest.mark.parametrize("typed", ["unverified grade 8", "unverified Zzyzx"])
def test_empty_part_leads_to_the_whole(office, families, typed):
    message = show(office.clara, typed)
    assert office.clara.press(message, text="Show all").ok
    assert "Maria Rivera" in text_of(office.clara.current(message))


@pytest.mark.parametrize(
    "age", ["0 months", "-3 months", "14 months", "2 years", "1.5 months", "90 days", "9" * 30 + " months"]
)
def test_months_out_of_bounds_are_refused_with_the_bounds(office, families, age):
    answer = text_of(show(office.clara, f"unverified {age}"))
    assert "from 1 to 13" in answer
    assert "400 days" in answer


@pytest.mark.parametrize("settings_changed", [{"keep_messages": timedelta(days=90)}])
def test_months_are_no_more_than_messages_are_kept(office, families):
    assert "Not verified for 2 months" in text_of(show(office.clara))
    assert "from 1 to 2" in text_of(show(office.clara, "unverified 3 months"))


def test_entered_number_counts_as_verified(office, session, families):
    edits.change(session, families, phone="+13125557303", actor=clerk(office), now=office.now())
    session.commit()
    assert "Maria" not in text_of(show(office.clara))


@pytest.mark.parametrize(
    "known", [{}, {"opted_out_at": people.NOW}, {"verified_at": people.NOW}, {"noted": "refused"}, None]
)
def test_typed_number_tells_nothing_of_another_family(office, session, families, known):
    """It may be a stranger's, who texted STOP, verified it lately, or (None) got a text."""
    stranger = people.contact(session, people.student(session, "Kim", grade="2", at=office.district.lincoln))
    edits.change(session, families, phone=stranger.sis_phone, actor=clerk(office), now=office.now() - 2 * YEAR)
    if known is None:
        messages.send(session, {stranger: "delivered"}, now=office.now() - timedelta(days=3))
    else:
        session.add(PhoneNumber(phone=stranger.sis_phone, **known))
    session.commit()
    assert "Maria Rivera" in text_of(show(office.clara, "unverified grade 5"))


def test_contact_of_two_students_stands_once(office, session, families):
    kim = people.student(session, "Kim", "Abbot", at=office.district.lincoln)
    people.contact(session, kim, people.student(session, "Lu", "Zed", at=office.district.lincoln), given="Lee")
    session.commit()
    shown = text_of(show(office.clara))
    assert shown.count("Lee Rivera") == 1
    assert "Zed" not in shown


def test_pages_go_on(office, session, families):
    for number in range(12):
        people.contact(
            session, people.student(session, f"Kid{number:02}", "Zed", at=office.district.lincoln), given="Zoe"
        )
    session.commit()
    first = show(office.clara, "unverified 6 months")
    assert text_of(first).count("Open…") <= 10
    assert office.clara.press(first, text="Next ▶").ok
    assert "Not verified for 6 months" in text_of(office.clara.last())
    assert "Page 2 of 2" in text_of(office.clara.last())


def test_too_many_students_are_asked_to_be_fewer(office, session, families, monkeypatch):
    monkeypatch.setattr(unverified, "MAX_STUDENTS", 1)
    assert "Name a school" in text_of(show(office.clara))
    assert "Maria" in text_of(show(office.clara, "unverified maria"))
    [row] = download(office, office.clara)
    assert row["Contact"] == "Maria Rivera"


def download(office, person, typed="unverified"):
    message = show(person, typed)
    assert person.press(message, action_id="list.download").ok
    assert person.fill(person.view, {"form": "csv"}).submit().ok
    office.wait_for_lazy_listeners()
    *_, file = office.slack.files.values()
    assert file.name.startswith("not-verified-")
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))


def test_file_has_the_contacts_to_verify(office, session, families):
    [row] = download(office, office.clara)
    assert (row["First name"], row["Contact"], row["Number"]) == ("Sam", "Maria Rivera", "••• 7301")
    assert (row["SMS status"], row["Since"], row["Student can be reached"]) == ("No problem known", "", "yes, by text")
    sent_at = office.now() - YEAR - timedelta(days=2)
    day = sent_at.astimezone(ZoneInfo(office.clara.user.tz)).date().isoformat()
    assert (row["Last verified"], row["Verified by"]) == (day, "a text arrived")
    assert "still their number" in row["Next step"]


def test_file_is_of_what_was_typed_and_audited(office, session, families):
    rows = download(office, office.clara, "grade 5 unverified 1 month rivera")
    assert {row["Contact"] for row in rows} == {"Maria Rivera", "Pia Rivera"}
    audited = session.scalars(select(Audit).where(Audit.action == "list.downloaded")).one()
    assert (audited.actor, audited.after) == (office.clara.id, "csv: 2 contacts, 2 students")
    assert audited.reason == 'unverified 1 month grade 5 student "rivera"'


def test_dialog_of_the_file_says_what_it_holds(office, families):
    assert office.clara.press(show(office.clara), action_id="list.download").ok
    words = text_of(office.clara.view)
    assert "Not verified for 12 months" in words
    assert "1 contact, with names and only the last digits" in words


def test_email_says_what_the_file_holds(office, families):
    with mail_server.serve() as (mailbox, port):
        object.__setattr__(office.settings, "smtp_url", SecretStr(f"smtp://127.0.0.1:{port}"))
        assert office.clara.press(show(office.clara), action_id="list.download").ok
        office.clara.fill(office.clara.view, {"form": "csv"}).submit()
        office.wait_for_lazy_listeners()
    [(_, message)] = mailbox.mails
    assert message["Subject"] == "Your list of contacts to verify"
    assert "Here is the list of contacts to verify that you requested" in message.get_body().get_content()


def test_empty_worklist_offers_no_file(office, families):
    assert "list.download" not in str(show(office.clara, "unverified grade 2").blocks)


def test_file_holds_only_students_the_reader_may_see(office, session, families):
    elsewhere = people.student(session, "Kai", at=people.school(session, "Roosevelt High"))
    people.contact(session, elsewhere, given="Hana")
    session.commit()
    assert {row["Contact"] for row in download(office, office.clara)} == {"Maria Rivera"}
    assert {row["Contact"] for row in download(office, office.dana)} == {"Maria Rivera", "Hana Rivera"}


def test_student_opens_and_list_is_redrawn_after_a_change(office, session, families):
    message = show(office.clara)
    assert office.clara.press(message, action_id="student.show").ok
    value = str(families.id)
    assert office.clara.press(office.clara.view, action_id="contact.edit", value=value).ok
    assert office.clara.fill(office.clara.view, {"phone": "(312) 555-7309"}).submit().ok
    assert "Maria" not in text_of(office.clara.current(message))


def test_contact_to_verify_is_shown_beside_one_to_fix(office, session, families):
    sam = session.scalars(select(Student).where(Student.given_name == "Sam")).one()
    people.list_contact(session, people.contact(session, sam, given="Tofix"))
    session.commit()
    assert office.clara.press(show(office.clara), action_id="student.show").ok
    assert office.clara.press(office.clara.view, action_id="contact.edit", value=str(families.id)).ok
