"""The roster, written by the sync only; and the log of syncs.

Edits never stand here: what everyone reads is edit-or-SIS (`views.effective_contacts`).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.models.base import Base, ContactMethod, id_column, one_of_check
from bot.db.models.folding import folded_name_column
from bot.domain.phone_note import NoteKind


class School(Base):
    __tablename__ = "schools"
    id: Mapped[int] = id_column()
    sourced_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Staff(Base):
    """A person who works for the district, matched with Slack by email (stored lower case). `search`: the folded full name."""

    __tablename__ = "staff"
    __table_args__ = (Index(None, "email"),)
    id: Mapped[int] = id_column()
    sourced_id: Mapped[str] = mapped_column(unique=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    email: Mapped[str | None]
    search: Mapped[str] = folded_name_column()
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class StaffRole(Base):
    """A role of a staff member, at a school or (school is null) in the whole district. `role` is OneRoster's word."""

    __tablename__ = "staff_roles"
    __table_args__ = (
        UniqueConstraint("staff_id", "school_id", "role", postgresql_nulls_not_distinct=True),
        Index(None, "school_id"),
    )
    id: Mapped[int] = id_column()
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    role: Mapped[str]


class Student(Base):
    """A student; `grade` is a level of `bot.domain.grade.LEVELS` or null; `search` is the folded full name.

    `identifier` is the student number, by which the sync recognizes a student under a new sourced_id; blank if there is none.
    `left_at` is when we first saw that the student had left (`bot.operations.families`).
    """

    __tablename__ = "students"
    __table_args__ = (
        Index(None, "grade", postgresql_where=text("active")),
        Index("ix_students_inactive", "id", postgresql_where=text("NOT active")),
        Index(None, "identifier", postgresql_where=text("identifier <> ''")),
        Index("ix_students_left", "left_at", postgresql_where=text("left_at IS NOT NULL")),
    )
    id: Mapped[int] = id_column()
    sourced_id: Mapped[str] = mapped_column(unique=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    search: Mapped[str]
    grade: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    identifier: Mapped[str] = mapped_column(server_default=text("''"))
    left_at: Mapped[datetime | None]


class StudentSchool(Base):
    __tablename__ = "student_schools"
    __table_args__ = (Index(None, "school_id", "student_id"),)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"), primary_key=True)


class Contact(Base):
    """An adult of one or more students, as the SIS has it. Read `effective_contacts` for the number and method in effect.

    `sis_phone` is null when nothing could be read from `sis_phone_written`. `sis_phone_note` are the words beside it, and
    `sis_note_kind` what follows from them for the number (`phone_numbers.noted`). `sis_contact_id` is the contact's id in the
    contacts file, and `is_powerschool_id` whether it is a Contact ID of PowerSchool, under which a change can be imported there.
    `version` grows by one with each change of
    how the contact is reached, by a person or by the SIS; dialogs carry it to detect a change by another person.
    `search` is the folded full name, as of a student, but kept by the database itself. `left_at` is as of a student.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        one_of_check("sis_method", ContactMethod),
        one_of_check("sis_note_kind", NoteKind),
        # The columns beside the number spare the forecast of a district the table.
        Index(None, "sis_phone", postgresql_include=["id", "sis_method", "active"]),
        Index(
            "ix_contacts_not_texted",
            "sis_phone",
            postgresql_include=["id", "sis_method", "email"],
            postgresql_where=text("active AND sis_method <> 'text'"),
        ),
        Index("ix_contacts_last_digits", text("right(sis_phone, 4)")),
        Index("ix_contacts_noted", "sis_phone", postgresql_where=text("sis_note_kind IS NOT NULL")),
        Index("ix_contacts_inactive", "id", postgresql_where=text("NOT active")),
        Index("ix_contacts_email", text("lower(email)"), postgresql_where=text("email IS NOT NULL")),
        Index("ix_contacts_left", "left_at", postgresql_where=text("left_at IS NOT NULL")),
    )
    id: Mapped[int] = id_column()
    sourced_id: Mapped[str] = mapped_column(unique=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    email: Mapped[str | None]
    search: Mapped[str] = folded_name_column()
    sis_phone: Mapped[str | None]
    sis_phone_written: Mapped[str | None]
    sis_phone_note: Mapped[str | None]
    sis_note_kind: Mapped[str | None]
    sis_contact_id: Mapped[str | None]
    is_powerschool_id: Mapped[bool] = mapped_column(server_default=text("false"))
    sis_method: Mapped[str] = mapped_column(server_default=ContactMethod.TEXT)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    left_at: Mapped[datetime | None]


class OtherNumber(Base):
    """A number (E.164) that the SIS has of a contact beside `sis_phone`; `position` 1 is the best of them for texts."""

    __tablename__ = "other_numbers"
    __table_args__ = (Index(None, "phone"), Index("ix_other_numbers_last_digits", text("right(phone, 4)")))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    phone: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]


class FormerContactId(Base):
    """A sourced_id that a contact had before the SIS gave them another one; deliveries keep the id of their day.

    An id that the SIS gives to another person is not here anymore. The view `contact_ids` has the current ids beside these.
    """

    __tablename__ = "former_contact_ids"
    __table_args__ = (Index(None, "contact_id"),)
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))


class StudentContact(Base):
    """A contact belongs to a student; `priority` 1 comes first, null last.

    `from_student` and `from_contact` say whose row of the SIS has the link; a change to one leaves the other as it is.
    """

    __tablename__ = "student_contacts"
    __table_args__ = (
        Index(None, "contact_id", postgresql_include=["student_id", "active"]),  # As of a contact's number.
        Index("ix_student_contacts_ended", "student_id", "contact_id", postgresql_where=text("NOT active")),
    )
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    relationship: Mapped[str | None]
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    from_student: Mapped[bool] = mapped_column(server_default=text("false"))
    from_contact: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class SchoolClass(Base):
    __tablename__ = "classes"
    __table_args__ = (Index(None, "school_id"),)
    id: Mapped[int] = id_column()
    sourced_id: Mapped[str] = mapped_column(unique=True)
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    title: Mapped[str]
    homeroom: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class ClassTeacher(Base):
    """A dated teaching enrolment; `ends_on` is exclusive, as in OneRoster; blank dates mean the class's whole time."""

    __tablename__ = "class_teachers"
    __table_args__ = (Index(None, "class_id"), Index(None, "staff_id"))
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"))
    begins_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class ClassStudent(Base):
    """A dated enrollment of a student. No foreign keys: a district has ten of these rows for each student, so the checks would be
    half of its first sync (`docs/decisions/2-missing-foreign-keys.md`).
    """

    __tablename__ = "class_students"
    __table_args__ = (Index(None, "class_id"), Index(None, "student_id"))
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(BigInteger)
    student_id: Mapped[int] = mapped_column(BigInteger)
    begins_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class SyncState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"


class SyncDecision(StrEnum):
    """A person's decision about a held run."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


class SyncRun(Base):
    """One run of the sync; its states are described in `bot.sync`.

    `counts` is {table: {read, added, changed, inactive, rejected}}, and `identity` is `bot.sync.identity.IdentityReport`.
    `error` holds no names. `watermarks` is how far a source that reports changes was read: {endpoint: newest dateLastModified},
    and `source_totals` how many rows it had: {endpoint: number}. `is_whole`: everything was read, not only changes.
    `fingerprint` identifies the files that were read (or, for a held run of a server, the rows), and `valid_until` is the day
    from which the same files mean something else. `layout_hash` covers everything that was read except the lines in
    `known_lines`. `hold_reasons` are `bot.sync.hold_checks.Reason`, with people by sourced_id.
    """

    __tablename__ = "sync_runs"
    __table_args__ = (
        one_of_check("state", SyncState),
        one_of_check("decision", SyncDecision),
        Index(None, "finished_at"),
    )
    id: Mapped[int] = id_column()
    source: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default=SyncState.RUNNING)
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    error: Mapped[str | None]
    decision: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    watermarks: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    source_totals: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    is_whole: Mapped[bool] = mapped_column(server_default=text("true"))
    fingerprint: Mapped[str | None]
    valid_until: Mapped[date | None]
    layout_hash: Mapped[str | None]
    identity: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    hold_reasons: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


def last_sync_query() -> Select[datetime | None]:
    """Select when the last complete sync ended; null before the first."""
    return select(func.max(SyncRun.finished_at).label("synced_at")).where(SyncRun.state == SyncState.DONE)


class SyncRejection(Base):
    """A row that a sync left out, or a cell (`column_name`) that it left blank. `reason` never repeats the cell.

    `sourced_id` is of the person whose row it is, where the row says so.
    """

    __tablename__ = "sync_rejections"
    __table_args__ = (Index(None, "sync_run_id"),)
    id: Mapped[int] = id_column()
    sync_run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    file: Mapped[str]
    line: Mapped[int | None]
    column_name: Mapped[str | None]
    reason: Mapped[str]
    sourced_id: Mapped[str | None]


# Hashes of the lines of the last export, so that only lines that changed are read (`bot.sync.line_diff`). `key` is the sourced_id
# of an enrollment, or else of the person. An open line (`is_open`) is read every time. Unlogged: after a crash of the server the
# table is empty, and everything is read.
known_lines = Table(
    "known_lines",
    Base.metadata,
    Column("file", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    prefixes=["UNLOGGED"],
)
