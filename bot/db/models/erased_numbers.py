"""What must outlive a number that no one has anymore: that its owner said STOP, or that it is a stranger's.

The number itself is erased; it is found again by a hash, when a contact gets it (`triggers.sql`).
"""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class ErasedNumber(Base):
    """`number_hash` is SHA-256 of a salt and the number: a pseudonym. The salt is in the function `erased_number_hash`."""

    __tablename__ = "erased_numbers"
    number_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    opted_out_at: Mapped[datetime | None]
    opted_out_by: Mapped[str | None]
    wrong_person_at: Mapped[datetime | None]
    wrong_person_by: Mapped[str | None]
