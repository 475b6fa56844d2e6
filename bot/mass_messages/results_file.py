"""Import the results of a mass message from a CSV, for senders that report in no other way.

A row is a phone number and its result; the header may name its columns in several ways. Every row is imported or listed with
its line and the reason. Importing the same file again changes nothing.
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
from bot.providers.explain import explain
from bot.providers.receipt import Code, ParsedReceipt
from bot.sis.lines import CsvRow, LineReader, open_text, read_rows

# The provider of deliveries whose results use no provider's codes.
_IMPORT = "import"

# The first of a column's names that the header has wins.
_COLUMN_NAMES = {
    "to": ("to", "phone", "phone number", "number", "recipient", "mobile"),
    "result": ("result", "status", "outcome", "delivery status", "message status"),
    "code": ("code", "error code", "error", "reason code"),
    "contact": ("contact", "contact id", "contact sourcedid", "sourcedid", "contact sourced id"),
}


def _normalize(word: str) -> str:
    return fold(word.replace("_", " ").replace("-", " "))


_OUTCOMES = {
    "delivered": Outcome.DELIVERED,
    "success": Outcome.DELIVERED,
    "received": Outcome.DELIVERED,
    "failed": Outcome.UNCONFIRMED,
    "undelivered": Outcome.UNCONFIRMED,
    "not delivered": Outcome.UNCONFIRMED,
    "opted out": Outcome.OPT_OUT,
    "unsubscribed": Outcome.OPT_OUT,
} | {_normalize(outcome): outcome for outcome in Outcome if outcome.value in set(SmsStatus)}
_NOT_FINAL = {"sent", "queued", "pending", "accepted"}


@dataclass(frozen=True)
class ResultsMessage:
    """The mass message that a file reports on. `provider` is the one whose codes the file contains, if any."""

    id: str
    title: str
    sent_at: datetime
    provider: str | None = None


@dataclass(frozen=True)
class ImportReport:
    """How many rows were read, how many deliveries were new or registered before, and the rejected rows: (line, reason)."""

    read: int
    added: int
    already: int
    rejected: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class _Result:
    """A row. `meaning` is None for a result that is not final."""

    line: int
    to: str
    contact: str | None
    code: str | None
    meaning: Code | None


def import_results(
    session: Session, path: Path, message: ResultsMessage, *, now: datetime, settle_after: timedelta, region: str
) -> ImportReport:
    """Register the message with a delivery for each contact with a number of the file, and apply the results.

    Raises:
        UserError: the file cannot be read, has no column for the number or the result, or no row that can be imported.
    """
    rejected: list[tuple[int, str]] = []
    results = list(_parse_file(path, message.provider, region, rejected))
    read = len(results) + len(rejected)
    pairs = _match_contacts(session, results, rejected)
    if not pairs:
        reason = " Line {}: {}".format(*rejected[0]) if rejected else ""
        raise UserError("results.none_imported", f"{path.name} contains no result that can be imported.{reason}")
    deliveries = [
        {
            "contact": contact,
            "to": result.to,
            "provider": message.provider or _IMPORT,
            "provider_id": _own_id(message, contact, result),
        }
        for result, contact in pairs
    ]
    counts = register_message(
        session,
        {"id": message.id, "title": message.title, "sent_at": message.sent_at.isoformat(), "deliveries": deliveries},
        now=now,
        settle_after=settle_after,
        region=region,
    )
    record_receipts(session, _receipts(session, pairs, message), now=now)
    return ImportReport(read, counts.added, counts.already, sorted(rejected))


def _own_id(message: ResultsMessage, contact: str, result: _Result) -> str:
    return f"{message.id}:{contact}:{result.to}"


_KNOWN_CONTACTS = text("SELECT sourced_id FROM contacts WHERE sourced_id = ANY(:contacts)")
_CONTACTS_WITH_NUMBER = text(
    "SELECT phone, sourced_id FROM contact_reach WHERE phone = ANY(:phones) ORDER BY contact_id"
)


def _match_contacts(
    session: Session, results: Sequence[_Result], rejected: list[tuple[int, str]]
) -> list[tuple[_Result, str]]:
    """Pair each result with the sourced_id of every contact it concerns; results without one are added to `rejected`."""
    named = [result.contact for result in results if result.contact]
    known = set(session.scalars(_KNOWN_CONTACTS, {"contacts": named}))
    by_number: defaultdict[str, list[str]] = defaultdict(list)
    for number, sourced_id in session.execute(_CONTACTS_WITH_NUMBER, {"phones": [result.to for result in results]}):
        by_number[number].append(sourced_id)
    pairs = []
    for result in results:
        if result.contact is None:
            contacts, missing = by_number[result.to], "number"
        else:
            contacts, missing = [result.contact] if result.contact in known else [], "contact id"
        if not contacts:
            rejected.append((result.line, f"No contact in the student information system has this {missing}."))
        pairs += [(result, contact) for contact in contacts]
    return pairs


_REGISTERED = text("""
SELECT contact_sourced_id AS contact, phone, provider, provider_id FROM deliveries WHERE mass_message_id = :message
""")


def _receipts(session: Session, pairs: Sequence[tuple[_Result, str]], message: ResultsMessage) -> list[ParsedReceipt]:
    """Return a receipt for each final result, under the id by which its sender may have registered the delivery before."""
    deliveries = {(row.contact, row.phone): row for row in session.execute(_REGISTERED, {"message": message.id})}
    return [
        ParsedReceipt.from_code(
            result.meaning,
            provider=deliveries[contact, result.to].provider,
            event_key=f"{_own_id(message, contact, result)}:{result.meaning.outcome}:{result.code or ''}",
            provider_id=deliveries[contact, result.to].provider_id,
            phone=result.to,
            code=result.code,
        )
        for result, contact in pairs
        if result.meaning
    ]


def _parse_file(path: Path, provider: str | None, region: str, rejected: list[tuple[int, str]]) -> Iterator[_Result]:
    try:
        with open_text(path.open("rb")) as file:
            rows = read_rows(LineReader(file))
            columns = _find_columns(path, next(rows, None))
            for row in rows:
                try:
                    yield _parse_row(row, columns, provider, region)
                except UserError as problem:
                    rejected.append((row.line, problem.sentence))
    except OSError as problem:
        raise UserError("results.unreadable", f"{path} cannot be read: {problem.strerror}.") from problem


def _find_columns(path: Path, header: CsvRow | None) -> Mapping[str, int]:
    cells = header.cells if header else []
    if len(cells) == 1 and re.search("[;\t]", cells[0]):
        sentence = f"The columns of {path.name} are not separated by commas. Save it as a CSV with commas."
        raise UserError("results.not_comma_separated", sentence)
    headings = [_normalize(cell) for cell in cells]
    columns = {
        column: next(headings.index(name) for name in names if name in headings)
        for column, names in _COLUMN_NAMES.items()
        if set(names) & set(headings)
    }
    if "to" not in columns:
        sentence = f"{path.name} has no column for the phone number. Name that column “to”."
        raise UserError("results.number_column_missing", sentence)
    if "result" not in columns and "code" not in columns:
        sentence = f"{path.name} has no column for the result. Name that column “result”."
        raise UserError("results.result_column_missing", sentence)
    return columns


def _parse_row(row: CsvRow, columns: Mapping[str, int], provider: str | None, region: str) -> _Result:
    if row.broken:
        raise UserError("results.broken_line", f"The line {row.broken}.")
    cells = {name: row.cells[index].strip() if index < len(row.cells) else "" for name, index in columns.items()}
    to = phone.parse(cells["to"], region).e164
    code, meaning = _parse_result(cells.get("code", ""), cells.get("result", ""), provider)
    contact = payload.text(cells, "contact") if cells.get("contact") else None
    return _Result(row.line, to, contact, code, meaning)


def _parse_result(code: str, result: str, provider: str | None) -> tuple[str | None, Code | None]:
    """Return (code, meaning). The code of a known provider says more than the result's word."""
    if code and provider:
        explanation = explain(provider, code)
        return explanation.code, explanation.entry
    word = _normalize(result)
    if word in _NOT_FINAL:
        return None, None
    if word not in _OUTCOMES:
        sentence = f"“{result}” is not a known result. Use one of: {', '.join(sorted(_OUTCOMES))}."
        raise UserError("results.unknown_result", sentence)
    return None, Code(_OUTCOMES[word], "", reasonless=_OUTCOMES[word] is Outcome.UNCONFIRMED)
