"""`/cleanup pending`, and the files that only export roles get, in their own direct messages."""

import pytest
from sqlalchemy import select, text
from support import edits, people, screens, surfaces
from support.snapshots import draw, normalized

from bot.db.models.edits import Audit
from bot.db.models.roster import Student, StudentContact
from bot.sandbox.slack.models import text_of

SHEET, POWERSCHOOL = "changes.sheet", "changes.powerschool"
GOOD = "✅"


@pytest.fixture
def settings_changed():
    return {"export_roles": "siteAdministrator"}


@pytest.fixture
def maria(session, office):
    """Clara gave Maria another number; Ana teaches Sam, Maria's child."""
    lincoln = office.district.lincoln
    sam = people.student(session, at=lincoln)
    people.school_class(session, office.district.ana, lincoln, sam)
    maria = people.contact(session, sam, phone="+13125550142")
    maria.sis_contact_id, maria.is_powerschool_id = "501", True
    edits.change(session, maria, phone="(312) 555-0199", actor=surfaces.clerk(office))
    session.commit()
    return maria


@pytest.fixture
def grade_2(session, office, maria):
    """The ids of eleven more students of Lincoln, all of grade 2, with a changed contact each."""
    kids = [people.student(session, f"Kid{number}", grade="2", at=office.district.lincoln) for number in range(11)]
    for number, kid in enumerate(kids):
        contact = people.contact(session, kid, phone=f"+131255502{number:02}")
        edits.change(session, contact, phone=None, actor=surfaces.clerk(office))
    session.commit()
    return {kid.id for kid in kids}


@pytest.fixture
def conflict(session, maria):
    """The SIS has a third number for Maria by now."""
    edits.sync_phone(session, maria, "+13125550177")
    session.commit()


def pending(person, narrowed_by=""):
    return person.command("/cleanup", f"pending {narrowed_by}").message


def files(office):
    return {file.name: file.content.decode("utf-8") for file in office.slack.files.values()}


def file_message(person):
    (message,) = (message for message in person.messages() if message.files)
    return message


def count_line(message):
    """Return the line that says how many changes are pending."""
    return next(line for line in text_of(message).splitlines() if "pending" in line and "*" in line)


def test_staff_see_changes_of_their_own_students_with_masked_numbers(office, maria, snapshot):
    message = pending(office.ana)
    assert "(312) 555" not in text_of(message)
    assert SHEET not in screens.action_ids(message)
    assert draw(message) == snapshot
    assert screens.student_ids(pending(office.tom)) == []


def test_no_pending_change_is_good_news(office, session, snapshot):
    people.student(session, at=office.district.lincoln)
    session.commit()
    assert draw(pending(office.clara)) == snapshot


def test_change_sheet_arrives_in_a_direct_message(office, maria, session, snapshot):
    assert office.clara.press(pending(office.clara), action_id=SHEET).ok
    ((name, content),) = files(office).items()
    assert name.startswith("contact-changes-")
    assert "Rivera" not in name
    assert "(312) 555-0199" in content
    assert [file.name for file in file_message(office.clara).files] == [name]
    assert normalized(text_of(file_message(office.clara))) == snapshot(name="comment")
    assert draw(office.clara.last()) == snapshot(name="answer")
    exported = session.execute(select(Audit.actor, Audit.after).where(Audit.action == "changes.exported"))
    assert [tuple(row) for row in exported] == [(office.clara.id, "sheet: 1 change")]


def test_powerschool_file_arrives_in_a_direct_message(office, maria, snapshot):
    assert office.clara.press(pending(office.clara), action_id=POWERSCHOOL).ok
    (content,) = files(office).values()
    assert "phoneNumberAsEntered" in content
    assert normalized(text_of(file_message(office.clara))) == snapshot


def test_powerschool_file_without_ids_of_powerschool_is_refused_in_words(office, session, maria):
    maria.is_powerschool_id = False
    session.commit()
    office.clara.press(pending(office.clara), action_id=POWERSCHOOL)
    assert files(office) == {}
    assert "with the column Contact ID" in text_of(office.clara.last())


def test_failed_file_is_answered_with_a_reference_and_logs_no_data(office, maria, session, caplog):
    message = pending(office.clara)
    session.execute(text("ALTER TABLE audit ADD CONSTRAINT broken CHECK (false) NOT VALID"))
    session.commit()
    office.clara.press(message, action_id=SHEET)
    session.execute(text("ALTER TABLE audit DROP CONSTRAINT broken"))
    session.commit()
    assert "report reference" in text_of(office.clara.last())
    assert files(office) == {}
    assert "CheckViolation" not in caplog.text


