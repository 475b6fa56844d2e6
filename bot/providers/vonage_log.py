"""Vonage's message log: the records of its Reports API, `GET /v2/reports/records`, a thousand at a time, of a day at most.

Texts of its SMS API and of its Messages API are two products, each with a report for either direction. Vonage charges for reports.
Source: the OpenAPI description of the Reports API, and its guide to pagination.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import httpx

from bot.http_calls import Patience
from bot.providers import vonage
from bot.providers.callback import as_text, e164, required_token, timestamp, token
from bot.providers.log_calls import Calls
from bot.providers.message_log import ReceivedText, SentText, body_key, mark_answers, read_items
from bot.providers.receipt import Malformed, ParsedReceipt

_PRODUCTS = ("SMS", "MESSAGES")
# Statuses of the SMS report that its receipts do not have.
_RECEIPT_STATUS = {"submitted": "accepted", "deleted": "unknown"}
_TEXT_CHANNELS = {"", "sms", "mms", "rcs"}


@dataclass(frozen=True)
class VonageLog:
    """A `MessageLog`. The account's id is its API key."""

    account: str
    secret: str = field(repr=False)
    url: str
    patience: Patience = field(default_factory=Patience)
    provider = vonage.NAME
    has_bodies = True
    late = timedelta()

    @classmethod
    def from_setting(cls, credentials: str, *, url: str) -> Self:
        """Read `API key:API secret`."""
        account, _, secret = credentials.partition(":")
        return cls(account, secret, url)

    def texts(self, start: datetime, end: datetime) -> Iterator[SentText | ReceivedText]:
        with self._open_calls(self.patience) as calls:
            received = [text for product in _PRODUCTS for text in self._received(calls, product, start, end)]
            sent = [text for product in _PRODUCTS for text in self._sent(calls, product, start, end)]
        yield from received
        yield from mark_answers(sent, [(text.message.phone, text.at) for text in received])

    def receipt(self, sent: SentText) -> ParsedReceipt:
        status, number = sent.fields["status"], sent.fields["error"]
        if sent.fields["product"] == "SMS":
            receipt = vonage.read_sms_receipt(sent.provider_id, status, {"msisdn": sent.phone, "err-code": number})
        else:
            message = {"to": sent.phone, "error": {"code": number}}
            receipt = vonage.read_messages_receipt(sent.provider_id, status, message)
        # The time of sending, not of the report: an opt-in after it ends an opt-out that it reports.
        return replace(receipt, occurred_at=sent.at)

    def probe(self) -> None:
        now = datetime.now(UTC)
        with self._open_calls(replace(self.patience, attempts=1)) as calls:
            calls.get("/v2/reports/records", self._query("SMS", "outbound", now - timedelta(minutes=1), now))

    def _received(self, calls: Calls, product: str, start: datetime, end: datetime) -> Iterator[ReceivedText]:
        items = self._records(calls, self._query(product, "inbound", start, end))
        return read_items(items, _read_received, provider=self.provider)

    def _sent(self, calls: Calls, product: str, start: datetime, end: datetime) -> Iterator[SentText]:
        items = self._records(calls, self._query(product, "outbound", start, end))
        return read_items(items, partial(_read_sent, product=product), provider=self.provider)

    def _query(self, product: str, direction: str, start: datetime, end: datetime) -> dict[str, str]:
        return {
            "account_id": self.account,
            "product": product,
            "direction": direction,
            "date_start": _utc(start),
            "date_end": _utc(end),
            "include_message": "true",
        }

    def _records(self, calls: Calls, query: Mapping[str, str]) -> Iterator[Any]:
        place: dict[str, str] = {}
        while True:
            page = calls.get("/v2/reports/records", {**query, **place})
            items, status = page.get("records"), page.get("request_status")
            following = {name: as_text(page.get(name)) for name in ("cursor", "iv")}
            is_more = status == "TRUNCATED"
            if not isinstance(items, list) or status not in {"SUCCESS", "TRUNCATED"}:
                raise calls.unreadable()
            # A page that comes again would be read forever.
            if is_more and (not all(following.values()) or following == place):
                raise calls.unreadable()
            yield from items
            if not is_more:
                return
            place = following

    def _open_calls(self, patience: Patience) -> AbstractContextManager[Calls]:
        return Calls.open(self.url, httpx.BasicAuth(self.account, self.secret), "Vonage", "PULL_VONAGE", patience)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_head(fields: Mapping[str, Any], number: str) -> tuple[str, datetime, str | None]:
    """Return the id, the time, and the number of a record, None if that is no phone number or it is on another channel."""
    message_id, at = required_token(fields.get("message_id"), "message_id"), timestamp(fields.get("date_received"))
    if at is None:
        raise Malformed(f"{message_id} has no time")
    is_text = as_text(fields.get("provider")).lower() in _TEXT_CHANNELS
    return message_id, at, e164(fields.get(number)) if is_text else None


def _read_received(fields: Mapping[str, Any]) -> ReceivedText | None:
    message_id, at, phone = _read_head(fields, "from")
    messages = vonage.read_inbound(message_id, phone, fields.get("message_body"))
    return ReceivedText(at, messages[0]) if messages else None


def _read_sent(fields: Mapping[str, Any], *, product: str) -> SentText | None:
    message_id, at, phone = _read_head(fields, "to")
    if phone is None:
        return None
    status = required_token(fields.get("status"), "status").lower()
    number = token(fields.get("error_code"), "error_code").lstrip("0")
    if product == "SMS":
        status = _RECEIPT_STATUS.get(status, status)
    key = body_key(as_text(fields.get("message_body")))
    event_key = f"{message_id}:{status}:{number}:"
    report = {"product": product, "status": status, "error": number}
    return SentText(message_id, phone, at, key, is_unprompted=True, event_key=event_key, fields=report)
