"""Messages whose window closed with (nearly) no final receipts: our side is at fault, such as a webhook that is set up wrong.

Such a message is silent: its deliveries are no evidence, it changes nothing on the list, and those without a receipt stay open
instead of becoming Unconfirmed. If enough receipts arrive later, it is judged again, and the others get another day.

Silent means: fewer than one delivery in ten has a final receipt. Carriers report on four of five and more, and an outage of the
largest carrier still leaves over half, so no fault of theirs comes near; a webhook that never worked, or was repaired in the
meantime, leaves none or a few. Of fewer than ten deliveries, one receipt proves that receipts arrive. Other messages do not
matter: a webhook that worked yesterday may be broken today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_MIN_SHARE = 0.1
# Providers that retry do so for about a day.
_SECOND_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Verdict:
    """Whether a message is silent; `is_reversed` if it was final before, and judged otherwise then."""

    is_silent: bool
    is_reversed: bool


_IS_SILENT = """
(SELECT count(*) FILTER (WHERE outcome <> 'pending' AND (outcome <> 'unconfirmed' OR final_at IS NOT NULL)) < :min_share * count(*)
 FROM deliveries WHERE mass_message_id = :message)"""

_JUDGE = text(f"""
UPDATE mass_messages m
SET silent_at = CASE WHEN m.settles_at <= :now AND {_IS_SILENT} THEN CAST(:now AS timestamptz) END
FROM (SELECT id, settled_at, silent_at FROM mass_messages WHERE id = :message) AS before
WHERE m.id = before.id
RETURNING m.silent_at IS NOT NULL AS is_silent,
          before.settled_at IS NOT NULL AND (before.silent_at IS NULL) <> (m.silent_at IS NULL) AS is_reversed
""")

_END = text(f"""
UPDATE mass_messages SET silent_at = NULL, settles_at = greatest(settles_at, :until)
WHERE id = :message AND silent_at IS NOT NULL AND NOT {_IS_SILENT}
RETURNING id
""")

_PHONES = text("SELECT DISTINCT phone FROM deliveries WHERE mass_message_id = :message AND outcome <> 'pending'")


def judge_silence(session: Session, message_id: str, *, now: datetime) -> Verdict:
    """Find out whether a message that is about to settle is silent. It is not while its window is open."""
    return Verdict(*session.execute(_JUDGE, {"message": message_id, "now": now, "min_share": _MIN_SHARE}).one())


def end_silence(session: Session, message_id: str, *, now: datetime) -> bool:
    """End the silence of a message that enough late receipts came for, and open its window again. Return whether that happened."""
    values = {"message": message_id, "until": now + _SECOND_WINDOW, "min_share": _MIN_SHARE}
    return session.execute(_END, values).first() is not None


def phones_with_outcome(session: Session, message_id: str) -> Sequence[str]:
    return session.scalars(_PHONES, {"message": message_id}).all()
