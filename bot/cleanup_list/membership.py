"""Membership of the list: what each contact's entry should be, compared with what it is, in one statement for any number of contacts.

Listed is a contact who is linked to an active student, takes texts, and has a number with a status, or no number. An entry whose
contact was edited waits: it stays as it is until a mass message was sent to the new number, through this contact where it was typed.
Membership follows numbers, not contacts: contacts that share a number share its status. Between messages only opt-outs, opt-ins, numbers
recorded or cleared as Wrong person, and notes of the SIS (`noted_numbers`) change it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from bot.cleanup_list.number_status import Numbers, WholeList, is_evidence, sql_list
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.models.edits import IN_FORCE
from bot.db.models.messages import ListMove
from bot.domain.sms_status import SmsStatus

_IN_FORCE = sql_list(IN_FORCE)
# Statuses that begin and end between messages.
_AT_ONCE = sql_list((SmsStatus.OPT_OUT, SmsStatus.WRONG_PERSON))


@dataclass(frozen=True)
class MembershipChanges:
    """How many contacts joined the list, changed their status on it, and left it."""

    joined: int = 0
    changed: int = 0
    left: int = 0


# The words of the contact's name and of all its students' names (active or not), kept beside the entry, so that a name is searched
# in one narrow table. SQL for a contact `c`. An entry gets them when it joins; `refresh_entry_names` follows renamed people.
_ENTRY_NAMES = """
words_of_a_name(c.given_name, c.family_name, c.search) || coalesce((
    SELECT string_agg(' ' || words_of_a_name(s.given_name, s.family_name, s.search), '' ORDER BY s.id)
    FROM student_contacts l JOIN students s ON s.id = l.student_id WHERE l.contact_id = c.id
), '')"""

# Contacts who may have to be on the list; `contact_reach` then decides. An edit in force hides the SIS number.
_BY_PHONE = f"""
    SELECT c.id AS contact_id FROM phones p JOIN contacts c ON c.sis_phone = p.phone
    UNION
    SELECT e.contact_id FROM phones p JOIN edits e ON e.value = p.phone
    WHERE e.field = 'phone' AND e.state IN ({_IN_FORCE})
"""
# In the order of their ids, which is about the order in which contacts, links, and students lie on the disk.
_ALL_CANDIDATES = f"""
phones AS (SELECT phone FROM phone_numbers WHERE status IS NOT NULL OR noted IS NOT NULL OR wrong_person_at IS NOT NULL),
candidates AS MATERIALIZED (
    SELECT contact_id FROM (
        {_BY_PHONE}
        UNION SELECT contact_id FROM cleanup_list
        UNION SELECT id FROM contacts WHERE sis_phone IS NULL
        UNION SELECT contact_id FROM edits WHERE field = 'phone' AND value IS NULL AND state IN ({_IN_FORCE})
    ) AS contact_ids ORDER BY contact_id
)"""
_CANDIDATES_WITH_NUMBERS = f"""
phones AS (SELECT DISTINCT unnest(CAST(:phones AS text[])) AS phone),
candidates AS MATERIALIZED (
    SELECT r.contact_id FROM ({_BY_PHONE}) c JOIN contact_reach r ON r.contact_id = c.contact_id
    JOIN phones ON phones.phone = r.phone
)"""
# Contacts whose cell in the SIS has a number that cannot be read, with a reason to think that there is none.
_CANDIDATES_WITHOUT_NUMBER = """
phones AS (SELECT '' AS phone WHERE FALSE),
candidates AS MATERIALIZED (
    SELECT id AS contact_id FROM contacts WHERE active AND sis_phone IS NULL AND sis_note_kind IS NOT NULL
)"""

# Numbers of edited contacts that this message tells something about. `OFFSET 0`: only the deliveries of this message are read, or
# those to one of a few numbers, but never those of all messages to all numbers.
_PHONES_WITH_NEWS = f"""
    SELECT d.phone FROM mass_messages m CROSS JOIN LATERAL (
        SELECT * FROM deliveries WHERE mass_message_id = m.id OFFSET 0
    ) AS d WHERE m.id = :message AND {is_evidence("d", "m")} AND d.phone IN (SELECT phone FROM standing WHERE edited)"""
_GIVEN_PHONES_WITH_NEWS = f"""
    SELECT d.phone FROM phones CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.phone = phones.phone OFFSET 0) AS d
    JOIN mass_messages m ON m.id = d.mass_message_id
    WHERE m.id = :message AND {is_evidence("d", "m")}"""


def _decide(*, is_final: bool) -> str:
    """SQL from `before` to `after` for each candidate. Who no longer takes texts leaves only when a message becomes final."""
    no_longer_texted, with_news = ("NULL", _PHONES_WITH_NEWS) if is_final else ("before", _GIVEN_PHONES_WITH_NEWS)
    return f"""
