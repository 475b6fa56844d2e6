"""The message logs of Telnyx, Plivo, and Vonage on loopback. Every request and answer is checked against what they publish: the
OpenAPI descriptions of Telnyx and Vonage, and Plivo's reference of its Message API.
"""

import base64
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jsonschema
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.http_calls import Patience
from bot.providers.plivo_log import PlivoLog
from bot.providers.telnyx_log import TelnyxLog
from bot.providers.vonage_log import VonageLog
from bot.sandbox.slack.server import serve_app

IMPATIENT = Patience(silence=5, waiting=3, pause=0.01, attempts=3)
SENDER = "+13125550100"
_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_PLIVO_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d{1,6})?)?$"}
_VONAGE_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:?\d\d)$"}
_VONAGE_RECORD = {
    **dict.fromkeys(("account_id", "country", "country_name", "currency", "from", "to", "message_id"), _TEXT),
    **dict.fromkeys(("client_ref", "error_code_description", "network", "network_name"), _TEXT_OR_NULL),
    "date_received": _VONAGE_TIME,
    "date_finalized": _TEXT_OR_NULL,
    "direction": {"enum": ["inbound", "outbound"]},
    "error_code": _TEXT_OR_NULL,
    "message_body": _TEXT,
}
_FORMATS = jsonschema.FormatChecker(formats=("date", "uuid"))


def _object(properties, *required, **more):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    } | more


def _check(value, schema):
    jsonschema.validate(value, schema, format_checker=_FORMATS)


_VONAGE_STATUSES = "delivered expired failed rejected accepted buffered unknown deleted submitted"
_VONAGE_RECORDS = {
    "SMS": _object(_VONAGE_RECORD | {"status": {"enum": _VONAGE_STATUSES.split()}}),
    "MESSAGES": _object(_VONAGE_RECORD | {"status": _TEXT, "provider": _TEXT}),
}


@dataclass
class LogServer:
    """`records` in the shape of the provider's; `page_size` is the most that one page has. Each fault spoils the next request."""

    records: list = field(default_factory=list)
    page_size: int = 0
    faults: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    url: str = ""

    def app(self):
        return Starlette(routes=[Route(path, self._serve(answer)) for path, answer in self.routes().items()])

    def _serve(self, answer):
        def serve(request):
            self.requests.append(f"{request.url.path}?{request.url.query}")
            if self.faults:
                return self.faults.pop(0)(request)
            if request.headers.get("authorization") != self.authorization:
                return JSONResponse({"title": "Unauthorized"}, 401)
            _check(dict(request.query_params), self.query)
            return answer(request)

        return serve

    def change(self, message_id, **fields):
        next(record for record in self.records if message_id in record.values()).update(fields)


