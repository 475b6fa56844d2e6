"""STOP and START. An Opt-Out counts at once, follows the number, and ends only when that number itself texts START."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.list_lock import lock_cleanup_list
from bot.cleanup_list.membership import MembershipChanges, update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers
from bot.domain.sms_status import SmsStatus


@dataclass(frozen=True)
class OptOut:
    """A number (E.164) that opted out; `said_at` is the latest that it can have said so, None for now."""

    phone: str
    said_at: datetime | None = None


# A report that is older than the number's START is no news.
_OPT_OUT = text(f"""
INSERT INTO phone_numbers AS n (phone, status, since, opted_out_at, opted_out_by)
SELECT phone, '{SmsStatus.OPT_OUT}', :now, :now, :by
FROM (SELECT phone, max(said_at) AS said_at FROM unnest(CAST(:phones AS text[]), CAST(:said AS timestamptz[])) AS said (phone, said_at)
      GROUP BY phone) AS said
WHERE NOT EXISTS (SELECT FROM phone_numbers o WHERE o.phone = said.phone AND o.opted_in_at >= said.said_at)
ON CONFLICT (phone) DO UPDATE SET
    status = excluded.status, since = excluded.since, doubted = NULL,
    opted_out_at = excluded.opted_out_at, opted_out_by = excluded.opted_out_by
WHERE n.opted_out_at IS NULL
RETURNING n.phone
""")

_OPT_IN = text("""
INSERT INTO phone_numbers AS n (phone, opted_in_at) VALUES (:phone, :now)
ON CONFLICT (phone) DO UPDATE SET
    opted_in_at = excluded.opted_in_at, opted_out_at = NULL, opted_out_by = NULL
""")


def apply_opt_outs(
    session: Session, who: str | Sequence[OptOut], *, by: str, now: datetime, message_id: str | None = None
) -> MembershipChanges:
    """A number said STOP; contacts who take texts on it are listed at once. Saying it again changes nothing.

    `by` is who told us: a provider's name, or the Slack user to whom it was said. Audit it where it was heard.
    """
    heard = [OptOut(who)] if isinstance(who, str) else who
    lock_cleanup_list(session)
    said = [one.said_at or now for one in heard]
    phones = session.scalars(
        _OPT_OUT, {"phones": [one.phone for one in heard], "said": said, "by": by, "now": now}
    ).all()
    return update_list(session, Numbers(phones), message_id=message_id, now=now) if phones else MembershipChanges()


def apply_opt_in(session: Session, phone: str, *, now: datetime) -> MembershipChanges:
    """A number said START: what its deliveries say of it counts again. Contacts leave the list if that is nothing."""
    lock_cleanup_list(session)
    session.execute(_OPT_IN, {"phone": phone, "now": now})
    judge_numbers(session, Numbers([phone]), now=now)
    return update_list(session, Numbers([phone]), message_id=None, now=now)
