"""PowerQueries: the named queries that our plugin adds to PowerSchool, read page by page (`docs/sis/powerschool/`).

A record of a query is one flat object. PowerSchool leaves out a field that is null, and the list of records if it has none.
Pages may be shorter than what was asked for, because an administrator limits them. Other people work while we read, so
the records are counted before and after: a page that moved meanwhile must not look like people who left.
"""

from collections.abc import Iterator
from typing import Any

from bot.errors import UserError
from bot.sis.powerschool_calls import Calls

PREFIX = "com.contactcleanup.roster."
_QUERY = "/ws/schema/query/{prefix}{name}"
_METADATA = "/ws/v1/metadata"
_PAGE_LIMIT = "schema_table_query_max_page_size"
# Used by PowerSchool where nothing else is set, and our own bound: a page is held in memory.
_DEFAULT_PAGE, _LARGEST_PAGE = 100, 5_000


class Queries:
    """The named queries of one PowerSchool server."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._page_size: int | None = None

    def count(self, name: str) -> int:
        """Return how many records a query has now.

        Raises:
            UserError: our plugin is not installed, may not run this query, or PowerSchool does not answer.
        """
        answer = self._run(name, "/count")
        count = answer.get("count")
        if isinstance(count, int | str) and str(count).isdecimal():
            return int(count)
        raise self._not_a_query(name)

    def records(self, name: str, *, count: int) -> Iterator[Any]:
        """Yield the `count` records of a query.

        Raises:
            UserError: as `count`; the records changed while they were read.
        """
        size, page, read = self._ask_page_size(), 1, 0
        while read < count:
            answer = self._run(name, "", page=page, pagesize=size)
            records = answer.get("record", [])
            records = [records] if isinstance(records, dict) else records  # One record may come without its list.
            if not isinstance(records, list):
                raise self._not_a_query(name)
            if not records:
                break
            yield from records
            if page == 1:
                size = min(size, len(records))  # The limit of this server, which later pages are counted by.
            read, page = read + len(records), page + 1
        if read != count or self.count(name) != count:
            raise UserError(
                "sis.changed_meanwhile",
                f"{name} of {self._calls.host} changed while it was read. Sync again, or set SYNC_AT to an hour when "
                "no one works in PowerSchool.",
                permanent=False,
            )

    def _run(self, name: str, suffix: str, **params: int) -> dict[str, Any]:
        answer = self._calls.read("POST", _QUERY.format(prefix=PREFIX, name=name) + suffix, **params)
        if answer.status == 404:  # noqa: PLR2004
            raise UserError(
                "sis.no_plugin",
                f"{self._calls.host} has no query {PREFIX}{name}. Install the plugin of docs/sis/powerschool there, and "
                "enable it.",
            )
        # A page without records may have neither them nor an error.
        if not isinstance(answer.body, dict) or (answer.is_error and not answer.body.keys() & {"record", "count"}):
            raise self._not_a_query(name)
        return answer.body

    def _ask_page_size(self) -> int:
        if self._page_size is None:
            self._page_size = _page_limit(self._calls.read_optional(_METADATA).body) or _DEFAULT_PAGE
        return min(self._page_size, _LARGEST_PAGE)

    def _not_a_query(self, name: str) -> UserError:
        return UserError(
            "sis.query_failed",
            f"{self._calls.host} could not run {PREFIX}{name}. Look in its log, and install the newest plugin of "
            "docs/sis/powerschool.",
        )


def _page_limit(body: Any) -> int | None:
    metadata = body.get("metadata", body) if isinstance(body, dict) else {}
    limit = str(metadata.get(_PAGE_LIMIT)) if isinstance(metadata, dict) else ""
    return int(limit) if limit.isdecimal() else None
