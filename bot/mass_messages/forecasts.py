"""The forecast of a mass message: how many of its texts go to numbers that could not be texted
before it.

Worked out once, just before the message settles for the first time: all its deliveries are known by
then, and only settling changes the status of numbers. What became known since it was sent (STOP,
wrong person) is not part of it: an opt-out that a carrier reports for one of its texts counts from
`sent_at`.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.db.models.views import NUMBER_STATUS
from bot.mass_messages.settle import due_messages

# Without an earlier message there is nothing to expect.
_WITHOUT_FORECAST = text("""
SELECT id FROM mass_messages WHERE id = ANY(:due) AND settled_at IS NULL AND forecast_texts IS NULL
AND EXISTS (SELECT FROM mass_messages p WHERE p.settled_at IS NOT NULL AND p.silent_at IS NULL)
""")
# A number that staff typed has no status before it is texted.
_STORE = text(f"""
UPDATE mass_messages m SET forecast_texts = f.texts, forecast_missed = f.missed
FROM (
    SELECT count(*) AS texts, count(*) FILTER (
        WHERE n.phone IS NOT NULL AND (d.contact_sourced_id, d.phone) NOT IN (
            SELECT i.sourced_id, p.value FROM edits p JOIN contact_ids i ON i.contact_id = p.contact_id
            WHERE p.field = 'phone' AND p.state IN ('pending', 'conflict') AND p.value IS NOT NULL
              AND NOT EXISTS (SELECT FROM tried_numbers t WHERE t.contact_id = p.contact_id AND t.phone = p.value)
            UNION ALL
            SELECT i.sourced_id, t.phone FROM tried_numbers t JOIN contact_ids i USING (contact_id) JOIN phone_numbers w USING (phone)
            WHERE t.proved_at IS NOT NULL AND w.wrong_person_at IS NOT NULL AND w.opted_out_at IS NULL AND w.noted IS NULL
        )
    ) AS missed
    FROM deliveries d JOIN mass_messages s ON s.id = d.mass_message_id LEFT JOIN phone_numbers n
      ON n.phone = d.phone AND {NUMBER_STATUS} IS NOT NULL
     AND coalesce(greatest(n.opted_out_at, n.wrong_person_at) < s.sent_at, true)
    WHERE d.mass_message_id = :message
) f
WHERE m.id = :message
""")


def store_forecasts(session: Session, *, now: datetime, settle_after: timedelta) -> int:
    """Store the forecasts of the messages that are about to settle, and return how many were new."""
    due = due_messages(session, now=now, settle_after=settle_after)
    new = session.scalars(_WITHOUT_FORECAST, {"due": due}).all() if due else []
    for message_id in new:
        session.execute(_STORE, {"message": message_id})
    return len(new)
