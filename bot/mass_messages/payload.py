"""Fields of the JSON that a sender posts, read one by one. What cannot be taken names the field and its row, counted from 0."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import phone
from bot.errors import UserError

_LONGEST = 500
_AHEAD = timedelta(days=1)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def text(values: Mapping[str, Any], name: str, *, where: str = "") -> str:
    """A value as trimmed text.

    Raises:
        UserError: it is missing, empty, too long or not text.
    """
    value = values.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UserError("payload.missing", f"{name} is missing or is not text.", field=_field(where, name))
    if len(value) > _LONGEST or _UNREADABLE.search(value):
        raise UserError(
            "payload.unreadable",
            f"{name} is longer than {_LONGEST} characters or holds unreadable ones.",
            field=_field(where, name),
        )
    return value.strip()


def text_or_none(values: Mapping[str, Any], name: str, *, where: str = "") -> str | None:
    return None if values.get(name) is None else text(values, name, where=where)


def number(values: Mapping[str, Any], name: str, region: str, *, where: str = "") -> str:
    """A phone number as E.164, in whichever way that `region` knows it was written."""
    try:
        return phone.parse(text(values, name, where=where), region).e164
    except UserError as problem:
        raise UserError(problem.code, problem.sentence, field=_field(where, name)) from problem


def moment(values: Mapping[str, Any], name: str, *, now: datetime, where: str = "") -> datetime:
    """A time with its zone, of this century and not after tomorrow."""
    field = _field(where, name)
    try:
        read = datetime.fromisoformat(text(values, name, where=where))
    except ValueError as problem:
        raise UserError("payload.no_time", "Write the time like 2026-11-23T15:04:05Z.", field=field) from problem
    if read.tzinfo is None:
        raise UserError("payload.no_zone", "Say the time zone: end with Z or an offset like -06:00.", field=field)
    if not _FIRST < read < now + _AHEAD:
        raise UserError("payload.far_from_today", "Say when that was; this is too far from today.", field=field)
    return read


def _field(where: str, name: str) -> str:
    return f"{where}.{name}".lstrip(".")
