"""A OneRoster server on loopback, of either version, that serves the tables of a bundle with tokens and real pages.

Each of its `faults` spoils the next request for its endpoint.
"""

import json
import re
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from support.sis_logins import CLIENT, Entry

from bot.http_calls import Patience
from bot.sandbox.slack.server import serve_app
from bot.sis.oneroster_rest import Server
from bot.sis.rows import UserRow

BASES = {1: "/ims/oneroster/v1p1", 2: "/ims/oneroster/rostering/v1p2"}
ENDPOINTS = ("orgs", "academicSessions", "classes", "users", "enrollments")
SCOPE = re.compile(r"https://purl\.imsglobal\.org/spec/or/v1p[12]/scope/roster-core\.readonly")
_SINCE = re.compile(r"dateLastModified>'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)'")
# The users of `bundles.a_district()`.
EVERYONE = ["ana", "clara", "dana", "joao", "lea", "maria", "sam"]
IMPATIENT = Patience(silence=0.5, answer=2, waiting=3, pause=0.01, attempts=3)


@dataclass
class Fault:
    """Replaces a response by `answer(request)`, or by `after(true response, request)`."""

    endpoint: str
    from_offset: int = 0
    answer: Callable[[Any], Response] | None = None
    after: Callable[[Response, Any], Response] | None = None
    times: int = 1


