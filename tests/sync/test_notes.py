"""Notes beside numbers: kept, shown, and never texted against, for every contact with the number, until staff allow it."""

import pytest
from sqlalchemy.orm import Session
from support import people
from support.listed_students import expected_rows, stored_rows
from support.sis_nights import reasons

from bot.access.rights import AccessLevel
from bot.contact_edits.noted_number import allow_texts
from bot.errors import UserError
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.wrong_person import park_numbers
from bot.sync.hold import SyncHeld

CELLS = {
    "312-555-0177 DO NOT TEXT": ("opt_out", "DO NOT TEXT"),
    "court order - do not contact 312-555-0177": ("opt_out", "court order - do not contact"),
    "312-555-0177 (disconnected)": ("inactive", "disconnected"),
    "WRONG NUMBER 312-555-0177": ("inactive", "WRONG NUMBER"),
    "312-555-0177 no llamar": ("opt_out", "no llamar"),
    "(312) 155-0177": ("inactive", None),
}


def view_of(nights, sourced_id):
    select = "SELECT phone, sms_status, opted_out FROM effective_contacts WHERE contact_sourced_id = :id LIMIT 1"
    return nights.rows(select, id=sourced_id)[0]


def note_of(nights, sourced_id):
    return nights.rows("SELECT sis_phone_note FROM contacts WHERE sourced_id = :id", id=sourced_id)[0][0]


def entries(nights):
    return dict(nights.rows("SELECT c.sourced_id, l.status FROM cleanup_list l JOIN contacts c ON c.id = l.contact_id"))


def write_phone(nights, sourced_id, cell):
    nights.user(sourced_id).update(sms="", phone=cell)


def allow(nights, sourced_id):
    with Session(nights.engine) as session:
        clerk = people.actor_of(people.staff(session, "Clara", "Kim"), level=AccessLevel.DISTRICT, user_id="UCLARA")
        contact_id, version, student_id = nights.rows(
            "SELECT c.id, c.version, l.student_id FROM contacts c JOIN student_contacts l ON l.contact_id = c.id "
            "WHERE c.sourced_id = :id LIMIT 1",
            id=sourced_id,
        )[0]
        phone = allow_texts(session, contact_id, version=version, actor=clerk, student_id=student_id, now=nights.now)
        session.commit()
    return phone


@pytest.mark.parametrize(("cell", "status", "note"), [(cell, *right) for cell, right in CELLS.items()], ids=CELLS)
def test_note_stops_texts_the_same_night_until_staff_allow_them(nights, cell, status, note):
    write_phone(nights, "maria", cell)
    report = nights.sync()
    phone, sms_status, opted_out = view_of(nights, "maria")
    assert (sms_status, opted_out, note_of(nights, "maria")) == (status, True, note)
    assert entries(nights) == {"maria": status}
    assert [reason[2] for reason in reasons(report)] == ["phone"]
    nights.sync()
    assert allow(nights, "maria") == phone
    assert view_of(nights, "maria") == (phone, None, False)
    assert entries(nights) == {}
    nights.sync()
    assert view_of(nights, "maria") == (phone, None, False)
    assert [action for (action,) in nights.rows("SELECT action FROM audit WHERE action LIKE 'note.%'")] == [
        "note.overruled"
    ]
    with pytest.raises(UserError):
        allow(nights, "maria")


def test_another_note_stops_texts_again(nights):
    write_phone(nights, "maria", "312-555-0177 old")
    nights.sync()
    allow(nights, "maria")
    write_phone(nights, "maria", "312-555-0177 court order")
    nights.sync()
    assert view_of(nights, "maria")[1:] == ("opt_out", True)


def test_note_that_the_sis_deletes_stops_no_texts(nights):
    write_phone(nights, "maria", "312-555-0177 do not text")
    nights.sync()
    write_phone(nights, "maria", "312-555-0177")
    nights.sync()
    assert view_of(nights, "maria") == ("+13125550177", None, False)
    assert entries(nights) == {}


def test_note_concerns_every_contact_with_the_number(nights):
    write_phone(nights, "maria", "312-555-0177 do not text")
    write_phone(nights, "joao", "312-555-0177")
    nights.sync()
    assert view_of(nights, "joao")[1:] == ("opt_out", True)
    with nights.engine.connect() as connection:
        assert stored_rows(connection) == expected_rows(connection)