reach AS MATERIALIZED (
    SELECT c.contact_id, x.phone, x.is_tried, x.sms_status AS number_status,
           coalesce(x.method = 'text', FALSE) AS takes_texts
    FROM candidates c LEFT JOIN LATERAL (
        SELECT phone, method, sms_status, is_tried FROM effective_contacts WHERE contact_id = c.contact_id LIMIT 1
    ) AS x ON TRUE
),
standing AS MATERIALIZED (
    SELECT reach.*, e.status AS before, e.updated_at, e.updated_by,
           e.contact_id IS NOT NULL AND (e.updated_at IS NOT NULL OR e.phone IS DISTINCT FROM reach.phone) AS edited,
           number_status IN ({_AT_ONCE}) OR (e.status IN ({_AT_ONCE}) AND e.phone = reach.phone) AS at_once
    FROM reach LEFT JOIN cleanup_list e ON e.contact_id = reach.contact_id
),
with_news AS MATERIALIZED (SELECT DISTINCT phone FROM ({with_news}) AS news),
waiting AS (
    SELECT standing.*, edited AND standing.phone IS NOT NULL AND at_once IS NOT TRUE AND with_news.phone IS NULL
           OR before IS NOT NULL AND standing.phone IS NOT NULL AND NOT is_tried AS waits
    FROM standing LEFT JOIN with_news ON with_news.phone = standing.phone
),
decided AS (
    SELECT *, CASE WHEN NOT takes_texts THEN {no_longer_texted}
                   WHEN phone IS NULL THEN '{SmsStatus.NO_NUMBER}'
                   WHEN waits THEN before
                   ELSE number_status END AS after
    FROM waiting
)"""


# `updated_at` is compared again: an entry that is edited while this runs stays as the edit left it. Each part returns what it did:
# a join with `decided` afterwards would be planned for a few rows, and take minutes for the many of a large message.
_APPLY = f"""
removed AS (
    DELETE FROM cleanup_list e USING decided
    WHERE e.contact_id = decided.contact_id AND decided.after IS NULL
      AND e.updated_at IS NOT DISTINCT FROM decided.updated_at
    RETURNING e.contact_id, before, after, decided.updated_by, takes_texts
),
changed AS (
    UPDATE cleanup_list e
    SET status = after, phone = decided.phone, mass_message_id = coalesce(:message, e.mass_message_id),
        since = CASE WHEN before = after THEN e.since ELSE :now END, updated_at = NULL, updated_by = NULL
    FROM decided
    WHERE e.contact_id = decided.contact_id AND after IS NOT NULL AND takes_texts AND NOT waits
      AND (before <> after OR edited) AND e.updated_at IS NOT DISTINCT FROM decided.updated_at
    RETURNING e.contact_id, before, after, decided.updated_by, takes_texts
),
added AS (
    INSERT INTO cleanup_list (contact_id, status, phone, since, mass_message_id, names)
    SELECT contact_id, after, phone, :now, :message, {_ENTRY_NAMES}
    FROM decided JOIN contacts c ON c.id = contact_id
    WHERE before IS NULL AND after IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING contact_id, CAST(NULL AS text) AS before, status AS after, updated_by, TRUE AS takes_texts
)"""


def _move(before: str, after: str) -> str:
    return (
        f"CASE WHEN {before} IS NULL THEN '{ListMove.JOINED}' WHEN {after} IS NULL THEN '{ListMove.LEFT}'"
        f" ELSE '{ListMove.CHANGED}' END"
    )


_RECORD_MOVES = f"""
moves AS (
    SELECT *, {_move("before", "after")} AS move
    FROM (TABLE removed UNION ALL TABLE changed UNION ALL TABLE added) AS done
    WHERE before IS DISTINCT FROM after
),
recorded AS (
    INSERT INTO list_changes AS c (mass_message_id, contact_id, move, before, after, fixed_by)
    SELECT :message, contact_id, move, before, after,
           CASE WHEN move = '{ListMove.LEFT}' AND takes_texts THEN updated_by END
    FROM moves WHERE CAST(:message AS text) IS NOT NULL
    ON CONFLICT (mass_message_id, contact_id) DO UPDATE SET
        after = excluded.after, fixed_by = excluded.fixed_by, move = {_move("c.before", "excluded.after")}
)"""

_COUNT_MOVES = f"""
SELECT count(*) FILTER (WHERE move = '{ListMove.JOINED}') AS joined,
       count(*) FILTER (WHERE move = '{ListMove.CHANGED}') AS changed,
       count(*) FILTER (WHERE move = '{ListMove.LEFT}') AS left
