"""Numbers that a note of the SIS speaks against: `DO NOT TEXT`, `disconnected`, or a number that no one can have.

Like an opt-out, a note concerns the number, for every contact who has it. The sync sets it, staff who read the note may allow texts
again, and another note begins anew. Its contacts are listed at once.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import list_unusable_cells, update_list
from bot.cleanup_list.number_status import Numbers
from bot.db.advisory_locks import lock_cleanup_list

_NOTES = """
SELECT sis_phone AS phone, coalesce(sis_phone_note, sis_note_kind) AS note, sis_note_kind AS kind
FROM contacts WHERE active AND sis_note_kind IS NOT NULL AND sis_phone IS NOT NULL
"""
_REFRESH = text(f"""
WITH verdicts AS (
    SELECT phone,
           (array_agg(x.kind ORDER BY array_position(ARRAY['refused', 'dead', 'impossible'], x.kind))
            FILTER (WHERE x.note <> ALL (coalesce(n.allowed_notes, '{{}}'))))[1] AS noted,
           array_agg(DISTINCT x.note) FILTER (WHERE x.note = ANY (n.allowed_notes)) AS allowed_notes
    FROM ({_NOTES}) x
    FULL JOIN (SELECT * FROM phone_numbers WHERE noted IS NOT NULL OR allowed_notes IS NOT NULL) n USING (phone)
    GROUP BY phone
)
INSERT INTO phone_numbers AS p (phone, noted, allowed_notes) SELECT phone, noted, allowed_notes FROM verdicts
ON CONFLICT (phone) DO UPDATE SET noted = excluded.noted, allowed_notes = excluded.allowed_notes
WHERE (p.noted, p.allowed_notes) IS DISTINCT FROM (excluded.noted, excluded.allowed_notes)
RETURNING phone
""")
_NOTED = text("SELECT phone FROM phone_numbers WHERE noted IS NOT NULL")
# A contact may have a number since tonight that texted STOP, or was a stranger's, before: that lists at once, too.
_SAID_OF_UNLISTED = text("""
SELECT phone FROM phone_numbers n WHERE (opted_out_at IS NOT NULL OR wrong_person_at IS NOT NULL) AND EXISTS (
    SELECT FROM contacts c WHERE c.sis_phone = n.phone AND c.active
    AND NOT EXISTS (SELECT FROM cleanup_list e WHERE e.contact_id = c.id))
""")
_ALLOW = text(f"""
UPDATE phone_numbers p SET noted = NULL, allowed_notes = (SELECT array_agg(DISTINCT note) FROM ({_NOTES}) x WHERE x.phone = p.phone)
WHERE phone = :phone AND noted IS NOT NULL RETURNING phone
""")


def refresh_noted_numbers(session: Session, *, now: datetime) -> None:
    """Bring the notes of numbers, and the list, in line with the contacts of the SIS."""
    lock_cleanup_list(session)
    changed = session.scalars(_REFRESH).all()
    # Also those that were noted before: a contact may have such a number since tonight.
    phones = {*changed, *session.scalars(_NOTED), *session.scalars(_SAID_OF_UNLISTED)}
    if phones:
        update_list(session, Numbers(sorted(phones)), message_id=None, now=now)
    list_unusable_cells(session, now=now)


def allow_number(session: Session, phone: str, *, now: datetime) -> bool:
    """Allow texts to a number (E.164) in spite of the notes that the SIS has now. False if no note speaks against it."""
    lock_cleanup_list(session)
    if session.execute(_ALLOW, {"phone": phone}).first() is None:
        return False
    update_list(session, Numbers([phone]), message_id=None, now=now)
    return True
