"""Undo an import: its receipts and deliveries go, and the list is as if it had never been, until the next mass message is final.

An opt-out that the import brought ends only if nothing and no one else reported one since: a family's STOP stays.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers, judge_sender_faults, strength_sql
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list, lock_receipts
from bot.db.audit import Subject
from bot.db.models.messages import MassMessage
from bot.db.models.reports import ReportImport, ReportState
from bot.errors import UserError

# Then what an import changed is deleted, whether or not another message followed.
UNDO_PERIOD = timedelta(days=30)

# In the order in which registering and settling take them.
_LOCK_MESSAGE = text("SELECT id FROM mass_messages WHERE id = :message FOR UPDATE")

_IS_PAST = text("""
SELECT EXISTS (SELECT FROM mass_messages WHERE id <> :message AND settled_at > :imported_at)
""")
_PHONES = text("""
SELECT DISTINCT d.phone FROM report_results x JOIN deliveries d ON d.id = x.delivery_id WHERE x.import_id = :id
""")
_DELETE_RECEIPTS = text("""
DELETE FROM receipts WHERE id IN (SELECT unnest(receipt_ids) FROM report_results WHERE import_id = :id)
""")
# A delivery that another report or its sender has added receipts to is not ours alone.
_DELETE_DELIVERIES = text("""
DELETE FROM deliveries d USING report_results x
WHERE x.import_id = :id AND x.is_new AND d.id = x.delivery_id
  AND NOT EXISTS (SELECT FROM receipts r WHERE r.provider = d.provider AND r.provider_id = d.provider_id)
""")
_APPLY_REMAINING = text(f"""
UPDATE deliveries d
SET outcome = coalesce(s.outcome, CASE WHEN m.settled_at IS NOT NULL AND m.settles_at <= :now THEN 'unconfirmed' ELSE 'pending' END),
    code = s.code, shaky = coalesce(s.shaky, FALSE), reasonless = coalesce(s.reasonless, FALSE), final_at = s.received_at
FROM report_results x
JOIN deliveries o ON o.id = x.delivery_id
JOIN mass_messages m ON m.id = o.mass_message_id
LEFT JOIN LATERAL (
    SELECT * FROM receipts r
    WHERE r.provider = o.provider AND r.provider_id = o.provider_id AND r.outcome <> 'pending'
    ORDER BY {strength_sql("r.outcome")} DESC, r.shaky, r.reasonless, r.received_at, r.id LIMIT 1
) AS s ON TRUE
WHERE x.import_id = :id AND d.id = x.delivery_id
""")
_END_OPT_OUTS = text("""
UPDATE phone_numbers n SET opted_out_at = NULL, opted_out_by = NULL
WHERE n.phone = ANY(:phones) AND n.opted_out_at IS NOT NULL AND n.since = :imported_at
  AND NOT EXISTS (SELECT FROM unclear_texts u WHERE u.phone = n.phone AND u.answer = 'opt_out' AND u.answered_at >= :imported_at)
  AND NOT EXISTS (SELECT FROM opt_out_texts t WHERE t.phone = n.phone AND t.opted_out AND t.received_at >= :imported_at)
  AND NOT EXISTS (
      SELECT FROM deliveries d JOIN receipts r ON r.provider = d.provider AND r.provider_id = d.provider_id
      WHERE d.phone = n.phone AND r.outcome = 'opt_out' AND r.received_at >= :imported_at
  )
  AND NOT EXISTS (SELECT FROM receipts r WHERE r.phone = n.phone AND r.outcome = 'opt_out' AND r.received_at >= :imported_at)
RETURNING n.phone
""")
_OPTED_OUT_BY_IMPORT = """
SELECT FROM report_imports i
WHERE i.state = 'imported' AND n.opted_out_at IS NOT NULL AND i.imported_at = n.since AND i.opted_out @> to_jsonb(n.phone)
"""
_IS_UNDOABLE = text(f"SELECT n.phone FROM phone_numbers n WHERE n.phone = :phone AND EXISTS ({_OPTED_OUT_BY_IMPORT})")
_KEEP = text(f"""
UPDATE phone_numbers n SET since = :now, opted_out_by = :by
WHERE n.phone = :phone AND EXISTS ({_OPTED_OUT_BY_IMPORT}) RETURNING n.phone
""")
_DELETE_MESSAGE = text("""
DELETE FROM mass_messages m
WHERE m.id = :message AND m.settled_at IS NULL AND NOT EXISTS (SELECT FROM deliveries d WHERE d.mass_message_id = m.id)
""")
_DELETE_RESULTS = text("DELETE FROM report_results WHERE import_id = :id")


def may_end_opt_out(session: Session, phone: str) -> bool:
    """Return whether only a report opted out a number (E.164), so that undoing its import would end that."""
    return session.scalar(_IS_UNDOABLE, {"phone": phone}) is not None


def keep_opt_out(session: Session, phone: str, *, by: str, now: datetime) -> bool:
    """Make the opt-out that a report brought that of the person who records it, too: undoing the import does not end it anymore.

    Return False if it was not a report that brought it.
    """
    lock_cleanup_list(session)
    return session.scalar(_KEEP, {"phone": phone, "by": by, "now": now}) is not None


def undo_import(session: Session, import_id: int, *, actor: str, now: datetime) -> ReportImport:
    """Undo an import and audit it. Undoing it again changes nothing.

    Raises:
        UserError: there is no such import, another mass message has become final since, or a month has passed.
    """
    row = session.scalar(select(ReportImport).where(ReportImport.id == import_id).with_for_update())
    if row is None or row.state not in {ReportState.IMPORTED, ReportState.UNDONE}:
        raise UserError("report.no_import", f"There is no import {import_id} to undo.")
    if row.state == ReportState.UNDONE:
        return row
    values = {"id": row.id, "message": row.message_id, "imported_at": row.imported_at, "now": now}
    session.execute(_LOCK_MESSAGE, values)
    lock_receipts(session, row.message_id)
    lock_cleanup_list(session)
    if row.imported_at is None or row.imported_at <= now - UNDO_PERIOD or session.scalar(_IS_PAST, values):
        sentence = "This import cannot be undone anymore: another mass message is final since, or a month has passed."
        raise UserError("report.too_late_to_undo", sentence)
    phones = set(session.scalars(_PHONES, values))
    for statement in (_DELETE_RECEIPTS, _DELETE_DELIVERIES, _APPLY_REMAINING):
        session.execute(statement, values)
    ended = session.scalars(_END_OPT_OUTS, {**values, "phones": row.opted_out}).all()
    _update_list(session, row.message_id, sorted(phones), ended, now=now)
    if row.registered:
        session.execute(_DELETE_MESSAGE, values)
    session.execute(_DELETE_RESULTS, values)
    row.state, row.opted_out = ReportState.UNDONE, []
    subject = Subject("report", row.id)
    audit.record(session, subject, actor=actor, action="report.undone", reason=row.message_id, now=now)
    session.flush()
    return row


def _update_list(
    session: Session, message_id: str, phones: Sequence[str], ended: Sequence[str], *, now: datetime
) -> None:
    """Judge the numbers of a final message again; before it is final, only opt-outs had counted."""
    message = session.get(MassMessage, message_id)
    is_final = message is not None and message.settled_at is not None
    numbers = Numbers(phones if is_final else ended)
    if not numbers.phones:
        return
    if message is not None and is_final:
        judge_sender_faults(session, message_id)
        message.learned_at = now
    judge_numbers(session, numbers, now=now)
    update_list(session, numbers, message_id=message_id, now=now)
