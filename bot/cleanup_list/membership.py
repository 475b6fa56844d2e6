"""The list itself: what each contact's entry should be, compared with what it is, in one statement for any number of them.

Listed is who is linked to an active student, takes texts, and has a number with a status or no number. An entry whose
contact was edited since waits: it stays as it is until the new number was part of a mass message.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.entry_names import ENTRY_NAMES
from bot.cleanup_list.evidence import is_evidence, sql_list
from bot.cleanup_list.number_status import Numbers, WholeList
from bot.db.models.edits import IN_FORCE
from bot.db.models.messages import ListMove
from bot.domain.sms_status import SmsStatus


@dataclass(frozen=True)
class MembershipChanges:
    """How many contacts joined the list, changed their status on it, and left it."""

    joined: int = 0
    changed: int = 0
    left: int = 0


# Whoever may be wanted on the list; `contact_reach` then says who is. An edit in force hides the number of the SIS.
_BY_PHONE = f"""
    SELECT c.id AS contact_id FROM phones p JOIN contacts c ON c.sis_phone = p.phone
    UNION
    SELECT e.contact_id FROM phones p JOIN edits e ON e.value = p.phone
    WHERE e.field = 'phone' AND e.state IN ({sql_list(IN_FORCE)})
"""
_OF_EVERYONE = f"""
phones AS (SELECT phone FROM phone_numbers WHERE status IS NOT NULL),
candidates AS MATERIALIZED (
    {_BY_PHONE}
    UNION SELECT contact_id FROM cleanup_list
    UNION SELECT id FROM contacts WHERE sis_phone IS NULL
    UNION SELECT contact_id FROM edits WHERE field = 'phone' AND value IS NULL AND state IN ({sql_list(IN_FORCE)})
)"""
_OF_PHONES = f"""
phones AS (SELECT DISTINCT unnest(CAST(:phones AS text[])) AS phone),
candidates AS MATERIALIZED (
    SELECT r.contact_id FROM ({_BY_PHONE}) c JOIN contact_reach r ON r.contact_id = c.contact_id
    JOIN phones ON phones.phone = r.phone
)"""


def _decided(*, settles: bool) -> str:
    """From `before` to `after` for each candidate; without `settles`, who no longer takes texts stays until it does."""
    gone_from_texting = "NULL" if settles else "before"
    return f"""
