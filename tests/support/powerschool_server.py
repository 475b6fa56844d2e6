"""A PowerSchool server on loopback, built from the public descriptions of its API (mennotech/powerschool-api-docs and
mennotech/fsenrollment-pssync), with tokens, named queries in pages, and the phones of contacts.

It leaves out null fields and empty lists. Its quirks are switches; each of its `faults` spoils the next request that it fits.
"""

import base64
import itertools
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from support.sis_faults import Fault, take_fault

from bot.http_calls import Patience
from bot.sandbox.slack.server import serve_app
from bot.sis.powerschool_calls import Credentials
from bot.sis.powerschool_queries import PREFIX
from bot.sis.powerschool_rest import PowerSchool

CLIENT = ("a-client", "a:sécret")
IMPATIENT = Patience(silence=0.5, answer=2, waiting=3, pause=0.01, attempts=3)


@dataclass
class Person:
    """A contact; `phones` are objects of the API, by contactsPhoneId."""

    person_id: int
    first_name: str
    last_name: str
    email: str = ""
    active: bool = True
    phones: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class PowerSchoolServer:
    """`page_limit` is what an administrator allows; `says_limit`: the metadata may be read. A token is good for `calls_per_token`.
    `refusals` of a second phone with a number of the same contact are a status `400`, or a `200` with an error in its body; with
    None it is not refused. `writes` are (method, contact, number before, number after).
    """

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    page_limit: int = 100
    says_limit: bool = True
    calls_per_token: int = 1_000_000
    refusals: int | None = 400
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    writes: list[tuple[str, int, str, str]] = field(default_factory=list)
    tokens: int = 0
    calls_left: int = 0
    url: str = ""
    phone_ids: Any = field(default_factory=lambda: itertools.count(5000))

    def app(self):
        return Starlette(
            routes=[
                Route("/oauth/access_token/", self._token, methods=["POST"]),
                Route("/ws/v1/metadata", self._guarded(self._metadata)),
                Route("/ws/schema/query/{name}", self._guarded(self._query), methods=["POST"]),
                Route("/ws/schema/query/{name}/count", self._guarded(self._count), methods=["POST"]),
                Route("/ws/contacts/{person:int}/demographics", self._guarded(self._demographics)),
                Route("/ws/contacts/{person:int}/phones", self._guarded(self._phones), methods=["GET", "POST"]),
                Route(
                    "/ws/contacts/{person:int}/phones/{phone:int}",
                    self._guarded(self._phone),
                    methods=["GET", "PUT", "DELETE"],
                ),
            ]
        )

    async def _token(self, request):
        self.requests.append("token")
        if fault := take_fault(self.faults, "POST token", after=False):
            return fault.answer(request)
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if await request.body() != b"grant_type=client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        self.tokens += 1
        self.calls_left = self.calls_per_token
        return JSONResponse({"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": "2592000"})

    def _guarded(self, handler):
        async def handle(request):
            name = f"{request.method} {request.url.path}"
            self.requests.append(f"{name}?{request.url.query}" if request.url.query else name)
            if request.headers.get("authorization") != f"Bearer token-{self.tokens}" or not self.calls_left:
                return JSONResponse({"message": "The access token has expired"}, 401)
            self.calls_left -= 1
            if fault := take_fault(self.faults, name, after=False):
                return fault.answer(request)
            body = await request.json() if request.method in {"POST", "PUT"} else None
            response = handler(request, body)
            if fault := take_fault(self.faults, name, after=True):
                return fault.answer(request)
            return response

        return handle

    def _metadata(self, _request, _body):
        if not self.says_limit:
            return JSONResponse({"message": "Access denied"}, 403)
        return JSONResponse({"metadata": {"schema_table_query_max_page_size": self.page_limit}})

    def _query(self, request, _body):
        rows = self._rows(request)
        if rows is None:
            return JSONResponse({"message": "Query not found"}, 404)
        # More than the limit is not refused: pages are as large as the limit.
        size = min(int(request.query_params.get("pagesize", 100)), self.page_limit)
        first = (int(request.query_params.get("page", 1)) - 1) * size
        records = [present({"_name": "x", **row}) for row in rows[first : first + size]]
        body = {"name": "x", "message": "", "@extensions": ""}
        return JSONResponse(body | {"record": records} if records else body)

    def _count(self, request, _body):
        rows = self._rows(request)
        return JSONResponse({"message": "not found"}, 404) if rows is None else JSONResponse({"count": len(rows)})

    def _rows(self, request):
        name = request.path_params["name"].removeprefix(PREFIX)
        return self.contact_rows() if name == "contacts" else self.tables.get(name)

    def contact_rows(self):
        return [
            {
                "person_id": person.person_id,
                "person_first_name": person.first_name,
                "person_last_name": person.last_name,
                "person_email": person.email,
                **_phone_fields(phone),
            }
            for person in self.people.values()
            if person.active
            for phone in (person.phones.values() or [{}])
        ]

    def _demographics(self, request, _body):
        person = self.people.get(request.path_params["person"])
        if person is None:
            return JSONResponse({"message": "Contact not found"}, 404)
        names = {"firstName": person.first_name, "lastName": person.last_name}
        return JSONResponse(present({"contactId": person.person_id, **names, "active": person.active}))

    def _phones(self, request, body):
        person = self.people.get(request.path_params["person"])
        if person is None:
            return JSONResponse({"message": "Contact not found"}, 404)
        if request.method == "GET":
            phones = [present(phone) for phone in person.phones.values()]
            return JSONResponse(phones) if phones else Response(status_code=204)
        phone_id = next(self.phone_ids)
        return self._save(person, {"contactsPhoneId": phone_id, **body}, "POST")

    def _phone(self, request, body):
        person, phone_id = self.people.get(request.path_params["person"]), request.path_params["phone"]
        if person is None or phone_id not in person.phones:
            return JSONResponse({"message": "Phone not found"}, 404)
        if request.method == "GET":
            return JSONResponse(present(person.phones[phone_id]))
        if request.method == "DELETE":
            phone = person.phones.pop(phone_id)
            self.writes.append(("DELETE", person.person_id, digits(phone["phoneNumber"]), ""))
            return JSONResponse({"status": "VALID", "action": "DELETE"})
        return self._save(person, {**person.phones[phone_id], **body}, "PUT")

    def _save(self, person, phone, method):
        others = [each for each in person.phones.values() if each["contactsPhoneId"] != phone["contactsPhoneId"]]
        is_there = any(digits(each["phoneNumber"]) == digits(phone["phoneNumber"]) for each in others)
        if is_there and self.refusals:
            error = {"field": "phoneNumber", "error_code": "DUPLICATE", "error_description": "Duplicate phone number"}
            return JSONResponse({"status": "INVALID", "_error_message": {"_warning": [error]}}, self.refusals)
        before = person.phones.get(phone["contactsPhoneId"], {}).get("phoneNumber", "")
        person.phones[phone["contactsPhoneId"]] = phone
        self.writes.append((method, person.person_id, digits(before), digits(phone["phoneNumber"])))
        saved = {"status": "VALID", "_success_message": {"id": person.person_id}, "_error_message": {"_warning": []}}
        return JSONResponse(saved | {"savedObject": present(phone)})

    def add_person(self, person_id, first_name, last_name, numbers=(), **values):
        """Add a contact with phones; a phone is a number, or an object of the API."""
        person = self.people[person_id] = Person(person_id, first_name, last_name, **values)
        for number in numbers:
            phone = number if isinstance(number, dict) else {"phoneNumber": number, "phoneType": "Mobile"}
            phone_id = next(self.phone_ids)
            person.phones[phone_id] = {"contactsPhoneId": phone_id, "sequence": len(person.phones) + 1, **phone}
        return person

    def credentials(self, **values):
        return replace(Credentials(self.url, *CLIENT), **values)

    def source(self, **values):
        return PowerSchool(self.credentials(**values), IMPATIENT)


