"""Every object at one endpoint of a OneRoster server, page by page, and proof that none is missing.

A page that gets lost would read as people who left. So the objects are put aside on disk until they have been counted
against what the server says it has; if they do not fit they are read once more, and then nothing is read at all. A server
that does not say how many it has is believed where it says the same twice: of its last page, and of any that is short.

Only what changed since a mark is asked for where that can be trusted: whatever carries the mark must come again. A server
that refuses, or gives nothing, does not tell changes, and is asked for everything.
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
from bot.sis.oneroster_calls import Answer, Calls, NotThere, Refused, joined

LIMIT = 5_000
"""Objects we ask for on one page; most servers give fewer."""
MOST_PAGES = 50_000
_MOST_REPEATS = 3
"""How often a page is asked for again that does not come twice the same."""
_LONGEST_COUNT = 12  # Digits; more are no count of people.
_OVERLAP = timedelta(days=1)
"""Changes are asked for from that long before the mark: servers write local time as if it were UTC, and commit late."""
_NEXT = re.compile(r"<([^>]*)>[^,<]*?;\s*rel=\"?next\"?", re.IGNORECASE)


class _Incomplete(Exception):  # noqa: N818 (It never leaves this file.)
    """The pages are not all there is; says why."""


@dataclass(frozen=True)
class Told:
    """`objects`, each with the fields asked for only and None for what is no object, and how many they are. With
    `is_delta` they are those that changed.
    """

    objects: Iterator[Any]
    count: int
    is_delta: bool


@contextmanager
def told(calls: Calls, endpoint: str, fields: frozenset[str], *, mark: datetime | None) -> Iterator[Told]:
    """All objects at the endpoint, or with a `mark` those that changed since.

    The file on disk has no name and is gone with this process.

    Raises:
        UserError: the server refuses, or its pages do not fit what it says it has, twice.
    """
    with TemporaryFile("w+", encoding="ascii") as aside:
        count = _changed(calls, endpoint, fields, aside, mark) if mark else 0
        is_delta = count > 0
        if not is_delta:
            count = _whole(calls, endpoint, fields, aside)
        aside.seek(0)
        yield Told(map(json.loads, aside), count, is_delta)


def _changed(calls: Calls, endpoint: str, fields: frozenset[str], aside: IO[str], mark: datetime) -> int:
    """How many changed; none where the server does not tell."""
    since = (mark - _OVERLAP).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        return _put_aside(calls, endpoint, fields, aside, filter=f"dateLastModified>'{since}'")
    except (NotThere, Refused, _Incomplete):
        return 0


def _whole(calls: Calls, endpoint: str, fields: frozenset[str], aside: IO[str]) -> int:
    try:
        return _put_aside(calls, endpoint, fields, aside)
    except _Incomplete:
        pass
    try:
        return _put_aside(calls, endpoint, fields, aside)
    except _Incomplete as gap:
        said = (
            f"{calls.base.host} gave its {endpoint} with gaps, twice: {gap}. Nothing was read, so that "
            "nobody who is only missing there is taken for gone. Try again later."
        )
        raise UserError("sis.gaps", said, permanent=False) from None


def first(calls: Calls, endpoint: str) -> int:
    """How many objects the first page holds."""
    return len(_page(calls, endpoint, _address(calls.base, endpoint, offset=0)).objects)


def _put_aside(calls: Calls, endpoint: str, fields: frozenset[str], aside: IO[str], **narrowed: str) -> int:
    count = 0
    aside.seek(0)
    aside.truncate()
    for page in _pages(calls, endpoint, narrowed):
        for one in page:
            kept = {name: one[name] for name in one.keys() & fields} if isinstance(one, dict) else None
            aside.write(f"{json.dumps(kept)}\n")
        count += len(page)
    return count


@dataclass(frozen=True)
class _Page:
    """`total` is how many objects the server says there are; `after` where the next page is, if it says so, which a server
    that `links` its pages does for all but the last.
    """

    objects: list[Any]
    total: int | None
    after: httpx.URL | None
    links: bool


def _pages(calls: Calls, endpoint: str, narrowed: Mapping[str, str]) -> Iterator[list[Any]]:
    """Raises:
    _Incomplete: pages overlap or are missing, or what they show changed meanwhile.
    """
    first = _address(calls.base, endpoint, offset=0, **narrowed)
    page = _sure(partial(_page, calls, endpoint, first), None, full=LIMIT, links=False)
    came, total, links = len(page.objects), page.total, page.links
    full = came
    asked = {first}
    yield page.objects
    for _ in range(MOST_PAGES):
        url = page.after
        if url is None and _may_go_on(page, came, total, links=links):
            url = _address(calls.base, endpoint, offset=came, **narrowed)
        if url is None or (url in asked and not page.objects):
            break
        _check_leads_on(url, asked, came, total)
        asked.add(url)
        may_be_over = came == total or (total is None and page.after is None)
        ask = partial(_later_page, calls, endpoint, url, may_be_over=may_be_over)
        before, page = page, _sure(ask, total, full=full, links=links)
        _check_follows(before, page, total)
        if not before.objects and not page.objects:
            break
        came, total, links = came + len(page.objects), page.total or total, links or page.links
        full = max(full, len(page.objects))
        yield page.objects
    else:
        raise UserError("sis.endless", f"{calls.base.host} comes to no end of its {endpoint}. Check SIS_ONEROSTER_URL.")
    if total is not None and came != total:
        raise _Incomplete(f"{came:,} of {total:,} came")


def _check_leads_on(url: httpx.URL, asked: Collection[httpx.URL], came: int, total: int | None) -> None:
    """Pages that name each other would come without end."""
    if url in asked:
        raise _Incomplete("a page names one before it as the next")
    if total is not None and came > total:
        raise _Incomplete(f"{came:,} of {total:,} came")


def _sure(ask: Callable[[], _Page], total: int | None, *, full: int, links: bool) -> _Page:
    """The page that `ask` gives. Where no count will show what it lacks, one that holds fewer than `full` or names none after
    it on a server that `links` is asked for until it comes twice the same.
    """
    page = ask()
    for _ in range(_MOST_REPEATS):
        is_counted = total is not None or page.total is not None
        is_last = (links or page.links) and page.after is None
        if is_counted or (len(page.objects) >= full and not is_last):
            return page
        before, page = page, ask()
        if _gist(before) == _gist(page):
            return page
    raise _Incomplete("a page kept changing")


def _gist(page: _Page) -> tuple[int, set[str], bool]:
    """What must not change. Links may: some servers name each page by a word that holds once."""
    return len(page.objects), _ids(page.objects), page.after is None


def _may_go_on(page: _Page, came: int, total: int | None, *, links: bool) -> bool:
    """Whether to ask past a page that names none after it: always of a server without links, until a page is empty."""
    is_short = total is not None and came < total
    return bool(page.objects) and (is_short or not links)


def _check_follows(before: _Page, page: _Page, total: int | None) -> None:
    """Whoever joins or leaves while we read moves all that follow by one: past us, or onto two pages."""
    if None not in (page.total, total) and page.total != total:
        raise _Incomplete("their number changed meanwhile")
    if page.objects and not before.objects:
        raise _Incomplete("a page was empty")
    if _ids(before.objects) & _ids(page.objects):
        raise _Incomplete("pages overlap")


def _ids(objects: list[Any]) -> set[str]:
    return {str(one.get("sourcedId")) for one in objects if isinstance(one, dict) and one.get("sourcedId")}


def _address(base: httpx.URL, endpoint: str, *, offset: int, **narrowed: str) -> httpx.URL:
    asked = {"limit": LIMIT, "offset": offset, "sort": "sourcedId", "orderBy": "asc", **narrowed}
    return httpx.URL(f"{str(base).rstrip('/')}/{endpoint}", params=asked)


def _later_page(calls: Calls, endpoint: str, url: httpx.URL, *, may_be_over: bool) -> _Page:
    """Some servers answer 404 beyond the last page, which is for us to find out where they neither count nor link."""
    try:
        return _page(calls, endpoint, url)
    except NotThere:
        if not may_be_over:
            raise _Incomplete("a page was not there") from None
        return _Page([], None, None, links=True)


def _page(calls: Calls, endpoint: str, url: httpx.URL) -> _Page:
    answer = calls.get(url)
    after = _after(url, answer)
    count = answer.headers.get("x-total-count", "").strip()
    total = int(count) if count.isdecimal() and len(count) <= _LONGEST_COUNT else None
    links = after is not None or ("link" in answer.headers and not _NEXT.search(answer.headers["link"]))
    return _Page(_objects(calls, endpoint, answer), total, after, links)


def _after(url: httpx.URL, answer: Answer) -> httpx.URL | None:
    """The page after this one, asked for where this one was: behind a proxy servers write links with a host of their own."""
    found = _NEXT.search(answer.headers.get("link", ""))
    there = joined(url, found[1]) if found else None
    return url.copy_with(query=there.query) if there and there.path == url.path and there.query else None


def _objects(calls: Calls, endpoint: str, answer: Answer) -> list[Any]:
    try:
        said = answer.json()
    except ValueError:
        said = None
    found = said.get(endpoint) if isinstance(said, dict) else None
    if isinstance(found, list):
        return found
    raise UserError(
        "sis.not_oneroster",
        (
            f"{calls.base.host} does not answer as OneRoster does when asked for its {endpoint}. Check "
            "SIS_ONEROSTER_URL."
        ),
    )
