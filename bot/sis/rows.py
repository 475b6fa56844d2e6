"""The rows that any reader of a student information system yields, and the interfaces of a reader.

A reader decides nothing about people: who is a student, a contact, or staff follows from roles, which may be in another file,
and is computed by `bot.sync` after everything is staged. So no reader keeps more than some hundred rows in memory. The names of
the fields are the columns of the staging tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable


class Kind(StrEnum):
    """The files of a roster, by OneRoster's names, in reading order."""

    ORGS = "orgs"
    SESSIONS = "academicSessions"
    CLASSES = "classes"
    USERS = "users"
    ROLES = "roles"
    ENROLLMENTS = "enrollments"
    # Not a file of OneRoster: the contacts that a district adds to it.
    CONTACTS = "contacts"


CONTACT_ROLES = ("guardian", "parent", "relative")
STAFF_ROLES = (
    "administrator",
    "aide",
    "counselor",
    "districtAdministrator",
    "principal",
    "proctor",
    "siteAdministrator",
    "systemAdministrator",
    "teacher",
)


# The kind of an `UnreadRow` for the links that a person names, where the person was read.
LINKS = "links"


class OrgRow(NamedTuple):
    line: int
    sourced_id: str
    gone: bool
    name: str
    kind: str
    parent: str


class TermRow(NamedTuple):
    """An academic session; `ends_on` is exclusive."""

    line: int
    sourced_id: str
    gone: bool
    begins_on: date | None
    ends_on: date | None


class ClassRow(NamedTuple):
    line: int
    sourced_id: str
    gone: bool
    title: str
    homeroom: bool
    school: str
    terms: list[str]


class UserRow(NamedTuple):
    """A person. `phone` is E.164, read from `phone_written`; the problems of the two cells matter for contacts only.

    `phone_note` is what stands beside the number, and `phone_note_kind` what follows from it (`bot.domain.phone_note`).
    `enabled` is OneRoster's: False says that the person exists but may not log in anywhere.
    """

    line: int
    sourced_id: str
    gone: bool
    enabled: bool
    given_name: str
    family_name: str
    search: str
    email: str | None
    grade: str | None
    phone: str | None
    phone_written: str | None
    sms_problem: str | None
    phone_problem: str | None
    primary_org: str
    identifier: str
    phone_note: str | None = None
    phone_note_kind: str | None = None


class AgentRow(NamedTuple):
    """`person` names `agent`; the direction is not fixed, so either may be the student."""

    line: int
    person: str
    agent: str


class RoleRow(NamedTuple):
    """The role of a person at an organization; `role` is a word of OneRoster, of either version. `org` may be blank."""

    file: str
    line: int
    gone: bool
    person: str
    role: str
    org: str
    begins_on: date | None
    ends_on: date | None


class EnrollmentRow(NamedTuple):
    line: int
    sourced_id: str
    gone: bool
    class_id: str
    person: str
    role: str
    is_primary: bool
    begins_on: date | None
    ends_on: date | None


class ContactRow(NamedTuple):
    """One number of one contact of one student; `student` is a sourcedId or an identifier, `contact` an id or blank, `search`
    the folded name. A blank student or name is that of another row of the same contact.

    `rank` says how good the number is for texts: 0 marked as taking texts, 1 mobile, 2 unknown type, 3 home or work; of equal
    ones the lowest `phone_order` counts, which is 0 for the preferred number. `student_number` is `student` as
    `cells.plain_number`. `is_powerschool`: `contact` is a Contact ID of PowerSchool. The contact is none of the student's after `ends_on`.
    """

    line: int
    student: str
    contact: str
    given_name: str
    family_name: str
    search: str
    email: str | None
    relationship: str | None
    priority: int | None
    phone: str | None
    phone_written: str | None
    rank: int
    phone_note: str | None = None
    phone_note_kind: str | None = None
    phone_order: int = 0
    student_number: str = ""
    is_powerschool: bool = False
    ends_on: date | None = None


