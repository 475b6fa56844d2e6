"""What an entry is found by: the words of its contact's name and of its students' names, beside it and not in three tables.

An entry takes them when it joins. Who was renamed since, or got a contact, is followed by the sync that says so.
"""

from sqlalchemy import Connection, text

from bot.cleanup_list.list_lock import lock_cleanup_list

ENTRY_NAMES = """
words_of_a_name(c.given_name, c.family_name, c.search) || coalesce((
    SELECT string_agg(' ' || words_of_a_name(s.given_name, s.family_name, s.search), '' ORDER BY s.id)
    FROM student_contacts l JOIN students s ON s.id = l.student_id WHERE l.contact_id = c.id
), '')"""
"""SQL for the names of an entry whose contact is `c`: of all its students, whether they are active or not."""

# All is worked out before the first row is locked: whoever edits one of these contacts waits for the writing only. Rows are locked in
# the order in which people who change several at once lock them.
_FOLLOW = text(f"""
WITH now AS MATERIALIZED (
    SELECT contact_id, names FROM (
        SELECT e.contact_id, e.names AS before, {ENTRY_NAMES} AS names FROM cleanup_list e JOIN contacts c ON c.id = e.contact_id
    ) entries
    WHERE names <> before
),
locked AS MATERIALIZED (
    SELECT e.contact_id, now.names FROM cleanup_list e JOIN now ON now.contact_id = e.contact_id ORDER BY e.contact_id FOR UPDATE OF e
)
UPDATE cleanup_list e SET names = locked.names FROM locked WHERE locked.contact_id = e.contact_id
""")


def refresh_entry_names(connection: Connection) -> None:
    """Bring the names of every entry in line with the roster, in the caller's transaction."""
    lock_cleanup_list(connection)
    connection.execute(_FOLLOW)
