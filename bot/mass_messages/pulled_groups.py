"""Group the texts of a provider's log into mass messages, and register those that are not registered yet.

A mass message is one body that went to at least `MIN_NUMBERS` numbers without a long pause: the same words on the next day are another
message. In a log without bodies it is all that one sender sent without a pause of minutes. Ten is the size of a group whose counts
may be posted; fewer are notes to single families. Answers to a text are never part of one, though many families may get the same
automatic answer at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.mass_messages.receipts import apply_receipts
from bot.mass_messages.register import PULLED, register_message
from bot.providers.message_log import SentText

MIN_NUMBERS = 10
# A sender that queues texts because carriers let it send only one a second makes no pause.
GAP = timedelta(hours=1)
# Texts to single families that are typed one after another must not look like a mass message.
GAP_WITHOUT_BODIES = timedelta(minutes=2)


@dataclass(frozen=True)
class Group:
    """Texts of one mass message, oldest first. `key` is their `group_key`."""

    key: str
    texts: Sequence[SentText]

    @property
    def numbers(self) -> set[str]:
        return {sent.phone for sent in self.texts}

    @property
    def first_at(self) -> datetime:
        return self.texts[0].at

    @property
    def last_at(self) -> datetime:
        return self.texts[-1].at


def group_texts(texts: Iterable[SentText], *, pause: timedelta) -> list[Group]:
    """Return the texts with the same key, cut where there was a longer pause, oldest first. They may be fewer than a mass message has."""
    by_key: defaultdict[str, list[SentText]] = defaultdict(list)
    for sent in sorted(texts, key=lambda sent: (sent.at, sent.provider_id)):
        if sent.group_key and sent.is_unprompted:
            by_key[sent.group_key].append(sent)
    groups = [Group(key, part) for key, sent in by_key.items() for part in _cut_at_pauses(sent, pause)]
    return sorted(groups, key=lambda group: group.first_at)


def _cut_at_pauses(texts: Sequence[SentText], pause: timedelta) -> Iterator[list[SentText]]:
    part = [texts[0]]
    for before, sent in pairwise(texts):
        if sent.at - before.at > pause:
            yield part
            part = []
        part.append(sent)
    yield part


_OWNERS = text("""
SELECT provider_id, mass_message_id AS message FROM deliveries WHERE provider = :provider AND provider_id = ANY(:ids)
""")

# A sender may register its messages without the provider's ids. A single text to one of their numbers is not the message, though.
_WITHOUT_IDS = text("""
SELECT d.mass_message_id
FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
WHERE d.phone = ANY(:phones) AND d.provider_id IS NULL AND coalesce(d.provider, :provider) = :provider
  AND m.sent_at BETWEEN :first AND :last
