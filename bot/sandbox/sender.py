"""The district's texting product and its SMS provider, which the bot meets only over HTTP.

The sender texts the contacts that the view `effective_contacts` marks as textable, except known opt-outs, as real senders
do, and registers the message. Then the provider reports each delivery in signed callbacks, some twice, some out of order.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Engine, select

from bot.db.models.views import effective_contacts
from bot.db.session import transaction
from bot.domain.names import fold
from bot.sandbox.district.numbers import TextResult
from bot.sandbox.district.schools import MAIL_DOMAIN

# Called with the accepted receipts and their total.
ReceiptProgress = Callable[[int, int], None]
Form = dict[str, str]

RECEIPTS = "/receipts/twilio"
_BATCH_SIZE = 500
_CONCURRENT_CALLBACKS = 4
_FROM_NUMBER = "+13125550100"

# The provider's final status and error code for each result.
_RESULTS: dict[TextResult, tuple[str, str | None]] = {
    TextResult.DELIVERED: ("delivered", None),
    TextResult.LANDLINE: ("undelivered", "30006"),
    TextResult.TURNED_OFF: ("undelivered", "30003"),
    TextResult.BLOCKED: ("undelivered", "30004"),
    TextResult.DISCONNECTED: ("undelivered", "30005"),
    TextResult.INVALID: ("failed", "21211"),
    TextResult.OPTED_OUT: ("failed", "21610"),
    TextResult.UNKNOWN: ("undelivered", "30008"),
    TextResult.FILTERED: ("undelivered", "30007"),
}


@dataclass(frozen=True)
class Recipient:
    contact: str
    phone: str


@dataclass(frozen=True)
class Sent:
    """The sender's id of the message, and the numbers of texts and of the provider's receipts."""

    message_id: str
    deliveries: int
    receipts: int


@dataclass(frozen=True)
class Sender:
    """`bot` is an HTTP client with the bot's base URL, for which the callbacks are signed, too."""

    engine: Engine
    bot: httpx.Client
    ingest_token: str
    twilio_auth_token: str
    result_of: Callable[[str], TextResult]

    def send(self, title: str, *, now: datetime, progress: ReceiptProgress | None = None) -> Sent:
        """Text every family and report every delivery; return when the bot has accepted the last receipt.

        Raises:
            httpx.HTTPError: the bot refused a request, or cannot be reached.
        """
        message_id = f"{now:%Y-%m-%d-%H%M%S}-{re.sub('[^a-z0-9]+', '-', fold(title))}"[:80].rstrip("-")
        recipients = self._recipients()
        for start in range(0, len(recipients) or 1, _BATCH_SIZE):
            self._register(message_id, title, now, recipients[start : start + _BATCH_SIZE])
        callbacks = [
            list(callbacks_of(message_id, recipient, self.result_of(recipient.phone), now)) for recipient in recipients
        ]
        receipts = self._report(callbacks, progress or (lambda _done, _total: None))
        return Sent(message_id, len(recipients), receipts)

    def _recipients(self) -> list[Recipient]:
        """Each contact once, however many students they have."""
        view = effective_contacts.c
        query = (
            select(view.contact_sourced_id, view.phone)
            .where(view.method == "text", view.phone.is_not(None), ~view.opted_out)
            .distinct()
            .order_by(view.contact_sourced_id)
        )
        with transaction(self.engine) as session:
            return [Recipient(contact, phone) for contact, phone in session.execute(query)]

    def _register(self, message_id: str, title: str, now: datetime, batch: Sequence[Recipient]) -> None:
        message = {
            "id": message_id,
            "title": title,
            "sender": f"office@{MAIL_DOMAIN}",
            "sent_at": now.isoformat(),
            "deliveries": [_delivery(message_id, recipient) for recipient in batch],
        }
        headers = {"Authorization": f"Bearer {self.ingest_token}"}
        self.bot.post("/mass-messages", json=message, headers=headers).raise_for_status()

    def _report(self, callbacks: list[list[Form]], progress: ReceiptProgress) -> int:
        """Several deliveries at once, as a provider does; the callbacks of one delivery in their order."""
        done, total = 0, sum(map(len, callbacks))
        progress(done, total)
        with ThreadPoolExecutor(_CONCURRENT_CALLBACKS, thread_name_prefix="provider") as pool:
            for reported in as_completed([pool.submit(self._call_back, forms) for forms in callbacks]):
                done += reported.result()
                progress(done, total)
        return done

    def receive(self, phone: str, words: str) -> None:
        """Forward a text of a family (from E.164) to the bot, as the provider does."""
        form = {
            "MessageSid": f"SM{uuid4().hex}",
            "SmsStatus": "received",
            "From": phone,
            "To": _FROM_NUMBER,
            "Body": words,
        }
        self._call_back([form])

    def _call_back(self, forms: list[Form]) -> int:
        url = str(self.bot.base_url).rstrip("/") + RECEIPTS
        for form in forms:
            headers = {"X-Twilio-Signature": sign(self.twilio_auth_token, url, form)}
            self.bot.post(RECEIPTS, data=form, headers=headers).raise_for_status()
        return len(forms)


def callbacks_of(message_id: str, recipient: Recipient, text_result: TextResult, now: datetime) -> Iterator[Form]:
    """The callbacks of one delivery: `sent`, then the final one; a `failed` one was never sent to a carrier.

    By the delivery's id, one in sixteen final callbacks comes twice and one in sixteen before its `sent`.
    """
    sid, (status, error_code) = _sid(message_id, recipient), _RESULTS[text_result]
    common = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "From": _FROM_NUMBER,
        "To": recipient.phone,
        "MessageSid": sid,
    }
    sent = {**common, "SmsSid": sid, "MessageStatus": "sent", "SmsStatus": "sent"}
    detail = {"ErrorCode": error_code} if error_code else {"RawDlrDoneDate": f"{now:%y%m%d%H%M}"}
    final = {**common, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status, **detail}
    if status == "failed":
        yield final
    elif sid.endswith("0"):
        yield from (final, sent)
    elif sid.endswith("1"):
        yield from (sent, final, final)
    else:
        yield from (sent, final)


def sign(auth_token: str, url: str, form: Form) -> str:
    """`X-Twilio-Signature`: base64 of the HMAC-SHA1 over the URL and each parameter's name and value, sorted by name."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _delivery(message_id: str, recipient: Recipient) -> dict[str, Any]:
    sid = _sid(message_id, recipient)
    return {"contact": recipient.contact, "to": recipient.phone, "provider": "twilio", "provider_id": sid}


def _sid(message_id: str, recipient: Recipient) -> str:
    digest = hashlib.sha256(f"{message_id}/{recipient.contact}/{recipient.phone}".encode()).hexdigest()
    return f"SM{digest[:32]}"
