"""Notices: one direct message for each (sync, person), in an outbox. A claim is committed before Slack is called.

A notice that may have been sent is looked up. Where that is not possible, it is not sent again; only the report of a held sync is,
because nothing is synced until a person has read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from bot.access import rights
from bot.access.identity import district_admin_emails
from bot.access.rights import Actor
from bot.contact_edits.conflicts import KEPT_OURS, TOOK_SIS
from bot.db import outbox
from bot.db.models.edits import Audit, Edit, EditField, EditState
from bot.db.models.folding import full_name
from bot.db.models.notices import NoticeKind, NoticeState, SyncNotice
from bot.db.models.roster import Student, SyncRejection, SyncRun, SyncState
from bot.db.models.views import effective_contacts

# A day, and the time that the next night's sync may take.
_STALE_AFTER = timedelta(hours=26)
_RECENT = timedelta(days=2)
# A failure that lasts is reported once a night, even if a night's sync ends somewhat earlier than the one before.
_REMIND_AFTER = timedelta(hours=20)
_held = aliased(SyncRun)
_REPORTS_HELD_SYNC = exists().where(
    _held.id == SyncNotice.sync_run_id, _held.state == SyncState.HELD, SyncNotice.kind == NoticeKind.REPORT
)
_UNCLEAR_STATE = case((_REPORTS_HELD_SYNC, literal(NoticeState.PENDING)), else_=literal(NoticeState.FAILED))


def enqueue_notices(session: Session, *, admins: Sequence[str], now: datetime) -> int:
    """Enqueue the notices of recent syncs and return how many are new; a notice is enqueued only once.

    `admins` are emails; if there are none, the SIS's district administrators get the reports.
    """
    admins = admins or district_admin_emails(session)
    recent = select(SyncRun).where(SyncRun.finished_at > now - _RECENT, SyncRun.state != SyncState.RUNNING)
    added = 0
    for run in session.scalars(recent.order_by(SyncRun.id)).all():
        if _is_news(session, run):
            added += _enqueue(session, run, NoticeKind.REPORT, admins, now=now)
        added += _enqueue(session, run, NoticeKind.EDITS, _editors(session, run), now=now)
    return added + _enqueue_stale(session, admins, now)


def _is_news(session: Session, run: SyncRun) -> bool:
    """Return False for a sync that changed nothing and left out the same rows as the one before, or failed as it did on the same day."""
    earlier = select(SyncRun).where(SyncRun.id < run.id, SyncRun.state != SyncState.RUNNING)
    previous = session.scalar(earlier.order_by(SyncRun.id.desc()).limit(1))
    if run.state == SyncState.HELD:
        return True
    if run.state == SyncState.FAILED:
        is_other = previous is None or (previous.state, previous.error) != (run.state, run.error)
        return is_other or not _was_reported_today(session, run)
    if previous is None or previous.state != SyncState.DONE:
        return True
    return _sum_counts(run, "added", "changed", "inactive") > 0 or are_rejections_new(session, run)


_OTHER_REJECTIONS = text("""
WITH ours AS (SELECT file, coalesce(sourced_id, line::text) AS row, column_name, reason FROM sync_rejections WHERE sync_run_id = :run),
earlier AS (
    SELECT file, coalesce(sourced_id, line::text) AS row, column_name, reason FROM sync_rejections
    WHERE sync_run_id = (SELECT max(sync_run_id) FROM sync_rejections WHERE sync_run_id < :run)
)
SELECT EXISTS ((TABLE ours EXCEPT ALL TABLE earlier) UNION ALL (TABLE earlier EXCEPT ALL TABLE ours))
""")


def are_rejections_new(session: Session, run: SyncRun) -> bool:
    """Return whether a complete sync left out other rows or cells than the one before. A sync that found the same export stores none."""
    before = select(SyncRun).where(SyncRun.id < run.id, SyncRun.state == SyncState.DONE).order_by(SyncRun.id.desc())
    previous = session.scalar(before.limit(1))
    was_clean = previous is None or not _sum_counts(previous, "rejected")
    if was_clean or not _sum_counts(run, "rejected"):
        return not was_clean or _sum_counts(run, "rejected") > 0
    stored = session.scalar(select(SyncRejection.id).where(SyncRejection.sync_run_id == run.id).limit(1))
    return stored is not None and bool(session.scalar(_OTHER_REJECTIONS, {"run": run.id}))


def _was_reported_today(session: Session, run: SyncRun) -> bool:
    """Return whether the same failure was reported less than a day before this run failed."""
    since = (run.finished_at or run.started_at) - _REMIND_AFTER
    reported = (
        select(SyncNotice.id)
        .join(SyncRun, SyncRun.id == SyncNotice.sync_run_id)
        .where(SyncNotice.kind == NoticeKind.REPORT, SyncRun.id < run.id, SyncRun.error == run.error)
        .where(SyncRun.state == SyncState.FAILED, SyncRun.finished_at > since)
    )
    return session.scalar(reported.limit(1)) is not None


def _sum_counts(run: SyncRun, *kinds: str) -> int:
    return sum(table[kind] for table in run.counts.values() for kind in kinds)


def _editors(session: Session, run: SyncRun) -> Sequence[str]:
    """Return the Slack ids of people whose edits this sync absorbed, reverted, or found in conflict."""
    editors = select(Edit.made_by).where(Edit.sis_at == run.started_at)
    states = (EditState.ABSORBED, EditState.CONFLICT, EditState.REVERTED)
    return session.scalars(editors.where(Edit.state.in_(states)).distinct()).all()


def _enqueue_stale(session: Session, admins: Sequence[str], now: datetime) -> int:
    """Enqueue one notice a day while the last complete sync is more than a day old."""
    done = select(SyncRun).where(SyncRun.state == SyncState.DONE).order_by(SyncRun.finished_at.desc())
    last = session.scalar(done.limit(1))
    if last is None or last.finished_at is None or last.finished_at > now - _STALE_AFTER:
        return 0
    days = (now - last.finished_at) // timedelta(days=1)
    return _enqueue(session, last, NoticeKind.STALE, admins, now=now, about=f"{days} days")


def _enqueue(
    session: Session, run: SyncRun, kind: NoticeKind, readers: Sequence[str], *, now: datetime, about: str = ""
) -> int:
    rows = [
        {"sync_run_id": run.id, "kind": kind, "reader": reader, "about": about, "due_at": now} for reader in readers
    ]
    if not rows:
        return 0
    added = insert(SyncNotice).values(rows).on_conflict_do_nothing().returning(SyncNotice.id)
    return len(session.scalars(added).all())


def claim_notice(session: Session, *, now: datetime) -> SyncNotice | None:
    """Lease the next pending notice; one whose lease has expired is ambiguous."""
    ambiguous = {"state": NoticeState.AMBIGUOUS, "due_at": now + outbox.LANDING_TIME}
    return outbox.claim(session, SyncNotice, now=now, on_expiry=ambiguous)


def claim_ambiguous(session: Session, *, now: datetime) -> SyncNotice | None:
    return outbox.claim_ambiguous(session, SyncNotice, now=now)


def mark_ambiguous(session: Session, notice: SyncNotice, *, now: datetime) -> bool:
    """Store that Slack may have accepted the notice: it is looked up when it has had time to appear."""
    return outbox.complete(session, notice, NoticeState.AMBIGUOUS, due_at=now + outbox.LANDING_TIME)


def settle_unclear(session: Session, notice: SyncNotice, *, now: datetime) -> bool:
    """Store that it cannot be found out whether a notice arrived: only the report of a held sync is sent again."""
    return outbox.complete(session, notice, _UNCLEAR_STATE, due_at=now)


def sent_reports(session: Session, run_id: int) -> list[SyncNotice]:
    """Return the reports of a sync that were sent, so that their messages can be updated."""
    reports = select(SyncNotice).where(SyncNotice.sync_run_id == run_id, SyncNotice.kind == NoticeKind.REPORT)
    return list(session.scalars(reports.where(SyncNotice.state == NoticeState.SENT).order_by(SyncNotice.id)))


@dataclass(frozen=True)
class EditConflict:
    """An edit with which the SIS disagrees since `sis_at`, also one that it had taken and reverted; `students` are those that its
    maker may see.
    """

    edit_id: int
    contact: str
    students: tuple[str, ...]
    field: EditField
    ours: str | None
    sis: str | None
    made_at: datetime
    sis_at: datetime | None


@dataclass(frozen=True)
class SettledConflict:
    """A choice that `settled_by` (a Slack user) made since the sync; the values are as in the audit, with numbers masked."""

    contact: str
    students: tuple[str, ...]
    kept_ours: bool
    ours: str | None
    sis: str | None
    settled_by: str
    settled_at: datetime


@dataclass(frozen=True)
class EditorSummary:
    """Counts of one person's edits: `absorbed` by one sync, `pending` and `in_conflict` now; and the newest `conflicts`.

    `settled` are the choices about this person's edits since that sync, the newest first. `reverted_count` edits were reverted by that
    sync; `reverted` are the first of them.
    """

    absorbed: int
    pending: int
    in_conflict: int
    conflicts: tuple[EditConflict, ...]
    reverted_count: int = 0
    reverted: tuple[EditConflict, ...] = ()
    settled: tuple[SettledConflict, ...] = ()


def load_editor_summary(session: Session, run_id: int, *, actor: Actor, limit: int) -> EditorSummary:
    """Return the state of the actor's edits after a sync, with at most `limit` conflicts, of students they may see now."""
    run = session.get_one(SyncRun, run_id)
    is_own = Edit.made_by == actor.user_id
    absorbed = select(func.count()).where(is_own, Edit.state == EditState.ABSORBED, Edit.sis_at == run.started_at)
    pending = select(func.count()).where(is_own, Edit.state == EditState.PENDING)
    conflicts = _load_conflicts(session, actor, Edit.state == EditState.CONFLICT)
    reverted = _load_conflicts(session, actor, Edit.state == EditState.REVERTED, Edit.sis_at == run.started_at)
    return EditorSummary(
        absorbed=session.scalar(absorbed) or 0,
        pending=session.scalar(pending) or 0,
        in_conflict=len(conflicts),
        conflicts=tuple(conflicts[:limit]),
        reverted_count=len(reverted),
        reverted=tuple(reverted[:limit]),
        settled=tuple(_load_settled(session, actor, since=run.started_at)[:limit]),
    )


