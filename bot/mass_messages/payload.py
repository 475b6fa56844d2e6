"""Read single fields and rows of the JSON that a sender posts; `docs/schemas/` describes it.

Each error names the field and, within a list, its row counted from 0: `deliveries[3].to`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import phone
from bot.errors import UserError

_MAX_LENGTH = 500
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_AHEAD = timedelta(days=1)
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not stored: its number counted from 0, the wrong field, the code of the error, and its sentence."""

    row: int
    field: str
    code: str
    reason: str


class RowsRefused(UserError):  # noqa: N818 (It says what happened to the rows.)
    """Nothing was stored: no row is right, or one is wrong and the sender wants all or nothing. It reads as the first error."""

    def __init__(self, refused: Sequence[RefusedRow]) -> None:
        first, *_ = self.refused = tuple(refused)
        super().__init__(first.code, first.reason, field=first.field)


def refused_row(row: int, problem: UserError) -> RefusedRow:
    return RefusedRow(row, problem.field or "", problem.code, problem.sentence)


def check_refused(refused: Sequence[RefusedRow], *, right: int, strict: bool) -> None:
    """Go on with the rows that are right, however few.

    Raises:
        RowsRefused: there are none, or `strict` and one was refused.
    """
    if refused and (strict or not right):
        raise RowsRefused(refused)


def text(values: Mapping[str, Any], name: str, *, where: str = "") -> str:
    """Return a required text, trimmed.

    Raises:
        UserError: it is missing, empty, too long, or not text.
    """
    value = values.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UserError("payload.missing", f"{name} is missing or is not text.", field=_field(where, name))
    if len(value) > _MAX_LENGTH or _UNREADABLE.search(value):
        sentence = f"{name} is longer than {_MAX_LENGTH} characters or contains unreadable characters."
        raise UserError("payload.unreadable", sentence, field=_field(where, name))
    return value.strip()


def optional_text(values: Mapping[str, Any], name: str, *, where: str = "") -> str | None:
    return None if values.get(name) is None else text(values, name, where=where)


def phone_number(values: Mapping[str, Any], name: str, region: str, *, where: str = "") -> str:
    """Return a phone number as E.164; it may be written in any way that is common in `region`. E.164 is taken as it is.

    Raises:
        UserError: it is missing or not a phone number; the sentence does not repeat it.
    """
    try:
        written = text(values, name, where=where)
        return phone.parse_exact(written) or phone.parse(written, region).e164
    except UserError as problem:
        raise UserError(problem.code, problem.sentence, field=_field(where, name)) from problem


def timestamp(values: Mapping[str, Any], name: str, *, now: datetime, where: str = "") -> datetime:
    """Return an ISO 8601 time with its zone, between the year 2000 and tomorrow.

    Raises:
        UserError: it is missing, not a time, without a zone, or out of range.
    """
    field = _field(where, name)
    try:
        time = datetime.fromisoformat(text(values, name, where=where))
    except ValueError as problem:
        raise UserError("payload.not_a_time", "Write the time like 2026-11-23T15:04:05Z.", field=field) from problem
    if time.tzinfo is None:
        sentence = "Add the time zone: end the time with Z or an offset like -06:00."
        raise UserError("payload.no_time_zone", sentence, field=field)
    if not _EARLIEST < time < now + _MAX_AHEAD:
        raise UserError("payload.time_out_of_range", "This time is too far from today. Check the date.", field=field)
    return time


def _field(where: str, name: str) -> str:
    return f"{where}.{name}".lstrip(".")
