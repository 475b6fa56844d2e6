"""A OneRoster server on loopback, of either version, that serves the tables of a bundle with tokens and real pages, and can
have a bad night: `mishaps` are taken from the front, each by the first request for its endpoint that it wants.
"""

import base64
import json
import re
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.serving import running
from bot.sis.oneroster_calls import Patience
from bot.sis.oneroster_rest import Server
from bot.sis.rows import UserRow

BASES = {1: "/ims/oneroster/v1p1", 2: "/ims/oneroster/rostering/v1p2"}
ENDPOINTS = ("orgs", "academicSessions", "classes", "users", "enrollments")
CLIENT = ("a client", "a:sécret")
SCOPE = re.compile(r"https://purl\.imsglobal\.org/spec/or/v1p[12]/scope/roster-core\.readonly")
_SINCE = re.compile(r"dateLastModified>'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)'")
EVERYBODY = ["ana", "clara", "dana", "joao", "lea", "maria", "sam"]
"""In `bundles.a_district()`."""
HURRIED = Patience(silence=0.5, answer=2, waiting=3, pause=0.01, attempts=3)


@dataclass
class Mishap:
    """What becomes of a request: `answer(request)` in place of the true one, or `after(true answer)` made of it."""

    endpoint: str
    from_offset: int = 0
    answer: Callable[[Any], Response] | None = None
    after: Callable[[Response, Any], Response] | None = None
    times: int = 1


@dataclass
class Sis:
    """`most` rows on a page, whatever is asked for; with `links` the next page is named, with `counts` their number. Asked for
    `changes` only, it has them `told`, or is one of those that are met: `ignored`, `refused`, `lost`.
    """

    tables: dict[str, list[dict[str, Any]]]
    minor: int
    most: int = 100
    links: bool = True
    counts: bool = True
    changes: str = "told"
    token_seconds: int = 3600
    host_in_links: str = ""
    mishaps: list[Mishap] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
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
        self.asked.append("token")
        if mishap := self._mishap("token", 0):
            return mishap.answer(request)
        form = dict(parse_qsl((await request.body()).decode()))
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if form["grant_type"] != "client_credentials" or not SCOPE.fullmatch(form["scope"]):
            return JSONResponse({"error": "invalid_scope"}, 400)
        self.tokens.append(f"token-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.token_seconds})

    def _collection(self, request):
        """In a thread, so that a slow answer holds up no other."""
        endpoint = request.path_params["endpoint"]
        self.asked.append(f"{endpoint}?{request.url.query}")
        if request.headers.get("authorization") not in {f"Bearer {token}" for token in self.tokens[-1:]}:
            return JSONResponse({"imsx_codeMajor": "failure"}, 401)
        offset = int(request.query_params.get("offset", 0))
        mishap = self._mishap(endpoint, offset)
        if mishap and mishap.answer:
            return mishap.answer(request)
        answer = self._page(request, endpoint, offset)
        return mishap.after(answer, request) if mishap else answer

    def _mishap(self, endpoint, offset):
        found = next((one for one in self.mishaps if one.endpoint == endpoint and offset >= one.from_offset), None)
        if found:
            found.times -= 1
            if not found.times:
                self.mishaps.remove(found)
        return found

    def _page(self, request, endpoint, offset):
        rows = self.tables[endpoint]
        if "filter" in request.query_params and self.changes != "ignored":
            if self.changes == "refused":
                return JSONResponse({"imsx_codeMajor": "failure", "imsx_codeMinor": "invalid_filter_field"}, 400)
            [since] = _SINCE.fullmatch(request.query_params["filter"]).groups()
            rows = [one for one in rows if self.changes == "told" and one["dateLastModified"] > since]
        if request.query_params.get("sort") == "sourcedId":
            rows = sorted(rows, key=lambda row: str(row.get("sourcedId")) if isinstance(row, dict) else "")
        size = min(int(request.query_params.get("limit", 100)), self.most)
        headers = {"X-Total-Count": str(len(rows))} if self.counts else {}
        if self.links:
            there = request.url.include_query_params(offset=offset + size)
            there = f"{self.host_in_links}{there.path}?{there.query}" if self.host_in_links else there
            has_next = offset + size < len(rows)
            headers["Link"] = f'<{request.url}>; rel="first"' + (f', <{there}>; rel="next"' if has_next else "")
        page = json.dumps({endpoint: rows[offset : offset + size]})
        return Response(page, media_type="application/json", headers=headers)

    def source(self, **changed):
        """Where a district would say it is."""
        return replace(Server(self.url + BASES[self.minor], *CLIENT, patience=HURRIED), **changed)


@contextmanager
def serving(tables, minor, **options):
    """The tables of a bundle, as `bundles.a_district()` gives them, on the wire."""
    sis = Sis(as_json(tables, minor), minor, **options)
    with running(sis.app()) as url:
        sis.url = url
        yield sis


def read(source):
    with source.opened(region="US", marks={}) as parts:
        return [row for part in parts for row in part.rows()]


def users_of(sis):
    return [row.sourced_id for row in read(sis.source()) if isinstance(row, UserRow)]


def busy(status, **headers):
    """Answers that the server is busy; `retry_after` in seconds."""
    told = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda _request: Response(status_code=status, headers=told)


def hanging_up(request):
    """The connection is closed without an answer."""
    request.scope["slack.hang_up"]()
    return Response()


def slow(seconds):
    def answer(_request):
        time.sleep(seconds)
        return Response(status_code=503)

    return answer


def moved(where):
    return lambda request: RedirectResponse(f"{where}?{request.url.query}")


def with_headers(**headers):
    """The true page under other headers."""

    def changed(answer, _request):
        for name, value in headers.items():
            answer.headers[name.replace("_", "-")] = value
        return answer

    return changed


def as_json(tables, minor):
    """The objects of each endpoint for the rows of a CSV bundle, as this version shapes them."""
    roles = {}
    for row in tables.get("roles", ()):
        roles.setdefault(row["userSourcedId"], []).append(row)
    shaped = {name: [_object(row) for row in tables[name]] for name in ENDPOINTS}
    for user in shaped["users"]:
        own = roles.get(user["sourcedId"], [])
        _put_roles(user, own, minor)
    return shaped


def _put_roles(user, rows, minor):
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
    shaped = {"status": "active", "dateLastModified": "2026-08-01T00:00:00.000Z", "metadata": {}}
    for column, value in row.items():
        if column in _LISTS:
            field, kind = _LISTS[column]
            shaped[field] = [_ref(one, kind) for one in value.split(",") if one]
        elif column in _ONES:
            shaped[_ONES[column]] = _ref(value, _ONES[column]) if value else None
        elif column == "grades":
            shaped["grades"] = value.split(",") if value else []
        else:
            shaped[column] = value or None
    return shaped


def _ref(sourced_id, kind):
    return {"href": f"https://sis.example/{kind}s/{sourced_id}", "sourcedId": sourced_id, "type": kind}


_LISTS = {
    "agentSourcedIds": ("agents", "user"),
    "termSourcedIds": ("terms", "academicSession"),
    "orgSourcedIds": ("orgs", "org"),
}
_ONES = {
    "parentSourcedId": "parent",
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
    "orgSourcedId": "org",
    "primaryOrgSourcedId": "primaryOrg",
    "courseSourcedId": "course",
}
