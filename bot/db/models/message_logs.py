"""How far the message log of a provider has been read."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class LogWatermark(Base):
    """The watermark of one account's log. Everything up to `read_until` has been stored (None: nothing yet); of the texts before
    it, the earliest without a final result was sent at `open_since`. `tried_at` is when the last pull began, also one that failed.
    """

    __tablename__ = "log_watermarks"
    provider: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    tried_at: Mapped[datetime]
    read_until: Mapped[datetime | None]
    open_since: Mapped[datetime | None]
