"""`/cleanup pending`, and the files that only the registrar's roles get, in their own direct messages."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from support import edits, people
from support import surfaces as doors

from bot.access import Reach
from bot.db.models.edits import Audit
from bot.db.models.roster import Student, StudentContact
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def settings_changed():
    return {"export_roles": "siteAdministrator"}


@pytest.fixture
def changed(session, office):
    """Clara gave Maria another number; Ana teaches Sam."""
    lincoln = office.district.lincoln
    clara = replace(people.acting(office.district.clara, reach=Reach.SCHOOLS, at=(lincoln,)), user_id=office.clara.id)
    sam = people.student(session, at=lincoln)
    people.school_class(session, office.district.ana, lincoln, sam)
    maria = people.contact(session, sam, phone="+13125550142")
    edits.change(session, maria, phone="(312) 555-0199", actor=clara)
    session.commit()
    return maria


def pending(person, whose=""):
    return person.command("/cleanup", f"pending {whose}").message


def files(office):
    return {file.name: file.content.decode("utf-8") for file in office.slack.files.values()}


def press(office, person, message, action_id):
    done = person.press(message, action_id=action_id)
    office.settled()
    return done


def test_everybody_sees_what_waits_of_their_students_with_masked_numbers(office, changed):
    said = text_of(pending(office.ana))
    assert "*1 change waits*: 1 new number." in said
    assert "Maria Rivera" in said
    assert "Sam Rivera" in said
    assert "0142" in said
    assert "(312) 555" not in said
    assert "Nothing is waiting" in text_of(pending(office.tom))


def test_nothing_that_waits_is_good_news(office):
    assert "✅" in text_of(pending(office.clara))


def test_the_registrar_gets_the_change_sheet_in_a_direct_message(office, changed, session):
    assert press(office, office.clara, pending(office.clara), "changes.sheet").ok
    (name, content), *_ = files(office).items()
    assert name.startswith("contact-changes-")
    assert "Rivera" not in name
    assert "(312) 555-0199" in content
    (sent,) = (message for message in office.clara.messages() if message.files)
    assert [file.name for file in sent.files] == [name]
    assert "1 change in this file.\nEnter what it says in the student information system." in text_of(sent)
    assert "I sent it to you" in text_of(office.clara.last())
    said = session.execute(select(Audit.actor, Audit.after).where(Audit.action == "changes.exported"))
    assert [tuple(row) for row in said] == [(office.clara.id, "sheet: 1 change")]


def test_powerschool_s_file_is_sent_the_same_way(office, changed):
    assert press(office, office.clara, pending(office.clara), "changes.powerschool").ok
    assert "phoneNumberAsEntered" in next(iter(files(office).values()))
    assert "Import it with PowerSchool" in "".join(text_of(message) for message in office.clara.messages())


def test_a_file_that_cannot_be_made_is_told_with_a_reference_and_its_fault_logged_without_its_words(
    office, changed, session, caplog
):
    message = pending(office.clara)
    session.execute(text("ALTER TABLE audit ADD CONSTRAINT broken CHECK (false) NOT VALID"))
    session.commit()
    press(office, office.clara, message, "changes.sheet")
    session.execute(text("ALTER TABLE audit DROP CONSTRAINT broken"))
    session.commit()
    assert "report reference" in text_of(office.clara.last())
    assert files(office) == {}
    assert "CheckViolation" not in caplog.text


def test_who_may_not_export_has_no_button_and_a_button_of_somebody_else_s_does_nothing(office, changed):
    assert "changes.sheet" not in str(pending(office.ana).blocks)
    pending(office.clara)
    doors.copy_screen(office.slack, of=office.clara, to=office.ana)
    press(office, office.ana, office.ana.last(), "changes.sheet")
    assert files(office) == {}
    assert "other roles" in text_of(office.ana.last())


@pytest.mark.parametrize("settings_changed", [{}])
def test_without_the_setting_nobody_gets_a_file_not_even_an_admin(office, changed):
    for person in (office.clara, office.adam):
        assert "changes.sheet" not in str(pending(person).blocks)


@pytest.fixture
def in_grade_2(session, office, changed):
    """Eleven more students of Lincoln with a changed contact each, all of grade 2."""
    lincoln = office.district.lincoln
    clara = replace(people.acting(office.district.clara, reach=Reach.SCHOOLS, at=(lincoln,)), user_id=office.clara.id)
    for number in range(11):
        kid = people.student(session, f"Kid{number}", grade="2", at=lincoln)
        edits.change(session, people.contact(session, kid, phone=f"+131255502{number:02}"), phone=None, actor=clara)
    session.commit()


def test_what_waits_is_narrowed_as_a_forecast_is_and_so_is_its_file(office, session, in_grade_2):
    assert "*12 changes wait*" in text_of(pending(office.clara))
    of_grade = pending(office.clara, "grade 2")
    assert "*11 changes wait*" in text_of(of_grade)
    assert "Sam Rivera" not in text_of(of_grade)
    press(office, office.clara, of_grade, "changes.sheet")
    (content,) = files(office).values()
    assert content.count("Kid") == 11
    assert "Sam Rivera" not in content
    (sent,) = (message for message in office.clara.messages() if message.files)
    assert "11 changes in this file, of these students only: *Grade 2*." in text_of(sent)
    assert session.scalar(select(Audit.reason).where(Audit.action == "changes.exported")) == "grade 2"


def test_every_change_that_waits_is_on_one_of_the_pages(office, in_grade_2):
    first = pending(office.clara, "school lincoln")
    assert "Page 1 of 2." in text_of(first)
    assert office.clara.press(first, action_id="command.run.0").ok
    second = office.clara.again(first)
    assert "Page 2 of 2." in text_of(second)
    kids = ["Sam Rivera", *(f"Kid{number} Rivera" for number in range(11))]
    assert sorted(kid for page in (first, second) for kid in kids if f"{kid}\n" in text_of(page)) == sorted(kids)


def test_the_last_page_is_drawn_again_without_the_change_that_was_undone(office, in_grade_2):
    last = pending(office.clara, "grade 2 page 9")
    assert "Page 2 of 2." in text_of(last)
    assert office.clara.press(last, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="edit.undo").ok
    office.settled()
    said = text_of(office.clara.again(last))
    assert "*10 changes wait*" in said
    assert "Page" not in said


def test_a_filter_that_is_as_long_as_can_be_leaves_room_for_the_changes(office, session, in_grade_2):
    long = f'teacher "{"garcia " * 42}" school "{"lincoln " * 37}" grade 2'
    people.school_class(session, office.district.ana, office.district.lincoln, *session.scalars(select(Student)))
    session.commit()
    first = pending(office.clara, long)
    assert "*11 changes wait*" in text_of(first)
    assert office.clara.press(first, action_id="command.run.0").ok
    assert "Page 2 of 2." in text_of(office.clara.again(first))


def test_what_changes_are_not_found_by_is_said_to_be_left_out(office, changed):
    for typed in ("blocked", "sam"):
        said = text_of(pending(office.clara, typed))
        assert "left out" in said
        assert "*1 change waits*" in said
    assert "I did not understand" in text_of(pending(office.clara, "grade 99"))


def test_that_nothing_waits_of_some_students_is_told_from_that_none_is_so(office, session, changed):
    people.student(session, "Kai", grade="1", at=office.district.lincoln)
    session.commit()
    assert "none of your students" in text_of(pending(office.clara, "grade 12"))
    assert "Nothing is waiting of these students" in text_of(pending(office.clara, "grade 1"))


@pytest.fixture
def disputed(session, office, changed):
    """The SIS has a third number for Maria by now."""
    edits.sis_says(session, changed, "+13125550177")
    session.commit()


def test_the_student_is_opened_from_the_change_and_the_change_is_gone_once_one_chose(office, disputed):
    message = pending(office.clara)
    assert "Open the student to choose." in text_of(message)
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="conflict.take_sis").ok
    office.settled()
    assert "✅ Nothing is waiting" in text_of(office.clara.again(message))


def test_the_student_is_opened_from_the_home_tab_too(office, disputed):
    office.clara.open_home()
    assert office.clara.press(office.clara.home, text="Open…").ok
    assert office.clara.press(office.clara.view, action_id="conflict.keep_ours").ok
    office.settled()
    assert "⚖️" not in text_of(office.clara.home)


def test_the_student_that_is_opened_is_ones_own(office, session, changed):
    kai = people.student(session, "Kai", "Abbot", at=office.district.roosevelt)
    session.add(StudentContact(student_id=kai.id, contact_id=changed.id, relationship="parent", priority=1))
    session.commit()
    office.ana.press(pending(office.ana), action_id="student.open")
    assert "Sam Rivera" in text_of(office.ana.view)
