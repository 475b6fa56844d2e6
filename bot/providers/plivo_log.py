"""Plivo's message log: `GET /v1/Account/{auth_id}/Message/`, newest first, in pages of 20. It shows no bodies.

Plivo allows 20 requests a minute, so 400 texts. Families' texts are counted only as the cause of an answer: their words are not in
the log. Source: Plivo's reference of the Message API, and its SDK.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from bot.http_calls import Patience
from bot.providers import plivo
from bot.providers.callback import as_text, e164, required_token, timestamp, token
from bot.providers.callback import field as field_of
from bot.providers.log_calls import Calls
from bot.providers.message_log import SentText, mark_answers, read_items, sender_key
from bot.providers.receipt import Malformed, ParsedReceipt

_PAGE_SIZE = 20
_SECONDS_A_PAGE = 3.0


@dataclass(frozen=True)
class PlivoLog:
    """A `MessageLog`. `seconds_a_page` keeps within the rate limit."""

    account: str
    secret: str = field(repr=False)
    url: str
    patience: Patience = field(default_factory=Patience)
    seconds_a_page: float = _SECONDS_A_PAGE
    provider = plivo.NAME
    has_bodies = False
    late = timedelta()

    @classmethod
    def from_setting(cls, credentials: str, *, url: str) -> Self:
        """Read `MA…:auth token`."""
        account, _, secret = credentials.partition(":")
        return cls(account, secret, url)

    def texts(self, start: datetime, end: datetime) -> Iterator[SentText]:
        query = {"message_time__gte": _utc(start), "message_time__lte": _utc(end), "limit": str(_PAGE_SIZE)}
        with self._open_calls(self.patience) as calls:
            read: list[SentText | tuple[str, datetime]]
            read = list(read_items(self._items(calls, query), _read, provider=self.provider))
        sent = [text for text in read if isinstance(text, SentText)]
        yield from mark_answers(sent, [text for text in read if not isinstance(text, SentText)])

    def receipt(self, sent: SentText) -> ParsedReceipt:
        # The time of sending, not of the report: an opt-in after it ends an opt-out that it reports.
        return replace(plivo.read_receipt(sent.provider_id, sent.fields), occurred_at=sent.at)

    def probe(self) -> None:
        with self._open_calls(replace(self.patience, attempts=1)) as calls:
            calls.get(self._path, {"limit": "1"})

    @property
    def _path(self) -> str:
        return f"/v1/Account/{self.account}/Message/"

    def _items(self, calls: Calls, query: Mapping[str, str]) -> Iterator[Any]:
        offset, is_more = 0, True
        while is_more:
            answer = calls.get(self._path, {**query, "offset": str(offset)})
            items, following = answer.get("objects"), field_of(answer, "meta", "next")
            if not isinstance(items, list) or not isinstance(following, str | None) or (following and not items):
                raise calls.unreadable()
            yield from items
            # The address of the next page may lack our filters, so the offset is ours.
            offset, is_more = offset + len(items), bool(following)
            if is_more:
                time.sleep(self.seconds_a_page)

    def _open_calls(self, patience: Patience) -> AbstractContextManager[Calls]:
        return Calls.open(self.url, httpx.BasicAuth(self.account, self.secret), "Plivo", "PULL_PLIVO", patience)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _read(fields: Mapping[str, Any]) -> SentText | tuple[str, datetime] | None:
    """Return a text, the number and time of a family's, or None for a message on another channel or to a short code."""
    uuid, at = required_token(fields.get("message_uuid"), "message_uuid"), timestamp(fields.get("message_time"))
    if at is None:
        raise Malformed(f"{uuid} has no time")
    is_inbound = fields.get("message_direction") == "inbound"
    phone = e164(fields.get("from_number" if is_inbound else "to_number"))
    if phone is None or fields.get("message_type") not in {"sms", "mms"}:
        return None
    if is_inbound:
        return phone, at
    status = required_token(fields.get("message_state"), "message_state").lower()
    code = token(fields.get("error_code"), "error_code").lstrip("0")
    receipt_fields = {"To": phone, "Status": status, "ErrorCode": code}
    key = sender_key(as_text(fields.get("from_number")))
    event_key = plivo.event_key(uuid, status, code)
    return SentText(uuid, phone, at, key, is_unprompted=True, event_key=event_key, fields=receipt_fields)
