"""One page of the pending changes, with the numbers of all of them.

The changes are found and counted by their ids alone; only those on the page are read with all that a person sees. Of 12,000 changes
that is a tenth of the work.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from bot.contact_edits.pending import ChangeKind, PendingChange, concerns_student, load_changes
from bot.db.models.edits import IN_FORCE, Edit, EditState, Removal
from bot.db.models.roster import Contact, Student, StudentContact
from bot.db.models.views import NOT_REMOVED
from bot.db.session import use_indexes

_LINK = aliased(StudentContact, name="l")


@dataclass(frozen=True)
class PendingPage:
    """The changes of page `page` of `pages`: disputed ones first, then the newest. `counts` are those of all changes by kind, and
    `disputed` is how many of all changes are.
    """

    changes: tuple[PendingChange, ...]
    counts: Mapping[ChangeKind, int]
    disputed: int
    page: int
    pages: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def load_pending_page(
    session: Session,
    students: Select[int],
    *,
    page: int = 1,
    page_size: int,
    made_by: str | None = None,
    is_district: bool = False,
) -> PendingPage:
    """Return pending changes of the contacts of `students` (a query of ids); with `made_by`, only of that Slack user.

    The last page where fewer are left than what was asked for. `is_district`: `students` are all active ones.
    """
    use_indexes(session)
    rows = session.execute(_page_query(_changes(students, made_by, is_district=is_district), page, page_size)).all()
    if not rows:
        return PendingPage((), {}, 0, 1, 1)
    first = rows[0]
    edit_ids = [row.id for row in rows if row.kind != ChangeKind.REMOVED]
    removal_ids = [row.id for row in rows if row.kind == ChangeKind.REMOVED]
    return PendingPage(
        changes=tuple(load_changes(session, students, edit_ids=edit_ids, removal_ids=removal_ids)),
        counts={ChangeKind(kind): number for kind, number in json.loads(first.counts).items()},
        disputed=first.disputed_changes,
        page=first.page,
        pages=first.pages,
    )


def _page_query(pending: Subquery, page: int, page_size: int) -> Select[*tuple[Any, ...]]:
    """Select kind and id of the changes on a page; each row carries the numbers of all."""
    changes = pending.select().cte("changes").prefix_with("MATERIALIZED")
    by_kind = select(changes.c.kind, func.count().label("number")).group_by(changes.c.kind).subquery()
    counts = select(cast(func.jsonb_object_agg(by_kind.c.kind, by_kind.c.number), Text)).scalar_subquery()
    totals = select(
        func.count().filter(changes.c.disputed).label("disputed_changes"),
        func.greatest((func.count() + page_size - 1) // page_size, 1).label("pages"),
    ).cte("totals")
    shown = select(func.least(page, totals.c.pages)).scalar_subquery()
    return (
        select(changes.c.kind, changes.c.id, counts.label("counts"), totals, shown.label("page"))
        .join_from(changes, totals, true())
        .order_by(
            changes.c.disputed.desc(), changes.c.made_at.desc(), changes.c.contact_id, changes.c.kind, changes.c.id
        )
        .limit(page_size)
        .offset((shown - 1) * page_size)
    )


def _changes(students: Select[int], made_by: str | None, *, is_district: bool) -> Subquery:
    """Select each change once, however many students its contact has; also the edits that wait for a contact who left.

    Who left is found in the small indexes of those who did: to look up everyone else takes twice as long.
    """
    of_students = ~_left(Student, _LINK.student_id) if is_district else _LINK.student_id.in_(students)
    edits = (
        select(
            *(Edit.field.label("kind"), Edit.id, Edit.contact_id, Edit.made_at),
            (Edit.state == EditState.CONFLICT).label("disputed"),
        )
        .join(_LINK, and_(_LINK.contact_id == Edit.contact_id, _LINK.active))
        .where(Edit.state.in_(IN_FORCE), *_made_by(Edit.made_by, made_by))
        .where(~_left(Contact, Edit.contact_id), of_students, text(NOT_REMOVED))
    )
    of_left_contacts = (
        select(
            *(Edit.field.label("kind"), Edit.id, Edit.contact_id, Edit.made_at),
            (Edit.state == EditState.CONFLICT).label("disputed"),
        )
        .join(Contact, and_(Contact.id == Edit.contact_id, ~Contact.active))
        .join(_LINK, _LINK.contact_id == Edit.contact_id)
        .where(Edit.state.in_(IN_FORCE), *_made_by(Edit.made_by, made_by))
        .where(of_students)
    )
    removals = (
        select(
            *(literal(ChangeKind.REMOVED, Text).label("kind"), Removal.id, Removal.contact_id, Removal.made_at),
            false().label("disputed"),
        )
        .join(_LINK, and_(_LINK.contact_id == Removal.contact_id, _LINK.active, concerns_student(_LINK.student_id)))
        .where(Removal.undone_at.is_(None), *_made_by(Removal.made_by, made_by))
        .where(~_left(Contact, Removal.contact_id), of_students)
    )
    return union_all(edits.distinct(), of_left_contacts.distinct(), removals.distinct()).subquery("pending")


def _left(people: type[Contact | Student], person_id: SQLColumnExpression[int]) -> SQLColumnExpression[bool]:
    return exists().where(people.id == person_id, ~people.active)


def _made_by(column: SQLColumnExpression[str], made_by: str | None) -> list[SQLColumnExpression[bool]]:
    return [] if made_by is None else [column == made_by]
