"""Changes by staff, stored beside the SIS values and never over them, and the history of every change."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, id_column, one_of_check


class EditField(StrEnum):
    PHONE = "phone"
    METHOD = "method"


class EditState(StrEnum):
    """`pending` and `conflict` edits are in force, at most one per contact and field; the others are history.

    `reverted`: the SIS had the value, and went back to the one before.
    """

    PENDING = "pending"
    CONFLICT = "conflict"
    ABSORBED = "absorbed"
    REPLACED = "replaced"
    UNDONE = "undone"
    SIS_TAKEN = "sis_taken"
    REVERTED = "reverted"


IN_FORCE = (EditState.PENDING, EditState.CONFLICT)


class Edit(Base):
    """A change beside the SIS value.

    `base` is the SIS value at the time of the edit and `value` what was entered (null: no number); `sis_value` is the third value of a
    conflict, since `sis_at`, which is also when an edit was absorbed or reverted. `replaces_id` is the edit that this one replaced;
    Undo puts it in force again.
    """

    __tablename__ = "edits"
    __table_args__ = (
        one_of_check("field", EditField),
        one_of_check("state", EditState),
        Index(
            "uq_edits_in_force",
            "contact_id",
            "field",
            unique=True,
            postgresql_where=text("state IN ('pending', 'conflict')"),
        ),
        # For erasing families: PostgreSQL looks for rows that refer to those it deletes.
        Index(None, "contact_id"),
        Index(None, "replaces_id", postgresql_where=text("replaces_id IS NOT NULL")),
        Index("ix_edits_value", "value", postgresql_where=text("state IN ('pending', 'conflict')")),
        Index(
            "ix_edits_last_digits",
            text("right(value, 4)"),
            postgresql_where=text("field = 'phone' AND state IN ('pending', 'conflict')"),
        ),
        Index(None, "made_by"),
    )
    id: Mapped[int] = id_column()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    field: Mapped[str]
    base: Mapped[str | None]
    value: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=EditState.PENDING)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    sis_value: Mapped[str | None]
    sis_at: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("edits.id"))


class TriedNumber(Base):
    """A typed number that a mass message went to through this contact: from then on its status is shown with the contact.

    `proved_at` is when the contact proved it at the counter, or confirmed it in a call: it is texted for this contact although it was
    recorded as *Wrong person* before. A later record clears it.
    """

    __tablename__ = "tried_numbers"
    __table_args__ = (Index(None, "phone", postgresql_where=text("proved_at IS NOT NULL")),)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    phone: Mapped[str] = mapped_column(primary_key=True)
    proved_at: Mapped[datetime | None]


class Removal(Base):
    """A contact that staff removed from a student, or from all where `student_id` is null. It stays removed at every sync.

    It ends when it is undone, or (`undone_by` is the sync) when the SIS does not have the link anymore either.
    """

    __tablename__ = "removals"
    __table_args__ = (
        Index(
            "uq_removals_in_force",
            "contact_id",
            "student_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(None, "student_id"),
        Index(None, "contact_id"),
        Index(None, "made_by", postgresql_where=text("undone_at IS NULL")),  # Each list counts the reader's own.
    )
    id: Mapped[int] = id_column()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]


class Audit(Base):
    """One action by one person, written in the same transaction as the change and never updated.

    `actor` is a Slack user id or a process (`sync`, `twilio`); numbers in `before` and `after` are masked.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject_kind", "subject_id"), Index(None, "at"))
    id: Mapped[int] = id_column()
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    before: Mapped[str | None]
    after: Mapped[str | None]
    reason: Mapped[str | None]
