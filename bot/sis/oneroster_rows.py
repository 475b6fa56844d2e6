"""Rows of a OneRoster file, in columns, to the rows of a roster. A cell that cannot be read costs only itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import compress, repeat
from operator import not_

from bot.domain import grade, names
from bot.sis import cells
from bot.sis.block import Block, in_order, rows_of
from bot.sis.cells import Number
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
from bot.wording import say

ORG_KINDS = ("school", "department", "district", "local", "state", "national")


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows, and where they stand. `read_day` reads a date and raises ValueError for what is none."""

    file: str
    block: Block
    region: str
    read_day: Callable[[str], date | None]

    @property
    def lines(self) -> Sequence[int]:
        return self.block.lines

    @property
    def cell(self) -> Mapping[str, Sequence[str]]:
        return self.block.cell

    @property
    def gone(self) -> list[bool]:
        return self.block.each("status", cells.is_gone)

    @property
    def roles(self) -> list[str | None]:
        return self.block.each("role", cells.role)

    def only(self, wanted: Iterable[bool]) -> "_Source":
        return replace(self, block=self.block.only(wanted))

    def rejections(self, where: Iterable[bool], column: str, what: str) -> list[Rejection]:
        """One for each row where something is so; the reason is the sentence called `what`."""
        rejected = compress(self.lines, where)
        return [Rejection(self.file, line, column, say(f"sis.oneroster_rows.{what}")) for line in rejected]

    def days(self, column: str) -> tuple[list[date | None], list[Rejection]]:
        if not any(self.cell[column]):
            return [None] * len(self.lines), []
        days = self.block.each(column, self._day)
        unread = [day is None and cell != "" for day, cell in zip(days, self.cell[column], strict=True)]
        return days, self.rejections(unread, column, "no_date")

    def _day(self, cell: str) -> date | None:
        try:
            return self.read_day(cell) if cell else None
        except ValueError:
            return None


_Strands = tuple[Sequence[Row | Rejection], ...]
"""Rows of one kind after the other; those of one line belong together in this order."""


def translated(
    kind: Kind, block: Block, *, file: str, region: str, day: Callable[[str], date | None]
) -> Sequence[Row | Rejection]:
    """What the lines of a file say; `block` has every column of `oneroster_columns.COLUMNS[kind]`, blank where it is not.
    `day` reads a date and raises ValueError for what is none.
    """
    return in_order(*_TRANSLATIONS[kind](_Source(file, block, region, day)))


def _orgs(source: _Source) -> _Strands:
    cell = source.cell
    kinds = [kind.lower() for kind in cell["type"]]
    strange = [kind not in ORG_KINDS for kind in kinds]
    rows = rows_of(
        OrgRow,
        source.lines,
        cell["sourcedId"],
        source.gone,
        map(names.clean, cell["name"]),
        [kind if kind in ORG_KINDS else "other" for kind in kinds],
        cell["parentSourcedId"],
    )
    return source.rejections(strange, "type", "no_org_type"), rows


def _terms(source: _Source) -> _Strands:
    begins_on, problems = source.days("startDate")
    ends_on, more = source.days("endDate")
    rows = rows_of(TermRow, source.lines, source.cell["sourcedId"], source.gone, begins_on, ends_on)
    return rows, problems, more


def _classes(source: _Source) -> _Strands:
    cell = source.cell
    titles = zip(map(names.clean, cell["title"]), cell["classCode"], cell["sourcedId"], strict=True)
    rows = rows_of(
        ClassRow,
        source.lines,
        cell["sourcedId"],
        source.gone,
        [title or code or sourced_id for title, code, sourced_id in titles],
        [kind.lower() == "homeroom" for kind in cell["classType"]],
        cell["schoolSourcedId"],
        map(cells.many, cell["termSourcedIds"]),
    )
    return (rows,)


