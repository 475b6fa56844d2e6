"""OneRoster REST 1.1 and 1.2: the same rows as of the CSV, asked of the SIS itself.

Of the enrolments, which are most of a roster, a sync asks only what changed since the last one, where the SIS tells. All
else is read whole each night: people come with their roles, and whoever lost one must not keep its rights until somebody
changes their row.

In 1.1 a role stands with the person, as in the CSV; in 1.2 the roles of a person stand in the person, and are read as if
they were the rows of roles.csv. A row has no line; its number only tells it from the others of its endpoint.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import httpx

from bot.sis import cells, oneroster_json, oneroster_pages, oneroster_rows
from bot.sis.block import AT_ONCE, Block, in_order
from bot.sis.oneroster_calls import PATIENT, Access, Calls, Patience
from bot.sis.oneroster_columns import COLUMNS, NEEDED_CELLS
from bot.sis.oneroster_json import Misshapen
from bot.sis.reading import Reading
from bot.sis.rows import Kind, Part, Rejection, Row

_TOLD_BY_CHANGE = (Kind.ENROLLMENTS,)
_FIRST_YEAR = 1990
"""Some servers write that nothing ever changed as a day in the year 1."""
ENDPOINTS = (Kind.ORGS, Kind.SESSIONS, Kind.CLASSES, Kind.USERS, Kind.ENROLLMENTS)
_SCOPE = "https://purl.imsglobal.org/spec/or/v1p{version}/scope/roster-core.readonly"


@dataclass(frozen=True)
class Server:
    """A OneRoster server; a `bot.sis.Source`. Its address ends with the version, `…/ims/oneroster/v1p1` or
    `…/ims/oneroster/rostering/v1p2`. Without a `token_url` tokens are given at `/token` beside `/ims`, as Aeries does.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str | None = None
    patience: Patience = PATIENT

    @property
    def name(self) -> str:
        return httpx.URL(self.url).host

    @property
    def version(self) -> int:
        """2 of OneRoster 1.2."""
        return int(self.url.rstrip("/")[-1])

    def fingerprint(self) -> None:
        """As `bot.sis.Source.fingerprint`. A server has to be asked."""
        return

    @contextmanager
    def opened(self, *, region: str, marks: Mapping[str, datetime]) -> Iterator[list[Part]]:
        """As `bot.sis.Source.opened`. Nothing is asked before a part is read."""
        with self._calls() as calls:
            yield list(_parts(calls, self.version, region, marks))

    def try_out(self) -> str:
        """As `bot.sis.Source.try_out`: with a token, the first page of organisations."""
        with self._calls() as calls:
            return (
                "gives a token, and one organisation"
                if oneroster_pages.first(calls, Kind.ORGS) == 1
                else f"gives a token, and {oneroster_pages.first(calls, Kind.ORGS):,} organisations"
            )

    @contextmanager
    def _calls(self) -> Iterator[Calls]:
        token_url = self.token_url or f"{self.url.split('/ims/')[0].rstrip('/')}/token"
        scope = _SCOPE.format(version=self.version)
        access = Access(token_url, self.client_id, self.client_secret, scope)
        with Calls.opened(self.url, access, self.patience) as calls:
            yield calls


def _parts(calls: Calls, minor: int, region: str, marks: Mapping[str, datetime]) -> Iterator[Part]:
    for kind in ENDPOINTS:
        endpoint = Endpoint(kind, calls, region, since=marks.get(kind) if kind in _TOLD_BY_CHANGE else None)
        yield endpoint
        if kind is Kind.USERS and minor == 2:  # noqa: PLR2004 (OneRoster 1.2)
            yield RolesOfUsers(endpoint)


class Endpoint:
    """All objects of one kind, or those that changed `since`; a `bot.sis.Part`. Progress is counted in objects."""

    has_lines = False
    is_readable = True

    def __init__(self, kind: Kind, calls: Calls, region: str, *, since: datetime | None = None) -> None:
        self.kind = kind
        self.name = str(kind)
        self.size = self.position = self.rows_read = self.roles_read = 0
        self.is_delta = False
        self.mark: datetime | None = since
        self._calls = calls
        self._reading = _reading(kind, region)
        self._roles = _reading(Kind.ROLES, region)

    def rows(self) -> Iterator[Row | Rejection]:
        fields = oneroster_json.asked(self.kind)
        with oneroster_pages.told(self._calls, self.name, fields, mark=self.mark) as told:
            self.size, self.is_delta = told.count, told.is_delta
            numbered = enumerate(told.objects, 1)
            while some := list(islice(numbered, AT_ONCE)):
                self.position = self.rows_read = some[-1][0]
                yield from self._rows_of(some)
        if not self.rows_read:
            yield self._reading.rejection(None, None, "holds no row")

    def _rows_of(self, some: Sequence[tuple[int, Any]]) -> Sequence[Row | Rejection]:
        left_out: list[Row | Rejection] = []
        whole: list[tuple[int, dict[str, str]]] = []
        roles: list[tuple[int, dict[str, str]]] = []
        for number, found in some:
            if not isinstance(found, dict):
                left_out += self._reading.left_out(number, None, "is no object", "")
                continue
            self.mark = max(filter(None, (self.mark, _changed_at(found))), default=None)
            try:
                cell = oneroster_json.cells_of(self.kind, found)
                said = oneroster_json.roles_of(found, cell["sourcedId"]) if self.kind is Kind.USERS else []
            except Misshapen as wrong:
                reason = "has not the shape that OneRoster gives it"
                left_out += self._reading.left_out(number, wrong.field, reason, oneroster_json.identity(found))
                continue
            whole.append((number, cell))
            roles += [(number, role) for role in said]
        self.roles_read += len(roles)
        read = self._reading.read(Block.of(COLUMNS[self.kind], whole))
        return in_order(left_out, read, self._roles.read(Block.of(COLUMNS[Kind.ROLES], roles)))


class RolesOfUsers:
    """The roles of 1.2, read with their people: what roles.csv would say of them, and all that there is to be said."""

    kind = Kind.ROLES
    name = "roles of users"
    has_lines = is_delta = False
    is_readable = True
    size = position = rows_read = 0
    mark: datetime | None = None

    def __init__(self, users: Endpoint) -> None:
        self._users = users

    def rows(self) -> Iterator[Row | Rejection]:
        self.rows_read = self._users.roles_read
        yield from ()


def _changed_at(found: Mapping[str, Any]) -> datetime | None:
    """When an object changed, as far as it says so."""
    try:
        said = datetime.fromisoformat(found.get("dateLastModified") or "")
    except (TypeError, ValueError):
        return None
    if said.year < _FIRST_YEAR:
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _reading(kind: Kind, region: str) -> Reading:
    day = partial(cells.day, month_first=region == "US")
    translate = partial(oneroster_rows.translated, kind, region=region, day=day)
    return Reading(kind, f"{kind}.csv", NEEDED_CELLS[kind], translate)
