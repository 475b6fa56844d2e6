"""The statements that count a mass message, whole or narrowed by a filter. What a filter leaves open is not in them at all.

A contact counts for the students that the SIS gives it: one that was removed here since was texted all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, TextClause, func, select, text
from sqlalchemy.orm import Session

from bot.cleanup_list.evidence import is_sender_fault
from bot.cleanup_list.student_filter import narrow_students
from bot.db.models.messages import ListEntry
from bot.db.models.roster import Student, StudentContact
from bot.db.models.views import NOT_REMOVED, has_textable_adult
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import STUDENT_CRITERIA, Filter

# Unconfirmed without `final_at` is silence, which a late receipt may still break.
_NOT_KNOWN = "outcome = 'pending' OR (outcome = 'unconfirmed' AND final_at IS NULL)"
_OUR_FAULT = f"outcome = 'not_contact_problem' OR {is_sender_fault('d', 'm')}"
_AS_STATUS = f""",
       count(*) FILTER (WHERE outcome = ANY(:statuses) AND NOT ({_NOT_KNOWN}) AND NOT ({_OUR_FAULT})) AS not_reached"""
_TO_STUDENTS = """ AND d.contact_sourced_id IN (
    SELECT c.sourced_id FROM student_contacts l JOIN contacts c ON c.id = l.contact_id
    WHERE l.active AND l.student_id = ANY(:students))"""
# Whoever is still on the list is so with those students from whom nobody removed them; who joined or left did so with all they had.
_LINKED = f"l.active AND (moves.move <> 'still' OR {NOT_REMOVED})"
_OF_STUDENTS = f"""contact_id IN (
    SELECT l.contact_id FROM student_contacts l WHERE {_LINKED} AND l.student_id = ANY(:students))"""

_MOVES = """
moves AS (
    SELECT contact_id, 'joined' AS move, after AS status, FALSE AS fixed FROM list_changes
    WHERE mass_message_id = :message AND move = 'joined'
    UNION ALL
    SELECT contact_id, 'left', before, fixed_by IS NOT NULL FROM list_changes
    WHERE mass_message_id = :message AND move = 'left'
    UNION ALL
    SELECT e.contact_id, 'still', e.status, FALSE FROM cleanup_list e
    WHERE NOT EXISTS (
        SELECT FROM list_changes c
        WHERE c.mass_message_id = :message AND c.contact_id = e.contact_id AND c.move = 'joined')
)"""


@dataclass(frozen=True)
class CountScope:
    """What a filter means today: `students` is None for all of them, `statuses` empty for any."""

    which: Filter
    today: date
    students: Sequence[int] | None

    @property
    def values(self) -> dict[str, Any]:
        students = {} if self.students is None else {"students": list(self.students)}
        return students | ({"statuses": [str(one) for one in self._statuses]} if self._statuses else {})

    @property
    def _statuses(self) -> tuple[SmsStatus, ...]:
        return self.which.statuses

    @property
    def _to_students(self) -> str:
        return "" if self.students is None else _TO_STUDENTS

    def deliveries(self) -> TextClause:
        """sent, delivered, not_known, our_fault; and not_reached where SMS statuses narrow it."""
        return text(f"""
SELECT count(*) AS sent,
       count(*) FILTER (WHERE outcome = 'delivered') AS delivered,
       count(*) FILTER (WHERE {_NOT_KNOWN}) AS not_known,
       count(*) FILTER (WHERE {_OUR_FAULT}) AS our_fault{_AS_STATUS if self._statuses else ""}
FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
WHERE d.mass_message_id = :message{self._to_students}
""")

    def reached(self) -> TextClause:
        """id, sent and delivered of each of `:messages` that texted anybody."""
        return text(f"""
SELECT mass_message_id AS id, count(*) AS sent, count(*) FILTER (WHERE outcome = 'delivered') AS delivered
FROM deliveries d WHERE mass_message_id = ANY(:messages){self._to_students} GROUP BY 1
""")

    def by_status(self) -> TextClause:
        return text(f"""
WITH {_MOVES} SELECT status AS kind, move, count(*) AS contacts, count(*) FILTER (WHERE fixed) AS fixed
FROM moves{self._meant(_OF_STUDENTS)} GROUP BY 1, 2
""")

    def by_grade(self) -> TextClause:
        return text(f"""
WITH {_MOVES} SELECT coalesce(s.grade, 'Other') AS kind, move, count(DISTINCT moves.contact_id) AS contacts
FROM moves
JOIN student_contacts l ON l.contact_id = moves.contact_id AND {_LINKED}
JOIN students s ON s.id = l.student_id AND s.active{self._meant("s.id = ANY(:students)")}
GROUP BY 1, 2
""")

    def _meant(self, of_students: str) -> str:
        conditions = [of_students] if self.students is not None else []
        conditions += ["status = ANY(:statuses)"] if self._statuses else []
        return f"\nWHERE {' AND '.join(conditions)}" if conditions else ""

    def without_adult(self) -> Select[int]:
        """How many active students have nobody who can be texted; with SMS statuses, of those listed with one of them."""
        students = select(func.count()).select_from(Student).where(Student.active, ~has_textable_adult(Student.id))
        if self._statuses:
            students = students.where(Student.id.in_(_listed_as(self._statuses)))
        return narrow_students(students, self.which, today=self.today)


def count_scope(session: Session, which: Filter, *, today: date) -> CountScope:
    if not which.criteria & STUDENT_CRITERIA:
        return CountScope(which, today, None)
    everybody = select(Student.id).where(Student.active)
    return CountScope(which, today, session.scalars(narrow_students(everybody, which, today=today)).all())


def _listed_as(statuses: Sequence[SmsStatus]) -> Select[int]:
    links = select(StudentContact.student_id).join(ListEntry, ListEntry.contact_id == StudentContact.contact_id)
    return links.where(StudentContact.active, ListEntry.status.in_(statuses))