def _load_settled(session: Session, actor: Actor, *, since: datetime) -> list[SettledConflict]:
    links = effective_contacts.c
    contact = full_name(links.given_name, links.family_name)
    student = full_name(Student.given_name, Student.family_name)
    own_contacts = select(Edit.contact_id).where(Edit.made_by == actor.user_id)
    rows = (
        select(Audit, contact.label("contact"), func.array_agg(student.distinct()).label("students"))
        .join_from(Audit, effective_contacts, links.contact_id == Audit.subject_id)
        .join(Student, Student.id == links.student_id)
        .where(Audit.subject_kind == "contact", Audit.subject_id.in_(own_contacts))
        .where(Audit.action.in_((KEPT_OURS, TOOK_SIS)), Audit.at >= since)
        .where(Student.id.in_(rights.visible_students(actor)))
        .group_by(Audit.id, contact)
        .order_by(Audit.id.desc())
    )
    settled = []
    for row, contact_name, students in session.execute(rows):
        kept_ours = row.action == KEPT_OURS
        sis, ours = (row.before, row.after) if kept_ours else (row.after, row.before)
        settled.append(SettledConflict(contact_name, tuple(students), kept_ours, ours, sis, row.actor, row.at))
    return settled


def _load_conflicts(session: Session, actor: Actor, *conditions: ColumnElement[bool]) -> list[EditConflict]:
    links = effective_contacts.c
    contact = full_name(links.given_name, links.family_name)
    student = full_name(Student.given_name, Student.family_name)
    rows = (
        select(Edit, contact.label("contact"), func.array_agg(student.distinct()).label("students"))
        .join_from(Edit, effective_contacts, links.contact_id == Edit.contact_id)
        .join(Student, Student.id == links.student_id)
        .where(Edit.made_by == actor.user_id, *conditions)
        .where(Student.id.in_(rights.visible_students(actor)))
        .group_by(Edit.id, contact)
        .order_by(Edit.sis_at.desc(), Edit.id)
    )
    return [
        EditConflict(
            edit_id=edit.id,
            contact=contact_name,
            students=tuple(students),
            field=EditField(edit.field),
            ours=edit.value,
            sis=edit.sis_value,
            made_at=edit.made_at,
            sis_at=edit.sis_at,
        )
        for edit, contact_name, students in session.execute(rows)
    ]
