"""The reachability score of each group of students, one row a day. Numbers only: no row is about one family."""

from datetime import date

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base


class ReachabilityScore(Base):
    """`bot.reachability.score.Score` of a group on a day. `kind` is a `GroupKind`; 0 and '' stand for None in a group.

    `seen_events` is how many mass messages had become final and how many syncs had ended since the day before when it was
    counted: where there are more now, the day is counted again.
    """

    __tablename__ = "reachability_scores"
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default=text("0"))
    grade: Mapped[str] = mapped_column(primary_key=True, server_default=text("''"))
    staff_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default=text("0"))
    students: Mapped[int]
    delivered: Mapped[int]
    textable: Mapped[int]
    reachable: Mapped[int]
    unreachable: Mapped[int]
    to_fix: Mapped[int]
    fixed: Mapped[int]
    confirmed: Mapped[int]
    seen_events: Mapped[int]