def present(record):
    return {name: value for name, value in record.items() if value not in (None, "")}


def digits(number):
    return re.sub(r"\D", "", number)[-10:]


def _phone_fields(phone):
    return {
        "phone_id": phone.get("contactsPhoneId"),
        "phone_number": phone.get("phoneNumber"),
        "phone_type": phone.get("phoneType"),
        "phone_order": phone.get("sequence"),
        "phone_extension": phone.get("extension"),
        "phone_is_sms": int(phone["sms"]) if "sms" in phone else None,
        "phone_is_preferred": int(phone["preferred"]) if "preferred" in phone else None,
    }


@contextmanager
def serving(**options):
    server = PowerSchoolServer(**options)
    with serve_app(server.app()) as url:
        server.url = url
        yield server


def small_district():
    """Return the tables of two schools, Sam and Lea Rivera, and their staff; the contacts are `add_small_families`."""
    return {
        "schools": [
            {"school_number": 100, "school_name": "Lincoln Elementary"},
            {"school_number": 200, "school_name": "Roosevelt High"},
        ],
        "terms": [
            {"term_dcid": dcid, "term_school": school, "term_id": 3600}
            | {"term_firstday": "2026-08-17 00:00:00.0", "term_lastday": "2027-06-10 00:00:00.0"}
            for dcid, school in ((1, 100), (2, 200))
        ],
        "sections": [
            {"section_id": 11, "term_school": 100, "term_id": 3600, "course_number": "05", "course_name": "Grade 5"},
            {"section_id": 21, "term_school": 200, "term_id": 3600, "course_number": "ALG1"},
        ],
        "students": [
            _student(1, "Sam", "Rivera", 100, 5, 9001),
            _student(2, "Lea", "Rivera", 200, 9, 9002),
            _student(3, "Kim", "Oak", 100, 0, 9003),
            _student(4, "Nio", "Elm", 100, -1, None),
        ],
        "staff": [
            _staff(1, "Ana", "Abbott", 100, teacher=1),
            _staff(2, "Clara", "Clerk", 100, admin=1),
            _staff(3, "Dana", "Diaz", 0, admin=1),
        ],
        "contact_links": [
            _link(1, 1, 1001, "Mother", 1),
            _link(2, 2, 1001, "Mother", 1),
            _link(3, 1, 1002, None, 2),
            _link(4, 3, 1003, "Grandparent", 1),
        ],
        "enrollments": [_enrollment(1, 11, 1), _enrollment(2, 21, 2), _enrollment(3, 11, 3)],
        "section_teachers": [
            {
                "assignment_id": 1,
                "section_id": 11,
                "user_dcid": 1,
                "is_lead": 1,
                "begins_on": "2026-08-17",
                "ends_on": "2027-06-10",
            }
        ],
    }


