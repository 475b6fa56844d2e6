"""Twilio's message log on loopback, as its OpenAPI description publishes it. Each of its `faults` spoils the next request."""

import base64
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.http_calls import Patience
from bot.providers.twilio_log import TwilioLog
from bot.sandbox.slack.server import serve_app

ACCOUNT = "AC" + "0123456789abcdef" * 2
KEY = "SK" + "fedcba9876543210" * 2
CREDENTIALS = f"{ACCOUNT}:{KEY}:a-secret"
IMPATIENT = Patience(silence=0.5, waiting=3, pause=0.01, attempts=3)
SENDER = "+13125550100"
_MAX_PAGE = 1000


@dataclass
class Twilio:
    """`messages` in the shape of the Message resource; `page_size` is the most that one page has."""

    messages: list = field(default_factory=list)
    page_size: int = _MAX_PAGE
    faults: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    url: str = ""

    def app(self):
        return Starlette(routes=[Route("/2010-04-01/Accounts/{account}/Messages.json", self._list)])

    def log(self):
        log = TwilioLog.from_setting(CREDENTIALS, url=self.url)
        return TwilioLog(log.account, log.user, log.secret, log.url, IMPATIENT)

    def send(self, to, body="School closes at noon.", *, at, status="delivered", error_code=None, **changed):
        """Add a text that the account sent, and return its SID."""
        fields = {"direction": "outbound-api", "status": status, "error_code": error_code} | changed
        return self._add(to, SENDER, body, at, **fields)

    def receive(self, sender, body, *, at, **changed):
        return self._add(SENDER, sender, body, at, direction="inbound", status="received", error_code=None, **changed)

    def _add(self, to, sender, body, at, **fields):
        sid = fields.pop("sid", f"SM{uuid.uuid4().hex}")
        date = format_datetime(at.astimezone(UTC).replace(microsecond=0))
        self.messages.append({
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": date,
            "date_sent": date,
            "date_updated": date,
            "error_message": None,
            "from": sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "subresource_uris": {"media": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media.json"},
            "to": to,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json",
            **fields,
        })  # fmt: skip
        return sid

    def change(self, sid, **fields):
        next(message for message in self.messages if message["sid"] == sid).update(fields)

    def _list(self, request):
        self.requests.append(request.url.query)
        if self.faults:
            return self.faults.pop(0)(request)
        basic = base64.b64encode(f"{KEY}:a-secret".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return refusal(401, 20003, "Authenticate")
        if request.path_params["account"] != ACCOUNT:
            return refusal(404, 20404, "The requested resource was not found")
        return JSONResponse(self.page(request))

    def page(self, request):
        query = request.query_params
        after = datetime.fromisoformat(query.get("DateSent>", "2000-01-01T00:00:00Z"))
        before = datetime.fromisoformat(query.get("DateSent<", "2100-01-01T00:00:00Z"))
        found = [message for message in self.messages if after <= _date(message) <= before]
        found.sort(key=_date, reverse=True)
        size, number = min(int(query["PageSize"]), self.page_size), int(query.get("Page", 0))
        following = request.url.include_query_params(Page=number + 1, PageToken=f"PASM{number}")
        has_more = len(found) > size * (number + 1)
        return {
            "end": 0,
            "first_page_uri": f"{request.url.path}?{request.url.query}",
            "next_page_uri": f"{following.path}?{following.query}" if has_more else None,
            "page": number,
            "page_size": size,
            "previous_page_uri": None,
            "messages": found[size * number : size * (number + 1)],
            "start": 0,
            "uri": f"{request.url.path}?{request.url.query}",
        }


def _date(message):
    return datetime.strptime(message["date_sent"] or message["date_created"], "%a, %d %b %Y %H:%M:%S %z")


def refusal(status, code, message):
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


def page_of(server):
    """Return the true answer to a request, as a fault that spoils nothing."""
    return lambda request: JSONResponse(server.page(request))


def answering(status, code=20429, **headers):
    def answer(_request):
        response = refusal(status, code, "Too Many Requests")
        response.headers.update({name.replace("_", "-"): str(value) for name, value in headers.items()})
        return response

    return answer


@contextmanager
def serving(**options):
    twilio = Twilio(**options)
    with serve_app(twilio.app()) as url:
        twilio.url = url
        yield twilio


def minutes(count):
    return timedelta(minutes=count)
