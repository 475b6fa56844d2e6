"""A person under a new sourced_id stays the same person. Maria is Sam's mother; João is a relative of Sam and Lea."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support import edits, people

from bot.access.rights import AccessLevel
from bot.cleanup_list import tried_numbers
from bot.db.models.roster import Contact, Staff, Student
from bot.errors import UserError
from bot.mass_messages.register import register_message
from bot.sync.hold import SyncHeld

OURS, THIRD = "+13125550199", "+13125550177"


def find(session, model, who):
    return session.scalars(select(model).where(model.sourced_id == who)).one()


def edit(nights, who="maria", **fields):
    with Session(nights.engine) as session, session.begin():
        office = people.actor_of(find(session, Staff, "dana"), level=AccessLevel.DISTRICT)
        edits.change(session, find(session, Contact, who), actor=office, **fields)


def remove(nights, who, student=None):
    with Session(nights.engine) as session, session.begin():
        office = people.actor_of(find(session, Staff, "dana"), level=AccessLevel.DISTRICT)
        edits.remove(session, find(session, Contact, who), student and find(session, Student, student), actor=office)


def list_contact(nights, who):
    with Session(nights.engine) as session, session.begin():
        people.list_contact(session, find(session, Contact, who))


def reissue(nights, old, new, **cells):
    """Give a person another id in every file."""
    for user in nights.tables["users"]:
        agents = [new if agent == old else agent for agent in user.get("agentSourcedIds", "").split(",") if agent]
        user["agentSourcedIds"] = ",".join(agents)
        if user["sourcedId"] == old:
            user.update(sourcedId=new, **cells)
    for name in ("roles", "enrollments"):
        for row in nights.tables[name]:
            if row["userSourcedId"] == old:
                row.update(userSourcedId=new, sourcedId=f"{row['sourcedId']}-{new}")


def row_of(nights, who):
    return nights.rows("SELECT id FROM contacts WHERE sourced_id = :who AND active", who=who)


def test_contact_under_new_id_keeps_edit_removal_and_entry(nights):
    edit(nights, phone=OURS)
    remove(nights, "joao", "sam")
    list_contact(nights, "maria")
    before = row_of(nights, "maria"), row_of(nights, "joao")
    reissue(nights, "maria", "m2")
    reissue(nights, "joao", "j2")
    report = nights.sync()
    assert (report.identity.contacts, report.edits["pending"]) == (2, 1)
    assert (row_of(nights, "m2"), row_of(nights, "j2")) == before
    assert nights.rows("SELECT phone FROM effective_contacts WHERE contact_sourced_id = 'm2'") == [(OURS,)]
    assert nights.rows("SELECT student_sourced_id FROM effective_contacts WHERE contact_sourced_id = 'j2'") == [
        ("lea",)
    ]
    assert nights.rows("SELECT count(*) FROM contacts") == [(2,)]
    assert nights.rows("SELECT c.sourced_id FROM cleanup_list l JOIN contacts c ON c.id = l.contact_id") == [("m2",)]
    assert nights.sync().identity.contacts == 0


def test_reissued_contact_with_our_number_absorbs_the_edit(nights):
    edit(nights, phone=OURS)
    reissue(nights, "maria", "m2", phone=OURS, email="")
    assert nights.sync().edits["absorbed"] == 1
    assert len(row_of(nights, "m2")) == 1


def test_new_number_with_same_email_is_a_conflict_of_the_same_row(nights):
    edit(nights, phone=OURS)
    reissue(nights, "maria", "m2", phone=THIRD)
    assert nights.sync().edits["conflict"] == 1


def test_id_that_goes_back_finds_the_same_row(nights):
    before = row_of(nights, "maria")
    reissue(nights, "maria", "m2")
    nights.sync()
    reissue(nights, "m2", "maria")
    assert nights.sync().identity.contacts == 1
    assert row_of(nights, "maria") == before
    assert nights.rows("SELECT sourced_id FROM former_contact_ids") == [("m2",)]


def test_reissue_alone_changes_only_the_id(nights):
    reissue(nights, "maria", "m2")
    report = nights.sync()
    assert all(not (row.added or row.changed or row.inactive) for row in report.counts.values())


def test_unmatched_edit_is_named_and_holds_the_sync(nights):
    edit(nights, phone=OURS)
    remove(nights, "joao", "sam")
    reissue(nights, "maria", "m2", phone=THIRD, email="new@home.example")
    reissue(nights, "joao", "j2", sms="+13125550188", phone="")
    before = nights.roster()
    with pytest.raises(SyncHeld, match=r"1 edit and 1 removal would be lost: joao \(now j2\?\), maria \(now m2\?\)"):
        nights.sync()
    assert nights.roster() == before
    assert nights.sync(dry_run=True).identity.at_risk
    nights.sync(confirm=True)
    assert nights.active("contacts") == {"m2", "j2"}


def test_two_candidates_are_not_guessed(nights):
    edit(nights, phone=OURS)
    reissue(nights, "maria", "m2")
    nights.add("m3", "Maria", "Rivera", "guardian", phone="(312) 555-0142", agentSourcedIds="sam")
    with pytest.raises(SyncHeld, match=r"1 edit would be lost: maria \(now m2 or m3\?\)"):
        nights.sync()


def test_contact_who_leaves_with_an_edit_does_not_hold(nights):
    edit(nights, phone=OURS)
    nights.leave("maria")
    nights.add("other", "Paula", "Stone", "guardian", phone="(312) 555-0111", agentSourcedIds="sam")
    assert nights.sync().identity.at_risk == ""


def test_student_under_new_id_keeps_contacts_and_removals(nights):
    nights.user("sam")["identifier"] = "9001"
    nights.sync()
    remove(nights, "joao", "sam")
    edit(nights, phone=OURS)
    before = nights.rows("SELECT id FROM students WHERE sourced_id = 'sam'")
    reissue(nights, "sam", "s2")
    reissue(nights, "maria", "m2")
    report = nights.sync()
    assert (report.identity.students, report.identity.contacts) == (1, 1)
    assert nights.rows("SELECT id FROM students WHERE sourced_id = 's2' AND active") == before
    assert nights.links() == {("s2", "m2"), ("s2", "joao"), ("lea", "joao")}
    assert nights.rows("SELECT contact_sourced_id FROM effective_contacts WHERE student_sourced_id = 's2'") == [("m2",)]


def test_second_record_of_a_student_is_pointed_out(nights):
    nights.user("sam")["identifier"] = "9001"
    nights.sync()
    nights.add("sam-b", "Sam", "Rivera", "student", identifier="9001")
    assert nights.sync().identity.second_records == ("sam and sam-b",)
    assert nights.sync().identity.second_records == ()


def test_killed_sync_finds_the_same_people_again(nights):
    edit(nights, phone=OURS)
    before = row_of(nights, "maria")
    reissue(nights, "maria", "m2", phone=THIRD)

    def fail_after_contacts(step, _done, _total):
        if step == "student_contacts":
            raise UserError("test.killed", "Killed.")

    with pytest.raises(UserError):
        nights.sync(progress=fail_after_contacts)
    nights.sync()
    assert row_of(nights, "m2") == before


def test_deliveries_find_a_contact_under_both_ids(nights):
    edit(nights, phone=OURS)
    register(nights, "maria")
    reissue(nights, "maria", "m2")
    nights.sync()
    assert [register(nights, who).already for who in ("maria", "m2")] == [1, 1]
    assert nights.rows("SELECT contact_sourced_id FROM deliveries") == [("maria",)]
    with Session(nights.engine) as session, session.begin():
        tried_numbers.add_numbers_of_message(session, "closing")
    assert nights.rows("SELECT phone FROM tried_numbers") == [(OURS,)]


def register(nights, who):
    delivery = {"contact": who, "to": OURS, "provider": "twilio", "provider_id": "SM1"}
    message = {"id": "closing", "title": "Closed", "sent_at": people.NOW.isoformat(), "deliveries": [delivery]}
    with Session(nights.engine) as session, session.begin():
        return register_message(session, message, now=people.NOW, settle_after=timedelta(days=3), region="US")
