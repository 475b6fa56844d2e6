"""SQL that counts a mass message, whole or narrowed by a filter; a criterion that the filter leaves open adds no condition.

A delivery counts for the students that the SIS links to its contact: a contact that was removed here since was still texted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from bot.cleanup_list.forecast import count_without_adult
from bot.cleanup_list.number_status import is_sender_fault
from bot.cleanup_list.query import STATUSES, filter_params, narrow_students, student_conditions
from bot.db.models.listed_students import ListedStudent
from bot.db.models.roster import Student
from bot.filters.filter import STUDENT_CRITERIA, Criterion, Filter

# Unconfirmed without `final_at` means that no receipt came; a late one may still come.
_AWAITING = "outcome = 'pending' OR (outcome = 'unconfirmed' AND final_at IS NULL)"
_SENDING_FAILED = f"outcome = 'not_contact_problem' OR {is_sender_fault('d', 'm')}"
_WITH_STATUS = f"""outcome = ANY(:statuses) AND NOT ({_AWAITING}) AND NOT ({_SENDING_FAILED})"""
_TO_STUDENTS = """ AND d.contact_sourced_id IN (
    SELECT i.sourced_id FROM student_contacts l JOIN contact_ids i ON i.contact_id = l.contact_id
    WHERE l.active AND l.student_id = ANY(:students))"""
_ENTRIES = """
WITH moves AS (SELECT contact_id, move, before FROM list_changes WHERE mass_message_id = :message),
entries AS (
    SELECT c.contact_id, min(listed.status) AS status, min(grade_order) AS youngest, c.updated_at IS NOT NULL AS is_waiting
    FROM (
        SELECT unnest(contact_ids) AS contact_id, unnest(statuses) AS status, student_id, grade_order FROM listed_students
    ) AS listed JOIN cleanup_list c ON c.contact_id = listed.contact_id{where}
    GROUP BY c.contact_id
)
SELECT e.status, e.youngest, moves.move, moves.before, e.is_waiting, count(*) AS contacts
FROM entries e LEFT JOIN moves ON moves.contact_id = e.contact_id
GROUP BY 1, 2, 3, 4, 5
"""
_LEFT = """
SELECT count(*) FILTER (WHERE fixed_by IS NOT NULL) AS fixed,
       count(*) FILTER (WHERE fixed_by IS NULL AND gets_texts) AS delivered,
       count(*) FILTER (WHERE fixed_by IS NULL AND NOT gets_texts) AS ended
FROM (
    SELECT m.fixed_by, EXISTS (
        SELECT FROM effective_contacts x WHERE x.contact_id = m.contact_id AND x.method = 'text'
    ) AS gets_texts
    FROM list_changes m
    WHERE m.mass_message_id = :message AND m.move = 'left'
      AND NOT EXISTS (SELECT FROM cleanup_list e WHERE e.contact_id = m.contact_id){conditions}
    OFFSET 0  -- Otherwise each contact is looked up once for each count.
) AS gone
"""
_OF_STUDENTS = """ AND m.contact_id IN (
    SELECT l.contact_id FROM student_contacts l WHERE l.active AND l.student_id = ANY(:students))"""

# Their ids are a value for `CountScope.earlier`: PostgreSQL reads the deliveries of known messages with several processes.
EARLIER_MESSAGES = text("""
SELECT p.id FROM mass_messages m JOIN mass_messages p ON (p.sent_at, p.id) < (m.sent_at, m.id) AND p.settled_at IS NOT NULL AND p.silent_at IS NULL
WHERE m.id = :message ORDER BY p.sent_at DESC, p.id DESC LIMIT 4
""")


@dataclass(frozen=True)
class CountScope:
    """A filter resolved for one day; `students` are the ids it selects, None if it does not narrow students."""

    list_filter: Filter
    today: date
    students: Sequence[int] | None

    @property
    def params(self) -> dict[str, Any]:
        params: dict[str, Any] = {} if self.students is None else {"students": list(self.students)}
        if self.list_filter.statuses:
            params["statuses"] = [str(status) for status in self.list_filter.statuses]
        return params

    @property
    def _to_students(self) -> str:
        return "" if self.students is None else _TO_STUDENTS

    def deliveries(self) -> TextClause:
        """Select sent, delivered, awaiting, sending_failures, and with_status, which is NULL if no SMS status narrows it."""
        with_status = f"count(*) FILTER (WHERE {_WITH_STATUS})" if self.list_filter.statuses else "NULL"
        return text(f"""
