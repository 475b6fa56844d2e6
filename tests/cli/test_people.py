"""A parent's request: the record of one student, and erasing it."""

import json

import pytest
from sqlalchemy import func, select, text
from support import mass_messages as messages
from support import people
from support.command_line import is_one_readable_line

from bot.access.rights import AccessLevel
from bot.cleanup_list.tried_numbers import add_proved_number
from bot.contact_edits.remove import RemovalReason, remove_contact
from bot.db.models.edits import Audit
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.unclear_texts import UnclearText
from bot.db.session import transaction
from bot.mass_messages.opt_outs import apply_opt_out
from bot.providers.unclear_texts import Topic


@pytest.fixture
def family(empty_database):
    """Sam with Maria, who opted out and is Tess's contact, too, and with Otto, who is on the list; all of it committed."""
    with transaction(empty_database) as session:
        sam, tess = (people.student(session, given=given) for given in ("Sam", "Tess"))
        sam.identifier = "900017"
        maria = people.contact(session, sam, tess, given="Maria", phone="+13125550142")
        otto = people.contact(session, sam, given="Otto", phone="+13125550143")
        messages.send(session, {maria: "delivered", otto: "blocked"}, now=people.NOW)
        for contact in (maria, otto):
            apply_opt_out(session, contact.sis_phone, by="twilio", now=people.NOW)
        add_proved_number(session, otto.id, "+13125550144", now=people.NOW)
        session.add(PhoneNumber(phone="+13125550144", verified_at=people.NOW, verified_how="counter"))
        return sam.id


def leave(engine, student_id):
    with engine.begin() as connection:
        connection.execute(text("UPDATE students SET active = false WHERE id = :id"), {"id": student_id})


def names(engine, model):
    with transaction(engine) as session:
        return sorted(session.scalars(select(model.given_name)))


def test_record_holds_what_is_known_of_one_student_and_no_other(run, tmp_path, empty_database, family):
    path = tmp_path / "record.json"
    done = run("export-record", path, "--student", "900017")
    assert (done.returncode, "delete it" in done.stdout) == (0, True)
    assert path.stat().st_mode & 0o077 == 0
    held = json.loads(path.read_text())
    assert [row["given_name"] for row in held["contacts"]] == ["Maria", "Otto"]
    assert {row["phone"]: row["status"] for row in held["numbers"]} == dict.fromkeys(
        ("+13125550142", "+13125550143"), "opt_out"
    ) | {"+13125550144": None}
    assert [row["phone"] for row in held["tried_numbers"]] == ["+13125550144"]
    assert [row["outcome"] for row in held["messages"]] == ["delivered", "blocked"]
    assert "Tess" not in path.read_text()
    again = run("export-record", path, "--student", "900017")
    assert (again.returncode, is_one_readable_line(again.stderr)) == (1, True)


def test_record_has_the_removals_of_its_student_and_of_no_other(run, tmp_path, empty_database, family):
    with transaction(empty_database) as session:
        clerk = people.actor_of(people.staff(session, "Clara", "Kim"), level=AccessLevel.DISTRICT)
        maria = session.scalars(select(Contact).where(Contact.given_name == "Maria")).one()
        for student in session.scalars(select(Student.id)).all():
            reason, version = RemovalReason.CUSTODY, session.get_one(Contact, maria.id, populate_existing=True).version
            remove_contact(
                session, maria.id, student_id=student, version=version, reason=reason, actor=clerk, now=people.NOW
            )
    run("export-record", tmp_path / "record.json", "--student", "900017")
    history = json.loads((tmp_path / "record.json").read_text())["history"]
    assert [row["after"] for row in history if row["action"] == "contact.removed"] == [f"student {family}"]


