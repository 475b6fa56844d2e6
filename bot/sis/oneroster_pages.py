"""Every object at one endpoint of a OneRoster server, page by page, and proof that none is missing.

A lost page would look like people who left. So the objects are spooled to disk until their number is what the server says; if it
is not, they are read once more, and then the sync fails. A server that does not say how many objects it has is trusted where it
answers the same twice: for its last page, and for any page that is short. One that says a wrong number is believed over, with a
warning, where the same objects came twice and the pages ended as pages end.

Only the changes since a watermark are read where that can be trusted: what carries the watermark itself must be among them. A
server that refuses the filter, or returns nothing, is read completely.
"""

import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

import httpx

from bot.errors import UserError
from bot.http_calls import Response, join_url
from bot.sis.oneroster_calls import Calls, NotFound, Refused

# How many objects we ask for on one page, and whether in the order of their ids, from best to worst: most servers return fewer,
# but some refuse more than they like, and some cannot sort.
_PAGE_WAYS = ((5_000, True), (1_000, True), (100, True), (5_000, False), (1_000, False), (100, False))
_MOST_PAGES = 50_000
# How often a page that differs is read again.
_MOST_REPEATS = 3
_LONGEST_COUNT = 12  # Digits.
# Changes are read from that long before the watermark: servers write local time as if it were UTC, and commit late.
_OVERLAP = timedelta(days=1)
_NEXT = re.compile(r"<([^>]*)>[^,<]*?;\s*rel=\"?next\"?", re.IGNORECASE)


class _Incomplete(Exception):  # noqa: N818 (Never leaves this file.)
    """The pages are not all there is; says why."""


class _Doubtful(_Incomplete):
    """The pages ended, but something about them is odd. `evidence` is equal for the same objects with the same oddity."""

    def __init__(self, reason: str, evidence: object, count: int) -> None:
        super().__init__(reason)
        self.evidence = evidence
        self.count = count


@dataclass(frozen=True)
class Fetched:
    """The objects, with the requested fields only and None for anything that is not an object, and their number. With
    `is_delta` they are the changed ones only. `warning` says what is odd about them.
    """

    objects: Iterator[Any]
    count: int
    is_delta: bool
    warning: str | None


@contextmanager
def fetch(calls: Calls, endpoint: str, fields: frozenset[str], *, watermark: datetime | None) -> Iterator[Fetched]:
    """Yield all objects at the endpoint, or with a `watermark` those that changed since.

    Raises:
        UserError: the server refuses, or its pages do not match its count, twice.
    """
    # The file has no name and is deleted when this process ends.
    with TemporaryFile("w+", encoding="ascii") as spool:
        count = _fetch_changed(calls, endpoint, fields, spool, watermark) if watermark else 0
        is_delta, warning = count > 0, None
        if not is_delta:
            count, warning = _fetch_all(calls, endpoint, fields, spool)
        spool.seek(0)
        yield Fetched(map(json.loads, spool), count, is_delta, warning)


def count_first_page(calls: Calls, endpoint: str) -> int:
    _, page = _get_first_page(calls, endpoint, {})
    return len(page.objects)


def count_objects(calls: Calls, endpoint: str) -> int | None:
    """Return how many objects the server says it has, None if it does not say."""
    try:
        return _get_page(calls, endpoint, _url(calls, endpoint, offset=0).copy_set_param("limit", 1)).total
    except (NotFound, Refused):
        return None


