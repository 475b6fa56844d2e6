"""What a mass message taught us, read from its deliveries and from the list as it is now. Counts, never a name.

Every delivery is in exactly one of delivered, not reached, not known and our fault. A filter narrows all of them to the
contacts of the students it means; one with SMS statuses counts only those as not reached and on the list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot.digests.counts import CountScope, count_scope
from bot.domain.grade import LEVELS
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import Filter
from bot.providers import registry

Kind = TypeVar("Kind", bound=str)
_EVERYBODY = Filter()


@dataclass(frozen=True)
class MoveCounts:
    """Contacts that joined the list by a message, that left it, and that are still on it (with another status, perhaps)."""

    joined: int = 0
    left: int = 0
    still: int = 0


_NOTHING = MoveCounts()


@dataclass(frozen=True)
class SenderFault:
    """A refusal without a reason that hit so many recipients that our own sender is at fault. Nobody was listed for it."""

    provider: str
    code: str
    refusals: int
    meaning: str


@dataclass(frozen=True)
class EarlierMessage:
    """How another mass message went, to compare with."""

    title: str
    sent_at: datetime
    sent: int
    delivered: int


@dataclass(frozen=True)
class Digest:
    """One mass message in the counts of what `which` means; `at_fault` is of the whole message.

    `by_status` and `by_grade` hold only what is not zero, worst status and lowest grade first; a contact of children in two
    grades counts in both. `before` are up to four settled messages before this one, oldest first. Until the message has
    settled, they and what is said of the list are empty. `shown_at` is the state of knowledge that this shows (see
    `outbox.posted`).
    """

    message_id: str
    which: Filter
    title: str
    sent_at: datetime
    settles_at: datetime | None
    is_settled: bool
    shown_at: datetime | None
    sent: int
    delivered: int
    not_reached: int
    not_known: int
    our_fault: int
    at_fault: tuple[SenderFault, ...]
    all_moved: MoveCounts = _NOTHING
    fixed: int = 0
    by_status: Mapping[SmsStatus, MoveCounts] = field(default_factory=dict)
    by_grade: Mapping[str, MoveCounts] = field(default_factory=dict)
    students_without_adult: int = 0
    before: tuple[EarlierMessage, ...] = ()


_MESSAGE = text("""
SELECT id, title, sent_at, settles_at, settled_at IS NOT NULL AS is_settled, learned_at, sender_at_fault
FROM mass_messages WHERE id = :message
""")

_BEFORE = text("""
SELECT p.id, p.title, p.sent_at
FROM mass_messages m JOIN mass_messages p ON (p.sent_at, p.id) < (m.sent_at, m.id) AND p.settled_at IS NOT NULL
WHERE m.id = :message ORDER BY p.sent_at DESC, p.id DESC LIMIT 4
""")


def load_digest(session: Session, message_id: str, *, which: Filter = _EVERYBODY, today: date) -> Digest:
    """What a registered mass message taught us so far; it moves the list, and is complete, once it has settled.

    `today` is the district's date: a filter by teacher means the students of that day.
    """
    # First of all, so that a receipt that comes while we count is news and not overlooked.
    message = session.execute(_MESSAGE, {"message": message_id}).one()
    meant = count_scope(session, which, today=today)
    values = {"message": message_id, **meant.values}
    counts = session.execute(meant.deliveries(), values).mappings().one()
    others = counts["delivered"] + counts["not_known"] + counts["our_fault"]
    digest = Digest(
        message_id=message.id,
        which=which,
        title=message.title,
        sent_at=message.sent_at,
        settles_at=message.settles_at,
        is_settled=message.is_settled,
        shown_at=message.learned_at,
        sent=counts["sent"],
        delivered=counts["delivered"],
        not_reached=counts.get("not_reached", counts["sent"] - others),
        not_known=counts["not_known"],
        our_fault=counts["our_fault"],
        at_fault=tuple(_fault(key, refusals) for key, refusals in sorted(message.sender_at_fault.items())),
    )
    return _with_the_list(session, digest, meant, values) if message.is_settled else digest


def _with_the_list(session: Session, digest: Digest, meant: CountScope, values: Mapping[str, Any]) -> Digest:
    by_status = session.execute(meant.by_status(), values).all()
    return replace(
        digest,
        all_moved=_moved(by_status),
        fixed=sum(row.fixed for row in by_status),
        by_status=_by_kind(by_status, SEVERITY),
        by_grade=_by_kind(session.execute(meant.by_grade(), values).all(), LEVELS),
        students_without_adult=session.execute(meant.without_adult()).scalar_one(),
        before=_before(session, digest.message_id, meant),
    )


def _moved(rows: Iterable[Row[Any]]) -> MoveCounts:
    counted = {"joined": 0, "left": 0, "still": 0}
    for row in rows:
        counted[row.move] += row.contacts
    return MoveCounts(**counted)


def _by_kind(rows: Iterable[Row[Any]], order: Iterable[Kind]) -> dict[Kind, MoveCounts]:
    rows = list(rows)
    found = {row.kind for row in rows}
    return {kind: _moved(row for row in rows if row.kind == kind) for kind in order if kind in found}


def _fault(key: str, refusals: int) -> SenderFault:
    provider, _, code = key.partition(":")
    said = registry.meaning(provider, code)
    return SenderFault(provider, code, refusals, said or "The carrier refused and gave no reason.")


def _before(session: Session, message_id: str, meant: CountScope) -> tuple[EarlierMessage, ...]:
    messages = {row.id: row for row in reversed(session.execute(_BEFORE, {"message": message_id}).all())}
    values = {**meant.values, "messages": list(messages)}
    counts = {row.id: row for row in session.execute(meant.reached(), values)} if messages else {}
    return tuple(
        EarlierMessage(one.title, one.sent_at, counts[one.id].sent, counts[one.id].delivered)
        for one in messages.values()
        if one.id in counts
    )
