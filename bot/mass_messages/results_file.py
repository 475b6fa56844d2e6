"""Results of a mass message that come as a CSV, by hand: for senders that report no other way.

A row is a number and what became of the text; a header names the columns in its own words. Every row counts or is listed
with its line and the reason; the same file again changes nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.domain import phone
from bot.domain.names import fold
from bot.domain.sms_status import Outcome, SmsStatus
from bot.errors import UserError
from bot.mass_messages import payload
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.register import register_message
from bot.providers import explaining
from bot.providers.receipt import Code, ParsedReceipt
from bot.sis.lines import CsvRow, LineReader, open_text, read_rows

BY_HAND = "import"
"""The provider of results whose codes are nobody's."""

_COLUMNS = {
    "to": ("to", "phone", "phone number", "number", "recipient", "mobile"),
    "result": ("result", "status", "outcome", "delivery status", "message status"),
    "code": ("code", "error code", "error", "reason code"),
    "contact": ("contact", "contact id", "contact sourcedid", "sourcedid", "contact sourced id"),
}


def _word(written: str) -> str:
    return fold(written.replace("_", " ").replace("-", " "))


_WORDS = {
    "delivered": Outcome.DELIVERED,
    "success": Outcome.DELIVERED,
    "received": Outcome.DELIVERED,
    "failed": Outcome.UNCONFIRMED,
    "undelivered": Outcome.UNCONFIRMED,
    "not delivered": Outcome.UNCONFIRMED,
    "opted out": Outcome.OPT_OUT,
    "unsubscribed": Outcome.OPT_OUT,
} | {_word(status): Outcome(status) for status in SmsStatus if status is not SmsStatus.NO_NUMBER}
_OPEN = {"sent", "queued", "pending", "accepted"}


@dataclass(frozen=True)
class ResultsMessage:
    """The mass message that a file reports on. `provider` is whose codes are in it, if they are anybody's."""

    id: str
    title: str
    sent_at: datetime
    provider: str | None = None


@dataclass(frozen=True)
class Report:
    """Rows that were read; deliveries that are new, and that we had; and what was left out, by line."""

    read: int
    added: int
    already: int
    rejected: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class _Result:
    line: int
    to: str
    contact: str | None
    code: str | None
    meant: Code | None


def import_results(
    session: Session, path: Path, sent: ResultsMessage, *, now: datetime, settle_after: timedelta, region: str
) -> Report:
    """Register the message with a delivery for each contact who has a number of the file, and let the results count.

    Raises:
        UserError: the file cannot be read, has no column for the number or the result, or holds no row that counts.
    """
    rejected: list[tuple[int, str]] = []
    results = list(_results(path, sent.provider, region, rejected))
    read = len(results) + len(rejected)
    told = _told(session, results, rejected)
    if not told and rejected:
        line, reason = rejected[0]
        raise UserError(
            "results.none_counts_because", f"{path.name} holds no result that counts. Line {line}: {reason}"
        )
    if not told:
        raise UserError("results.none_counts", f"{path.name} holds no result that counts.")
    deliveries = [_delivery(one, contact, sent) for one, contact in told]
    message = {"id": sent.id, "title": sent.title, "sent_at": sent.sent_at.isoformat(), "deliveries": deliveries}
    counts = register_message(session, message, now=now, settle_after=settle_after, region=region)
    record_receipts(session, _receipts(session, told, sent), now=now)
    return Report(read, counts.added, counts.already, sorted(rejected))


def _told(session: Session, results: Sequence[_Result], rejected: list[tuple[int, str]]) -> list[tuple[_Result, str]]:
    """Each result with the sourcedId of a contact whom it is about."""
    by_number = _contacts(session, [one.to for one in results])
    known = _known(session, [one.contact for one in results if one.contact])
    told = []
    for one in results:
        who = [one.contact] if one.contact in known else [] if one.contact else by_number[one.to]
        if not who:
            rejected.append(
                (
                    one.line,
                    (
                        "Nobody in the student information system has this contact id."
                        if one.contact
                        else "Nobody in the student information system has this number."
                    ),
                )
            )
        told += [(one, contact) for contact in who]
    return told


def _delivery(one: _Result, contact: str, sent: ResultsMessage) -> dict[str, str]:
    made_up = {"provider": sent.provider or BY_HAND, "provider_id": _made_up_id(one, contact, sent)}
    return {"contact": contact, "to": one.to} | made_up


