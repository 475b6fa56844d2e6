"""Twilio's message log: `GET /2010-04-01/Accounts/{sid}/Messages.json`, newest first, in pages that name the next one.

A text that Twilio refuses at once, with an error instead of a SID, is not in the log. Source: Twilio's OpenAPI description and
its guide to the Message resource.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from bot.http_calls import Patience
from bot.providers import twilio
from bot.providers.callback import as_text, e164, required_token, token
from bot.providers.log_calls import Calls
from bot.providers.message_log import ReceivedText, SentText, body_key, read_items
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import Malformed, ParsedReceipt

_PAGE_SIZE = 1000
_NEVER_SENT = {"scheduled", "canceled"}


@dataclass(frozen=True)
class TwilioLog:
    """A `MessageLog`. The user is the account's SID with its auth token, or an API key with its secret."""

    account: str
    user: str
    secret: str = field(repr=False)
    url: str
    patience: Patience = field(default_factory=Patience)
    provider = twilio.NAME
    has_bodies = True
    late = timedelta()

    @classmethod
    def from_setting(cls, credentials: str, *, url: str) -> Self:
        """Read `AC…:auth token` or `AC…:SK…:secret`."""
        account, _, rest = credentials.partition(":")
        user, _, secret = rest.rpartition(":")
        return cls(account, user or account, secret, url)

    def texts(self, start: datetime, end: datetime) -> Iterator[SentText | ReceivedText]:
        query = {"PageSize": str(_PAGE_SIZE), "DateSent>": _utc(start), "DateSent<": _utc(end)}
        with self._open_calls(self.patience) as calls:
            texts: Iterator[SentText | ReceivedText]
            texts = read_items(self._items(calls, query), _read, provider=self.provider)
            yield from texts

    def receipt(self, sent: SentText) -> ParsedReceipt:
        status = sent.fields["status"]
        # The time of sending, not of the report: an opt-in after it ends an opt-out that it reports.
        return replace(twilio.read_receipt(sent.provider_id, status, sent.fields), occurred_at=sent.at)

    def probe(self) -> None:
        with self._open_calls(replace(self.patience, attempts=1)) as calls:
            next(self._items(calls, {"PageSize": "1"}), None)

    def _items(self, calls: Calls, query: Mapping[str, str]) -> Iterator[Any]:
        path = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        page = calls.get(path, query)
        read = {path}
        while True:
            items, following = page.get("messages"), page.get("next_page_uri")
            # A page that comes again would be read forever.
            if not isinstance(items, list) or not isinstance(following, str | None) or following in read:
                raise calls.unreadable()
            yield from items
            if not following:
                return
            read.add(following)
            page = calls.get(following)

    def _open_calls(self, patience: Patience) -> AbstractContextManager[Calls]:
        return Calls.open(self.url, httpx.BasicAuth(self.user, self.secret), "Twilio", "PULL_TWILIO", patience)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(fields: Mapping[str, Any]) -> SentText | ReceivedText | None:
    """Return a text, None for a message on another channel, which is to `whatsapp:+1…`."""
    sid = required_token(fields.get("sid"), "sid")
    at = _parse_date(fields.get("date_sent")) or _parse_date(fields.get("date_created"))
    if at is None:
        raise Malformed(f"{sid} has no time")
    body, direction = as_text(fields.get("body")), token(fields.get("direction"), "direction")
    if direction == "inbound":
        [*messages] = opt_out_messages(twilio.NAME, twilio.inbound_key(sid), sender=fields.get("from"), text=body)
        return ReceivedText(at, messages[0]) if messages else None
    phone = e164(fields.get("to"))
    if phone is None:
        return None
    status, code = required_token(fields.get("status"), "status").lower(), token(fields.get("error_code"), "error_code")
    receipt_fields = {"To": phone, "ErrorCode": code, "status": status}
    is_unprompted = direction == "outbound-api" and status not in _NEVER_SENT
    event_key = twilio.event_key(sid, status, receipt_fields)
    return SentText(sid, phone, at, body_key(body), is_unprompted, event_key, receipt_fields)


def _parse_date(value: Any) -> datetime | None:
    """Return a time as Twilio writes it, `Mon, 16 Aug 2010 03:45:03 +0000`, or None."""
    try:
        return parsedate_to_datetime(as_text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