class Telnyx(LogServer):
    credentials = "KEY0123_a-secret"
    authorization = f"Bearer {credentials}"
    query = _object(
        {
            "filter[record_type]": {"const": "messaging"},
            "filter[created_at][gte]": {"type": "string", "format": "date"},
            "filter[created_at][lt]": {"type": "string", "format": "date"},
            "sort": {"enum": ["created_at", "-created_at"]},
            "page[number]": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "page[size]": {"type": "string", "pattern": "^([1-9]|[1-4][0-9]|50)$"},
        }
    )
    _record = _object(
        {
            **dict.fromkeys(("cld", "cli", "completed_at", "created_at", "sent_at", "updated_at", "profile_id"), _TEXT),
            "record_type": {"const": "message_detail_record"},
            "uuid": {"type": "string", "format": "uuid"},
            "direction": {"enum": ["inbound", "outbound"]},
            "message_type": {"enum": ["SMS", "MMS", "RCS"]},
            "status": {
                "enum": ["gw_timeout", "delivered", "dlr_unconfirmed", "dlr_timeout", "received", "gw_reject", "failed"]
            },
            "errors": {"type": "array", "items": _TEXT},
            "parts": {"type": "integer"},
        },
        "record_type",
    )

    def routes(self):
        return {"/v2/detail_records": self._list, "/v2/messages/{id}": self._retrieve}

    def log(self):
        return TelnyxLog(self.credentials, self.url, IMPATIENT)

    def send(self, to, _body=None, *, at, status="delivered", error_code=None, **changed):
        errors = [str(error_code)] if error_code else []
        fields = {"cld": to, "cli": SENDER, "direction": "outbound", "status": status, "errors": errors}
        return self._add(at, **fields | changed)

    def receive(self, sender, body, *, at, **changed):
        message_id = self._add(at, cld=SENDER, cli=sender, direction="inbound", status="received", **changed)
        self.bodies[message_id] = body
        return message_id

    def _add(self, at, **fields):
        self.__dict__.setdefault("bodies", {})
        message_id = str(uuid.uuid4())
        at = at.astimezone(UTC).isoformat()
        times = dict.fromkeys(("created_at", "sent_at", "completed_at", "updated_at"), at)
        kind = {"record_type": "message_detail_record", "message_type": "SMS", "parts": 1}
        self.records.append(kind | times | {"uuid": message_id, "profile_id": "30ef55db", "errors": []} | fields)
        return message_id

    def _list(self, request):
        return JSONResponse(self.page(request))

    def page(self, request):
        query = request.query_params
        first, last = query.get("filter[created_at][gte]", ""), query.get("filter[created_at][lt]", "9")
        found = sorted(
            (record for record in self.records if first <= record["created_at"] < last),
            key=lambda record: record["created_at"],
        )
        size = self.page_size or int(query["page[size]"])
        number = int(query.get("page[number]", 1))
        data = found[size * (number - 1) : size * number]
        for record in data:
            _check(record, self._record)
        pages = -(-len(found) // size)
        meta = {"page_number": number, "page_size": size, "total_pages": pages, "total_results": len(found)}
        return {"data": data, "meta": meta}

    def _retrieve(self, request):
        message_id = request.path_params["id"]
        if message_id not in self.bodies:
            return JSONResponse({"errors": [{"code": "10005", "title": "Resource not found"}]}, 404)
        record = next(record for record in self.records if record["uuid"] == message_id)
        data = {
            "record_type": "message",
            "direction": "inbound",
            "id": message_id,
            "type": "SMS",
            "from": {"phone_number": record["cli"], "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"},
            "to": [{"phone_number": record["cld"], "status": "webhook_delivered"}],
            "text": self.bodies[message_id],
            "errors": [],
        }
        return JSONResponse({"data": data})


class Plivo(LogServer):
    account = "MA" + "0123456789ABCDEFGH"
    credentials = f"{account}:a-secret"
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    query = _object(
        {
            "message_time__gte": _PLIVO_TIME,
            "message_time__lte": _PLIVO_TIME,
            "limit": {"type": "string", "pattern": "^([1-9]|1[0-9]|20)$"},
            "offset": {"type": "string", "pattern": "^[0-9]+$"},
        }
    )
    _record = _object(
        {
            **dict.fromkeys(("from_number", "message_time", "resource_uri", "to_number", "total_amount"), _TEXT),
            **dict.fromkeys(("total_rate", "message_sent_time", "message_updated_time", "error_message"), _TEXT),
            "error_code": {"type": ["string", "null"], "pattern": "^[0-9]{3,4}$"},
            "message_direction": {"enum": ["inbound", "outbound"]},
            "message_state": {
                "enum": ["queued", "sent", "failed", "delivered", "undelivered", "rejected", "received", "read"]
            },
            "message_type": {"enum": ["sms", "mms", "whatsapp"]},
            "message_uuid": {"type": "string", "format": "uuid"},
            "units": {"type": "integer"},
        },
        "message_uuid",
        "message_time",
        "message_state",
    )

    def routes(self):
        return {"/v1/Account/{account}/Message/": self._list}

    def log(self):
        log = PlivoLog.from_setting(self.credentials, url=self.url)
        return PlivoLog(log.account, log.secret, log.url, IMPATIENT, seconds_a_page=0)

    def send(self, to, _body=None, *, at, status="delivered", error_code=None, **changed):
        code = f"{error_code:03d}" if error_code else "000" if status == "delivered" else None
        fields = {"message_direction": "outbound", "message_state": status, "error_code": code} | changed
        return self._add(at, SENDER, to, **fields)

    def receive(self, sender, _body, *, at, **changed):
        return self._add(at, sender, SENDER, message_direction="inbound", message_state="received", **changed)

    def _add(self, at, sender, to, **fields):
        message_id = str(uuid.uuid4())
        self.records.append(
            {
                "error_code": None,
                "from_number": sender.removeprefix("+"),
                "message_time": str(at.astimezone(UTC)),
                "message_type": "sms",
                "message_uuid": message_id,
                "resource_uri": f"/v1/Account/{self.account}/Message/{message_id}/",
                "to_number": to.removeprefix("+"),
                "total_amount": "0.00250",
                "total_rate": "0.00250",
                "units": 1,
            }
            | fields
        )
        return message_id

    def _list(self, request):
        if request.path_params["account"] != self.account:
            return JSONResponse({"error": "not found"}, 404)
        return JSONResponse(self.page(request))

    def page(self, request):
        query = request.query_params
        first, last = query.get("message_time__gte", "2000"), query.get("message_time__lte", "2100")
        found = [record for record in self.records if first <= record["message_time"][:26] <= last]
        found.sort(key=lambda record: record["message_time"], reverse=True)
        size, offset = self.page_size or int(query["limit"]), int(query.get("offset", 0))
        objects = found[offset : offset + size]
        for record in objects:
            _check(record, self._record)
        following = f"{request.url.path}?limit={size}&offset={offset + size}" if len(found) > offset + size else None
        meta = {"limit": size, "next": following, "offset": offset, "previous": None, "total_count": len(found)}
        return {"api_id": str(uuid.uuid4()), "meta": meta, "objects": objects}


class Vonage(LogServer):
    account = "a1b2c3d4"
    credentials = f"{account}:a-secret"
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    query = _object(
        {
            "account_id": {"type": "string", "minLength": 8, "maxLength": 8},
            "product": {"enum": ["SMS", "MESSAGES"]},
            "direction": {"enum": ["inbound", "outbound"]},
            "date_start": _VONAGE_TIME,
            "date_end": _VONAGE_TIME,
            "include_message": {"enum": ["true", "false"]},
            "cursor": _TEXT,
            "iv": _TEXT,
        },
        "account_id",
        "product",
        "direction",
        dependentRequired={"date_start": ["date_end"], "date_end": ["date_start"], "cursor": ["iv"], "iv": ["cursor"]},
    )

    def routes(self):
        return {"/v2/reports/records": self._list}

    def log(self):
        log = VonageLog.from_setting(self.credentials, url=self.url)
        return VonageLog(log.account, log.secret, log.url, IMPATIENT)

    def send(self, to, body="School closes at noon.", *, at, status="delivered", error_code=None, **changed):
        code = str(error_code or (0 if status == "delivered" else ""))
        fields = {"direction": "outbound", "status": status, "error_code": code} | changed
        return self._add(at, SENDER, to, body, **fields)

    def receive(self, sender, body, *, at, **changed):
        return self._add(at, sender, SENDER, body, direction="inbound", **changed)

    def _add(self, at, sender, to, body, **fields):
        message_id = uuid.uuid4().hex[:16].upper()
        record = {
            "account_id": self.account,
            "message_id": message_id,
            "from": sender.removeprefix("+"),
            "to": to.removeprefix("+"),
            "message_body": body,
            "date_received": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "country": "US",
            "currency": "EUR",
        }
        self.records.append(record | fields)
        return message_id

    def _list(self, request):
        query = request.query_params
        if query["account_id"] != self.account:
            return JSONResponse(
                {"title": "Forbidden", "detail": "User not authorized to query the requested data"}, 403
            )
        start, end = datetime.fromisoformat(query["date_start"]), datetime.fromisoformat(query["date_end"])
        if not 0 <= (end - start).total_seconds() <= 24 * 3600:
            reason = {"name": "date_end", "reason": "Must be no more than 24 hours later than date_start"}
            return JSONResponse({"title": "Unprocessable entity", "invalid_parameters": [reason]}, 422)
        return JSONResponse(self.page(request))

    def page(self, request):
        query = request.query_params
        start, end = datetime.fromisoformat(query["date_start"]), datetime.fromisoformat(query["date_end"])
        found = [
            record
            for record in self.records
            if ("provider" in record) == (query["product"] == "MESSAGES")
            and record["direction"] == query["direction"]
            and start <= datetime.fromisoformat(record["date_received"]) < end
        ]
        offset, size = int(query.get("cursor", 0)), self.page_size or 1000
        records = found[offset : offset + size]
        for record in records:
            _check(record, _VONAGE_RECORDS[query["product"]])
        if query.get("include_message") != "true":
            records = [{name: record[name] for name in record if name != "message_body"} for record in records]
        answer = {"request_id": str(uuid.uuid4()), "items_count": len(records), "records": records}
        if len(found) <= offset + size:
            return answer | {"request_status": "SUCCESS"}
        cursor = {"cursor": str(offset + size), "iv": f"iv{offset}"}
        following = {"_links": {"next": {"href": str(request.url.include_query_params(**cursor))}}}
        return answer | cursor | following | {"request_status": "TRUNCATED"}


def page_of(server):
    """Return the true answer to a request, as a fault that spoils nothing."""
    return lambda request: JSONResponse(server.page(request))


def answering(status, **headers):
    def answer(_request):
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        return JSONResponse({"error": "as asked"}, status, headers=named)

    return answer


@contextmanager
def serving(kind, **options):
    server = kind(**options)
    with serve_app(server.app()) as url:
        server.url = url
        yield server