class UnreadRow(NamedTuple):
    """A line of the file of `kind` that could not be read: what is stored of `sourced_id` stays. For roles that is the id of the
    person, for contacts the id of the student.

    A blank `sourced_id` may be any. Without `as_staff` only a student or a contact stays: an unknown role must not keep the
    rights of staff.
    """

    line: int
    kind: str
    sourced_id: str
    as_staff: bool = True


class Rejection(NamedTuple):
    """A row that was left out, or a cell that its row was read without. The reason holds nothing of the cell."""

    file: str
    line: int | None
    column_name: str | None
    reason: str


Row = OrgRow | TermRow | ClassRow | UserRow | AgentRow | RoleRow | EnrollmentRow | ContactRow | UnreadRow
ROW_TYPES: tuple[type[Row], ...] = (
    *(OrgRow, TermRow, ClassRow, UserRow, AgentRow, RoleRow, EnrollmentRow),
    *(ContactRow, UnreadRow),
)


class Part(Protocol):
    """One file of a roster. Its attributes are true of what was read so far: `position` (of `size`, in bytes or rows, roughly),
    `rows_read` (lines below the header), `is_delta`, and `watermark`, the newest change (None if changes have no dates).

    The lines of its rows are lines of `{kind}.csv`. Without `has_lines` there is no such file: a line is only a running number,
    and reports name a row by the part's name and its sourcedId (`bot.sync.stage`).
    """

    kind: Kind
    name: str
    has_lines: bool
    size: int
    position: int
    rows_read: int
    watermark: datetime | None

    @property
    def is_delta(self) -> bool:
        """Whether the rows are changes; otherwise they are all there is, and what is missing was deleted."""

    @property
    def is_readable(self) -> bool:
        """False if it was not a file of its kind: nothing follows from what is missing in it."""

    def rows(self) -> Iterator[Row | Rejection]:
        """Read the file once, from its start."""


@runtime_checkable
class CountedPart(Part, Protocol):
    """A part that may be read by its changes, and says how many rows the source has in all: `total`, None if it does not say.

    Rows that are deleted without a mark are no changes, but they are missing in that number.
    """

    total: int | None


@runtime_checkable
class LinedPart(Part, Protocol):
    """A part of which single lines can be read, too."""

    @property
    def header(self) -> list[str]:
        """The titles of the columns, once `read_raw` has begun."""

    @property
    def is_plain(self) -> bool:
        """Whether each line read so far is one row by itself: not broken, in UTF-8, and without a date that other lines decide
        how to read.
        """

    @property
    def unread_columns(self) -> list[str]:
        """The titles of columns that the roster may need and that are not read, once reading has begun."""

    def read_raw(self) -> Iterator[bytes]:
        """Yield the bytes below the header, in blocks of any size. If the header is not the first line, yield nothing and set
        `is_plain` to False.
        """

    def read_lines(self, numbers: Sequence[int], lines: Sequence[str]) -> Sequence[Row | Rejection]:
        """Return what `rows` would yield for these lines, if each is one row by itself."""


# The distance between the `offsets` of files with rows of one kind; no file has as many lines.
LINES_APART = 100_000_000


@runtime_checkable
class RenamedPart(Part, Protocol):
    """A part that is not called by OneRoster's names: rejections that the sync finds later are of the file `name`, and of the columns
    `titles`. The lines of its rows are above the number in `offsets`, by the kind of row.
    """

    offsets: Mapping[Kind, int]
    titles: Mapping[str, str]


class Source(Protocol):
    """The origin of a roster: an export on disk or an SIS server. Reports show `name`, which holds no secret."""

    @property
    def name(self) -> str: ...

    def probe(self) -> str:
        """Look at the source without reading it. Return what is there, as the end of a sentence that begins with the name.

        Raises:
            UserError: why it cannot be read.
        """

    def fingerprint(self) -> str | None:
        """Return a word that changes whenever the rows do; None if only reading shows it."""

    def open(self, *, region: str, watermarks: Mapping[str, datetime]) -> AbstractContextManager[list[Part]]:
        """Yield the parts in reading order; `region` is the country of phone numbers without a country code.

        A part whose name has a watermark from the last sync may yield only what changed since.

        Raises:
            UserError: it cannot be read; also later, while a part is read.
        """
