"""What any reader of a student information system yields: rows of one shape, one by one, in the order of its files.

A reader decides nothing about people. Who is a student, a contact or staff follows from roles, which may stand in another
file; it is asked set-wise, after everything is staged (`bot.sync`). So no reader holds more than some hundred rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable


class Kind(StrEnum):
    """The files a roster is made of, by OneRoster's names, in the order in which they are read."""

    ORGS = "orgs"
    SESSIONS = "academicSessions"
    CLASSES = "classes"
    USERS = "users"
    ROLES = "roles"
    ENROLLMENTS = "enrollments"
    CONTACTS = "contacts"
    """No file of OneRoster: the contacts that a district hands over beside it."""


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
    """A person. `phone` is E.164, found in `phone_written`; the problems of the two cells matter for contacts only.

    `enabled` is OneRoster's: False says that the person is there but may not log in anywhere.
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


class AgentRow(NamedTuple):
    """`person` names `agent`; the direction is not fixed, so either may be the student."""

    line: int
    person: str
    agent: str


class RoleRow(NamedTuple):
    """What somebody is, where and when; `role` is one of OneRoster's words, of either version. `org` may be blank."""

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
    the folded name.

    `rank` says how good the number is for texts: 1 a mobile, 2 of no known type, 3 at home or at work.
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


class UnreadRow(NamedTuple):
    """A line of the file of `kind` that could not be read: what we hold of `sourced_id` stays. In roles.csv it is the
    person's, in a file of contacts the student's.

    A blank `sourced_id` may be anybody's. Without `as_staff` only a student or a contact stays: a word for a role that
    nobody knows leaves nobody the rights of staff.
    """

    line: int
    kind: str
    sourced_id: str
    as_staff: bool = True


class Rejection(NamedTuple):
    """A row, or one cell of a row that was kept without it. The reason holds nothing of what the cell said."""

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
    """One file of a roster. What it says of itself is true of what was read so far: `position` (of `size`, in bytes or
    rows, roughly), `rows_read` (lines below the header), `is_delta`, and `mark`, the newest change it was told of (None where
    nobody tells).

    Its rows stand on lines of `{kind}.csv`. Without `has_lines` there is no such file: a line only counts the rows, and
    reports name a row by the part's name and its sourcedId (`bot.sync.row_labels`).
    """

    kind: Kind
    name: str
    has_lines: bool
    size: int
    position: int
    rows_read: int
    mark: datetime | None

    @property
    def is_delta(self) -> bool:
        """Whether the rows are changes; otherwise they are everything there is, and what is missing has left."""

    @property
    def is_readable(self) -> bool:
        """False when the file turned out not to be one: nothing follows from what it does not say."""

    def rows(self) -> Iterator[Row | Rejection]:
        """Read the file once, from its start."""


@runtime_checkable
class LinedPart(Part, Protocol):
    """A part of which single lines can be read, too."""

    header: list[str]
    """The titles of its columns, once `raw` has begun."""

    @property
    def is_plain(self) -> bool:
        """Whether each line that was read is a row by itself: none is broken or in another encoding, and none has a date that
        others decide how to read.
        """

    def raw(self) -> Iterator[bytes]:
        """The lines below the header as they stand in the file, in blocks of any size. There are none, and `is_plain` is False,
        where the header is not the first line.
        """

    def read(self, numbers: Sequence[int], lines: Sequence[str]) -> Sequence[Row | Rejection]:
        """What `rows` would yield for these lines, if each is a row by itself."""


class Source(Protocol):
    """Where a roster comes from: an export on disk, or an SIS that is asked. `name` is how reports name it."""

    @property
    def name(self) -> str:
        """Holds no secret."""

    def try_out(self) -> str:
        """What is found when it is only looked at, after its name in a sentence.

        Raises:
            UserError: it cannot be read, and why.
        """

    def fingerprint(self) -> str | None:
        """One word that is another one as soon as what `opened` would tell is; None where only reading it can say."""

    def opened(self, *, region: str, marks: Mapping[str, datetime]) -> AbstractContextManager[list[Part]]:
        """The parts in reading order; `region` is the country of numbers without a code. A part whose name has a mark of
        the last sync may tell only what changed since; without `marks` everything is read.

        Raises:
            UserError: it cannot be read; also later, while a part is read.
        """
