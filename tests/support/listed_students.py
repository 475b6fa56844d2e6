"""The rows of `listed_students` worked out in Python from the tables that the SIS, staff, and mass messages write."""

from sqlalchemy import select, text

from bot.db.models.listed_students import ALL_FIXED, WAITING, ListedStudent
from bot.domain.grade import LEVELS
from bot.domain.sms_status import WORK_ORDER

IN_FORCE = {"pending", "conflict"}


def stored_rows(connection):
    table = ListedStudent.__table__
    return {row.student_id: row._asdict() for row in connection.execute(select(table))}


def expected_rows(connection):
    tables = {
        name: connection.execute(text(f"SELECT * FROM {name}")).all()
        for name in (
            *("students", "contacts", "student_contacts", "edits", "removals"),
            *("phone_numbers", "tried_numbers", "cleanup_list"),
        )
    }
    rows = (_expected_row(student, tables) for student in tables["students"] if student.active)
    return {row["student_id"]: row for row in rows if row["contact_ids"]}


def _expected_row(student, tables):
    adults = [contact for contact in tables["contacts"] if _is_linked(contact, student, tables)]
    reach = [_reach(contact, tables) for contact in adults]
    ids = {contact.id for contact in adults}
    entries = sorted(
        (entry.contact_id, entry.status, entry.updated_at is not None)
        for entry in tables["cleanup_list"]
        if entry.contact_id in ids
    )
    textable, other_ways = reach.count("text"), "other" in reach
    return {
        "student_id": student.id,
        "given_name": student.given_name,
        "family_name": student.family_name,
        "grade": student.grade,
        "grade_order": _position(LEVELS, student.grade),
        "textable": textable,
        "other_ways": other_ways,
        "need": WAITING if all(fixed for _, _, fixed in entries) else 2 if textable else int(other_ways),
        "contact_ids": [contact_id for contact_id, _, _ in entries],
        "statuses": [status for _, status, _ in entries],
        "waits": [fixed for _, _, fixed in entries],
        "worst": min(
            (ALL_FIXED if fixed else _position(WORK_ORDER, status) for _, status, fixed in entries), default=None
        ),
    }


def _position(order, value):
    return order.index(value) + 1 if value in order else len(order) + 1


def _is_linked(contact, student, tables):
    removed = any(
        removal.contact_id == contact.id and removal.student_id in {None, student.id} and removal.undone_at is None
        for removal in tables["removals"]
    )
    linked = any(
        (link.student_id, link.contact_id, link.active) == (student.id, contact.id, True)
        for link in tables["student_contacts"]
    )
    return linked and contact.active and not removed


def _reach(contact, tables):
    """Return how a contact is reached: `text`, `other` (a call or an email), or None."""
    edits = {
        edit.field: edit.value for edit in tables["edits"] if edit.contact_id == contact.id and edit.state in IN_FORCE
    }
    phone, method = edits.get("phone", contact.sis_phone), edits.get("method", contact.sis_method)
    tried = [row for row in tables["tried_numbers"] if (row.contact_id, row.phone) == (contact.id, phone)]
    may_show = "phone" not in edits or tried
    number = next((number for number in tables["phone_numbers"] if number.phone == phone and may_show), None)
    status = number.status if number and number.status != "wrong_person" else None
    is_parked = number and number.wrong_person_at and not any(row.proved_at for row in tried)
    if number and (number.opted_out_at or is_parked):
        status = "opt_out" if number.opted_out_at else "wrong_person"
    elif number and number.noted:
        status = "opt_out" if number.noted == "refused" else "inactive"
    if method == "text":
        return "text" if phone and not status else None
    if method == "call":
        return "other" if phone and status not in {"inactive", "wrong_person"} else None
    return "other" if contact.email else None
