"""Telnyx's message log: `GET /v2/detail_records`, oldest first, in pages of 50. It shows no bodies.

`created_at` is filtered by days, the only form that Telnyx documents. A record has the final status of a text, so it may be written
long after the text. The text of a family is fetched by itself, `GET /v2/messages/{id}`, which works for ten days. Source: Telnyx's
OpenAPI description.
"""

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bot.errors import UserError
from bot.http_calls import Patience
from bot.providers import telnyx
from bot.providers.callback import as_text, e164, required_token, timestamp
from bot.providers.callback import field as field_of
from bot.providers.log_calls import Calls
from bot.providers.message_log import (
    ReceivedText,
    SentText,
    mark_answers,
    read_items,
    sender_key,
)
from bot.providers.receipt import Malformed, ParsedReceipt

logger = logging.getLogger(__name__)

_PAGE_SIZE = 50
# The statuses of detail records, in the words of the events. A gateway refuses a text before any carrier has it.
_EVENT_STATUS = {
    "dlr_timeout": "delivery_unconfirmed",
    "dlr_unconfirmed": "delivery_unconfirmed",
    "failed": "delivery_failed",
    "gw_reject": "sending_failed",
    "gw_timeout": "sending_failed",
}


@dataclass(frozen=True)
class TelnyxLog:
    """A `MessageLog`. The key has no account in it, so `account` is the same for every key."""

    key: str = field(repr=False)
    url: str
    patience: Patience = field(default_factory=Patience)
    account: str = "of the key"
    provider = telnyx.NAME
    has_bodies = False
    late = timedelta(days=1)

    def texts(self, start: datetime, end: datetime) -> Iterator[SentText | ReceivedText]:
        with self._open_calls(self.patience) as calls:
            records = [*read_items(self._records(calls, start, end), _Record.read, provider=self.provider)]
            found = [record for record in records if start <= record.at <= end]
            received = [record for record in found if record.is_inbound]
            sent = [record.sent() for record in found if not record.is_inbound]
            yield from mark_answers(sent, [(record.phone, record.at) for record in received])
            for record in received:
                yield from self._fetch_text(calls, record)

    def receipt(self, sent: SentText) -> ParsedReceipt:
        recipient = {"status": sent.fields["status"], "phone_number": sent.phone}
        codes = sent.fields["codes"].split()
        # The time of sending, not of the report: an opt-in after it ends an opt-out that it reports.
        return telnyx.read_receipt(recipient, codes, event_key=sent.event_key, provider_id=sent.provider_id, at=sent.at)

    def probe(self) -> None:
        with self._open_calls(replace(self.patience, attempts=1)) as calls:
            calls.get("/v2/detail_records", {"filter[record_type]": "messaging", "page[size]": "1"})

    def _records(self, calls: Calls, start: datetime, end: datetime) -> Iterator[Any]:
        query = {
            "filter[record_type]": "messaging",
            "filter[created_at][gte]": _day(start),
            "filter[created_at][lt]": _day(end + timedelta(days=1)),
            "sort": "created_at",
            "page[size]": str(_PAGE_SIZE),
        }
        number, pages = 0, 1
        while number < pages:
            number += 1
            answer = calls.get("/v2/detail_records", query | {"page[number]": str(number)})
            items, pages = answer.get("data"), field_of(answer, "meta", "total_pages")
            if not isinstance(items, list) or not isinstance(pages, int):
                raise calls.unreadable()
            yield from items

    def _fetch_text(self, calls: Calls, record: "_Record") -> Iterator[ReceivedText]:
        try:
            message = calls.get(f"/v2/messages/{record.id}").get("data")
        except UserError as error:
            if error.code != "pull.no_account":
                raise
            logger.info("Telnyx no longer has the text %s of a family", record.id)
            return
        for text in telnyx.read_inbound(record.id, message):
            yield ReceivedText(record.at, text)

    def _open_calls(self, patience: Patience) -> AbstractContextManager[Calls]:
        return Calls.open(self.url, _Bearer(self.key), "Telnyx", "PULL_TELNYX", patience)


class _Bearer(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


@dataclass(frozen=True)
class _Record:
    """A detail record. `phone` is the family's number; the status and codes are in the words of the events."""

    id: str
    at: datetime
    phone: str
    is_inbound: bool
    sender: str
    status: str
    codes: Sequence[str]

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "_Record | None":
        """Return a record, None if it is not of a text to or from a phone number, which may be a short code."""
        uuid, at = required_token(fields.get("uuid"), "uuid"), timestamp(fields.get("created_at"))
        if at is None:
            raise Malformed(f"{uuid} has no time")
        is_inbound = fields.get("direction") == "inbound"
        phone = e164(fields.get("cli" if is_inbound else "cld"))
        if phone is None:
            return None
        status = required_token(fields.get("status"), "status").lower()
        errors = fields.get("errors") or []
        codes = [required_token(code, "code of the error") for code in errors] if isinstance(errors, list) else []
        sender = as_text(fields.get("profile_id")) or as_text(fields.get("cli"))
        return cls(uuid, at, phone, is_inbound, sender, _EVENT_STATUS.get(status, status), codes)

    def sent(self) -> SentText:
        fields = {"status": self.status, "codes": " ".join(self.codes)}
        event_key = f"{self.id}:{self.status}:{','.join(self.codes)}"
        return SentText(
            self.id,
            self.phone,
            self.at,
            sender_key(self.sender),
            is_unprompted=True,
            event_key=event_key,
            fields=fields,
        )


def _day(time: datetime) -> str:
    return time.astimezone(UTC).date().isoformat()
