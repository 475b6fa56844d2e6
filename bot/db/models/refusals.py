"""Requests that were refused because nothing proved who sent them, as counts for `doctor`."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class RefusedRequests(Base):
    """How many requests from one source (`slack`, a provider, a messenger) were refused for one reason within one hour.

    `first_at` and `last_at` are the times of the first and last of them; rows of an older version have none.
    """

    __tablename__ = "refused_requests"
    source: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
    first_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
