"""Import a carriers' file of numbers that were deactivated or reassigned: those that families have are parked as Wrong person.

A line is a number, and the date on which that was known, separated by a comma, semicolon, or tab; a header is skipped, and
of several lines with one number the last counts. Only numbers of contacts are stored. Importing the same file again changes nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from itertools import islice
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.db import audit
from bot.domain import phone
from bot.errors import UserError
from bot.mass_messages.wrong_person import DEACTIVATIONS, park_numbers
from bot.sis.lines import open_text

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_CHUNK = 10_000
_MAX_REJECTED = 20


@dataclass(frozen=True)
class DeactivationCounts:
    """Numbers of a file: `parked` now, parked `already`, `verified` by staff since, and `strangers`, which no contact has.

    `rejected` lines could not be read; the first of them are in `examples`, as (line, reason).
    """

    parked: int
    already: int
    verified: int
    strangers: int
    rejected: int
    examples: tuple[tuple[int, str], ...]


_KNOWN = text("""
SELECT r.phone FROM unnest(CAST(:phones AS text[])) AS r (phone)
WHERE EXISTS (SELECT FROM contacts c WHERE c.sis_phone = r.phone)
   OR EXISTS (SELECT FROM edits e WHERE e.value = r.phone AND e.state IN ('pending', 'conflict'))
""")
# A number that one of its contacts proved since is judged anew.
_PARKED = text("""
SELECT phone FROM phone_numbers n WHERE wrong_person_at IS NOT NULL AND phone = ANY(:phones)
AND NOT EXISTS (SELECT FROM tried_numbers t WHERE t.phone = n.phone AND t.proved_at IS NOT NULL)
""")


class _Reader:
    """Reads lines as (number, the first moment of the date); bad lines are counted."""

    def __init__(self, *, day: date | None, region: str, zone: tzinfo) -> None:
        self._day, self._region, self._zone = day, region, zone
        self.rejected = 0
        self.examples: list[tuple[int, str]] = []

    def read(self, lines: Iterable[str]) -> Iterator[tuple[str, datetime]]:
        for number, line in enumerate(lines, 1):
            cells = [cell.strip(' "') for cell in re.split(r"[,;\t]", line.strip())]
            if not cells[0] or (number == 1 and not re.search(r"\d", cells[0])):
                continue
            try:
                yield self._number(cells[0]), self._time(cells[1:])
            except UserError as problem:
                self.rejected += 1
                if len(self.examples) < _MAX_REJECTED:
                    self.examples.append((number, problem.sentence))

    def _number(self, cell: str) -> str:
        return cell if _E164.fullmatch(cell) else phone.parse(cell, self._region).e164

    def _time(self, cells: list[str]) -> datetime:
        """Return the start of the day: staff who verified the number on that day or later are right."""
        match = next(filter(None, map(_DAY.fullmatch, cells)), None)
        try:
            day = date(*map(int, match.groups())) if match else self._day
        except ValueError:
            day = None
        if day is None:
            sentence = "There is no date like 2026-11-20. Write it after the number, or give one for the whole file with --date."
            raise UserError("deactivations.no_date", sentence)
        return datetime.combine(day, time.min, self._zone).astimezone(UTC)


def import_deactivations(
    session: Session, path: Path, *, day: date | None, region: str, zone: tzinfo, now: datetime
) -> DeactivationCounts:
    """Park the numbers of contacts that are in the file. `day` is the date of lines without one.

    Raises:
        UserError: the file cannot be read, or has no number in it.
    """
    reader = _Reader(day=day, region=region, zone=zone)
    reports: dict[str, datetime] = {}
    strangers = 0
    try:
        with open_text(path.open("rb")) as lines:
            numbers = reader.read(lines)
            while chunk := dict(islice(numbers, _CHUNK)):
                known = session.scalars(_KNOWN, {"phones": list(chunk)}).all()
                strangers += len(chunk) - len(known)
                reports.update((number, chunk[number]) for number in known)
    except OSError as problem:
        sentence = f"{path} cannot be read: {problem.strerror}."
        raise UserError("deactivations.unreadable", sentence) from problem
    if not reports and not strangers:
        raise UserError("deactivations.empty", _explain_empty(path, reader))
    already, parked = _park(session, reports, now=now)
    verified = len(reports) - already - parked
    return DeactivationCounts(parked, already, verified, strangers, reader.rejected, tuple(reader.examples))


def _park(session: Session, reports: Mapping[str, datetime], *, now: datetime) -> tuple[int, int]:
    """Return how many numbers were parked before, and how many are parked now."""
    already = set(session.scalars(_PARKED, {"phones": list(reports)}))
    new = {number: min(at, now) for number, at in reports.items() if number not in already}
    parked = park_numbers(session, new, by=DEACTIVATIONS, now=now) if new else []
    audit.record_numbers(session, parked, actor=DEACTIVATIONS, action="wrong_person.reported", now=now)
    return len(already), len(parked)


def _explain_empty(path: Path, reader: _Reader) -> str:
    if not reader.examples:
        return f"{path} has no numbers in it."
    line, reason = reader.examples[0]
    return f"No line of {path} could be read. Line {line}: {reason}"
