"""What a sync meant for the edits of one person: those that the SIS has now, those that wait, those it disagrees with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.db.models.edits import Edit, EditField, EditState
from bot.db.models.roster import Student, SyncRun
from bot.db.models.views import effective_contacts


@dataclass(frozen=True)
class EditConflict:
    """An edit of which the SIS has a third value since `sis_at`; `students` are those its maker may see."""

    edit_id: int
    contact: str
    students: tuple[str, ...]
    field: EditField
    ours: str | None
    sis: str | None
    made_at: datetime
    sis_at: datetime | None


@dataclass(frozen=True)
class EditorSummary:
    """`absorbed` happened in that sync; `pending` and `disputed` are all that stand so now. `disputes` are the newest."""

    absorbed: int
    pending: int
    disputed: int
    disputes: tuple[EditConflict, ...]


def load_editor_summary(session: Session, run_id: int, *, actor: Actor, most: int) -> EditorSummary:
    """How the edits of this person stand after a sync; names only of students they may see now."""
    run = session.get_one(SyncRun, run_id)
    mine = Edit.made_by == actor.user_id
    absorbed = select(func.count()).where(mine, Edit.state == EditState.ABSORBED, Edit.sis_at == run.started_at)
    pending = select(func.count()).where(mine, Edit.state == EditState.PENDING)
    disputes = _disputes(session, actor)
    return EditorSummary(
        session.scalar(absorbed) or 0, session.scalar(pending) or 0, len(disputes), tuple(disputes[:most])
    )


def _disputes(session: Session, actor: Actor) -> list[EditConflict]:
    links = effective_contacts.c
    contact = func.concat_ws(" ", links.given_name, links.family_name)
    student = func.concat_ws(" ", Student.given_name, Student.family_name)
    rows = (
        select(Edit, contact.label("contact"), func.array_agg(student.distinct()).label("students"))
        .join_from(Edit, effective_contacts, links.contact_id == Edit.contact_id)
        .join(Student, Student.id == links.student_id)
        .where(Edit.made_by == actor.user_id, Edit.state == EditState.CONFLICT)
        .where(Student.id.in_(access.visible_students(actor)))
        .group_by(Edit.id, contact)
        .order_by(Edit.sis_at.desc(), Edit.id)
    )
    return [_dispute(*row) for row in session.execute(rows)]


def _dispute(edit: Edit, contact: str, students: list[str]) -> EditConflict:
    field = EditField(edit.field)
    return EditConflict(edit.id, contact, tuple(students), field, edit.value, edit.sis_value, edit.made_at, edit.sis_at)
