"""OneRoster REST 1.1 and 1.2: the same rows as of the CSV, requested from the SIS itself.

Of the enrollments, which are most of a roster, a sync requests only what changed since the last one, if the SIS supports that.
Everything else is read completely each night: people come with their roles, and a lost role must not keep its rights until the
person's row changes.

In 1.1 a role is part of the user, as in the CSV; in 1.2 the users hold a list of roles, which are read as rows of roles.csv.
A row has no line; its number only identifies it within its endpoint.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import httpx

from bot.domain.display import plural
from bot.http_calls import Patience
from bot.sis import cells, oneroster_pages, oneroster_rows
from bot.sis.columns import Block, RowReader, merge_by_line
from bot.sis.lines import BLOCK_ROWS
from bot.sis.oneroster_calls import Calls
from bot.sis.oneroster_login import Client, ClientLogin, StaticToken, default_token_url
from bot.sis.oneroster_rows import FORMATS
from bot.sis.rows import LINKS, Kind, Part, Rejection, Row, UnreadRow

_ENDPOINTS = (Kind.ORGS, Kind.SESSIONS, Kind.CLASSES, Kind.USERS, Kind.ENROLLMENTS)
_DELTA_ENDPOINTS = (Kind.ENROLLMENTS,)
# Some servers write a date in the year 1 for rows that never changed.
_FIRST_YEAR = 1990
_WRONG_SHAPE = "does not have the shape that OneRoster defines"
_SCOPE = "https://purl.imsglobal.org/spec/or/v1p{version}/scope/roster-core.readonly"


@dataclass(frozen=True)
class Server:
    """A `Source`: a OneRoster server, whose address ends with the version: `…/ims/oneroster/v1p1` or
    `…/ims/oneroster/rostering/v1p2`. It lets in our client, or a `token` that never changes.
    """

    url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token_url: str | None = None
    patience: Patience = field(default_factory=Patience)
    token: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return httpx.URL(self.url).host

    @property
    def version(self) -> int:
        """1 for OneRoster 1.1, 2 for 1.2."""
        return int(self.url.rstrip("/")[-1])

    def fingerprint(self) -> None:
        return

    @contextmanager
    def open(self, *, region: str, watermarks: Mapping[str, datetime]) -> Iterator[list[Part]]:
        """As `Source.open`. Nothing is requested before a part is read."""
        with self._open_calls(self.patience) as calls:
            parts: list[Part] = []
            for kind in _ENDPOINTS:
                watermark = watermarks.get(kind) if kind in _DELTA_ENDPOINTS else None
                endpoint = Endpoint(kind, calls, region, watermark=watermark)
                parts.append(endpoint)
                if kind is Kind.USERS and self.version == 2:  # noqa: PLR2004
                    parts.append(RolesOfUsers(endpoint))
            yield parts

    def probe(self) -> str:
        """As `Source.probe`: come in, and get the first organizations and people."""
        with self._open_calls(replace(self.patience, attempts=2)) as calls:
            count = oneroster_pages.count_first_page(calls, Kind.ORGS)
            oneroster_pages.count_first_page(calls, Kind.USERS)
            return f"{calls.login.name}, and lists {plural(count, 'organization')}"

    @contextmanager
    def _open_calls(self, patience: Patience) -> Iterator[Calls]:
        login = StaticToken(self.token) if self.token else ClientLogin(self._client())
        with Calls.open(self.url, login, patience) as calls:
            yield calls

    def _client(self) -> Client:
        return Client(
            self.token_url or default_token_url(self.url),
            self.client_id,
            self.client_secret,
            _SCOPE.format(version=self.version),
            may_sign=self.version == 1 and not self.token_url,
        )


class Endpoint:
    """A `CountedPart`: all objects of one kind, or those that changed since the watermark. Progress is counted in objects."""

    has_lines = False
    is_readable = True

    def __init__(self, kind: Kind, calls: Calls, region: str, *, watermark: datetime | None) -> None:
        self.kind = kind
        self.name = str(kind)
        self.size = self.position = self.rows_read = self.roles_read = 0
        self.is_delta = False
        self.total: int | None = None
        self.watermark = watermark
        self._calls = calls
        self._reader = _row_reader(kind, region)
        self._role_reader = _row_reader(Kind.ROLES, region)

    def rows(self) -> Iterator[Row | Rejection]:
        fields = frozenset(map(_field, FORMATS[self.kind].columns))
        if self.kind is Kind.USERS:
            fields |= {"roles"}
        with oneroster_pages.fetch(self._calls, self.name, fields, watermark=self.watermark) as fetched:
            self.size, self.is_delta = fetched.count, fetched.is_delta
            numbered = enumerate(fetched.objects, 1)
            while some := list(islice(numbered, BLOCK_ROWS)):
                self.position = self.rows_read = some[-1][0]
                yield from self._read(some)
        if self.kind in _DELTA_ENDPOINTS:
            self.total = oneroster_pages.count_objects(self._calls, self.name)
        if fetched.warning:
            yield self._reader.rejection(None, None, fetched.warning)
        if not self.rows_read:
            yield self._reader.rejection(None, None, "holds no row")

    def _read(self, numbered: Sequence[tuple[int, Any]]) -> Sequence[Row | Rejection]:
        problems: list[Row | Rejection] = []
        complete: list[tuple[int, dict[str, str]]] = []
        roles: list[tuple[int, dict[str, str]]] = []
        for number, item in numbered:
            if not isinstance(item, dict):
                problems += self._reader.reject(number, None, "is not an object", "")
                continue
            self.watermark = max(filter(None, (self.watermark, _changed_at(item))), default=None)
            row, misshapen = _cells(self.kind, item)
            if column := next(
                (column for column in (*FORMATS[self.kind].needed, "status") if column in misshapen), None
            ):
                problems += self._reader.reject(number, _field(column), _WRONG_SHAPE, row["sourcedId"])
                continue
            complete.append((number, row))
            problems += self._without(number, misshapen)
            if "agentSourcedIds" in misshapen:
                problems.append(UnreadRow(number, LINKS, row["sourcedId"]))
            if self.kind is Kind.USERS:
                own_roles, role_problems = self._roles(number, item, row["sourcedId"])
                roles += own_roles
                problems += role_problems
        self.roles_read += len(roles)
        rows = self._reader.read(Block.from_rows(FORMATS[self.kind].columns, complete))
        role_rows = self._role_reader.read(Block.from_rows(FORMATS[Kind.ROLES].columns, roles))
        return merge_by_line(problems, rows, role_rows)

    def _roles(
        self, number: int, user: Mapping[str, Any], sourced_id: str
    ) -> tuple[list[tuple[int, dict[str, str]]], list[Row | Rejection]]:
        """Return the roles of a user of 1.2 as cells of roles.csv, and what is wrong with them."""
        roles = user.get("roles") or []
        roles = [roles] if isinstance(roles, dict) else roles
        if not isinstance(roles, list):
            return [], [*self._without(number, ["roles"]), UnreadRow(number, Kind.ROLES, sourced_id, as_staff=False)]
        complete: list[tuple[int, dict[str, str]]] = []
        problems: list[Row | Rejection] = []
        for role in roles:
            row, misshapen = _cells(Kind.ROLES, role if isinstance(role, dict) else {"role": role})
            complete.append((number, row | {"userSourcedId": sourced_id}))
            problems += self._without(number, [f"roles.{_field(column)}" for column in misshapen])
        return complete, problems

    def _without(self, number: int, columns: Sequence[str]) -> list[Row | Rejection]:
        reason = f"{_WRONG_SHAPE}; the row was read without it"
        return [self._reader.rejection(number, _field(column), reason) for column in columns]


class RolesOfUsers:
    """A `Part` for the roles of 1.2, whose rows the users part yields. It replaces roles.csv, and is complete."""

    kind = Kind.ROLES
    name = "roles of users"
    has_lines = is_delta = False
    is_readable = True
    size = position = rows_read = 0
    watermark: datetime | None = None

    def __init__(self, users: Endpoint) -> None:
        self._users = users

    def rows(self) -> Iterator[Row | Rejection]:
        self.rows_read = self._users.roles_read
        yield from ()


def _row_reader(kind: Kind, region: str) -> RowReader:
    read_day = partial(cells.parse_date, month_first=region == "US")
    translate = partial(oneroster_rows.translate, kind, region=region, read_day=read_day)
    return RowReader(kind, f"{kind}.csv", FORMATS[kind].needed, translate)


def _changed_at(item: Mapping[str, Any]) -> datetime | None:
    try:
        changed_at = datetime.fromisoformat(item.get("dateLastModified") or "")
    except (TypeError, ValueError):
        return None
    if changed_at.year < _FIRST_YEAR:
        return None
    return changed_at if changed_at.tzinfo else changed_at.replace(tzinfo=UTC)


def _cells(kind: Kind, item: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the cells that the CSV would have for an object of either version, and the columns whose value is none that
    OneRoster defines; it is not guessed at. These are blank, as what is missing and null.
    """
    cells_: dict[str, str] = {}
    misshapen = []
    for column in FORMATS[kind].columns:
        name, convert = _FIELDS.get(column, (column, _text))
        value = item.get(name)
        try:
            cells_[column] = "" if value is None else convert(value)
        except ValueError:
            cells_[column] = ""
            misshapen.append(column)
    return cells_, misshapen


