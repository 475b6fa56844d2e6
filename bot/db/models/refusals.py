"""Requests that were refused because nothing proved who sent them, as counts for `doctor`."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class RefusedRequests(Base):
    """How many requests to one endpoint (`slack`, or a provider's name) were refused for one reason within one hour."""

    __tablename__ = "refused_requests"
    source: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
