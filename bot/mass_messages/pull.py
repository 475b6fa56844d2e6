"""Pull a provider's message log, so that the sender need not change: texts become mass messages, their states receipts, and
families' texts opt-outs.

A pull reads a day at a time, oldest first, and keeps a watermark. Every part may be repeated: a text that was pulled, registered by
its sender, or reported by a callback before changes nothing. The next pull begins before the earliest text without a final result.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.db.advisory_locks import advisory_lock
from bot.db.models.message_logs import LogWatermark
from bot.db.session import transaction
from bot.domain.display import plural
from bot.domain.sms_status import Outcome
from bot.errors import UserError
from bot.mass_messages.opt_outs import record_opt_out
from bot.mass_messages.pulled_groups import (
    GAP,
    GAP_WITHOUT_BODIES,
    GroupRules,
    find_unregistered,
    group_texts,
    leave_registered,
    register_group,
)
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.unclear_texts import KEPT, store_unclear_text
from bot.providers.message_log import MessageLog, ReceivedText, SentText
from bot.providers.receipt import FamilyText, OptOutMessage
from bot.providers.unclear_texts import read_text
from bot.settings import Settings

_SLICE = timedelta(days=1)
# No carrier reports later; a text without a report by then stays unconfirmed.
_OPEN_FOR = timedelta(hours=72)
_FIRST_PULL = timedelta(days=1)
_BATCH_SIZE = 1_000
# Logs cut off the fraction.
_SECOND = timedelta(seconds=0.999999)


@dataclass(frozen=True)
class PullCounts:
    """What a pull read and what was new. `open` texts have no final result yet, `hidden` ones no body in the log; `strangers`
    are texts of mass messages to numbers that no contact has.
    """

    texts: int = 0
    messages: int = 0
    deliveries: int = 0
    receipts: int = 0
    opt_outs: int = 0
    unclear: int = 0
    open: int = 0
    hidden: int = 0
    strangers: int = 0

    def lines(self) -> list[str]:
        """Return the counts as sentences, the first one always."""
        added = (
            f"{plural(self.messages, 'new mass message')}, {plural(self.deliveries, 'new delivery', 'new deliveries')}"
        )
        results = f"{plural(self.receipts, 'new result')}, {plural(self.opt_outs, 'opt-out or opt-in', 'opt-outs and opt-ins')}"
        unclear = f"{plural(self.unclear, 'text')} for a person to read"
        lines = [f"{plural(self.texts, 'text')} read: {added}, {results}, {unclear}."]
        if self.strangers:
            lines.append(f"Left out {plural(self.strangers, 'text')} to numbers that no contact has.")
        if self.hidden:
            hidden = f"Left out {plural(self.hidden, 'text')} whose body the log does not show"
            lines.append(f"{hidden}: send their mass messages to POST /mass-messages.")
        if self.open:
            lines.append(f"Without a final result yet: {plural(self.open, 'text')}. The next pull reads them again.")
        return lines


def pull_if_due(
    engine: Engine, log: MessageLog, *, settings: Settings, now: datetime, lock_engine: Engine | None = None
) -> PullCounts:
    """Pull as `pull`, unless another process does so, or did within `PULL_EVERY`, successfully or not."""
    with advisory_lock(lock_engine or engine, _lock_name(log)) as connection:
        if connection is None:
            return PullCounts()
        with transaction(engine) as session:
            watermark = session.get(LogWatermark, (log.provider, log.account))
        if watermark and watermark.tried_at + settings.pull_every > now:
            return PullCounts()
        return _pull(engine, log, settings=settings, now=now, since=None)


def pull(
    engine: Engine,
    log: MessageLog,
    *,
    settings: Settings,
    now: datetime,
    since: datetime | None = None,
    lock_engine: Engine | None = None,
) -> PullCounts:
    """Read the log from `since` (without it: from the watermark, at first a day) until now, and store what it shows.

    If the watermark is earlier than `since`, it counts, so that there is no gap. `lock_engine` is for the lock that keeps other
    pulls out, if that is another connection.

    Raises:
        UserError: another pull is running, or the log cannot be read; what was read until then is stored.
    """
    with advisory_lock(lock_engine or engine, _lock_name(log)) as connection:
        if connection is None:
            sentence = f"Another pull of {log.provider} is running. It reads the same texts; wait until it is done."
            raise UserError("pull.running", sentence, permanent=False)
        return _pull(engine, log, settings=settings, now=now, since=since)


def _lock_name(log: MessageLog) -> str:
    return f"pull {log.provider}"


def _pull(engine: Engine, log: MessageLog, *, settings: Settings, now: datetime, since: datetime | None) -> PullCounts:
    start = counted_until = _begin(engine, log, since=since, now=now)
    total: Counter[str] = Counter()
    open_texts: dict[str, datetime] = {}
    while True:
        end = min(start + _SLICE, now)
        texts = sorted(log.texts(start, end), key=lambda each: each.at)
        received = [each for each in texts if isinstance(each, ReceivedText)]
        sent = [each for each in texts if isinstance(each, SentText)]
        total["texts"] += sum(counted_until <= each.at <= end for each in texts)
        total["hidden"] += sum(counted_until <= each.at <= end and each.group_key is None for each in sent)
        total += _store_received(engine, received, own_words=settings.opt_out_words, now=now)
        for still_open, stored in _store_receipts(engine, log, sent, now=now):
            open_texts |= {sid: at for sid, at in still_open.items() if at > now - _OPEN_FOR}
            total["receipts"] += stored
        total += _register_groups(engine, log, sent, settings=settings, now=now)
        _move_watermark(engine, log, end, open_texts.values(), is_last=end >= now)
        if end >= now:
            return PullCounts(**total, open=len(open_texts))
        # Slices overlap, so that a mass message that was being sent at the end of one is a single group.
        start, counted_until = end - GAP, end


def _begin(engine: Engine, log: MessageLog, *, since: datetime | None, now: datetime) -> datetime:
    """Store that a pull begins, and return from when it reads."""
    with transaction(engine) as session:
        watermark = session.get(LogWatermark, (log.provider, log.account))
        if watermark is None:
            watermark = LogWatermark(provider=log.provider, account=log.account)
            session.add(watermark)
        watermark.tried_at = now
        starts = [since] if since else []
        if watermark.read_until:
            overlap = max(GAP, log.late)
            starts.append(min(watermark.read_until - overlap, (watermark.open_since or now) - GAP))
        return min(starts, default=now - _FIRST_PULL)


def _move_watermark(
    engine: Engine, log: MessageLog, end: datetime, open_at: Collection[datetime], *, is_last: bool
) -> None:
    with transaction(engine) as session:
        watermark = session.get_one(LogWatermark, (log.provider, log.account))
        watermark.read_until = max(watermark.read_until or end, end)
        known = [watermark.open_since] if watermark.open_since and not is_last else []
        watermark.open_since = min([*known, *open_at], default=None)


def _store_received(
    engine: Engine, received: Sequence[ReceivedText], *, own_words: Collection[str], now: datetime
) -> Counter[str]:
    """Record opt-outs and opt-ins, oldest first; of the other texts, store those that a person has to read."""
    counts: Counter[str] = Counter()
    for start in range(0, len(received), _BATCH_SIZE):
        batch = received[start : start + _BATCH_SIZE]
        with transaction(engine) as session:
            for each in batch:
                counts += _store_text(session, each, own_words=own_words, now=now)
    return counts


def _store_text(session: Session, received: ReceivedText, *, own_words: Collection[str], now: datetime) -> Counter[str]:
    message = received.message
    report = read_text(message, own_words=own_words) if isinstance(message, FamilyText) else message
    if isinstance(report, OptOutMessage):
        # Of a STOP and a START in the same second, the STOP counts.
        at = min(received.at + _SECOND if report.opted_out else received.at, now)
        return Counter(opt_outs=int(record_opt_out(session, report, at=at, now=now)))
    # An older text may have been asked about, answered, and deleted.
    if report and received.at > now - KEPT:
        return Counter(unclear=int(store_unclear_text(session, report, now=now)))
    return Counter()


_KNOWN = text("""
SELECT provider_id, event_key, outcome, code FROM receipts
WHERE provider = :provider AND provider_id = ANY(:ids) AND outcome <> 'pending'
""")


def _store_receipts(
    engine: Engine, log: MessageLog, sent: Sequence[SentText], *, now: datetime
) -> Iterator[tuple[dict[str, datetime], int]]:
    """Store the final results that are new, and apply them to deliveries that exist; yield the texts without one, and how many
    were stored. A callback may have reported the same, with a date at the end of its key or, at Telnyx, with a key of its own.
    """
    for start in range(0, len(sent), _BATCH_SIZE):
        batch = sent[start : start + _BATCH_SIZE]
        with transaction(engine) as session:
            known: defaultdict[str, list[str]] = defaultdict(list)
            results = set()
            for row in session.execute(_KNOWN, {"provider": log.provider, "ids": [each.provider_id for each in batch]}):
                known[row.provider_id].append(row.event_key)
                results.add((row.provider_id, row.outcome, row.code))
            is_new = [
                each for each in batch if not any(key.startswith(each.event_key) for key in known[each.provider_id])
            ]
            receipts = [log.receipt(each) for each in is_new]
            final = [receipt for receipt in receipts if receipt.outcome is not Outcome.PENDING]
            new = [receipt for receipt in final if (receipt.provider_id, receipt.outcome, receipt.code) not in results]
            stored = record_receipts(session, new, now=now).stored
        open_ids = {receipt.provider_id for receipt in receipts} - {receipt.provider_id for receipt in final}
        yield {each.provider_id: each.at for each in is_new if each.provider_id in open_ids}, stored


def _register_groups(
    engine: Engine, log: MessageLog, sent: Sequence[SentText], *, settings: Settings, now: datetime
) -> Counter[str]:
    """Register each group in a transaction of its own; the receipts that wait for it are applied at once."""
    rules = GroupRules(log.provider, settings.settle_after, settings.phone_region, settings.zone)
    with transaction(engine) as session:
        if log.has_bodies:
            found = group_texts(sent, pause=GAP)
        else:
            own = leave_registered(session, sent, provider=log.provider)
            found = group_texts(own, pause=GAP_WITHOUT_BODIES)
        groups = find_unregistered(session, found, provider=log.provider)
    counts: Counter[str] = Counter()
    for group in groups:
        with transaction(engine) as session:
            counts += register_group(session, group, rules=rules, now=now)
    return counts
