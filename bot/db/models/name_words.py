"""All words of the names of students and contacts, kept by triggers of the database (`triggers.sql`).

A small table shows sooner than all people that a word is in no name, and a typo is compared with words.
"""

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class NameWord(Base):
    """A folded word, also of former names. A name with a hyphen is stored whole and in parts."""

    __tablename__ = "name_words"
    word: Mapped[str] = mapped_column(primary_key=True)