def add_small_families(server):
    """Add Maria (two phones, the mobile second), Otto (no phone), and Rosa (a note beside her number)."""
    home = {"phoneNumber": "312-555-0100", "phoneType": "Home", "preferred": True, "sms": False}
    server.add_person(1001, "Maria", "Rivera", [home, "(312) 555-0142"], email="maria@example.com")
    server.add_person(1002, "Otto", "Rivera")
    server.add_person(1003, "Rosa", "Oak", ["312-555-0144 DO NOT TEXT"])


def _student(dcid, first, last, *place):
    school, grade, number = place
    person = {"student_dcid": dcid, "student_first_name": first, "student_last_name": last, "student_number": number}
    return person | {"student_school": school, "student_grade": grade}


def _staff(dcid, first, last, school, *, teacher=0, admin=0):
    email = f"{first}.{last}@district.example"
    person = {"user_dcid": dcid, "user_first_name": first, "user_last_name": last, "user_email": email}
    return person | {"staff_school": school, "staff_status": 1 if teacher else 2, "user_is_admin": admin}


def _link(link_id, student, person, relationship, order):
    return {
        "link_id": link_id,
        "student_dcid": student,
        "person_id": person,
        "link_relationship": relationship,
        "link_order": order,
    }


def _enrollment(dcid, section, student):
    dates = {"begins_on": "2026-08-17", "ends_on": "2027-06-11"}
    return {"enrollment_id": dcid, "section_id": section, "student_dcid": student, **dates}