def _fetch_changed(calls: Calls, endpoint: str, fields: frozenset[str], spool: IO[str], watermark: datetime) -> int:
    """Spool what changed and return how many; 0 if the server does not support it."""
    since = (watermark - _OVERLAP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        return _spool(calls, endpoint, fields, spool, filter=f"dateLastModified>'{since}'")
    except (NotFound, Refused, _Incomplete):
        return 0


def _fetch_all(calls: Calls, endpoint: str, fields: frozenset[str], spool: IO[str]) -> tuple[int, str | None]:
    """Spool everything; return how many objects, and a warning if there is something odd about them."""
    first = gap = _Incomplete()
    for _ in range(2):
        first = gap
        try:
            return _spool(calls, endpoint, fields, spool), None
        except _Incomplete as problem:
            gap = problem
    if isinstance(first, _Doubtful) and isinstance(gap, _Doubtful) and first.evidence == gap.evidence:
        return gap.count, f"came twice the same although {gap}; what came was used"
    raise UserError(
        "sis.incomplete",
        f"{calls.base.host} sent its {endpoint} with gaps, twice: {gap}. Nothing was read, so that no one who is "
        "missing there counts as deleted. Try again later.",
        permanent=False,
    )


def _spool(calls: Calls, endpoint: str, fields: frozenset[str], spool: IO[str], **narrowed: str) -> int:
    count = 0
    spool.seek(0)
    spool.truncate()
    for page in _read_pages(calls, endpoint, narrowed):
        for item in page:
            kept = {name: item[name] for name in item.keys() & fields} if isinstance(item, dict) else None
            spool.write(f"{json.dumps(kept)}\n")
        count += len(page)
    return count


@dataclass(frozen=True)
class _Page:
    """`total` is how many objects the server says it has; `following` the address of the next page, which a server that
    `links` its pages names on all but the last.
    """

    objects: list[Any]
    total: int | None
    following: httpx.URL | None
    links: bool


@dataclass
class _Walk:
    """What the pages so far had: `full` is the most objects of one, `seen` the hashes of all ids. `is_last_linked`: the last
    page with objects is on a server that links, and names no next page.
    """

    count: int = 0
    full: int = 0
    links: bool = False
    is_last_linked: bool = False
    totals: set[int] = field(default_factory=set)
    seen: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, page: _Page) -> None:
        self.count += len(page.objects)
        self.full = max(self.full, len(page.objects))
        self.links = self.links or page.links
        if page.objects:
            self.is_last_linked = page.links and page.following is None
        self.totals.update(() if page.total is None else (page.total,))
        self.seen.extend(map(hash, _ids(page.objects)))

    @property
    def is_counted(self) -> bool:
        """Whether the server says how many objects there are, always the same."""
        return self.totals == {self.count}

    @property
    def may_be_more(self) -> bool:
        return not self.links or self.count < max(self.totals, default=0)

    def check(self, last: _Page, *, is_sorted: bool) -> None:
        """Check what came against what the server says, after the `last` page.

        Raises:
            _Doubtful: the pages have an end, but their number is wrong or ids came more than once.
            _Incomplete: they have no end.
        """
        evidence = (self.count, sum(self.seen), frozenset(self.totals))
        if self.totals and not self.is_counted:
            total = next((total for total in self.totals if total != self.count), 0)
            reason = f"{self.count:,} of {total:,} came" if len(self.totals) == 1 else "their number changed meanwhile"
            # Without links, an empty page that is not counted, or before a whole page that is missing, is a gap and no end.
            has_ended = self.is_last_linked or (last.total is not None and max(self.totals) - self.count < self.full)
            raise _Doubtful(reason, evidence, self.count) if has_ended else _Incomplete(reason)
        # In no order, a row can come twice in place of another.
        if not is_sorted and len(set(self.seen)) < len(self.seen):
            raise _Doubtful("some ids came more than once", evidence, self.count)


def _read_pages(calls: Calls, endpoint: str, narrowed: Mapping[str, str]) -> Iterator[list[Any]]:
    """Yield the objects of each page.

    Raises:
        _Incomplete: pages overlap or are missing, or their objects changed meanwhile.
    """
    walk = _Walk()
    first, page = _get_first_page(calls, endpoint, narrowed)
    page = _read_twice_if_short(page, partial(_get_page, calls, endpoint, first), walk)
    walk.add(page)
    requested = {first}
    yield page.objects
    for _ in range(_MOST_PAGES):
        url = page.following
        if url is None and page.objects and walk.may_be_more:
            # A server that names no next page may still have one; without links, until a page is empty.
            url = _url(calls, endpoint, offset=walk.count, **narrowed)
        if url is None or (url in requested and not page.objects):
            break
        if url in requested:
            raise _Incomplete("a page names one before it as the next")
        requested.add(url)
        may_be_end = walk.is_counted or (page.following is None and (walk.is_last_linked or not walk.totals))
        get = partial(_get_later_page, calls, endpoint, url, may_be_end=may_be_end)
        previous, page = page, _read_twice_if_short(get(), get, walk)
        is_same = bool(_ids(page.objects)) and _ids(page.objects) == _ids(previous.objects)
        if is_same and (walk.is_counted or _ignores_limit(calls, first, page)):
            break  # The server ignores the offset, too: the first page was everything.
        _check_consecutive(previous, page)
        if not page.objects and not previous.objects:
            break
        walk.add(page)
        yield page.objects
    else:
        raise UserError(
            "sis.endless", f"{calls.base.host} sends {endpoint} pages without end. Check SIS_ONEROSTER_URL."
        )
    walk.check(page, is_sorted=_PAGE_WAYS[calls.page_way][1])


