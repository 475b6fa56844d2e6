"""Every object at one endpoint of a OneRoster server, page by page, and proof that none is missing.

A lost page would look like people who left. So the objects are spooled to disk until their number is what the server says; if it
is not, they are read once more, and then the sync fails. A server that does not say how many objects it has is trusted where it
answers the same twice: for its last page, and for any page that is short.

Only the changes since a watermark are read where that can be trusted: what carries the watermark itself must be among them. A
server that refuses the filter, or returns nothing, is read completely.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

import httpx

from bot.errors import UserError
from bot.http_calls import Response, join_url
from bot.sis.oneroster_calls import Calls, NotFound, Refused

# Objects that we ask for on one page; most servers return fewer.
_LIMIT = 5_000
_MOST_PAGES = 50_000
# How often a page that differs is read again.
_MOST_REPEATS = 3
_LONGEST_COUNT = 12  # Digits.
# Changes are read from that long before the watermark: servers write local time as if it were UTC, and commit late.
_OVERLAP = timedelta(days=1)
_NEXT = re.compile(r"<([^>]*)>[^,<]*?;\s*rel=\"?next\"?", re.IGNORECASE)


class _Incomplete(Exception):  # noqa: N818 (Never leaves this file.)
    """The pages are not all there is; says why."""


@dataclass(frozen=True)
class Fetched:
    """The objects, with the requested fields only and None for anything that is not an object, and their number. With
    `is_delta` they are the changed ones only.
    """

    objects: Iterator[Any]
    count: int
    is_delta: bool


@contextmanager
def fetch(calls: Calls, endpoint: str, fields: frozenset[str], *, watermark: datetime | None) -> Iterator[Fetched]:
    """Yield all objects at the endpoint, or with a `watermark` those that changed since.

    Raises:
        UserError: the server refuses, or its pages do not match its count, twice.
    """
    # The file has no name and is deleted when this process ends.
    with TemporaryFile("w+", encoding="ascii") as spool:
        count = _fetch_changed(calls, endpoint, fields, spool, watermark) if watermark else 0
        is_delta = count > 0
        if not is_delta:
            count = _fetch_all(calls, endpoint, fields, spool)
        spool.seek(0)
        yield Fetched(map(json.loads, spool), count, is_delta)


def count_first_page(calls: Calls, endpoint: str) -> int:
    return len(_get_page(calls, endpoint, _url(calls.base, endpoint, offset=0)).objects)


def _fetch_changed(calls: Calls, endpoint: str, fields: frozenset[str], spool: IO[str], watermark: datetime) -> int:
    """Spool what changed and return how many; 0 if the server does not support it."""
    since = (watermark - _OVERLAP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        return _spool(calls, endpoint, fields, spool, filter=f"dateLastModified>'{since}'")
    except (NotFound, Refused, _Incomplete):
        return 0


def _fetch_all(calls: Calls, endpoint: str, fields: frozenset[str], spool: IO[str]) -> int:
    try:
        return _spool(calls, endpoint, fields, spool)
    except _Incomplete:
        pass
    try:
        return _spool(calls, endpoint, fields, spool)
    except _Incomplete as gap:
        raise UserError(
            "sis.incomplete",
            f"{calls.base.host} sent its {endpoint} with gaps, twice: {gap}. Nothing was read, so that no one who is "
            "missing there counts as deleted. Try again later.",
            permanent=False,
        ) from None


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


def _read_pages(calls: Calls, endpoint: str, narrowed: Mapping[str, str]) -> Iterator[list[Any]]:
    """Yield the objects of each page.

    Raises:
        _Incomplete: pages overlap or are missing, or their objects changed meanwhile.
    """
    first = _url(calls.base, endpoint, offset=0, **narrowed)
    page = _read_twice_if_short(partial(_get_page, calls, endpoint, first), None, full=_LIMIT, links=False)
    count, total, links = len(page.objects), page.total, page.links
    full = count
    requested = {first}
    yield page.objects
    for _ in range(_MOST_PAGES):
        url = page.following
        if url is None and page.objects and ((total is not None and count < total) or not links):
            # A server that names no next page may still have one; without links, until a page is empty.
            url = _url(calls.base, endpoint, offset=count, **narrowed)
        if url is None or (url in requested and not page.objects):
            break
        _check_progress(url, requested, count, total)
        requested.add(url)
        may_be_end = count == total or (total is None and page.following is None)
        get = partial(_get_later_page, calls, endpoint, url, may_be_end=may_be_end)
        previous, page = page, _read_twice_if_short(get, total, full=full, links=links)
        _check_consecutive(previous, page, total)
        if not previous.objects and not page.objects:
            break
        count, total, links = count + len(page.objects), page.total or total, links or page.links
        full = max(full, len(page.objects))
        yield page.objects
    else:
        raise UserError(
            "sis.endless", f"{calls.base.host} sends {endpoint} pages without end. Check SIS_ONEROSTER_URL."
        )
    if total is not None and count != total:
        raise _Incomplete(f"{count:,} of {total:,} came")


def _check_progress(url: httpx.URL, requested: Collection[httpx.URL], count: int, total: int | None) -> None:
    if url in requested:
        raise _Incomplete("a page names one before it as the next")
    if total is not None and count > total:
        raise _Incomplete(f"{count:,} of {total:,} came")


def _check_consecutive(previous: _Page, page: _Page, total: int | None) -> None:
    # A row that is added or deleted while we read shifts all later rows by one: past us, or onto two pages.
    if None not in (page.total, total) and page.total != total:
        raise _Incomplete("their number changed meanwhile")
    if page.objects and not previous.objects:
        raise _Incomplete("a page was empty")
    if _ids(previous.objects) & _ids(page.objects):
        raise _Incomplete("pages overlap")


def _read_twice_if_short(get: Callable[[], _Page], total: int | None, *, full: int, links: bool) -> _Page:
    """Return a page. Where no count shows what it lacks, a page with fewer objects than `full`, or without a next page on a
    server that `links`, is read until it comes twice the same.
    """
    page = get()
    for _ in range(_MOST_REPEATS):
        is_counted = total is not None or page.total is not None
        is_last = (links or page.links) and page.following is None
        if is_counted or (len(page.objects) >= full and not is_last):
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


def _url(base: httpx.URL, endpoint: str, *, offset: int, **narrowed: str) -> httpx.URL:
    params = {"limit": _LIMIT, "offset": offset, "sort": "sourcedId", "orderBy": "asc", **narrowed}
    return httpx.URL(f"{str(base).rstrip('/')}/{endpoint}", params=params)


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
