"""Every word that a student or a contact was ever named by. The database keeps it (migration 0018), whoever writes names.

A word that is in none of them is in nobody's name, which a small table tells sooner than all people; and what a slip was meant
to be is looked for among words.
"""

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class NameWord(Base):
    """A folded word, also of names that nobody has any more. A name with a hyphen is here whole and in parts."""

    __tablename__ = "name_words"
    word: Mapped[str] = mapped_column(primary_key=True)