def _ignores_limit(calls: Calls, first: httpx.URL, page: _Page) -> bool:
    """Return whether the first page is the same however few objects are asked for. No server has pages of one."""
    least = _get_page(calls, first.path.rsplit("/", 1)[-1], first.copy_set_param("limit", 1))
    return _ids(least.objects) == _ids(page.objects)


def _check_consecutive(previous: _Page, page: _Page) -> None:
    # A row that is added or deleted while we read shifts all later rows by one: past us, or onto two pages.
    if page.objects and not previous.objects:
        raise _Incomplete("a page was empty")
    if _ids(previous.objects) & _ids(page.objects):
        raise _Incomplete("pages overlap")


def _read_twice_if_short(page: _Page, get: Callable[[], _Page], walk: _Walk) -> _Page:
    """Return a page. Where no count shows what it lacks, a page with fewer objects than those before it, or without a next page
    on a server that links, is read until it comes twice the same.
    """
    for _ in range(_MOST_REPEATS):
        is_last = (walk.links or page.links) and page.following is None
        is_full = walk.full > 0 and len(page.objects) >= walk.full
        if walk.totals or page.total is not None or (is_full and not is_last):
            return page
        previous, page = page, get()
        if _summary(previous) == _summary(page):
            return page
    raise _Incomplete("a page kept changing")


def _summary(page: _Page) -> tuple[int, set[str], bool]:
    # Not the link itself: some servers name each page by a word that is valid once.
    return len(page.objects), _ids(page.objects), page.following is None


def _ids(objects: list[Any]) -> set[str]:
    return {str(item["sourcedId"]) for item in objects if isinstance(item, dict) and item.get("sourcedId")}


def _url(calls: Calls, endpoint: str, *, offset: int, **narrowed: str) -> httpx.URL:
    limit, is_sorted = _PAGE_WAYS[calls.page_way]
    order = {"sort": "sourcedId", "orderBy": "asc"} if is_sorted else {}
    params = {"limit": limit, "offset": offset, **order, **narrowed}
    return httpx.URL(f"{str(calls.base).rstrip('/')}/{endpoint}", params=params)


def _get_first_page(calls: Calls, endpoint: str, narrowed: Mapping[str, str]) -> tuple[httpx.URL, _Page]:
    """Return the address of the first page and the page, requested in the best way that the server accepts."""
    refusals: list[Refused] = []
    best = calls.page_way
    # Of a filter, which is refused more often, only one way is tried.
    for calls.page_way in range(best, best + 1 if narrowed else len(_PAGE_WAYS)):
        url = _url(calls, endpoint, offset=0, **narrowed)
        try:
            return url, _get_page(calls, endpoint, url)
        except Refused as refusal:
            refusals.append(refusal)
            if not refusal.is_parameter:
                break
    calls.page_way = best
    raise refusals[0]


def _get_later_page(calls: Calls, endpoint: str, url: httpx.URL, *, may_be_end: bool) -> _Page:
    try:
        return _get_page(calls, endpoint, url)
    except NotFound:
        # Some servers that neither count nor link answer 404 beyond the last page.
        if not may_be_end:
            raise _Incomplete("a page was not there") from None
        return _Page([], None, None, links=True)


def _get_page(calls: Calls, endpoint: str, url: httpx.URL) -> _Page:
    response = calls.get(url)
    following = _next_url(url, response)
    count = response.headers.get("x-total-count", "").strip()
    total = int(count) if count.isdecimal() and len(count) <= _LONGEST_COUNT else None
    links = following is not None or ("link" in response.headers and not _NEXT.search(response.headers["link"]))
    objects = (response.json_object() or {}).get(endpoint)
    if not isinstance(objects, list):
        raise UserError(
            "sis.not_oneroster",
            f"{calls.base.host} does not answer as OneRoster does when asked for its {endpoint}, but with {response.looks_like}. "
            "Check SIS_ONEROSTER_URL.",
        )
    return _Page(objects, total, following, links)


def _next_url(url: httpx.URL, response: Response) -> httpx.URL | None:
    """Return the next page's address on the host we asked: behind a proxy, servers write links with their own host."""
    match = _NEXT.search(response.headers.get("link", ""))
    target = join_url(url, match[1]) if match else None
    return url.copy_with(query=target.query) if target and target.path == url.path and target.query else None
