"""Counts of a mass message, read from its deliveries and from the list as it is now. Never a name.

Each delivery is exactly one of delivered, not delivered, awaiting a receipt, and failed on the sending side. A filter narrows
all counts to the contacts of its students; its SMS statuses narrow only the contacts not delivered to and those on the list.
The counts of the list come from the same rows as the list in Slack, so that they add up to what it shows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot.db.models.messages import ListMove
from bot.db.session import use_indexes
from bot.digests.counts import EARLIER_MESSAGES, CountScope, count_scope
from bot.digests.small_groups import group_grades, is_too_small
from bot.domain.grade import LEVELS
from bot.domain.sms_status import SEVERITY, SmsStatus
from bot.filters.filter import Filter
from bot.providers import registry

_EVERYBODY = Filter()


@dataclass(frozen=True)
class MoveCounts:
    """Contacts that joined the list with a message, that left it, and that stayed on it, perhaps with another status."""

    joined: int = 0
    left: int = 0
    stayed: int = 0


@dataclass(frozen=True)
class LeftCounts:
    """Contacts that left the list with a message: staff had fixed them and the text arrived; it arrived without that; or they get no
    texts anymore (another contact method, removed, or not at school).
    """

    fixed: int = 0
    delivered: int = 0
    ended: int = 0

    @property
    def total(self) -> int:
        return self.fixed + self.delivered + self.ended


@dataclass(frozen=True)
class Tally:
    """Contacts on the list, and how many of them joined it with the message."""

    contacts: int = 0
    new: int = 0


@dataclass(frozen=True)
class GradeCounts:
    """Contacts to fix of one grade, or of several that are too small to be counted alone."""

    grades: tuple[str, ...]
    to_fix: Tally


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

    `sent` is the sum of the five counts below it; `other_failures` have a status that the filter leaves out. Each contact on
    the list is exactly one of those to fix (`to_fix`, worst status first), `opted_out`, and `waiting` for the next message
    after an edit. `by_grade` are the contacts to fix once more, each in the grade of their youngest child. `changed` are the
    contacts that stayed on the list with another status, by the status they have now. `earlier` are up to four final messages
    before this one that receipts came for, oldest first. The counts of the list and `earlier` are empty while the digest is
    preliminary. `is_silent`: (nearly) no receipts came, and the list did not change. `is_hidden`: the group is too small
    (`small_groups`), and every count is 0. `learned_at` identifies the state of knowledge (`DigestPost.shown_at`).
    `forecast_missed` is how many texts were not expected to arrive, None where that is not known of just these texts.
    """

    message_id: str
    list_filter: Filter
    title: str
    sent_at: datetime
    final_by: datetime | None
    is_final: bool
    learned_at: datetime | None
    sent: int = 0
    delivered: int = 0
    not_delivered: int = 0
    awaiting: int = 0
    sending_failures: int = 0
    other_failures: int = 0
    sender_faults: tuple[SenderFault, ...] = ()
    is_silent: bool = False
    is_hidden: bool = False
    forecast_missed: int | None = None
    to_fix: Mapping[SmsStatus, Tally] = field(default_factory=dict)
    opted_out: Tally = Tally()
    waiting: Tally = Tally()
    by_grade: tuple[GradeCounts, ...] = ()
    changed: Mapping[SmsStatus, int] = field(default_factory=dict)
    left: LeftCounts = LeftCounts()
    students_without_adult: int = 0
    earlier: tuple[EarlierMessage, ...] = ()

    @property
    def moves(self) -> MoveCounts:
        tallies = [*self.to_fix.values(), self.opted_out, self.waiting]
        joined = sum(tally.new for tally in tallies)
        return MoveCounts(joined, self.left.total, sum(tally.contacts for tally in tallies) - joined)


