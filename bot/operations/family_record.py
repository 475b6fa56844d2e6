"""What is held about one student, for a parent who asks for the record, and for a family that asks to be erased.

A student is named by student number or sourced_id.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.db.models.roster import Student
from bot.errors import UserError
from bot.operations.families import (
    DELIVERIES_OF_CONTACTS,
    erase_contacts,
    erase_numbers,
    erase_students,
    erase_unused_words,
)

_PARTS = {
    "student": "SELECT sourced_id, identifier AS number, given_name, family_name, grade, active, left_at FROM students WHERE id = :id",
    "schools": "SELECT s.name FROM student_schools l JOIN schools s ON s.id = l.school_id WHERE l.student_id = :id ORDER BY 1",
    "classes": """
        SELECT c.title, e.begins_on, e.ends_on, e.active FROM class_students e JOIN classes c ON c.id = e.class_id
        WHERE e.student_id = :id ORDER BY c.title, e.sourced_id""",
    "contacts": """
        SELECT c.id, c.sourced_id, c.given_name, c.family_name, l.relationship, c.email, c.sis_phone AS phone,
               c.sis_phone_written AS phone_as_written, c.sis_phone_note AS note, c.sis_method AS method, c.sis_contact_id, l.active AS linked,
               c.active
        FROM student_contacts l JOIN contacts c ON c.id = l.contact_id WHERE l.student_id = :id ORDER BY l.priority, c.id""",
    "other_numbers": "SELECT contact_id, phone FROM other_numbers WHERE contact_id = ANY (:ids) ORDER BY contact_id, position",
    "edits": """
        SELECT contact_id, field, base, value, state, made_by, made_at, sis_value, sis_at FROM edits
        WHERE contact_id = ANY (:ids) ORDER BY id""",
    "tried_numbers": "SELECT contact_id, phone, proved_at FROM tried_numbers WHERE contact_id = ANY (:ids) ORDER BY contact_id, phone",
    "removals": """
        SELECT contact_id, reason, made_by, made_at, undone_by, undone_at FROM removals
        WHERE contact_id = ANY (:ids) AND (student_id = :id OR student_id IS NULL) ORDER BY id""",
    "numbers": """
        SELECT phone, status, since, opted_out_at, opted_out_by, opted_in_at, wrong_person_at, wrong_person_by, noted,
               verified_at, verified_how, verified_by
        FROM phone_numbers WHERE phone = ANY (:phones) ORDER BY phone""",
    "messages": f"""
        SELECT contact_id, title, sent_at, phone, outcome, code, final_at
        FROM ({DELIVERIES_OF_CONTACTS}) AS sent ORDER BY sent_at, id""",
    "history": """
        SELECT subject_id AS contact_id, at, actor, action, before, after, reason FROM audit
        WHERE subject_kind = 'contact' AND subject_id = ANY (:ids)
          -- Not that a contact was removed from another student, and why.
          AND NOT (action IN ('contact.removed', 'contact.brought_back')
                   AND coalesce(after LIKE 'student %' AND after <> 'student ' || :id, false))
        ORDER BY id""",
    "questions_to_teachers": """
        SELECT q.asked_at, q.asked_by, m.teacher, q.answer, q.phone, q.note, q.answered_at, q.decision, q.decided_by, q.decided_at
        FROM teacher_questions q JOIN teacher_messages m ON m.id = q.message_id WHERE q.student_id = :id ORDER BY q.id""",
    "texts": """
        SELECT phone, opted_out, NULL AS text, sent_at, received_at FROM opt_out_texts WHERE phone = ANY (:phones)
        UNION ALL
        SELECT phone, answer = 'opt_out', text, NULL, received_at FROM unclear_texts WHERE phone = ANY (:phones)
        ORDER BY received_at""",
}
_CONTACTS = text("SELECT contact_id FROM student_contacts WHERE student_id = :id")
_PHONES = text("""
SELECT sis_phone FROM contacts WHERE id = ANY (:ids) AND sis_phone IS NOT NULL
UNION SELECT phone FROM other_numbers WHERE contact_id = ANY (:ids)
UNION SELECT unnest(ARRAY[base, value]) FROM edits WHERE contact_id = ANY (:ids) AND field = 'phone'
UNION SELECT phone FROM tried_numbers WHERE contact_id = ANY (:ids)
""")
# What the family texted, if no other contact has the number.
_TEXTS = text("""
DELETE FROM unclear_texts t WHERE phone = ANY (:phones) AND NOT EXISTS (SELECT FROM contact_reach r WHERE r.phone = t.phone)
""")
_CODE_TEXTS = text("DELETE FROM code_texts WHERE phone = ANY (:phones)")
# Contacts of no other student; a link that has ended counts as long as the other student is here.
_ONLY_THEIRS = text("""
SELECT contact_id FROM student_contacts l WHERE student_id = :id
AND NOT EXISTS (SELECT FROM student_contacts o WHERE o.contact_id = l.contact_id AND o.student_id <> :id)
ORDER BY contact_id
""")


def find_student(session: Session, identity: str) -> Student:
    """Return the student with this number or sourced_id.

    Raises:
        UserError: there is none, or more than one.
    """
    named = select(Student).where((Student.sourced_id == identity) | (Student.identifier == identity)).limit(2)
    students = session.scalars(named).all()
    if len(students) == 1:
        return students[0]
    if not students:
        sentence = (
            "No student has that number or sourced_id. Nothing is held about a student who was never in the roster."
        )
        raise UserError("record.no_student", sentence)
    raise UserError("record.ambiguous", "Several students have that number. Give the sourced_id of the one you mean.")


def load_record(session: Session, student: Student) -> dict[str, Any]:
    """Return everything that is held about a student and their contacts, as JSON-ready values except for times."""
    params: dict[str, Any] = {"id": student.id, "ids": session.scalars(_CONTACTS, {"id": student.id}).all()}
    params["phones"] = _phones(session, params["ids"])
    return {
        name: [dict(row) for row in session.execute(text(query), params).mappings()] for name, query in _PARTS.items()
    }


def _phones(session: Session, contact_ids: Sequence[int]) -> list[str]:
    """Return every number (E.164) that these contacts have or had."""
    return [phone for phone in session.scalars(_PHONES, {"ids": contact_ids}) if phone]


@dataclass(frozen=True)
class Erased:
    """How many rows of each kind were erased; `kept_contacts` are contacts who stay, as they have another student."""

    rows: Counter[str]
    kept_contacts: int


def forget_student(session: Session, student: Student) -> Erased:
    """Erase a student who left, with the contacts who have no other student and the numbers that no one has then. No sync may run.

    Raises:
        UserError: the student is in the SIS, so that the next sync would bring them back.
    """
    if student.active:
        sentence = (
            "This student is in the student information system, and the next sync would bring them back. Delete them there, run "
            "the sync, then try again. Nothing was erased."
        )
        raise UserError("record.still_active", sentence)
    contacts = session.scalars(_CONTACTS, {"id": student.id}).all()
    only_theirs = session.scalars(_ONLY_THEIRS, {"id": student.id}).all()
    phones = _phones(session, only_theirs)
    rows = erase_students(session, [student.id]) + erase_contacts(session, only_theirs)
    rows["texts"] = session.connection().execute(_TEXTS, {"phones": phones}).rowcount
    rows["texts with a code"] = session.connection().execute(_CODE_TEXTS, {"phones": phones}).rowcount
    rows["numbers"] = erase_numbers(session, phones)
    rows["words of names"] = erase_unused_words(session)
    return Erased(+rows, len(contacts) - len(only_theirs))