def test_staff_without_an_export_role_get_no_file(office, maria):
    assert SHEET not in screens.action_ids(pending(office.ana))
    pending(office.clara)
    surfaces.copy_screen(office.slack, of=office.clara, to=office.ana)
    office.ana.press(office.ana.last(), action_id=SHEET)
    assert files(office) == {}
    assert "other roles" in text_of(office.ana.last())


@pytest.mark.parametrize("settings_changed", [{}])
def test_without_export_roles_not_even_an_admin_gets_a_file(office, maria):
    for person in (office.clara, office.adam):
        assert SHEET not in screens.action_ids(pending(person))


def test_filter_narrows_the_changes_and_their_file(office, session, grade_2, snapshot):
    assert count_line(pending(office.clara)).startswith("*12 ")
    message = pending(office.clara, "grade 2")
    assert count_line(message).startswith("*11 ")
    assert set(screens.student_ids(message)) < grade_2
    office.clara.press(message, action_id=SHEET)
    (content,) = files(office).values()
    assert content.count("Kid") == 11
    assert "Sam Rivera" not in content
    assert normalized(text_of(file_message(office.clara))) == snapshot
    assert session.scalar(select(Audit.reason).where(Audit.action == "changes.exported")) == "grade 2"


def test_every_change_is_on_one_of_the_pages(office, session, grade_2):
    first = pending(office.clara, "school lincoln")
    assert office.clara.press(first, action_id="command.run.0").ok
    second = office.clara.current(first)
    everyone = grade_2 | set(session.scalars(select(Student.id).where(Student.given_name == "Sam")))
    assert sorted(screens.student_ids(first) + screens.student_ids(second)) == sorted(everyone)


def test_last_page_is_redrawn_without_a_change_that_was_undone(office, grade_2, snapshot):
    last = pending(office.clara, "grade 2 page 9")
    assert len(screens.student_ids(last)) == 1
    assert draw(last) == snapshot
    assert office.clara.press(last, action_id="student.show").ok
    assert office.clara.press(office.clara.view, action_id="edit.undo").ok
    redrawn = office.clara.current(last)
    assert count_line(redrawn).startswith("*10 ")
    assert "command.run.0" not in screens.action_ids(redrawn)


def test_very_long_filter_leaves_space_for_the_changes(office, session, grade_2):
    long = f'teacher "{"garcia " * 42}" school "{"lincoln " * 37}" grade 2'
    people.school_class(session, office.district.ana, office.district.lincoln, *session.scalars(select(Student)))
    session.commit()
    first = pending(office.clara, long)
    assert count_line(first).startswith("*11 ")
    assert office.clara.press(first, action_id="command.run.0").ok
    assert screens.student_ids(office.clara.current(first))


def test_words_that_cannot_narrow_the_changes_are_left_out(office, maria):
    for typed in ("blocked", "sam"):
        message = pending(office.clara, typed)
        assert "left out" in text_of(message)
        assert count_line(message).startswith("*1 ")
    assert "I did not understand" in text_of(pending(office.clara, "grade 99"))


def test_no_change_of_some_students_differs_from_no_such_student(office, session, maria):
    people.student(session, "Kai", grade="1", at=office.district.lincoln)
    session.commit()
    unknown, unchanged = (text_of(pending(office.clara, typed)) for typed in ("grade 12", "grade 1"))
    assert "none of your students" in unknown
    assert GOOD not in unknown
    assert GOOD in unchanged


def test_conflict_is_resolved_from_the_pending_change(office, conflict, snapshot):
    message = pending(office.clara)
    assert draw(message) == snapshot
    assert office.clara.press(message, action_id="student.show").ok
    assert office.clara.press(office.clara.view, action_id="conflict.take_sis").ok
    redrawn = office.clara.current(message)
    assert screens.student_ids(redrawn) == []
    assert GOOD in text_of(redrawn)


def test_conflict_is_resolved_from_the_home_tab(office, conflict):
    office.clara.open_home()
    assert office.clara.press(office.clara.home, text="Open…").ok
    assert office.clara.press(office.clara.view, action_id="conflict.keep_ours").ok
    assert "⚖️" not in text_of(office.clara.home)


def test_number_with_the_same_last_digits_is_called_new(office, session, maria):
    edits.change(session, maria, phone="(773) 555-0142", actor=surfaces.clerk(office))
    session.commit()
    assert "••• 0142 → a new number with the same last four digits" in text_of(pending(office.clara))


def test_change_opens_a_student_the_person_may_see(office, session, maria):
    kai = people.student(session, "Kai", "Abbot", at=office.district.roosevelt)
    session.add(StudentContact(student_id=kai.id, contact_id=maria.id, relationship="parent", priority=1))
    session.commit()
    office.ana.press(pending(office.ana), action_id="student.show")
    assert office.ana.view.body["title"]["text"] == "Sam Rivera"
