"""Settling a message reads the deliveries of that message, however many messages came before it."""

from datetime import timedelta

from sqlalchemy import text
from support import people
from support.mass_messages import a_shaky_receipt, send

from bot.mass_messages.settle import settle_message

_ROWS_READ = text("""
SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'deliveries'
""")


def deliveries_read(session, message_id, now):
    session.execute(text("ANALYZE"))
    session.execute(
        text("SET LOCAL enable_seqscan = off")
    )  # On a table this small, reading all of it would be cheapest.
    before = session.scalar(_ROWS_READ)
    settle_message(session, message_id, now=now)
    return session.scalar(_ROWS_READ) - before


def test_settling_reads_no_more_with_a_history(session, now):
    families = [people.contact(session, people.student(session)) for _ in range(20)]
    outcomes = ["delivered", "turned_off", "blocked", a_shaky_receipt]
    read = []
    for number in range(30):
        sent_at = now + timedelta(hours=number)
        # Every fifth contact is delivered to or fails in another way each time; the others always get the same.
        reported = {
            contact: outcomes[(place + number * (place % 5 == 0)) % 4] for place, contact in enumerate(families)
        }
        message_id, _ = send(session, reported, now=sent_at, settled=False)
        read.append(deliveries_read(session, message_id, sent_at))
    assert max(read[-5:]) <= 1.3 * read[1]


def test_settling_reads_only_newer_messages_of_a_late_one(session, now):
    """A message that settles after a newer one is judged with that one, and without the older ones."""
    families = [people.contact(session, people.student(session)) for _ in range(20)]
    for number in range(20):
        send(session, dict.fromkeys(families, "blocked"), now=now + timedelta(hours=number))
    late, _ = send(session, dict.fromkeys(families, "turned_off"), now=now + timedelta(hours=30), settled=False)
    send(session, dict.fromkeys(families, "landline"), now=now + timedelta(hours=31))
    assert deliveries_read(session, late, now + timedelta(hours=32)) <= 8 * len(families)