SELECT count(*) AS sent,
       count(*) FILTER (WHERE outcome = 'delivered') AS delivered,
       count(*) FILTER (WHERE {_AWAITING}) AS awaiting,
       count(*) FILTER (WHERE {_SENDING_FAILED}) AS sending_failures,
       {with_status} AS with_status
FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
WHERE d.mass_message_id = :message{self._to_students}
""")

    def earlier(self) -> TextClause:
        """Select sent_at, sent and delivered of messages (`earlier`), oldest first."""
        return text(f"""
SELECT p.sent_at, d.sent, d.delivered
FROM (
    SELECT d.mass_message_id, count(*) AS sent, count(*) FILTER (WHERE d.outcome = 'delivered') AS delivered
    FROM deliveries d WHERE d.mass_message_id = ANY(:earlier){self._to_students} GROUP BY d.mass_message_id
) d JOIN mass_messages p ON p.id = d.mass_message_id
ORDER BY p.sent_at, p.id
""")

    def entries(self) -> TextClause:
        """Select the contacts on the list now, each once: status, the position of their youngest child's grade in `LEVELS` (from 1), and
        what the message did to them (move, before), with the number of such contacts. `is_waiting`: edited, and not texted since.
        """
        conditions = ["student_id = ANY(:students)"] if self.students is not None else []
        conditions += ["listed.status = ANY(:statuses)"] if self.list_filter.statuses else []
        return text(_ENTRIES.format(where=f"\n    WHERE {' AND '.join(conditions)}" if conditions else ""))

    def left(self) -> TextClause:
        """Select how many contacts left the list with the message: fixed by staff, delivered without that, and not texted anymore."""
        conditions = _OF_STUDENTS if self.students is not None else ""
        conditions += " AND m.before = ANY(:statuses)" if self.list_filter.statuses else ""
        return text(_LEFT.format(conditions=conditions))

    def students_by_grade(self) -> TextClause:
        """Select the numbers of active students by grade."""
        of_students = "" if self.students is None else " AND id = ANY(:students)"
        return text(
            f"SELECT coalesce(grade, 'Other') AS grade, count(*) AS students FROM students WHERE active{of_students} GROUP BY 1"
        )

    def count_students(self, session: Session) -> int:
        """Return the number of active students that the filter selects."""
        if self.students is not None:
            return len(self.students)
        return session.execute(select(func.count()).where(Student.active)).scalar_one()

    def count_without_adult(self, session: Session) -> int:
        """Return the number of active students without a textable adult; if SMS statuses narrow it, of those listed with one."""
        criteria = self.list_filter.criteria
        if Criterion.STATUSES in criteria:
            listed = select(func.count()).where(ListedStudent.textable == 0, ListedStudent.statuses.op("&&")(STATUSES))
            listed = listed.where(*student_conditions(criteria, ListedStudent))
            return session.execute(listed, filter_params(self.list_filter, today=self.today)).scalar_one()
        if self.students is None:
            return count_without_adult(session, None)
        active = select(Student.id).where(Student.active)
        return count_without_adult(session, narrow_students(active, self.list_filter, today=self.today))


def count_scope(session: Session, list_filter: Filter, *, today: date) -> CountScope:
    if not list_filter.criteria & STUDENT_CRITERIA:
        return CountScope(list_filter, today, None)
    active = select(Student.id).where(Student.active)
    return CountScope(list_filter, today, session.scalars(narrow_students(active, list_filter, today=today)).all())
