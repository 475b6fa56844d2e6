"""The numbers above the list, and the menus: each leads to a list of its own."""

import pytest
from sqlalchemy import update
from support import people, screens

from bot.db.models.edits import Edit
from bot.db.models.messages import ListEntry
from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack.models import text_of


@pytest.fixture
def lincoln(office):
    return office.district.lincoln


@pytest.fixture
def sam(session, lincoln):
    """Sam's only contact is blocked."""
    sam = people.student(session, at=lincoln)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    return sam


@pytest.fixture
def lee(session, lincoln):
    """Lee's mother has a landline, and his father can be texted."""
    lee = people.student(session, "Lee", "Novak", grade="4", at=lincoln)
    people.list_contact(session, people.contact(session, lee, given="Petra", family="Novak"), SmsStatus.LANDLINE)
    people.contact(session, lee, given="Karel", family="Novak")
    session.commit()
    return lee


def fix(session, office, student):
    entry = session.query(ListEntry).join(
        people.StudentContact, people.StudentContact.contact_id == ListEntry.contact_id
    )
    contact_id = entry.filter(people.StudentContact.student_id == student.id).one().contact_id
    session.add(
        Edit(contact_id=contact_id, field="method", value="call", made_by=office.clara.id, made_at=office.now())
    )
    session.execute(update(ListEntry).where(ListEntry.contact_id == contact_id).values(updated_at=office.now()))
    session.commit()
    return contact_id


def after_press(person, message, **criteria):
    assert person.press(message, **criteria).ok
    return person.current(message)


def test_students_without_an_adult_are_one_click_away(office, sam, lee):
    message = office.clara.command("/cleanup").message
    assert "*2 contacts*, 2 students" in text_of(message)
    assert "1 of these students has no adult we can text" in text_of(message)
    shown = after_press(office.clara, message, action_id="list.show.alone")
    assert screens.student_ids(shown) == [sam.id]
    assert "No adult can be texted" in shown.text
    assert "list.show.alone" not in screens.action_ids(shown)


def test_colors_are_buttons_with_counts(office, sam, lee):
    message = office.clara.command("/cleanup").message
    assert "[🔴 Needs a new number: 1]\n[🟡 May still work: 1]" in message.text
    shown = after_press(office.clara, message, text="🟡 May still work: 1")
    assert screens.student_ids(shown) == [lee.id]
    assert not {"list.show.color.red", "list.show.color.yellow"} & screens.action_ids(shown)


def test_two_landlines_are_both(office, session, sam, lee):
    people.list_contact(session, people.contact(session, sam, given="Ola"), SmsStatus.LANDLINE)
    session.commit()
    assert "Switch both landlines to autocalls…" in office.clara.command("/cleanup").message.text


def test_fixed_contacts_come_last_with_a_filter_of_their_own(office, session, sam, lee):
    fix(session, office, sam)
    message = office.clara.command("/cleanup").message
    assert screens.student_ids(message) == [lee.id, sam.id]
    assert "1 of them fixed, waiting for the next message" in text_of(message)
    assert "✏️ *Waiting for the next message*" in text_of(message)
    shown = after_press(office.clara, message, action_id="list.show.fixed")
    assert screens.student_ids(shown) == [sam.id]
    assert screens.student_ids(office.dana.command("/cleanup", "waiting").message) == [sam.id]
    assert screens.student_ids(office.clara.command("/cleanup", "waiting grade 4").message) == []


def test_claims_of_a_person_are_a_list(office, session, sam, lee):
    message = office.clara.command("/cleanup", "sam").message
    assert office.clara.press(message, action_id="student.open").ok
    assert office.clara.press(office.clara.view, action_id="student.all_contacts").ok
    assert office.clara.press(office.clara.view, action_id="claim.take").ok
    for typed in ("mine", "claimed by me"):
        assert screens.student_ids(office.clara.command("/cleanup", typed).message) == [sam.id]
        assert screens.student_ids(office.dana.command("/cleanup", typed).message) == []
    message = office.clara.command("/cleanup").message
    office.clara.choose(message, "Claimed by me", action_id="list.show.who")
    assert screens.student_ids(office.clara.current(message)) == [sam.id]


def test_menu_counts_the_contacts_of_each_status(office, sam, lee):
    message = office.clara.command("/cleanup").message
    menu = next(each for each in screens.elements(message) if each.get("action_id") == "list.show.status")
    shown = {each["text"]["text"]: each.get("description", {}).get("text") for each in menu["options"]}
    assert shown["All red"] == "Needs a new number · 1 contact"
    assert (shown["Blocked"], shown["Landline"], shown["Inactive"]) == ("1 contact", "1 contact", "0 contacts")


def test_teacher_is_chosen_from_a_menu(office, session, sam, lee):
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.school_class(session, office.district.tom, office.district.lincoln, lee)
    session.commit()
    message = office.clara.command("/cleanup", "landline,blocked").message
    office.clara.choose(message, "Ana García", action_id="list.show.taught")
    shown = office.clara.current(message)
    assert screens.student_ids(shown) == [sam.id]
    shown = after_press(office.clara, shown, action_id="list.show.clear")
    assert screens.student_ids(shown) == [sam.id, lee.id]
    assert "list.show.clear" not in screens.action_ids(shown)


def test_own_changes_are_one_click_away(office, session, sam):
    fix(session, office, sam)
    message = office.clara.command("/cleanup").message
    assert "1 change of yours is not yet in the student information system." in text_of(message)
    assert "1 change is pending" in text_of(after_press(office.clara, message, action_id="command.run.0"))


@pytest.fixture
def long_list(session, lincoln):
    """41 students on five pages; one name each begins with Å, B, and a lower-case v."""
    names = ["Åkesson", "Brown", "van der Berg", *(f"Novak{number}" for number in range(38))]
    for name in names:
        people.list_contact(session, people.contact(session, people.student(session, "Kim", name, at=lincoln)))
    session.commit()


def names_shown(message):
    return [
        block["text"]["text"].partition("*")[2].partition("*")[0] for block in message.blocks if "Fix" in str(block)
    ]


def test_long_list_jumps_to_last_names_by_letter(office, long_list):
    message = office.clara.command("/cleanup", "page 3").message
    assert len(screens.options(message, "list.show.letter")) == 5  # Any, A, B, N, and V.
    for letter, name in (("A", "Kim Åkesson"), ("B", "Kim Brown"), ("V", "Kim van der Berg")):
        office.clara.choose(message, f"Last name {letter}…", action_id="list.show.letter")
        message = office.clara.current(message)
        assert names_shown(message) == [name]
    office.clara.choose(message, "Last name N…", action_id="list.show.letter")
    assert "38 contacts" in text_of(office.clara.current(message))
    office.clara.choose(office.clara.current(message), "Any last name", action_id="list.show.letter")
    assert "41 contacts" in text_of(office.clara.current(message))


def test_short_list_has_no_menu_of_letters(office, sam, lee):
    assert "list.show.letter" not in screens.action_ids(office.clara.command("/cleanup").message)


def test_letter_can_be_typed_and_an_unused_one_is_explained(office, long_list):
    assert "Last name B…" in text_of(office.clara.command("/cleanup", "letter b").message)
    answer = text_of(office.clara.command("/cleanup", "letter X").message)
    assert "none of your students has a last name that begins with *X*" in answer