@pytest.mark.parametrize("status", ["opt_out", "wrong_person"])
def test_number_that_was_refused_before_its_contact_came_is_listed_the_same_night(nights, status):
    with Session(nights.engine) as session:
        if status == "opt_out":
            apply_opt_out(session, "+13125550177", by="twilio", now=nights.now)
        else:
            park_numbers(session, {"+13125550177": nights.now}, by="twilio", now=nights.now)
        session.commit()
    write_phone(nights, "maria", "312-555-0177")
    nights.sync()
    assert view_of(nights, "maria")[1:] == (status, True)
    assert entries(nights) == {"maria": status}


def test_harmless_note_is_kept_and_changes_nothing(nights):
    write_phone(nights, "maria", "312-555-0177 mom")
    report = nights.sync()
    assert view_of(nights, "maria") == ("+13125550177", None, False)
    assert note_of(nights, "maria") == "mom"
    assert report.notes == {"kept": 1}
    assert reasons(report) == []


def test_other_number_is_taken_where_the_first_is_dead(nights):
    nights.user("maria").update(sms="312-555-0177 old", phone="312-555-0178")
    nights.sync()
    assert view_of(nights, "maria") == ("+13125550178", None, False)
    assert note_of(nights, "maria") == "old"


def test_refusal_beside_either_number_counts(nights):
    nights.user("maria").update(sms="312-555-0177", phone="312-555-0178 do not contact")
    nights.sync()
    assert view_of(nights, "maria") == ("+13125550177", "opt_out", True)


def test_number_that_no_one_can_have_is_listed_the_same_night(nights):
    write_phone(nights, "maria", "555-555-5555")
    nights.sync()
    assert entries(nights) == {"maria": "no_number"}


def test_note_of_the_contacts_file_is_kept_through_the_night(nights):
    header = "Student_id,Contact_first_name,Contact_last_name,Contact_phone,Contact_phone_type"
    path = nights.folder.parent / "families.csv"
    path.write_text(f"{header}\nsam,Pat,Lee,3125550178 DO NOT TEXT,Cell\nsam,Pat,Lee,3125550179,Home\n")
    nights.sync(contacts=path)
    assert nights.rows("SELECT sis_phone, sis_phone_note, sis_note_kind FROM contacts WHERE given_name = 'Pat'") == [
        ("+13125550178", "DO NOT TEXT", "refused")
    ]
    nights.sync()
    assert nights.rows("SELECT opted_out FROM effective_contacts WHERE given_name = 'Pat'") == [(True,)]


NOTED = "Contact ID,First Name,Last Name,Phone Number,Student Number,Relationship Type,Contact Priority Order,Relationship Note"
LINES = (
    "501,Maria,Rivera,312-555-0177,sam,Mother,1,DO NOT CONTACT - court order",
    "502,João,Sousa,,sam,Father,2,do not text",
)


def write_contacts(nights, *lines):
    path = nights.folder.parent / "families.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_refusal_of_the_contacts_file_stays_where_the_file_is_missing(nights):
    nights.sync(contacts=write_contacts(nights, NOTED, *LINES))
    assert [view_of(nights, who)[1:] for who in ("maria", "joao")] == [("opt_out", True)] * 2
    notes = [note_of(nights, who) for who in ("maria", "joao")]
    for _ in range(2):
        nights.sync()
        assert [view_of(nights, who)[1:] for who in ("maria", "joao")] == [("opt_out", True)] * 2
        assert [note_of(nights, who) for who in ("maria", "joao")] == notes


def test_column_of_refusals_that_is_missing_holds_the_sync(nights):
    nights.sync(contacts=write_contacts(nights, NOTED, *LINES))
    without_notes = [line.rpartition(",")[0] for line in (NOTED, *LINES)]
    with pytest.raises(SyncHeld, match="2 of 2 contacts with a note against texts would be texted again"):
        nights.sync(contacts=write_contacts(nights, *without_notes))
    assert view_of(nights, "maria")[1:] == ("opt_out", True)


def test_column_that_is_not_read_is_named_once(nights):
    nights.sync()
    for user in nights.tables["users"]:
        user["metadata.custody"] = "x"
    report = nights.sync()
    assert reasons(report) == [
        ("users.csv", None, "metadata.custody", "is a column that is not read; nothing in it was used")
    ]
    assert reasons(nights.sync()) == reasons(report)
