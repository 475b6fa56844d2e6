"""PowerSchool over its API: the roster from the named queries of our plugin, as the same rows as of any other source.

Everything is read completely: a lost role must not keep its rights. A row has no line; its number only identifies it within its
part.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from bot.domain.display import plural
from bot.http_calls import Patience
from bot.sis import powerschool_rows as rows
from bot.sis.powerschool_calls import Calls, Credentials
from bot.sis.powerschool_queries import Queries
from bot.sis.powerschool_rows import Query
from bot.sis.rows import Kind, Part, Rejection, Row, UnreadRow


@dataclass(frozen=True)
class PowerSchool:
    """A `Source`: a PowerSchool server with our plugin."""

    credentials: Credentials
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        return self.credentials.host

    def fingerprint(self) -> None:
        return

    @contextmanager
    def open(self, *, region: str, watermarks: Mapping[str, datetime]) -> Iterator[list[Part]]:  # noqa: ARG002 - reads all.
        """As `Source.open`. Nothing is requested before a part is read."""
        with Calls.open(self.credentials, self.patience) as calls:
            queries = Queries(calls)
            users = QueryPart(queries, Kind.USERS, (rows.STUDENTS, rows.STAFF, rows.contacts(region)))
            yield [
                QueryPart(queries, Kind.ORGS, (rows.SCHOOLS,), first=(rows.district_office(),)),
                QueryPart(queries, Kind.SESSIONS, (rows.TERMS,)),
                QueryPart(queries, Kind.CLASSES, (rows.SECTIONS,)),
                users,
                QueryPart(queries, Kind.ROLES, (), name="roles of users"),
                QueryPart(queries, Kind.ENROLLMENTS, (rows.ENROLLMENTS, rows.SECTION_TEACHERS)),
                QueryPart(queries, Kind.CONTACTS, (rows.LINKS,)),
            ]

    def probe(self) -> str:
        """As `Source.probe`: get a token, and count the schools."""
        with Calls.open(self.credentials, self.patience) as calls:
            count = Queries(calls).count(rows.SCHOOLS.name)
        return f"gives a token, and {plural(count, 'school')}"


class QueryPart:
    """A `Part`: the records of some queries. Progress is counted in records.

    Without queries it stands for rows that another part yields, and is complete.
    """

    has_lines = is_delta = False
    is_readable = True
    watermark: datetime | None = None

    def __init__(
        self, queries: Queries, kind: Kind, parts: Sequence[Query], *, first: Sequence[Row] = (), name: str = ""
    ) -> None:
        self.kind = kind
        self.name = name or str(kind)
        self.size = self.position = self.rows_read = 0
        self._queries = queries
        self._parts = parts
        self._first = first

    def rows(self) -> Iterator[Row | Rejection]:
        yield from self._first
        counts = [self._queries.count(query.name) for query in self._parts]
        self.size = sum(counts)
        for query, count in zip(self._parts, counts, strict=True):
            yield from self._read(query, self._queries.records(query.name, count=count))
        if self._parts and not self.rows_read:
            yield Rejection(f"{self.kind}.csv", None, None, "holds no row")

    def _read(self, query: Query, records: Iterator[Any]) -> Iterator[Row | Rejection]:
        for key, group in groupby(map(rows.as_record, records), lambda record: record and record[query.key]):
            some = list(group)
            self.rows_read += len(some)
            self.position = number = self.rows_read
            some_read = [record for record in some if record]
            if key and str(key).isdecimal() and some_read:
                yield from query.translate(number, some_read)
            else:
                reason = "is not an id; whose row it is cannot be read, so nothing that is missing becomes inactive"
                yield Rejection(f"{self.kind}.csv", number, query.key, reason)
                yield UnreadRow(number, self.kind, "")
