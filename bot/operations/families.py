"""Erase students and contacts who left, and numbers that no one has anymore.

The SIS never tells when a person left: a person is missing from an export, or marked inactive, and may come back. So the time at
which we first see that is kept (`left_at`), and erasing waits for the district's retention period after it.

Of an erased number, only its opt-out and *Wrong person* stay, as a hash (`bot.db.models.erased_numbers`): when a contact gets
the number again, both count again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.db.advisory_locks import SYNC_LOCK, advisory_lock, lock_cleanup_list
from bot.db.session import transaction

_BATCH = 500


def erase_left_families(engine: Engine, sync_engine: Engine, before: datetime, *, now: datetime) -> int:
    """Erase who left before this time, and the numbers that no one has anymore; return how many people and numbers.

    Nothing is done while a sync runs, since it may bring people back.
    """
    with advisory_lock(sync_engine, SYNC_LOCK) as lock:
        if lock is None:
            return 0
        for table in ("students", "contacts"):
            _note_who_left(engine, table, now)
        count = _erase_in_batches(engine, before)
        if count:
            with transaction(engine) as session:
                erase_unused_words(session)
    return count + erase_unused_numbers(engine)


def _note_who_left(engine: Engine, table: str, now: datetime) -> None:
    with transaction(engine) as session:
        session.execute(text(f"UPDATE {table} SET left_at = :now WHERE NOT active AND left_at IS NULL"), {"now": now})
        session.execute(text(f"UPDATE {table} SET left_at = NULL WHERE active AND left_at IS NOT NULL"))


_LEFT = {
    table: text(f"SELECT id FROM {table} WHERE left_at < :before AND NOT active ORDER BY left_at, id LIMIT :batch")
    for table in ("students", "contacts")
}


def _erase_in_batches(engine: Engine, before: datetime) -> int:
    count = 0
    for table, erase in (("students", erase_students), ("contacts", erase_contacts)):
        while True:
            with transaction(engine) as session:
                ids = session.scalars(_LEFT[table], {"before": before, "batch": _BATCH}).all()
                erase(session, ids)
            count += len(ids)
            if len(ids) < _BATCH:
                break
    return count


# Message by message, since the index of deliveries begins with the message; without that, all deliveries would be read.
DELIVERIES_OF_CONTACTS = """
SELECT i.contact_id, m.title, m.sent_at, d.* FROM mass_messages m
CROSS JOIN (SELECT contact_id, sourced_id FROM contact_ids WHERE contact_id = ANY (:ids)) AS i
CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE mass_message_id = m.id AND contact_sourced_id = i.sourced_id OFFSET 0) AS d"""


def erase_students(session: Session, ids: Sequence[int]) -> Counter[str]:
    """Delete students with their enrollments and links; return how many rows of each kind."""
    return _erase(
        session,
        ids,
        {
            "enrollments": "class_students WHERE student_id = ANY (:ids)",
            "links to contacts": "student_contacts WHERE student_id = ANY (:ids)",
            "removals": "removals WHERE student_id = ANY (:ids)",
            "students": "students WHERE id = ANY (:ids)",
        },
    )


def erase_contacts(session: Session, ids: Sequence[int]) -> Counter[str]:
    """Delete contacts with their edits, their place on the list, and what was sent to them; return how many rows of each kind.

    The history keeps that something was done, who did it, and when, but not the values.
    """
    lock_cleanup_list(session)
    sent = f"({DELIVERIES_OF_CONTACTS}) AS sent"
    history = "UPDATE audit SET before = NULL, after = NULL, reason = NULL WHERE subject_kind = 'contact' AND subject_id = ANY (:ids)"
    session.execute(text(history), {"ids": list(ids)})
    return _erase(
        session,
        ids,
        {
            "receipts": f"receipts r USING {sent} WHERE r.provider = sent.provider AND r.provider_id = sent.provider_id",
            "deliveries": f"deliveries d USING {sent} WHERE d.id = sent.id",
            "entries of the list": "cleanup_list WHERE contact_id = ANY (:ids)",
            "changes of the list": "list_changes WHERE contact_id = ANY (:ids)",
            "codes at the counter": "counter_codes WHERE contact_id = ANY (:ids)",
            "edits": "edits WHERE contact_id = ANY (:ids)",
            "contacts": "contacts WHERE id = ANY (:ids)",
        },
    )


def _erase(session: Session, ids: Sequence[int], rows: dict[str, str]) -> Counter[str]:
    counts = Counter[str]()
    if ids:
        for kind, where in rows.items():
            counts[kind] = session.connection().execute(text(f"DELETE FROM {where}"), {"ids": list(ids)}).rowcount
    return +counts


_ERASE_WORDS = text("""
WITH present AS MATERIALIZED (
    SELECT DISTINCT word FROM (
        SELECT given_name, family_name, search FROM students UNION ALL SELECT given_name, family_name, search FROM contacts
    ) AS p, string_to_table(words_of_a_name(p.given_name, p.family_name, p.search), ' ') AS word
)
DELETE FROM name_words w WHERE NOT EXISTS (SELECT FROM present p WHERE p.word = w.word)
""")


def erase_unused_words(session: Session) -> int:
    """Erase the words that are in no name anymore. No sync may run: a word that it adds meanwhile would be missed."""
    return session.connection().execute(_ERASE_WORDS).rowcount


_NUMBERS = text("SELECT phone FROM phone_numbers WHERE phone > :after ORDER BY phone LIMIT :batch")
_UNUSED = """
NOT EXISTS (SELECT FROM contacts c WHERE c.sis_phone = n.phone)
AND NOT EXISTS (SELECT FROM other_numbers o WHERE o.phone = n.phone)
AND NOT EXISTS (SELECT FROM edits e WHERE e.value = n.phone AND e.state IN ('pending', 'conflict'))
AND NOT EXISTS (SELECT FROM deliveries d WHERE d.phone = n.phone)
AND NOT EXISTS (SELECT FROM unclear_texts t WHERE t.phone = n.phone)
"""
# A number may have got a row since it was erased, as a message went to it. It has both: what the hash keeps, and what came since.
_RESTORE = text("SELECT restore_erased_numbers(CAST(:phones AS text[])) WHERE EXISTS (SELECT FROM erased_numbers)")
_ERASE_NUMBERS = text(f"""
WITH old AS (
    DELETE FROM phone_numbers n WHERE n.phone = ANY (:phones) AND {_UNUSED}
    RETURNING erased_number_hash(n.phone) AS number_hash, n.*
),
texts AS (DELETE FROM opt_out_texts t USING old WHERE t.phone = old.phone),
kept AS (
    INSERT INTO erased_numbers (number_hash, opted_out_at, opted_out_by, wrong_person_at, wrong_person_by)
    SELECT number_hash, opted_out_at, opted_out_by, wrong_person_at, wrong_person_by FROM old
    WHERE opted_out_at IS NOT NULL OR wrong_person_at IS NOT NULL
)
SELECT count(*) FROM old
""")


def erase_unused_numbers(engine: Engine) -> int:
    """Erase the numbers that no contact, edit, delivery, or open text has, and return how many."""
    count, after = 0, ""
    while True:
        with transaction(engine) as session:
            phones = session.scalars(_NUMBERS, {"after": after, "batch": _BATCH}).all()
            if not phones:
                return count
            count += erase_numbers(session, phones)
        after = phones[-1]


def erase_numbers(session: Session, phones: Sequence[str]) -> int:
    """Erase those of these numbers (E.164) that no one has anymore, and return how many."""
    lock_cleanup_list(session)
    session.execute(_RESTORE, {"phones": list(phones)})
    return session.scalar(_ERASE_NUMBERS, {"phones": list(phones)}) or 0