reach AS MATERIALIZED (
    SELECT c.contact_id, x.phone, x.sms_status AS number_status, coalesce(x.method = 'text', FALSE) AS takes_texts
    FROM candidates c LEFT JOIN LATERAL (
        SELECT phone, method, sms_status FROM effective_contacts WHERE contact_id = c.contact_id LIMIT 1
    ) AS x ON TRUE
),
standing AS (
    SELECT reach.*, e.status AS before, e.updated_at, e.updated_by,
           e.contact_id IS NOT NULL AND (e.updated_at IS NOT NULL OR e.phone IS DISTINCT FROM reach.phone) AS edited,
           number_status = '{SmsStatus.OPT_OUT}' OR (e.status = '{SmsStatus.OPT_OUT}' AND e.phone = reach.phone) AS opting
    FROM reach LEFT JOIN cleanup_list e ON e.contact_id = reach.contact_id
),
waiting AS (
    SELECT *, edited AND phone IS NOT NULL AND opting IS NOT TRUE AND NOT EXISTS (
               SELECT FROM deliveries d JOIN mass_messages m ON m.id = d.mass_message_id
               WHERE m.id = :message AND d.phone = standing.phone AND {is_evidence("d", "m")}
           ) AS waits
    FROM standing
),
decided AS (
    SELECT *, CASE WHEN NOT takes_texts THEN {gone_from_texting}
                   WHEN phone IS NULL THEN '{SmsStatus.NO_NUMBER}'
                   WHEN waits THEN before
                   ELSE number_status END AS after
    FROM waiting
)"""


# A row that somebody edits while this runs is left alone (`updated_at` is compared again): the edit is newer.
_APPLIED = f"""
gone AS (
    DELETE FROM cleanup_list e USING decided
    WHERE e.contact_id = decided.contact_id AND decided.after IS NULL
      AND e.updated_at IS NOT DISTINCT FROM decided.updated_at
    RETURNING e.contact_id
),
stayed AS (
    UPDATE cleanup_list e
    SET status = after, phone = decided.phone, mass_message_id = coalesce(:message, e.mass_message_id),
        since = CASE WHEN before = after THEN e.since ELSE :now END, updated_at = NULL, updated_by = NULL
    FROM decided
    WHERE e.contact_id = decided.contact_id AND after IS NOT NULL AND takes_texts AND NOT waits
      AND (before <> after OR edited) AND e.updated_at IS NOT DISTINCT FROM decided.updated_at
    RETURNING e.contact_id
),
come AS (
    INSERT INTO cleanup_list (contact_id, status, phone, since, mass_message_id, names)
    SELECT contact_id, after, phone, :now, :message, {ENTRY_NAMES}
    FROM decided JOIN contacts c ON c.id = contact_id
    WHERE before IS NULL AND after IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING contact_id
)"""


def _move(before: str, after: str) -> str:
    return (
        f"CASE WHEN {before} IS NULL THEN '{ListMove.JOINED}' WHEN {after} IS NULL THEN '{ListMove.LEFT}'"
        f" ELSE '{ListMove.CHANGED}' END"
    )


_NOTED = f"""
moved AS (
    SELECT decided.*, {_move("before", "after")} AS move
    FROM decided
    JOIN (TABLE gone UNION ALL TABLE stayed UNION ALL TABLE come) done ON done.contact_id = decided.contact_id
    WHERE before IS DISTINCT FROM after
),
noted AS (
    INSERT INTO list_changes AS c (mass_message_id, contact_id, move, before, after, fixed_by)
    SELECT :message, contact_id, move, before, after,
           CASE WHEN move = '{ListMove.LEFT}' AND takes_texts THEN updated_by END
    FROM moved WHERE CAST(:message AS text) IS NOT NULL
    ON CONFLICT (mass_message_id, contact_id) DO UPDATE SET
        after = excluded.after, fixed_by = excluded.fixed_by, move = {_move("c.before", "excluded.after")}
)"""

_COUNTED = f"""
SELECT count(*) FILTER (WHERE move = '{ListMove.JOINED}') AS joined,
       count(*) FILTER (WHERE move = '{ListMove.CHANGED}') AS changed,
       count(*) FILTER (WHERE move = '{ListMove.LEFT}') AS left
FROM moved
"""


def _follow(candidates: str, *, settles: bool) -> str:
    return f"WITH {candidates}, {_decided(settles=settles)}, {_APPLIED}, {_NOTED} {_COUNTED}"


_FOLLOW_EVERYONE = text(_follow(_OF_EVERYONE, settles=True))
_FOLLOW_PHONES = text(_follow(_OF_PHONES, settles=False))
_FORGET_NO_MOVE = text(
    "DELETE FROM list_changes WHERE mass_message_id = :message AND before IS NOT DISTINCT FROM after"
)


def update_list(
    session: Session, who: Numbers | WholeList, *, message_id: str | None, now: datetime
) -> MembershipChanges:
    """Bring the list in line with what is known of numbers; `message_id` is the mass message that taught us, None for an
    opt-out between messages. `Everyone` is for settling only: then who no longer takes texts leaves. What a message did to
    an entry is noted once, from what it was before the message to what it is now; no move is no note.

    Take `one_at_a_time` first.
    """
    if isinstance(who, WholeList):
        moved = session.execute(_FOLLOW_EVERYONE, {"message": message_id, "now": now}).one()
    else:
        phones = list(who.phones)
        moved = session.execute(_FOLLOW_PHONES, {"message": message_id, "now": now, "phones": phones}).one()
    if message_id is not None:
        session.execute(_FORGET_NO_MOVE, {"message": message_id})
    return MembershipChanges(moved.joined, moved.changed, moved.left)
