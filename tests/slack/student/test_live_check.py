"""The number in the edit form is checked while it is typed, and nothing that was typed is lost."""

import pytest
from sqlalchemy import update
from support import people, screens
from support.snapshots import normalized

from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import StaffRole
from bot.sandbox.slack.faults import Fault


@pytest.fixture
def sam(session, office):
    """Sam's mother Maria is blocked; Petra, a contact that Clara sees, is out of service; a stranger at Roosevelt opted out."""
    lincoln, roosevelt = office.district.lincoln, office.district.roosevelt
    sam = people.student(session, at=lincoln)
    people.list_contact(session, people.contact(session, sam, phone="+13125550142"))
    petra = people.contact(session, people.student(session, "Kim", at=lincoln), given="Petra", phone="+13125550188")
    session.merge(PhoneNumber(phone=petra.sis_phone, status="inactive", since=people.NOW))
    people.contact(session, people.student(session, "Lee", at=roosevelt), given="Otto", phone="+13125550177")
    session.merge(PhoneNumber(phone="+13125550177", status="opt_out", since=people.NOW, opted_out_at=people.NOW))
    session.commit()
    return sam


@pytest.fixture
def form(office, sam):
    message = office.clara.command("/cleanup", "sam").message
    assert office.clara.press(message, action_id="student.open").ok
    return office.clara.view


def type_number(person, typed):
    person.fill(person.view, {"phone": typed})
    return lines(person)


def lines(person):
    checks = [block["elements"] for block in person.view.blocks if block["block_id"] == "phone.check"]
    return [normalized(element["text"]) for element in checks[0]] if checks else []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("312 555 0", []),
        ("(773) 555-0166", []),
        ("(312) 555-0177", []),
        ("(312) 555-0142", []),
        (
            "312.555.0188",
            [
                "🔴 *Inactive* since <date>. The number is out of service or has changed hands.",
                "☎️ Also used by Petra Rivera.",
            ],
        ),
        (
            "(312) 555-0124",
            ["🔎 Nearly the same as (312) 555-0142. Read it back to the family, to be sure that it is no typo."],
        ),
        ("3125550142 / 7735550199", ["⚠️ That looks like two numbers. Write only one."]),
        (
            "(800) 555-0142",
            ["⚠️ That is a toll-free number, which belongs to a company. Enter the contact's own number."],
        ),
        (
            "(312) 555-0100",
            ["⚠️ That is our own number, which sends the messages. Enter the contact's number."],
        ),
    ],
)
def test_typed_number_is_checked_as_it_stands(office, form, typed, shown):
    assert type_number(office.clara, typed) == shown
    assert office.clara.view.entered["phone"]["value"]["value"] == typed


def test_check_disappears_with_the_number_and_updates_only_then(office, form):
    def updates():
        return sum(call.method == "views.update" for call in office.slack.calls)

    before = updates()
    for typed in ("3", "31", "312 555", "312 555 018"):
        assert type_number(office.clara, typed) == []
    assert updates() == before
    assert type_number(office.clara, "312 555 0188")
    assert type_number(office.clara, "(312) 555-0188")
    assert updates() == before + 1
    assert type_number(office.clara, "") == []
    assert updates() == before + 2


def test_late_check_loses_nothing(office, form):
    office.clara.fill(office.clara.view, {"method": "call"})
    office.slack.faults.inject("views.update", Fault.REFUSED, error="hash_conflict")
    assert type_number(office.clara, "312 555 0188") == []
    assert office.clara.view.entered["phone"]["value"]["value"] == "312 555 0188"
    assert office.clara.view.entered["method"]["value"]["selected_option"]["value"] == "call"
    assert not office.clara.fill(office.clara.view, {"phone": "(773) 555-0166"}).submit().errors


def test_check_after_rights_ended_shows_nothing(office, session, form):
    session.execute(update(StaffRole).values(school_id=office.district.roosevelt.id))
    session.commit()
    assert type_number(office.clara, "312 555 0188") == []


def test_number_with_a_warning_is_saved_all_the_same(office, form):
    assert type_number(office.clara, "(312) 555-0124")
    assert office.clara.fill(office.clara.view, {}).submit().ok
    assert "student.open" in screens.action_ids(office.clara.last())
