"""One transaction at a time changes what is known of numbers and who is on the list.

Whoever changes it in bulk would otherwise lock the same rows in another order than the next one, and one of the two
would be rolled back: a receipt lost. Take this lock after every lock on deliveries, never before.
"""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


def lock_cleanup_list(session: Session | Connection) -> None:
    """Wait for our turn; it ends with the transaction. Asking again within it costs nothing."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('cleanup list', 0))"))