def _field(column: str) -> str:
    """Return the name in JSON of a column of the CSV."""
    return _FIELDS[column][0] if column in _FIELDS else column


def _text(value: Any) -> str:
    # `enabledUser` is a string in 1.1 and a boolean in 1.2; identifiers are numbers on some servers.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON can write half a character, which no text can hold.
        return cells.tidy(value.encode("utf-8", "replace").decode())
    if isinstance(value, int | float):
        return str(value)
    raise ValueError


def _text_or_list(value: Any) -> str:
    return ",".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _reference(value: Any) -> str:
    """Return the id of `{href, sourcedId, type}`; some servers write the id alone."""
    sourced_id = _text(value.get("sourcedId", "") if isinstance(value, dict) else value)
    if "," in sourced_id:
        raise ValueError
    return sourced_id


def _references(value: Any) -> str:
    # A server that has JSON made from XML writes a list of one as the one.
    references = [value] if isinstance(value, dict) else value
    if not isinstance(references, list):
        raise ValueError  # noqa: TRY004 (A wrong shape, of any type.)
    return ",".join(filter(None, map(_reference, references)))


# The columns of the CSV whose field in JSON has another name or shape.
_FIELDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "parentSourcedId": ("parent", _reference),
    "schoolSourcedId": ("school", _reference),
    "termSourcedIds": ("terms", _references),
    "agentSourcedIds": ("agents", _references),
    "orgSourcedIds": ("orgs", _references),
    "orgSourcedId": ("org", _reference),
    "primaryOrgSourcedId": ("primaryOrg", _reference),
    "classSourcedId": ("class", _reference),
    "userSourcedId": ("user", _reference),
    "grades": ("grades", _text_or_list),
}