FROM moves
"""


def _update(candidates: str, *, is_final: bool) -> str:
    return f"WITH {candidates}, {_decide(is_final=is_final)}, {_APPLY}, {_RECORD_MOVES} {_COUNT_MOVES}"


_UPDATE_WHOLE_LIST = text(_update(_ALL_CANDIDATES, is_final=True))
_UPDATE_NUMBERS = text(_update(_CANDIDATES_WITH_NUMBERS, is_final=False))
_UPDATE_WITHOUT_NUMBER = text(_update(_CANDIDATES_WITHOUT_NUMBER, is_final=False))
_DELETE_NO_MOVES = text(
    "DELETE FROM list_changes WHERE mass_message_id = :message AND before IS NOT DISTINCT FROM after"
)


def update_list(
    session: Session, which: Numbers | WholeList, *, message_id: str | None, now: datetime
) -> MembershipChanges:
    """Bring the list in line with the status of numbers. Call `lock_cleanup_list` first.

    `message_id` is the mass message with the news, None for a change between messages. `WholeList` is for final messages only:
    contacts who no longer take texts then leave. What a message did to an entry is recorded once, from before the message to now.
    """
    params = {"message": message_id, "now": now}
    if isinstance(which, WholeList):
        moves = session.execute(_UPDATE_WHOLE_LIST, params).one()
    else:
        moves = session.execute(_UPDATE_NUMBERS, {**params, "phones": list(which.phones)}).one()
    if message_id is not None:
        session.execute(_DELETE_NO_MOVES, {"message": message_id})
    return MembershipChanges(moves.joined, moves.changed, moves.left)


def list_unusable_cells(session: Session, *, now: datetime) -> None:
    """List the contacts whose cell in the SIS holds a number that no one can have. Call `lock_cleanup_list` first."""
    session.execute(_UPDATE_WITHOUT_NUMBER, {"message": None, "now": now})


# All names are computed before the first row is locked, so that an edit of one of these contacts waits for the writing only. Rows are
# locked in the order in which bulk edits lock them.
_REFRESH_NAMES = text(f"""
WITH current AS MATERIALIZED (
    SELECT contact_id, names FROM (
        SELECT e.contact_id, e.names AS before, {_ENTRY_NAMES} AS names FROM cleanup_list e JOIN contacts c ON c.id = e.contact_id
    ) entries
    WHERE names <> before
),
locked AS MATERIALIZED (
    SELECT e.contact_id, current.names FROM cleanup_list e JOIN current ON current.contact_id = e.contact_id
    ORDER BY e.contact_id FOR UPDATE OF e
)
UPDATE cleanup_list e SET names = locked.names FROM locked WHERE locked.contact_id = e.contact_id
""")


def refresh_entry_names(connection: Connection) -> None:
    """Bring the names beside every entry in line with the roster, in the caller's transaction."""
    lock_cleanup_list(connection)
    connection.execute(_REFRESH_NAMES)
