"""Count the results of a report: register its mass message, and store each result as a delivery receipt.

The same report again changes nothing. Each import keeps which deliveries and receipts it added, so that it can be undone (`report_undo`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from bot.db import audit
from bot.db.audit import Subject
from bot.db.models.messages import MassMessage
from bot.db.models.reports import ReportImport, ReportState
from bot.domain import names
from bot.domain.names import fold
from bot.domain.sms_status import Outcome
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.register import RegisterCounts, register_message
from bot.mass_messages.report import Result
from bot.mass_messages.report_columns import Column
from bot.mass_messages.report_preview import Preview, ReportFile, preview_file
from bot.mass_messages.report_words import Meaning
from bot.providers.receipt import ParsedReceipt

# The provider of deliveries whose results use no provider's codes.
IMPORT = "import"


@dataclass(frozen=True)
class ResultsMessage:
    """The mass message that a report is about."""

    id: str
    title: str
    sent_at: datetime


@dataclass(frozen=True)
class ImportReport:
    """How many rows were read, and how many deliveries were new or registered before. `id` is that of the import."""

    id: int
    read: int
    added: int
    already: int


def message_id(title: str, sent_at: datetime) -> str:
    """Return the id of a message that no one registered: the same for the same title and minute, however often it is imported."""
    return f"report {sent_at:%Y-%m-%dT%H:%M%z} {fold(title)}"[:200]


def find_message(session: Session, identity: str | None, title: str | None, sent_at: datetime | None) -> ResultsMessage:
    """Return the message with this id, or else the one with this title and time, which need not be registered yet.

    Raises:
        UserError: no message has the id, or its title or time is missing.
    """
    given = {"message": identity, "title": title}
    identity = payload.text(given, "message") if identity else None
    message = session.get(MassMessage, identity) if identity else None
    if message:
        return ResultsMessage(message.id, message.title, message.sent_at)
    if title and title.strip() and sent_at:
        title = payload.text(given, "title")
        return ResultsMessage(identity or message_id(title, sent_at), title, sent_at)
    unknown = f"There is no mass message “{identity}”. " if identity else ""
    sentence = f"{unknown}Give the title of the message and the time when it was sent."
    raise UserError("report.no_message", sentence, field="title" if sent_at else "sent_at")


def find_later_message(session: Session, sent_at: datetime) -> ResultsMessage | None:
    """Return the newest final message sent after this moment: its results are newer than those of a report from then."""
    later = select(MassMessage).where(MassMessage.sent_at > sent_at, MassMessage.settled_at.is_not(None))
    message = session.scalars(later.order_by(MassMessage.sent_at.desc()).limit(1)).first()
    return ResultsMessage(message.id, message.title, message.sent_at) if message else None


@dataclass(frozen=True)
class FileImport:
    """What a report would do, and what it did: `done` is None if it was only previewed."""

    preview: Preview
    done: ImportReport | None


def import_file(
    session: Session,
    file: ReportFile,
    message: ResultsMessage | None,
    *,
    words: Mapping[str, Meaning],
    columns: Mapping[Column, str],
    actor: str,
    now: datetime,
    settle_after: timedelta,
    region: str,
) -> FileImport:
    """Preview a report, and import it at once into its message, if one is given.

    Raises:
        UserError: as `preview_file` and `import_report`.
    """
    preview = preview_file(session, file, words=words, columns=columns, actor=actor, now=now, region=region)
    if message is None:
        return FileImport(preview, None)
    row = _new_import(session, message, actor=actor, file_name=file.name, now=now)
    done = import_report(session, row, preview, now=now, settle_after=settle_after, region=region)
    return FileImport(preview, done)


def _new_import(
    session: Session, message: ResultsMessage, *, actor: str, file_name: str, now: datetime
) -> ReportImport:
    row = ReportImport(
        user_id=actor,
        opened_at=now,
        state=ReportState.CLAIMED,
        message_id=message.id,
        title=message.title,
        sent_at=message.sent_at,
        file_name=names.clean(file_name),
    )
    session.add(row)
    session.flush()
    return row


def import_report(
    session: Session,
    row: ReportImport,
    preview: Preview,
    *,
    now: datetime,
    settle_after: timedelta,
    region: str,
) -> ImportReport:
    """Register the message with a delivery for each matched result, apply the results, and audit the import.

    Raises:
        UserError: no result can be counted, or the message has an unlikely time; nothing was stored.
    """
    if not preview.pairs:
        raise _nothing_to_import(row.file_name, preview)
    is_registered = session.get(MassMessage, row.message_id) is not None
    before = set(_deliveries(session, row.message_id))
    counts = _register(session, row, preview, now=now, settle_after=settle_after, region=region)
    after = _deliveries(session, row.message_id)
    receipts = _receipts(preview.pairs, row.message_id, after)
    record_receipts(session, receipts, now=now)
    _store_changes(session, row, receipts, [after[key].id for key in after.keys() - before], now=now)
    row.state, row.imported_at, row.registered, row.content = ReportState.IMPORTED, now, not is_registered, None
    audit.record(
        session,
        Subject("report", row.id),
        actor=row.user_id,
        action="report.imported",
        after=_counts(preview),
        reason=row.message_id,
        now=now,
    )
    session.flush()
    return ImportReport(row.id, preview.report.read, counts.added, counts.already)


def _register(
    session: Session, row: ReportImport, preview: Preview, *, now: datetime, settle_after: timedelta, region: str
) -> RegisterCounts:
    provider = preview.report.provider or IMPORT
    deliveries = [
        {
            "contact": contact,
            "to": result.to,
            "provider": provider,
            "provider_id": _own_id(row.message_id, contact, result),
        }
        for result, contact in preview.pairs
    ]
    message = {"id": row.message_id, "title": row.title, "sent_at": row.sent_at.isoformat(), "deliveries": deliveries}
    return register_message(session, message, now=now, settle_after=settle_after, region=region)


def _counts(preview: Preview) -> str:
    """Return the counts for the audit, without words of the report: a misread column could hold names."""
    return f"{preview.delivered} delivered, {preview.not_delivered} not delivered, {len(preview.problems)} unclear"


def _nothing_to_import(name: str, preview: Preview) -> UserError:
    if preview.report.is_only_of_calls:
        return UserError(
            "results.only_calls", f"{preview.facts()[0]} Export the results of the text message.", field="file"
        )
    reason = f" Line {preview.problems[0].line}: {preview.problems[0].reason}" if preview.problems else ""
    return UserError("results.none_imported", f"{name} contains no result that can be imported.{reason}", field="file")


def _own_id(message: str, contact: str, result: Result) -> str:
    return f"{message}:{contact}:{result.to}"


_DELIVERIES = text("""
SELECT d.id, coalesce(c.sourced_id, d.contact_sourced_id) AS contact, d.phone, d.provider, d.provider_id
FROM deliveries d
LEFT JOIN former_contact_ids f ON f.sourced_id = d.contact_sourced_id
LEFT JOIN contacts c ON c.id = f.contact_id
WHERE d.mass_message_id = :message
""")


def _deliveries(session: Session, message: str) -> Mapping[tuple[str, str], Row[Any]]:
    return {(row.contact, row.phone): row for row in session.execute(_DELIVERIES, {"message": message})}


def _receipts(
    pairs: Sequence[tuple[Result, str]], message: str, deliveries: Mapping[tuple[str, str], Row[Any]]
) -> list[ParsedReceipt]:
    """Return a receipt for each final result, under the id by which its sender may have registered the delivery before."""
    return [
        ParsedReceipt.from_code(
            result.entry,
            provider=deliveries[contact, result.to].provider,
            event_key=f"{_own_id(message, contact, result)}:{result.entry.outcome}:{result.code or ''}",
            provider_id=deliveries[contact, result.to].provider_id,
            phone=result.to,
            code=result.code,
        )
        for result, contact in pairs
        if result.entry.outcome is not Outcome.PENDING
    ]


# Of a report that is imported again, no receipt is new: those of the first import stay its own.
_STORE_RESULTS = text("""
INSERT INTO report_results (import_id, delivery_id, is_new, receipt_ids)
SELECT :id, d.id, d.id = ANY(:added), coalesce(array_agg(r.id) FILTER (WHERE r.id IS NOT NULL), '{}')
FROM deliveries d
LEFT JOIN receipts r ON r.provider = d.provider AND r.provider_id = d.provider_id
     AND r.received_at = :now AND r.event_key = ANY(:events)
WHERE d.mass_message_id = :message
GROUP BY d.id
HAVING d.id = ANY(:added) OR count(r.id) > 0
""")
_OPTED_OUT = text("""
SELECT phone FROM phone_numbers WHERE phone = ANY(:phones) AND opted_out_at IS NOT NULL AND since = :now ORDER BY phone
""")


def _store_changes(
    session: Session, row: ReportImport, receipts: Sequence[ParsedReceipt], added: list[int], *, now: datetime
) -> None:
    values = {
        "id": row.id,
        "message": row.message_id,
        "added": added,
        "events": [receipt.event_key for receipt in receipts],
        "now": now,
    }
    session.execute(_STORE_RESULTS, values)
    opted_out = [receipt.phone for receipt in receipts if receipt.outcome is Outcome.OPT_OUT]
    row.opted_out = list(session.scalars(_OPTED_OUT, {"phones": opted_out, "now": now}))
