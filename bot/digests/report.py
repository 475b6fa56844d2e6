"""Counts of a mass message, read from its deliveries and from the list as it is now. Never a name.

Each delivery is exactly one of delivered, not delivered, awaiting a receipt, and failed on the sending side. A filter narrows
all counts to the contacts of its students; its SMS statuses narrow only the contacts not delivered to and those on the list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot.cleanup_list.query import use_indexes
from bot.digests.counts import EARLIER_MESSAGES, CountScope, count_scope
from bot.domain.grade import LEVELS
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import Filter
from bot.providers import registry

Kind = TypeVar("Kind", bound=str)
_EVERYBODY = Filter()


@dataclass(frozen=True)
class MoveCounts:
    """Contacts that joined the list with a message, that left it, and that stayed on it, perhaps with another status."""

    joined: int = 0
    left: int = 0
    stayed: int = 0


_NO_MOVES = MoveCounts()


@dataclass(frozen=True)
class SenderFault:
    """A refusal without a reason of so many deliveries that the sender is at fault and no contact is listed for it."""

    provider: str
    code: str
    refusals: int
    meaning: str


@dataclass(frozen=True)
class EarlierMessage:
    sent_at: datetime
    sent: int
    delivered: int


@dataclass(frozen=True)
class Digest:
    """One mass message, counted within `list_filter`; `sender_faults` are of the whole message.

    `by_status` and `by_grade` hold no zeros, worst status and lowest grade first; a contact with children in two grades counts in both.
    `earlier` are up to four final messages before this one that receipts came for, oldest first. The counts of the list and `earlier`
    are empty while the digest is preliminary. `is_silent`: (nearly) no receipts came, and the list did not change. `learned_at`
    identifies the state of knowledge (`DigestPost.shown_at`).
    """

    message_id: str
    list_filter: Filter
    title: str
    sent_at: datetime
    final_by: datetime | None
    is_final: bool
    learned_at: datetime | None
    sent: int
    delivered: int
    not_delivered: int
    awaiting: int
    sending_failures: int
    sender_faults: tuple[SenderFault, ...]
    is_silent: bool = False
    moves: MoveCounts = _NO_MOVES
    fixed: int = 0
    by_status: Mapping[SmsStatus, MoveCounts] = field(default_factory=dict)
    by_grade: Mapping[str, MoveCounts] = field(default_factory=dict)
    students_without_adult: int = 0
    earlier: tuple[EarlierMessage, ...] = ()


_MESSAGE = text("""
SELECT id, title, sent_at, settles_at, settled_at IS NOT NULL AS is_final, silent_at IS NOT NULL AS is_silent, learned_at,
       sender_at_fault
FROM mass_messages WHERE id = :message
""")


def load_digest(session: Session, message_id: str, *, list_filter: Filter = _EVERYBODY, today: date) -> Digest:
    """Count a registered mass message; the list is included once the message is final.

    `today` is the district's date: a filter by teacher selects the students of that day.
    """
    # Read first: a receipt that arrives while we count has a later `learned_at`, and the digest is refreshed.
    message = session.execute(_MESSAGE, {"message": message_id}).one()
    scope = count_scope(session, list_filter, today=today)
    params = {"message": message_id, **scope.params}
    counts = session.execute(scope.deliveries(), params).one()
    not_delivered = counts.sent - counts.delivered - counts.awaiting - counts.sending_failures
    digest = Digest(
        message_id=message.id,
        list_filter=list_filter,
        title=message.title,
        sent_at=message.sent_at,
        final_by=message.settles_at,
        is_final=message.is_final,
        learned_at=message.learned_at,
        sent=counts.sent,
        delivered=counts.delivered,
        not_delivered=not_delivered if counts.with_status is None else counts.with_status,
        awaiting=counts.awaiting,
        sending_failures=counts.sending_failures,
        sender_faults=tuple(_sender_fault(*fault) for fault in sorted(message.sender_at_fault.items())),
        is_silent=message.is_silent,
    )
    return _with_list(session, digest, scope, params) if message.is_final else digest


def _with_list(session: Session, digest: Digest, scope: CountScope, params: Mapping[str, Any]) -> Digest:
    by_status = session.execute(scope.by_status(), params).all()
    ids = session.scalars(EARLIER_MESSAGES, params).all()
    earlier = session.execute(scope.earlier(), {**params, "earlier": ids}).all()
    use_indexes(session)  # From here on few rows of large tables are read.
    return replace(
        digest,
        moves=_count_moves(by_status),
        fixed=sum(row.fixed for row in by_status),
        by_status=_group_moves(by_status, SEVERITY),
        by_grade=_group_moves(session.execute(scope.by_grade(), params).all(), LEVELS),
        students_without_adult=scope.count_without_adult(session),
        earlier=tuple(EarlierMessage(*row) for row in earlier),
    )


def _count_moves(rows: Iterable[Row[Any]]) -> MoveCounts:
    counts = {"joined": 0, "left": 0, "stayed": 0}
    for row in rows:
        counts[row.move] += row.contacts
    return MoveCounts(**counts)


def _group_moves(rows: Iterable[Row[Any]], order: Iterable[Kind]) -> dict[Kind, MoveCounts]:
    rows = list(rows)
    kinds = {row.kind for row in rows}
    return {kind: _count_moves(row for row in rows if row.kind == kind) for kind in order if kind in kinds}


def _sender_fault(key: str, refusals: int) -> SenderFault:
    provider, _, code = key.partition(":")
    meaning = registry.meaning(provider, code)
    return SenderFault(provider, code, refusals, meaning or "The carrier refused and gave no reason.")