GROUP BY d.mass_message_id, m.sent_at
HAVING count(DISTINCT d.phone) * 2 >= :size AND (:is_mass OR count(DISTINCT d.phone) * 2 >= (
    SELECT count(DISTINCT o.phone) FROM deliveries o WHERE o.mass_message_id = d.mass_message_id
))
ORDER BY count(DISTINCT d.phone) DESC, abs(extract(epoch FROM m.sent_at - :sent_at)), d.mass_message_id
LIMIT 1
""")
_ANY_WITHOUT_IDS = text("""
SELECT EXISTS (
    SELECT FROM mass_messages m JOIN deliveries d ON d.mass_message_id = m.id
    WHERE m.sent_at BETWEEN CAST(:first AS timestamptz) - :gap AND CAST(:last AS timestamptz) + :gap AND d.provider_id IS NULL
)
""")

# A typed number tells nothing until a text went there through this contact (see `tried_numbers`): none did before it was typed, and
# perhaps none as long as another contact has the number.
_CONTACTS = text("""
WITH holders AS (
    SELECT r.phone, r.sourced_id, r.contact_id, r.is_tried, r.method, bool_or(r.is_tried) OVER (PARTITION BY r.phone) AS is_any_tried
    FROM contact_reach r LEFT JOIN edits e ON e.id = r.phone_edit_id
    WHERE r.phone = ANY(:phones) AND (e.id IS NULL OR e.made_at <= :sent_at)
)
SELECT phone, contact FROM (
    SELECT d.phone, d.contact_sourced_id AS contact, TRUE AS is_registered, TRUE AS takes_texts, d.id
    FROM deliveries d WHERE d.mass_message_id = :message AND d.phone = ANY(:phones) AND d.provider_id IS NULL
    UNION ALL
    SELECT h.phone, h.sourced_id, FALSE, h.method = 'text', h.contact_id
    FROM holders h WHERE h.is_tried = h.is_any_tried AND NOT EXISTS (
        SELECT FROM deliveries d
        WHERE d.mass_message_id = :message AND d.contact_sourced_id = h.sourced_id AND d.phone = h.phone
    )
) AS candidates
ORDER BY is_registered DESC, takes_texts DESC, id
""")

# The sender tried again, or texts a shared number once for each contact: the best result counts. The receipt is copied, as the
# sender may register the text later.
_COPY_RECEIPTS = text("""
INSERT INTO receipts (provider, event_key, provider_id, phone, outcome, code, shaky, reasonless, occurred_at, received_at)
SELECT r.provider, r.event_key || 'again', d.provider_id, r.phone, r.outcome, r.code, r.shaky, r.reasonless, r.occurred_at, CAST(:now AS timestamptz)
FROM unnest(CAST(:ids AS text[]), CAST(:phones AS text[])) AS u (id, phone)
JOIN receipts r ON r.provider = :provider AND r.provider_id = u.id AND r.outcome <> 'pending'
CROSS JOIN LATERAL (
    SELECT provider_id FROM deliveries
    WHERE mass_message_id = :message AND phone = u.phone AND provider = :provider AND provider_id IS NOT NULL
    ORDER BY id LIMIT 1
) AS d
ON CONFLICT DO NOTHING RETURNING id
""")


@dataclass(frozen=True)
class GroupRules:
    """Where the texts come from, and the settings of the district that a mass message depends on."""

    provider: str
    settle_after: timedelta
    region: str
    zone: ZoneInfo


def leave_registered(session: Session, texts: Iterable[SentText], *, provider: str) -> list[SentText]:
    """Return the texts without those of messages that their sender registered: without bodies, other texts of that time are no part of
    them.
    """
    texts = list(texts)
    owners = session.execute(_OWNERS, {"provider": provider, "ids": [sent.provider_id for sent in texts]})
    registered = {row.provider_id for row in owners if not row.message.startswith(PULLED)}
    return [sent for sent in texts if sent.provider_id not in registered]


def find_unregistered(session: Session, groups: Iterable[Group], *, provider: str) -> list[Group]:
    """Return the groups with texts that belong to no mass message yet, but may. One query: most texts are old or personal."""
    groups = list(groups)
    ids = [sent.provider_id for group in groups for sent in group.texts]
    owned = {row.provider_id for row in session.execute(_OWNERS, {"provider": provider, "ids": ids})}
    times = [group.first_at for group in groups] + [group.last_at for group in groups]
    window = {"first": min(times, default=None), "last": max(times, default=None)}
    is_any_without_ids = bool(session.scalar(_ANY_WITHOUT_IDS, window | {"gap": GAP}))
    return [
        group
        for group in groups
        if any(sent.provider_id not in owned for sent in group.texts)
        and (
            is_any_without_ids or len(group.numbers) >= MIN_NUMBERS or any(s.provider_id in owned for s in group.texts)
        )
    ]


def register_group(session: Session, group: Group, *, rules: GroupRules, now: datetime) -> Counter[str]:
    """Add the texts of a group to their mass message, and register it if that is not done. Too few texts for one are left out.

    Each text is the delivery to one contact with its number; contacts that share a number share its result. A text more than there
    are contacts adds its result to a delivery. Texts to numbers that no contact has are counted as `strangers`.
    """
    values = {"provider": rules.provider, "ids": [sent.provider_id for sent in group.texts]}
    owners = {row.provider_id: row.message for row in session.execute(_OWNERS, values)}
    registered = _find_message(session, group, owners, provider=rules.provider)
    if registered is None and len(group.numbers) < MIN_NUMBERS:
        return Counter()
    message = registered or f"{PULLED}{rules.provider} {group.key} {group.first_at:%Y-%m-%dT%H:%MZ}"
    free = [sent for sent in group.texts if sent.provider_id not in owners]
    contacts = _contacts_by_number(session, group, message)
    to = {sent.provider_id: next(contacts[sent.phone], None) for sent in free}
    deliveries = [
        {"contact": contact, "to": sent.phone, "provider": rules.provider, "provider_id": sent.provider_id}
        for sent in free
        if (contact := to[sent.provider_id])
    ]
    added = _register(session, message, group, deliveries, rules=rules, now=now) if deliveries else 0
    more = [sent for sent in free if not to[sent.provider_id]]
    _count_again(session, message, more, provider=rules.provider, now=now)
    if registered or not added:
        return Counter(deliveries=added)
    texted = {delivery["to"] for delivery in deliveries}
    strangers = sum(sent.phone not in texted for sent in more)
    return Counter(messages=1, deliveries=added, strangers=strangers)


def _register(
    session: Session,
    message: str,
    group: Group,
    deliveries: Sequence[Mapping[str, str]],
    *,
    rules: GroupRules,
    now: datetime,
) -> int:
    body = {
        "id": message,
        "title": _title(group.first_at.astimezone(rules.zone)),
        "sent_at": group.first_at.isoformat(),
        "deliveries": deliveries,
    }
    return register_message(session, body, now=now, settle_after=rules.settle_after, region=rules.region).added


def _count_again(session: Session, message: str, texts: Sequence[SentText], *, provider: str, now: datetime) -> None:
    """Apply the results of further texts to the deliveries to their numbers."""
    values = {"message": message, "provider": provider, "now": now}
    columns = {"ids": [sent.provider_id for sent in texts], "phones": [sent.phone for sent in texts]}
    copied = session.scalars(_COPY_RECEIPTS, values | columns).all()
    if copied:
        apply_receipts(session, copied, now=now)


def _title(local: datetime) -> str:
    """Return a title of the time alone: the body may name people, and is not stored."""
    return f"Text of {local:%B} {local.day}, {local.hour % 12 or 12}:{local:%M %p}"


def _find_message(session: Session, group: Group, owners: Mapping[str, str], *, provider: str) -> str | None:
    """Return the message that most of these texts belong to already, or a registered one that went to their numbers then."""
    if owners:
        return Counter(sorted(owners.values())).most_common(1)[0][0]
    values = {
        "provider": provider,
        "phones": sorted(group.numbers),
        "size": len(group.numbers),
        "is_mass": len(group.numbers) >= MIN_NUMBERS,
        "sent_at": group.first_at,
        "first": group.first_at - GAP,
        "last": group.last_at + GAP,
    }
    message: str | None = session.scalar(_WITHOUT_IDS, values)
    return message


def _contacts_by_number(session: Session, group: Group, message: str) -> Mapping[str, Iterator[str]]:
    """Return the contacts with each number who may get a text of this message."""
    values = {"phones": sorted(group.numbers), "message": message, "sent_at": group.first_at}
    contacts: dict[str, list[str]] = {number: [] for number in group.numbers}
    for row in session.execute(_CONTACTS, values):
        contacts[row.phone].append(row.contact)
    return {number: iter(some) for number, some in contacts.items()}