_MESSAGE = text("""
SELECT id, title, sent_at, settles_at, settled_at IS NOT NULL AS is_final, silent_at IS NOT NULL AS is_silent, learned_at,
       sender_at_fault, forecast_texts, forecast_missed
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
    digest = Digest(
        message_id=message.id,
        list_filter=list_filter,
        title=message.title,
        sent_at=message.sent_at,
        final_by=message.settles_at,
        is_final=message.is_final,
        learned_at=message.learned_at,
        is_silent=message.is_silent,
    )
    students = {row.grade: row.students for row in session.execute(scope.students_by_grade(), params)}
    counts = session.execute(scope.deliveries(), params).one()
    if is_too_small(sum(students.values())) or is_too_small(counts.sent):
        return replace(digest, is_hidden=True)
    failures = counts.sent - counts.delivered - counts.awaiting - counts.sending_failures
    not_delivered = failures if counts.with_status is None else counts.with_status
    digest = replace(
        digest,
        sent=counts.sent,
        delivered=counts.delivered,
        not_delivered=not_delivered,
        awaiting=counts.awaiting,
        sending_failures=counts.sending_failures,
        other_failures=failures - not_delivered,
        sender_faults=tuple(_sender_fault(*fault) for fault in sorted(message.sender_at_fault.items())),
        forecast_missed=_forecast_missed(message, counts),
    )
    return _with_list(session, digest, scope, params, students) if message.is_final else digest


def _forecast_missed(message: Row[Any], counts: Row[Any]) -> int | None:
    """Return the forecast if it is of just these texts: deliveries added later, and a part of the message, had none."""
    is_same = counts.with_status is None and message.forecast_texts == counts.sent
    return message.forecast_missed if is_same else None


def _with_list(
    session: Session, digest: Digest, scope: CountScope, params: Mapping[str, Any], students: Mapping[str, int]
) -> Digest:
    entries = session.execute(scope.entries(), params).all()
    waiting = [row for row in entries if row.is_waiting]
    opted_out = [row for row in entries if row.status == SmsStatus.OPT_OUT and not row.is_waiting]
    to_fix = [row for row in entries if row.status != SmsStatus.OPT_OUT and not row.is_waiting]
    ids = session.scalars(EARLIER_MESSAGES, params).all()
    earlier = [EarlierMessage(*row) for row in session.execute(scope.earlier(), {**params, "earlier": ids})]
    use_indexes(session)  # From here on few rows of large tables are read.
    return replace(
        digest,
        to_fix={
            status: tally
            for status in SEVERITY
            if (tally := _tally(row for row in to_fix if row.status == status)).contacts
        },
        opted_out=_tally(opted_out),
        waiting=_tally(waiting),
        by_grade=_by_grade(to_fix, students),
        changed=_changed(entries),
        left=LeftCounts(*session.execute(scope.left(), params).one()),
        students_without_adult=scope.count_without_adult(session),
        earlier=tuple(message for message in earlier if not is_too_small(message.sent)),
    )


def _tally(rows: Iterable[Row[Any]]) -> Tally:
    rows = list(rows)
    new = sum(row.contacts for row in rows if row.move == ListMove.JOINED)
    return Tally(sum(row.contacts for row in rows), new)


def _by_grade(rows: Iterable[Row[Any]], students: Mapping[str, int]) -> tuple[GradeCounts, ...]:
    """Return the groups with contacts to fix. The database counts a grade that it does not know behind the last one."""
    rows = list(rows)
    groups = [
        GradeCounts(grades, _tally(row for row in rows if LEVELS[min(row.youngest, len(LEVELS)) - 1] in grades))
        for grades in group_grades(students, LEVELS)
    ]
    return tuple(group for group in groups if group.to_fix.contacts)


def _changed(rows: Iterable[Row[Any]]) -> dict[SmsStatus, int]:
    changed = Counter[str]()
    for row in rows:
        if row.move == ListMove.CHANGED and row.before != row.status:
            changed[row.status] += row.contacts
    return {status: changed[status] for status in SEVERITY if changed[status]}


def _sender_fault(key: str, refusals: int) -> SenderFault:
    provider, _, code = key.partition(":")
    meaning = registry.meaning(provider, code)
    return SenderFault(provider, code, refusals, meaning or "The carrier refused and gave no reason.")
