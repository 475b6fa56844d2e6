"""The contacts of an Aeries server on loopback, built from Aeries' documentation of its API (support.aeries.com, "Building a
Request", "Contacts", and "Contacts - Update").

A phone is the first ten digits of what is sent, fields that are left out stay, and fields without a permission are ignored in
silence. Its other quirks are switches; each of its `faults` spoils the next request that it fits.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.sis_faults import Fault, take_fault

from bot.sandbox.slack.server import serve_app
from bot.sis.aeries_calls import Certificate

CERTIFICATE = "477abe9e7d27439681d62f4e0de1f5e1"
PHONES = ("HomePhone", "WorkPhone", "CellPhone")
_FIELDS = ("FirstName", "LastName", *PHONES, "WorkPhoneExt", "EmailAddress", "AdministrativeLockCode")


@dataclass
class AeriesServer:
    """`contacts` are objects of the API by (student, sequence number). A student without one is unknown: 404, or an empty list.

    `leaves_out`: blank fields are absent. `pads`: texts have blanks at their end. `permissions` are the fields that may change.
    `writes` are ((student, sequence number), field, before, after).
    """

    contacts: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    leaves_out: bool = False
    pads: bool = False
    unknown_student: int = 404
    permissions: tuple[str, ...] = PHONES
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    writes: list[tuple[tuple[int, int], str, str, str]] = field(default_factory=list)
    url: str = ""

    def add(self, student, sequence, first, last, **fields):
        self.contacts[student, sequence] = dict.fromkeys(_FIELDS, "") | {"FirstName": first, "LastName": last, **fields}

    def certificate(self):
        return Certificate(f"{self.url}/aeries/", CERTIFICATE)

    def app(self):
        return Starlette(
            routes=[
                Route("/aeries/api/v5/schools/{school}/contacts/{student:int}", self._guarded(self._list)),
                Route(
                    "/aeries/api/v5/UpdateContact/{student:int}/{sequence:int}",
                    self._guarded(self._update),
                    methods=["POST"],
                ),
            ]
        )

    def _guarded(self, handler):
        async def handle(request):
            name = f"{request.method} {request.url.path}"
            self.requests.append(name)
            if request.headers.get("aeries-cert") != CERTIFICATE:
                return JSONResponse({"Message": "Invalid certificate"}, 401)
            if fault := take_fault(self.faults, name, after=False):
                return fault.answer(request)
            response = handler(request, await request.json() if request.method == "POST" else None)
            if fault := take_fault(self.faults, name, after=True):
                return fault.answer(request)
            return response

        return handle

    def _list(self, request, _body):
        student = request.path_params["student"]
        found = [self._drawn(key) for key in self.contacts if key[0] == student]
        if not found and self.unknown_student == 404:
            return JSONResponse({"Message": "Student not found"}, 404)
        return JSONResponse(found)

    def _update(self, request, body):
        key = (request.path_params["student"], request.path_params["sequence"])
        if key not in self.contacts:
            return JSONResponse({"Message": "Contact not found"}, 404)
        for name, value in body.items():
            if name in self.permissions:
                before, after = self.contacts[key][name], re.sub(r"\D", "", value)[:10]
                self.contacts[key][name] = after
                self.writes.append((key, name, before, after))
        return JSONResponse(self._drawn(key))

    def _drawn(self, key):
        fields = {
            "StudentID": key[0],
            "SequenceNumber": key[1],
            "SchoolCode": 994,
            "Birthdate": None,
            **self.contacts[key],
        }
        if self.leaves_out:
            fields = {name: value for name, value in fields.items() if value not in (None, "")}
        if self.pads:
            fields = {name: f"{value}  " if isinstance(value, str) else value for name, value in fields.items()}
        return fields


@contextmanager
def serving(**options):
    server = AeriesServer(**options)
    with serve_app(server.app()) as url:
        server.url = url
        yield server