def _users(source: _Source) -> _Strands:
    cell = source.cell
    given, family = source.block.each("givenName", names.clean), source.block.each("familyName", names.clean)
    nameless = [not one and not other for one, other in zip(given, family, strict=True)]
    sms, phone = ([cells.number(one, source.region) for one in cell[column]] for column in ("sms", "phone"))
    rows = rows_of(
        UserRow,
        source.lines,
        cell["sourcedId"],
        source.gone,
        [not is_out for is_out in source.block.each("enabledUser", cells.no)],
        given,
        family,
        map(names.fold_full_name, given, family),
        map(_email, cell["email"]),
        source.block.each("grades", grade.from_roster),
        [one.e164 or other.e164 for one, other in zip(sms, phone, strict=True)],
        map(_written, cell["sms"], cell["phone"], sms, phone),
        [one.problem for one in sms],
        [one.problem for one in phone],
        cell["primaryOrgSourcedId"],
        cell["identifier"],
    )
    return (
        source.rejections(nameless, "familyName", "nameless"),
        rows,
        _agents(source),
        *_roles_of_users(source),
    )


def _email(cell: str) -> str | None:
    return cell if 0 < len(cell) <= cells.LONGEST_EMAIL else None


def _written(sms_cell: str, phone_cell: str, sms: Number, phone: Number) -> str | None:
    """The cell that the number was read from; when none was, the first that says anything."""
    if sms.e164 or (sms_cell and not phone.e164):
        return sms_cell
    return phone_cell or None


def _agents(source: _Source) -> list[AgentRow]:
    rows = zip(source.lines, source.cell["sourcedId"], source.cell["agentSourcedIds"], strict=True)
    return [AgentRow(line, person, agent) for line, person, agents in rows for agent in cells.many(agents)]


def _roles_of_users(source: _Source) -> _Strands:
    """In 1.1 a role stands with the person and holds in each of their organisations."""
    source = source.only(map(bool, source.cell["role"]))
    roles = source.roles
    unknown = source.rejections([role is None for role in roles], "role", "no_role")
    people = zip(source.lines, source.gone, source.cell["sourcedId"], roles, source.cell["orgSourcedIds"], strict=True)
    known = [
        RoleRow(source.file, line, gone, person, role, org, None, None)
        for line, gone, person, role, orgs in people
        if role
        for org in cells.many(orgs) or [""]
    ]
    return unknown, known


def _roles(source: _Source) -> _Strands:
    known = [role is not None for role in source.roles]
    source, no_role = source.only(known), _no_roles(source.only(map(not_, known)), Kind.ROLES, "userSourcedId")
    person, org = source.cell["userSourcedId"], source.cell["orgSourcedId"]
    begins_on, problems = source.days("beginDate")
    ends_on, more = source.days("endDate")
    file = repeat(source.file, len(source.lines))
    rows = rows_of(RoleRow, file, source.lines, source.gone, person, source.roles, org, begins_on, ends_on)
    return *no_role, rows, problems, more


def _no_roles(source: _Source, kind: Kind, identity: str) -> _Strands:
    """A word of the district's own (`ext:…`) was read and says nothing here; any other may be a role misspelt."""
    words = source.cell["role"]
    rejections = [
        Rejection(source.file, line, "role", ("is none of OneRoster's roles" if word else "is blank"))
        for line, word in zip(source.lines, words, strict=True)
    ]
    rows = zip(source.lines, source.gone, words, source.cell[identity], strict=True)
    unread = [
        UnreadRow(line, kind, whose, as_staff=False)
        for line, gone, word, whose in rows
        if not gone and not word.lower().startswith("ext:")
    ]
    return rejections, unread


def _enrollments(source: _Source) -> _Strands:
    known = [role is not None or gone for role, gone in zip(source.roles, source.gone, strict=True)]
    source, no_role = source.only(known), _no_roles(source.only(map(not_, known)), Kind.ENROLLMENTS, "sourcedId")
    cell = source.cell
    begins_on, problems = source.days("beginDate")
    ends_on, more = source.days("endDate")
    rows = rows_of(
        EnrollmentRow,
        source.lines,
        cell["sourcedId"],
        source.gone,
        cell["classSourcedId"],
        cell["userSourcedId"],
        [role or "" for role in source.roles],
        source.block.each("primary", cells.yes),
        begins_on,
        ends_on,
    )
    return *no_role, rows, problems, more


_TRANSLATIONS: dict[Kind, Callable[[_Source], _Strands]] = {
    Kind.ORGS: _orgs,
    Kind.SESSIONS: _terms,
    Kind.CLASSES: _classes,
    Kind.USERS: _users,
    Kind.ROLES: _roles,
    Kind.ENROLLMENTS: _enrollments,
}
