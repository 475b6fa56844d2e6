"""When the jobs of the clock ran, for the people who watch it: the clock itself answers no requests."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class JobRun(Base):
    """The last success of a job with its duration in seconds, and its last failure. Written at most once a minute, and at failures."""

    __tablename__ = "job_runs"
    job: Mapped[str] = mapped_column(primary_key=True)
    succeeded_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
