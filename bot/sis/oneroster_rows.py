"""OneRoster files: the columns that matter of each, and the roster rows that they mean. A bad cell costs only itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import compress, repeat
from operator import not_

from bot.domain import grade, names
from bot.domain.phone_note import NoteKind, worst
from bot.sis import cells
from bot.sis.cells import PhoneCell
from bot.sis.columns import Block, FileFormat, build_rows, merge_by_line
from bot.sis.rows import (
    AgentRow,
    ClassRow,
    EnrollmentRow,
    Kind,
    OrgRow,
    Rejection,
    RoleRow,
    Row,
    TermRow,
    UnreadRow,
    UserRow,
)

# Titles of OneRoster 1.0 and common mistakes.
_OTHER_TITLES = {
    "agents": "agentSourcedIds",
    "orgs": "orgSourcedIds",
    "orgSourcedId": "orgSourcedIds",
    "grade": "grades",
    "classId": "classSourcedId",
    "userId": "userSourcedId",
    "schoolId": "schoolSourcedId",
    "terms": "termSourcedIds",
    "termSourcedId": "termSourcedIds",
    "primaryOrg": "primaryOrgSourcedId",
}


def _format(columns: str, *, required: str, needed: str, unused: str = "") -> FileFormat:
    every = ("sourcedId", "status", "dateLastModified", *columns.split())
    return FileFormat(every, tuple(required.split()), tuple(needed.split()), _OTHER_TITLES, tuple(unused.split()))


FORMATS = {
    Kind.ORGS: _format(
        "name type parentSourcedId", required="sourcedId name type", needed="sourcedId name", unused="identifier"
    ),
    Kind.SESSIONS: _format(
        "startDate endDate",
        required="sourcedId startDate endDate",
        needed="sourcedId",
        unused="title type parentSourcedId schoolYear",
    ),
    Kind.CLASSES: _format(
        "title classCode classType schoolSourcedId termSourcedIds",
        required="sourcedId",
        needed="sourcedId",
        unused="grades courseSourcedId location subjects subjectCodes periods resources resourceSourcedIds",
    ),
    Kind.USERS: _format(
        "enabledUser givenName familyName email sms phone agentSourcedIds grades role orgSourcedIds "
        "primaryOrgSourcedId identifier",
        required="sourcedId givenName familyName",
        needed="sourcedId",
        unused="username userIds middleName password userMasterIdentifier resourceSourcedIds preferredGivenName "
        "preferredMiddleName preferredFamilyName pronouns",
    ),
    Kind.ROLES: _format(
        "userSourcedId role beginDate endDate orgSourcedId",
        required="userSourcedId role",
        needed="userSourcedId",
        unused="roleType userProfileSourcedId",
    ),
    Kind.ENROLLMENTS: _format(
        "classSourcedId userSourcedId role primary beginDate endDate",
        required="sourcedId classSourcedId userSourcedId role",
        needed="sourcedId classSourcedId userSourcedId",
        unused="schoolSourcedId",
    ),
}
_ORG_TYPES = ("school", "department", "district", "local", "state", "national")


@dataclass(frozen=True, slots=True)
class _Table:
    """Some rows of a file. `read_day` parses a date and raises ValueError for anything else."""

    file: str
    block: Block
    region: str
    read_day: Callable[[str], date | None]

    @property
    def lines(self) -> Sequence[int]:
        return self.block.lines

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        return self.block.columns

    @property
    def gone(self) -> list[bool]:
        return self.block.map("status", cells.is_gone)

    @property
    def roles(self) -> list[str | None]:
        return self.block.map("role", cells.parse_role)

    def where(self, mask: Iterable[bool]) -> "_Table":
        return replace(self, block=self.block.where(mask))

    def reject(self, mask: Iterable[bool], column: str, reason: str) -> list[Rejection]:
        """Return a rejection for each row for which the mask is True."""
        return [Rejection(self.file, line, column, reason) for line in compress(self.lines, mask)]

    def dates(self, column: str) -> tuple[list[date | None], list[Rejection]]:
        if not any(self.columns[column]):
            return [None] * len(self.lines), []
        dates = self.block.map(column, self._date)
        unread = [day is None and cell != "" for day, cell in zip(dates, self.columns[column], strict=True)]
        return dates, self.reject(unread, column, "is not a date; the row was read without it")

    def _date(self, cell: str) -> date | None:
        try:
            return self.read_day(cell) if cell else None
        except ValueError:
            return None


# Lists of rows; the rows of one line belong together in the order of the lists.
_RowLists = tuple[Sequence[Row | Rejection], ...]


def translate(
    kind: Kind, block: Block, *, file: str, region: str, read_day: Callable[[str], date | None]
) -> Sequence[Row | Rejection]:
    """Return the rows of a block that has every column of `FORMATS[kind]`, blank if the file does not have it.

    `read_day` parses a date and raises ValueError for anything else.
    """
    return merge_by_line(*_TRANSLATIONS[kind](_Table(file, block, region, read_day)))


def _orgs(table: _Table) -> _RowLists:
    columns = table.columns
    types = [org_type.lower() for org_type in columns["type"]]
    unknown = [org_type not in _ORG_TYPES for org_type in types]
    rows = build_rows(
        OrgRow,
        table.lines,
        columns["sourcedId"],
        table.gone,
        map(names.clean, columns["name"]),
        [org_type if org_type in _ORG_TYPES else "other" for org_type in types],
        columns["parentSourcedId"],
    )
    reason = "is not a type of organization; what was a school before stays one"
    return table.reject(unknown, "type", reason), rows


def _terms(table: _Table) -> _RowLists:
    begins_on, bad_begins = table.dates("startDate")
    ends_on, bad_ends = table.dates("endDate")
    rows = build_rows(TermRow, table.lines, table.columns["sourcedId"], table.gone, begins_on, ends_on)
    return rows, bad_begins, bad_ends


def _classes(table: _Table) -> _RowLists:
    columns = table.columns
    titles = zip(map(names.clean, columns["title"]), columns["classCode"], columns["sourcedId"], strict=True)
    rows = build_rows(
        ClassRow,
        table.lines,
        columns["sourcedId"],
        table.gone,
        [title or code or sourced_id for title, code, sourced_id in titles],
        [class_type.lower() == "homeroom" for class_type in columns["classType"]],
        columns["schoolSourcedId"],
        map(cells.split_list, columns["termSourcedIds"]),
    )
    return (rows,)


def _users(table: _Table) -> _RowLists:
    block, columns = table.block, table.columns
    given, family = block.map("givenName", names.clean), block.map("familyName", names.clean)
    nameless = [not first and not last for first, last in zip(given, family, strict=True)]
    sms, phones = ([cells.parse_phone(cell, table.region) for cell in columns[name]] for name in ("sms", "phone"))
    numbers = [
        _choose(cell, second_cell, first, second)
        for cell, second_cell, first, second in zip(columns["sms"], columns["phone"], sms, phones, strict=True)
    ]
    rows = build_rows(
        UserRow,
        table.lines,
        columns["sourcedId"],
        table.gone,
        [not is_disabled for is_disabled in block.map("enabledUser", cells.is_no)],
        given,
        family,
        map(names.fold_full_name, given, family),
        [email if 0 < len(email) <= cells.LONGEST_EMAIL else None for email in columns["email"]],
        block.map("grades", grade.from_roster),
        [number[0] for number in numbers],
        [number[1] for number in numbers],
        [phone.problem for phone in sms],
        [phone.problem for phone in phones],
        columns["primaryOrgSourcedId"],
        columns["identifier"],
        [number[2] for number in numbers],
        [number[3] for number in numbers],
    )
    lists = zip(table.lines, columns["sourcedId"], columns["agentSourcedIds"], strict=True)
    agents = [AgentRow(line, person, agent) for line, person, ids in lists for agent in cells.split_list(ids)]
    reason = "and givenName are blank; the person is kept without a name"
    return table.reject(nameless, "familyName", reason), rows, agents, *_roles_of_users(table)


# E.164, the cell it was read from, the note beside it, and what follows from that.
_Number = tuple[str | None, str | None, str | None, NoteKind | None]


def _choose(sms_cell: str, phone_cell: str, sms: PhoneCell, phone: PhoneCell) -> _Number:
    """Choose the number of a person: the first that no note says is dead, else the first; without one, the first cell.

    A refusal concerns the person, whichever of the two cells it is in.
    """
    if sms.e164 and sms.is_doubtful and phone.e164 and not phone.is_doubtful:
        is_first = False
    else:
        is_first = bool(sms.e164 or (sms_cell and not phone.e164))
    chosen, written = (sms, sms_cell) if is_first else (phone, phone_cell)
    if sms.note is None and phone.note is None:
        return chosen.e164, written or None, None, chosen.kind
    notes = dict.fromkeys(note for note in (sms.note, phone.note) if note)
    refused = NoteKind.REFUSED if NoteKind.REFUSED in (sms.kind, phone.kind) else None
    return chosen.e164, written or None, " · ".join(notes), worst((refused, chosen.kind))


def _roles_of_users(table: _Table) -> _RowLists:
    """Return the roles of version 1.1, where the role is part of the user and applies to each of their organizations."""
    table = table.where(map(bool, table.columns["role"]))
    roles, columns = table.roles, table.columns
    people = zip(table.lines, table.gone, columns["sourcedId"], roles, columns["orgSourcedIds"], strict=True)
    known = [
        RoleRow(table.file, line, gone, person, role, org, None, None)
        for line, gone, person, role, orgs in people
        if role
        for org in cells.split_list(orgs) or [""]
    ]
    return table.reject([role is None for role in roles], "role", "is none of OneRoster's roles"), known


def _roles(table: _Table) -> _RowLists:
    is_known = [role is not None for role in table.roles]
    rejected = _reject_roles(table.where(map(not_, is_known)), Kind.ROLES, "userSourcedId")
    table = table.where(is_known)
    begins_on, bad_begins = table.dates("beginDate")
    ends_on, bad_ends = table.dates("endDate")
    rows = build_rows(
        RoleRow,
        repeat(table.file, len(table.lines)),
        table.lines,
        table.gone,
        table.columns["userSourcedId"],
        table.roles,
        table.columns["orgSourcedId"],
        begins_on,
        ends_on,
    )
    return *rejected, rows, bad_begins, bad_ends


def _enrollments(table: _Table) -> _RowLists:
    is_known = [role is not None or gone for role, gone in zip(table.roles, table.gone, strict=True)]
    rejected = _reject_roles(table.where(map(not_, is_known)), Kind.ENROLLMENTS, "sourcedId")
    table = table.where(is_known)
    begins_on, bad_begins = table.dates("beginDate")
    ends_on, bad_ends = table.dates("endDate")
    rows = build_rows(
        EnrollmentRow,
        table.lines,
        table.columns["sourcedId"],
        table.gone,
        table.columns["classSourcedId"],
        table.columns["userSourcedId"],
        [role or "" for role in table.roles],
        table.block.map("primary", cells.is_yes),
        begins_on,
        ends_on,
    )
    return *rejected, rows, bad_begins, bad_ends


def _reject_roles(table: _Table, kind: Kind, identity: str) -> _RowLists:
    rejections: list[Rejection] = []
    unread: list[UnreadRow] = []
    for line, gone, role, sourced_id in zip(
        table.lines, table.gone, table.columns["role"], table.columns[identity], strict=True
    ):
        rejections.append(Rejection(table.file, line, "role", "is none of OneRoster's roles" if role else "is blank"))
        # A role of the district's own (`ext:...`) is known to mean nothing here; any other may be a misspelled role.
        if not gone and not role.lower().startswith("ext:"):
            unread.append(UnreadRow(line, kind, sourced_id, as_staff=False))
    return rejections, unread


_TRANSLATIONS: dict[Kind, Callable[[_Table], _RowLists]] = {
    Kind.ORGS: _orgs,
    Kind.SESSIONS: _terms,
    Kind.CLASSES: _classes,
    Kind.USERS: _users,
    Kind.ROLES: _roles,
    Kind.ENROLLMENTS: _enrollments,
}
