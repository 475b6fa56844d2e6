"""One row of a OneRoster file, by column name, to the rows of a roster. A cell that cannot be read costs only itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from bot import grade, names
from bot.sis import (
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
    cells,
)

ORG_KINDS = ("school", "department", "district", "local", "state", "national")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a row stands, and its cells."""

    file: str
    line: int
    cell: dict[str, str]
    region: str
    read_day: Callable[[str], date | None]

    @property
    def gone(self) -> bool:
        return cells.is_gone(self.cell["status"])

    def rejection(self, column: str, reason: str) -> Rejection:
        return Rejection(self.file, self.line, column, reason)

    def day(self, column: str) -> tuple[date | None, list[Rejection]]:
        if not self.cell[column]:
            return None, []
        try:
            return self.read_day(self.cell[column]), []
        except ValueError:
            return None, [self.rejection(column, "is not a date; the row was read without it")]


def translated(
    kind: Kind, cell: dict[str, str], *, file: str, line: int, region: str, day: Callable[[str], date | None]
) -> Iterator[Row | Rejection]:
    """What one line of a file says; `cell` has every column of `oneroster_columns.COLUMNS[kind]`, blank where it is not.
    `day` reads a date and raises ValueError for what is none.
    """
    return _TRANSLATIONS[kind](_Source(file, line, cell, region, day))


def _org(source: _Source) -> Iterator[Row | Rejection]:
    cell = source.cell
    kind = cell["type"].lower()
    if kind not in ORG_KINDS:
        yield source.rejection("type", "is no type of organisation; one that we hold as a school stays one")
        kind = "other"
    yield OrgRow(source.line, cell["sourcedId"], source.gone, names.clean(cell["name"]), kind, cell["parentSourcedId"])


def _term(source: _Source) -> Iterator[Row | Rejection]:
    begins_on, problems = source.day("startDate")
    ends_on, more = source.day("endDate")
    yield TermRow(source.line, source.cell["sourcedId"], source.gone, begins_on, ends_on)
    yield from (*problems, *more)


def _class(source: _Source) -> Iterator[Row | Rejection]:
    cell = source.cell
    yield ClassRow(
        source.line,
        cell["sourcedId"],
        source.gone,
        names.clean(cell["title"]) or cell["classCode"] or cell["sourcedId"],
        cell["classType"].lower() == "homeroom",
        cell["schoolSourcedId"],
        cells.many(cell["termSourcedIds"]),
    )


def _user(source: _Source) -> Iterator[Row | Rejection]:
    cell = source.cell
    given, family = names.clean(cell["givenName"]), names.clean(cell["familyName"])
    if not given and not family:
        yield source.rejection("familyName", "and givenName are blank; the person is kept without a name")
    sms, phone = cells.number(cell["sms"], source.region), cells.number(cell["phone"], source.region)
    yield UserRow(
        source.line,
        cell["sourcedId"],
        source.gone,
        not cells.no(cell["enabledUser"]),
        given,
        family,
        names.whole(given, family),
        _email(cell["email"]),
        grade.of_roster(cell["grades"]),
        sms.e164 or phone.e164,
        _written(cell, sms, phone),
        sms.problem,
        phone.problem,
        cell["primaryOrgSourcedId"],
        cell["identifier"],
    )
    yield from (AgentRow(source.line, cell["sourcedId"], agent) for agent in cells.many(cell["agentSourcedIds"]))
    yield from _roles_of_user(source)


def _email(cell: str) -> str | None:
    return cell if 0 < len(cell) <= cells.LONGEST_EMAIL else None


def _written(cell: dict[str, str], sms: cells.Number, phone: cells.Number) -> str | None:
    """The cell that the number was read from; when none was, the first that says anything."""
    if sms.e164 or (cell["sms"] and not phone.e164):
        return cell["sms"]
    return cell["phone"] or None


def _roles_of_user(source: _Source) -> Iterator[Row | Rejection]:
    """In 1.1 a role stands with the person and holds in each of their organisations."""
    if not source.cell["role"]:
        return
    role = cells.role(source.cell["role"])
    if role is None:
        yield source.rejection("role", "is none of OneRoster's roles")
        return
    for org in cells.many(source.cell["orgSourcedIds"]) or [""]:
        yield RoleRow(source.file, source.line, source.gone, source.cell["sourcedId"], role, org, None, None)


def _role(source: _Source) -> Iterator[Row | Rejection]:
    cell = source.cell
    role = cells.role(cell["role"])
    if role is None:
        yield from _no_role(source, Kind.ROLES, cell["userSourcedId"])
        return
    begins_on, problems = source.day("beginDate")
    ends_on, more = source.day("endDate")
    person, org = cell["userSourcedId"], cell["orgSourcedId"]
    yield RoleRow(source.file, source.line, source.gone, person, role, org, begins_on, ends_on)
    yield from (*problems, *more)


def _no_role(source: _Source, kind: Kind, identity: str) -> Iterator[Row | Rejection]:
    """A word of the district's own (`ext:…`) was read and says nothing here; any other may be a role misspelt."""
    word = source.cell["role"]
    yield source.rejection("role", "is none of OneRoster's roles" if word else "is blank")
    if not source.gone and not word.lower().startswith("ext:"):
        yield UnreadRow(source.line, kind, identity, as_staff=False)


def _enrollment(source: _Source) -> Iterator[Row | Rejection]:
    cell = source.cell
    role = cells.role(cell["role"])
    if role is None and not source.gone:
        yield from _no_role(source, Kind.ENROLLMENTS, cell["sourcedId"])
        return
    begins_on, problems = source.day("beginDate")
    ends_on, more = source.day("endDate")
    yield EnrollmentRow(
        source.line,
        cell["sourcedId"],
        source.gone,
        cell["classSourcedId"],
        cell["userSourcedId"],
        role or "",
        cells.yes(cell["primary"]),
        begins_on,
        ends_on,
    )
    yield from (*problems, *more)


_TRANSLATIONS: dict[Kind, Callable[[_Source], Iterator[Row | Rejection]]] = {
    Kind.ORGS: _org,
    Kind.SESSIONS: _term,
    Kind.CLASSES: _class,
    Kind.USERS: _user,
    Kind.ROLES: _role,
    Kind.ENROLLMENTS: _enrollment,
}
