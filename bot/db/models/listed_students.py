"""The students with contacts on the list, as the list ranks and counts them.

The database keeps this table itself, for every writer: when a transaction commits, triggers (`triggers.sql`) update the students
whose links, contacts, numbers, edits, removals, or list entries it changed. Nothing writes it directly.

Working this out from the other tables for a district of a million students takes seconds, and every list would pay for it
(`tests/bench/bench_slack.py`). A transaction that changes contacts does not see the change here before it commits.
"""

from sqlalchemy import ARRAY, BigInteger, Boolean, Computed, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base
from bot.domain.sms_status import WORK_ORDER

# `worst`, behind every status, of a student whose contacts were all fixed.
ALL_FIXED = len(WORK_ORDER) + 1
# `need`: no adult can be reached; only by calls or email; an adult can be texted; all contacts were fixed.
UNREACHABLE, OTHER_WAY, TEXTABLE, WAITING = range(4)


class ListedStudent(Base):
    """An active student with the contacts on the list that were not removed, `contact_ids`, their `statuses`, and, for each,
    whether staff fixed it, so that it `waits` for the next mass message.

    `textable` is the number of adults who can be texted; `other_ways`: an adult gets calls or email. `worst` is the first thing to
    do: the position in `WORK_ORDER`, from 1, of a contact that is not fixed, or `ALL_FIXED`. `need` is one of the four
    above. `grade_order` is the position in `grade.LEVELS`, from 1.
    """

    __tablename__ = "listed_students"
    __table_args__ = (Index("ix_listed_students_rank", "need", "worst", "grade_order"),)
    id: Mapped[int] = mapped_column("student_id", BigInteger, primary_key=True, autoincrement=False)
    given_name: Mapped[str]
    family_name: Mapped[str]
    grade: Mapped[str | None]
    grade_order: Mapped[int]
    textable: Mapped[int]
    other_ways: Mapped[bool]
    need: Mapped[int] = mapped_column(
        Computed(
            f"CASE WHEN worst = {ALL_FIXED} THEN {WAITING} WHEN textable > 0 THEN {TEXTABLE}"
            f" WHEN other_ways THEN {OTHER_WAY} ELSE {UNREACHABLE} END",
            persisted=True,
        )
    )
    contact_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    statuses: Mapped[list[str]] = mapped_column(ARRAY(Text))
    waits: Mapped[list[bool]] = mapped_column(ARRAY(Boolean), server_default=text("'{}'"))
    worst: Mapped[int]