@dataclass
class Sis:
    """Pages have at most `page_size` rows; with `links` they name the next page, with `counts` the number of rows. A filter for
    `changes` is `supported`, or as some servers do, `ignored`, `refused`, or answered with nothing (`lost`). Without `sorts`,
    or above `most`, requests for pages are refused with the status `refusal`; `starts` is False where the offset is ignored,
    and `most` is 0 where the limit is.
    """

    tables: dict[str, list[dict[str, Any]]]
    minor: int
    page_size: int = 100
    links: bool = True
    counts: bool = True
    changes: str = "supported"
    sorts: bool = True
    most: int = 10_000
    refusal: int = 400
    starts: bool = True
    token_seconds: int = 3600
    host_in_links: str = ""
    entry: Entry = field(default_factory=Entry)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def app(self):
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route(f"{BASES[self.minor]}/{{endpoint}}", self._collection),
                Route("/moved/{endpoint}", self._collection),
            ]
        )

    async def _token(self, request):
        self.requests.append("token")
        if fault := self._take_fault("token", 0):
            return fault.answer(request)
        if not self.entry.gives_tokens:
            return Response("<html><h1>Not Found</h1></html>", 404)
        form = dict(parse_qsl((await request.body()).decode()))
        if not self.entry.is_client(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        if form["grant_type"] != "client_credentials" or not SCOPE.fullmatch(form["scope"]):
            return JSONResponse({"error": "invalid_scope"}, 400)
        self.tokens.append(f"token-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.token_seconds})

    def _collection(self, request):
        """Runs in a thread, so that a slow response does not delay others."""
        endpoint = request.path_params["endpoint"]
        self.requests.append(f"{endpoint}?{request.url.query}")
        if not self.entry.admits(request):
            return JSONResponse({"imsx_codeMajor": "failure"}, self.entry.refusal)
        offset = int(request.query_params.get("offset", 0))
        fault = self._take_fault(endpoint, offset)
        if fault and fault.answer:
            return fault.answer(request)
        response = self._page(request, endpoint, offset)
        return fault.after(response, request) if fault else response

    def _take_fault(self, endpoint, offset):
        fault = next((each for each in self.faults if each.endpoint == endpoint and offset >= each.from_offset), None)
        if fault:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault

    def _page(self, request, endpoint, offset):
        query = request.query_params
        if (self.most and int(query.get("limit", 100)) > self.most) or ("sort" in query and not self.sorts):
            return JSONResponse({"imsx_codeMajor": "failure", "imsx_codeMinor": "invalid_query"}, self.refusal)
        rows = self.tables[endpoint]
        offset = offset if self.starts else 0
        if "filter" in request.query_params and self.changes != "ignored":
            if self.changes == "refused":
                return JSONResponse({"imsx_codeMajor": "failure", "imsx_codeMinor": "invalid_filter_field"}, 400)
            [since] = _SINCE.fullmatch(request.query_params["filter"]).groups()
            rows = [row for row in rows if self.changes == "supported" and row["dateLastModified"] > since]
        if request.query_params.get("sort") == "sourcedId":
            rows = sorted(rows, key=lambda row: str(row.get("sourcedId")) if isinstance(row, dict) else "")
        size = min(int(query.get("limit", 100)), self.page_size) if self.most else len(rows)
        headers = {"X-Total-Count": str(len(rows))} if self.counts else {}
        if self.links:
            following = request.url.include_query_params(offset=offset + size)
            if self.host_in_links:
                following = f"{self.host_in_links}{following.path}?{following.query}"
            has_next = offset + size < len(rows)
            headers["Link"] = f'<{request.url}>; rel="first"' + (f', <{following}>; rel="next"' if has_next else "")
        page = json.dumps({endpoint: rows[offset : offset + size]})
        return Response(page, media_type="application/json", headers=headers)

    @property
    def tokens(self):
        return self.entry.tokens

    def source(self, **settings):
        return replace(Server(self.url + BASES[self.minor], *CLIENT, patience=IMPATIENT), **settings)


@contextmanager
def serving(tables, minor, **options):
    """Serve the tables of a bundle, as `bundles.a_district()` returns them."""
    sis = Sis(as_json(tables, minor), minor, **options)
    with serve_app(sis.app()) as url:
        sis.url = url
        yield sis


def read(source):
    with source.open(region="US", watermarks={}) as parts:
        return [row for part in parts for row in part.rows()]


def read_user_ids(sis):
    return [row.sourced_id for row in read(sis.source()) if isinstance(row, UserRow)]


def responding(status, **headers):
    headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda _request: Response(status_code=status, headers=headers)


def disconnect(request):
    """Close the connection without a response."""
    request.scope["slack.drop_connection"]()
    return Response()


def slow(seconds):
    def answer(_request):
        time.sleep(seconds)
        return Response(status_code=503)

    return answer


def redirecting(url):
    return lambda request: RedirectResponse(f"{url}?{request.url.query}")


def with_headers(**headers):
    """Return the true page with other headers."""

    def change(response, _request):
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return change


def as_json(tables, minor):
    """Return the objects of each endpoint for the rows of a CSV bundle, in the shape of this version."""
    roles = {}
    for row in tables.get("roles", ()):
        roles.setdefault(row["userSourcedId"], []).append(row)
    objects = {name: [_object(row) for row in tables[name]] for name in ENDPOINTS}
    for user in objects["users"]:
        _add_roles(user, roles.get(user["sourcedId"], []), minor)
    return objects


def _add_roles(user, rows, minor):
    if minor == 2:
        user["enabledUser"] = user.get("enabledUser") == "true"
        user["roles"] = [
            {"roleType": "primary", "role": row["role"], "org": _ref(row["orgSourcedId"], "org")}
            | {name: row[name] for name in ("beginDate", "endDate") if row.get(name)}
            for row in rows
        ]
    elif rows:
        user |= {"role": rows[0]["role"], "orgs": [_ref(row["orgSourcedId"], "org") for row in rows]}


def _object(row):
    item = {"status": "active", "dateLastModified": "2026-08-01T00:00:00.000Z", "metadata": {}}
    for column, value in row.items():
        if column in _LISTS:
            field, kind = _LISTS[column]
            item[field] = [_ref(sourced_id, kind) for sourced_id in value.split(",") if sourced_id]
        elif column in _REFERENCES:
            item[_REFERENCES[column]] = _ref(value, _REFERENCES[column]) if value else None
        elif column == "grades":
            item["grades"] = value.split(",") if value else []
        else:
            item[column] = value or None
    return item


def datetime_of(day):
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _ref(sourced_id, kind):
    return {"href": f"https://sis.example/{kind}s/{sourced_id}", "sourcedId": sourced_id, "type": kind}


_LISTS = {
    "agentSourcedIds": ("agents", "user"),
    "termSourcedIds": ("terms", "academicSession"),
    "orgSourcedIds": ("orgs", "org"),
}
_REFERENCES = {
    "parentSourcedId": "parent",
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
    "orgSourcedId": "org",
    "primaryOrgSourcedId": "primaryOrg",
    "courseSourcedId": "course",
}