def _made_up_id(one: _Result, contact: str, sent: ResultsMessage) -> str:
    return f"{sent.id}:{contact}:{one.to}"


_REGISTERED = text("""
SELECT contact_sourced_id AS contact, phone, provider, provider_id FROM deliveries WHERE mass_message_id = :message
""")


def _receipts(session: Session, told: Sequence[tuple[_Result, str]], sent: ResultsMessage) -> list[ParsedReceipt]:
    """A report for each final result, on its delivery under the id that its sender may have registered before."""
    ids = {(row.contact, row.phone): row for row in session.execute(_REGISTERED, {"message": sent.id})}
    return [
        ParsedReceipt.of(
            one.meant,
            provider=ids[contact, one.to].provider,
            event_key=f"{_made_up_id(one, contact, sent)}:{one.meant.outcome}:{one.code or ''}",
            provider_id=ids[contact, one.to].provider_id,
            phone=one.to,
            code=one.code,
        )
        for one, contact in told
        if one.meant
    ]


def _results(path: Path, provider: str | None, region: str, rejected: list[tuple[int, str]]) -> Iterator[_Result]:
    try:
        with open_text(path.open("rb")) as file:
            rows = read_rows(LineReader(file))
            columns = _columns(path, next(rows, None))
            for row in rows:
                try:
                    yield _result(row, columns, provider, region)
                except UserError as problem:
                    rejected.append((row.line, problem.sentence))
    except OSError as problem:
        raise UserError("results.unreadable", f"{path} cannot be read: {problem.strerror}.") from problem


def _columns(path: Path, header: CsvRow | None) -> Mapping[str, int]:
    written = [_word(cell) for cell in header.cells] if header else []
    found = {
        name: written.index(word) for name, words in _COLUMNS.items() for word in reversed(words) if word in written
    }
    if header and len(header.cells) == 1 and re.search("[;\t]", header.cells[0]):
        raise UserError(
            "results.no_commas",
            f"{path.name} has something else than commas between its columns. Save it as a CSV with commas.",
        )
    if "to" not in found:
        raise UserError("results.no_number", f"{path.name} has no column for the number. Name one of its columns “to”.")
    if "result" not in found and "code" not in found:
        raise UserError(
            "results.no_result", f"{path.name} has no column for the result. Name one of its columns “result”."
        )
    return found


def _result(row: CsvRow, columns: Mapping[str, int], provider: str | None, region: str) -> _Result:
    if row.broken:
        raise UserError("results.broken", f"The line {row.broken}.")
    cells = {name: row.cells[at].strip() if at < len(row.cells) else "" for name, at in columns.items()}
    to = phone.parse(cells["to"], region).e164
    code, meant = _meant(cells.get("code", ""), cells.get("result", ""), provider)
    contact = payload.text(cells, "contact") if cells.get("contact") else None
    return _Result(row.line, to, contact, code, meant)


def _meant(code: str, result: str, provider: str | None) -> tuple[str | None, Code | None]:
    """The code says more than the word, if we know whose it is. A result that is not final is None."""
    if code and provider:
        known = explaining.explain(provider, code)
        return known.said, known.code
    word = _word(result)
    if word in _OPEN:
        return None, None
    if word not in _WORDS:
        raise UserError(
            "results.unknown_result",
            f"“{result}” is no result that we know. Write one of: {', '.join(sorted(_WORDS))}.",
        )
    return None, Code(_WORDS[word], "", reasonless=_WORDS[word] is Outcome.UNCONFIRMED)


_REACHED = text("""
SELECT phone, sourced_id FROM contact_reach WHERE phone = ANY(:phones) ORDER BY contact_id
""")


def _contacts(session: Session, phones: Sequence[str]) -> Mapping[str, list[str]]:
    """{E.164: sourcedIds of the contacts who have that number}."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number, sourced_id in session.execute(_REACHED, {"phones": list(phones)}):
        found[number].append(sourced_id)
    return found


_IN_THE_SIS = text("SELECT sourced_id FROM contacts WHERE sourced_id = ANY(:contacts)")


def _known(session: Session, contacts: Sequence[str]) -> set[str]:
    """Those of these sourcedIds that are a contact's."""
    return set(session.scalars(_IN_THE_SIS, {"contacts": list(contacts)}))