def test_record_has_what_the_contacts_texted(run, tmp_path, empty_database, family):
    with transaction(empty_database) as session:
        values = {"phone": "+13125550143", "provider": "twilio", "topic": Topic.OPT_OUT}
        session.add(UnclearText(event_key="1", text="please stop this", received_at=people.NOW, **values))
    run("export-record", tmp_path / "record.json", "--student", "900017")
    held = json.loads((tmp_path / "record.json").read_text())
    assert [(row["phone"], row["text"]) for row in held["texts"]] == [("+13125550143", "please stop this")]


def test_student_in_the_roster_is_not_erased(run, empty_database, family):
    refused = run("forget", "--student", "900017")
    assert (refused.returncode, "next sync would bring them back" in refused.stderr) == (1, True)
    assert names(empty_database, Student) == ["Sam", "Tess"]


def test_dry_run_counts_and_erases_nothing(run, empty_database, family):
    leave(empty_database, family)
    done = run("forget", "--student", "900017", "--dry-run")
    assert done.stdout.startswith("Would be erased: 2 links to contacts, 1 students, ")
    assert (names(empty_database, Student), names(empty_database, Contact)) == (["Sam", "Tess"], ["Maria", "Otto"])


def test_erasing_leaves_the_contact_of_another_student(run, empty_database, family):
    leave(empty_database, family)
    with transaction(empty_database) as session:
        for phone in ("+13125550142", "+13125550143"):
            session.add(UnclearText(provider="twilio", event_key=phone, phone=phone, topic="opt_out", text="no more"))
    done = run("forget", "--student", "900017")
    assert done.returncode == 0, done.stderr
    assert "1 contact has another student here and stays." in done.stdout
    assert (names(empty_database, Student), names(empty_database, Contact)) == (["Tess"], ["Maria"])
    with transaction(empty_database) as session:
        assert session.scalar(select(func.count()).select_from(StudentContact)) == 1
        assert session.scalars(select(Audit.action)).all() == ["student.forgotten"]
        for table in ("phone_numbers", "unclear_texts"):
            assert session.scalars(text(f"SELECT phone FROM {table}")).all() == ["+13125550142"]
        assert session.scalar(text("SELECT count(*) FROM erased_numbers")) == 1


def test_unknown_student_is_said_to_be_unknown(run, empty_database):
    missing = run("forget", "--student", "1")
    assert (missing.returncode, is_one_readable_line(missing.stderr)) == (1, True)


@pytest.fixture
def office(empty_database):
    with transaction(empty_database) as session:
        return people.create_district(session)


def who(run, email, **settings):
    done = run("who", email, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_school_role_sees_its_school(run, empty_database, office):
    with transaction(empty_database) as session:
        people.student(session, at=office.lincoln)
        people.student(session, at=office.roosevelt)
    said = who(run, f" {office.clara.email.upper()} ", EXPORT_ROLES="siteadministrator")
    assert "SIS: Clara Clerk" in said
    assert "siteAdministrator at Lincoln Elementary; teaches 0 classes now." in said
    assert "May see: 1 student of Lincoln Elementary" in said
    assert "May download full numbers: yes" in said


def test_teacher_without_students_is_told_where_to_look(run, empty_database, office):
    with transaction(empty_database) as session:
        people.student(session, at=office.lincoln)
    said = who(run, office.tom.email, EDITOR_ROLES="registrar")
    assert "May see: 0 students of their own classes.\nThe roster has 1 student." in said
    assert "May change contacts: no" in said


def test_address_that_the_sis_does_not_have(run, empty_database, office):
    said = who(run, "new.hire@district.example")
    assert "SIS: no staff record has that address" in said
    assert "May see: nothing. In Slack they read: I can't find new.hire@district.example" in said
    assert "ADMIN_EMAILS, and sees every student" in who(run, "it@district.example", ADMIN_EMAILS="it@district.example")


def test_slack_is_asked(run, slack, empty_database, office):
    said = who(run, office.clara.email, **slack)
    assert said.startswith("Slack: no account here has that address.")
    assert "May see: nothing, until there is a Slack account" in said
