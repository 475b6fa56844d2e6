"""Plays the district's texting product and its SMS provider, which the bot meets only over HTTP.

It texts whom the view `effective_contacts` says may be texted, skipping known opt-outs as real senders do, registers the
message, and then the provider reports each delivery in signed callbacks: some of them twice, some in the wrong order.
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

import httpx
from sqlalchemy import Engine, select

from bot.db.models.views import effective_contacts
from bot.db.session import transaction
from bot.domain.names import fold
from bot.sandbox.district.numbers import Fate

Progress = Callable[[int, int], None]
Form = dict[str, str]

RECEIPTS = "/receipts/twilio"
_BATCH = 500
_AT_ONCE = 4
_FROM = "+13125550100"


@dataclass(frozen=True)
class Report:
    """How the provider words a fate: the final status and the error code, None where there is none."""

    status: str
    code: str | None = None


_REPORTS = {
    Fate.FINE: Report("delivered"),
    Fate.LANDLINE: Report("undelivered", "30006"),
    Fate.OFF: Report("undelivered", "30003"),
    Fate.BLOCKED: Report("undelivered", "30004"),
    Fate.GONE: Report("undelivered", "30005"),
    Fate.DEAD: Report("failed", "21211"),
    Fate.STOPPED: Report("failed", "21610"),
    Fate.UNKNOWN: Report("undelivered", "30008"),
    Fate.FILTERED: Report("undelivered", "30007"),
}


@dataclass(frozen=True)
class Recipient:
    contact: str
    phone: str


@dataclass(frozen=True)
class Sent:
    """What was done: the sender's id of the message, how many texts, and how many receipts the provider sent."""

    message_id: str
    deliveries: int
    receipts: int


@dataclass(frozen=True)
class Sender:
    """`bot` is an HTTP client whose base URL is the bot's, as which the callbacks are signed, too."""

    engine: Engine
    bot: httpx.Client
    ingest_token: str
    twilio_auth_token: str
    truth: Callable[[str], Fate]

    def send(self, title: str, *, now: datetime, progress: Progress | None = None) -> Sent:
        """Text every family and report every delivery; returns when the last receipt was taken.

        `progress` is called with (receipts taken, receipts in all).

        Raises:
            httpx.HTTPError: the bot refused, or is not there.
        """
        message_id = f"{now:%Y-%m-%d-%H%M%S}-{re.sub('[^a-z0-9]+', '-', fold(title))}"[:80].rstrip("-")
        recipients = self._recipients()
        for first in range(0, len(recipients) or 1, _BATCH):
            self._register(message_id, title, now, recipients[first : first + _BATCH])
        callbacks = [list(callbacks_of(message_id, one, self.truth(one.phone), now)) for one in recipients]
        taken = self._report(callbacks, progress or (lambda _done, _total: None))
        return Sent(message_id, len(recipients), taken)

    def _recipients(self) -> list[Recipient]:
        """Each contact once, however many children they have."""
        view = effective_contacts.c
        whom = (
            select(view.contact_sourced_id, view.phone)
            .where(view.method == "text", view.phone.is_not(None), ~view.opted_out)
            .distinct()
            .order_by(view.contact_sourced_id)
        )
        with transaction(self.engine) as session:
            return [Recipient(contact, phone) for contact, phone in session.execute(whom)]

    def _register(self, message_id: str, title: str, now: datetime, batch: Sequence[Recipient]) -> None:
        message = {
            "id": message_id,
            "title": title,
            "sender": "office@maplewood.example",
            "sent_at": now.isoformat(),
            "deliveries": [_delivery(message_id, one) for one in batch],
        }
        bearer = {"Authorization": f"Bearer {self.ingest_token}"}
        self.bot.post("/mass-messages", json=message, headers=bearer).raise_for_status()

    def _report(self, callbacks: list[list[Form]], progress: Progress) -> int:
        """Several at once, as a provider does; those of one delivery in their order."""
        done, total = 0, sum(map(len, callbacks))
        progress(done, total)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="provider") as pool:
            for reported in as_completed([pool.submit(self._call_back, one) for one in callbacks]):
                done += reported.result()
                progress(done, total)
        return done

    def _call_back(self, forms: list[Form]) -> int:
        url = str(self.bot.base_url).rstrip("/") + RECEIPTS
        for form in forms:
            signature = {"X-Twilio-Signature": sign(self.twilio_auth_token, url, form)}
            self.bot.post(RECEIPTS, data=form, headers=signature).raise_for_status()
        return len(forms)


def callbacks_of(message_id: str, one: Recipient, fate: Fate, now: datetime) -> Iterator[Form]:
    """The callbacks of one delivery: `sent`, then the final one; `failed` never reached a carrier, so nothing was sent.

    By the delivery's id, one in sixteen final callbacks comes twice and one in sixteen before its `sent`.
    """
    sid, report = _sid(message_id, one), _REPORTS[fate]
    common = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "From": _FROM,
        "To": one.phone,
        "MessageSid": sid,
    }
    sent = {**common, "SmsSid": sid, "MessageStatus": "sent", "SmsStatus": "sent"}
    code = {"ErrorCode": report.code} if report.code else {"RawDlrDoneDate": f"{now:%y%m%d%H%M}"}
    final = {**common, "SmsSid": sid, "MessageStatus": report.status, "SmsStatus": report.status, **code}
    if report.status == "failed":
        yield final
    elif sid.endswith("0"):
        yield from (final, sent)
    elif sid.endswith("1"):
        yield from (sent, final, final)
    else:
        yield from (sent, final)


def sign(auth_token: str, url: str, form: Form) -> str:
    """`X-Twilio-Signature`: base64 of the HMAC-SHA1 over the URL and each parameter's name and value, sorted by name."""
    basis = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), basis.encode(), hashlib.sha1).digest()).decode()


def _delivery(message_id: str, one: Recipient) -> dict[str, Any]:
    return {"contact": one.contact, "to": one.phone, "provider": "twilio", "provider_id": _sid(message_id, one)}


def _sid(message_id: str, one: Recipient) -> str:
    digest = hashlib.sha256(f"{message_id}/{one.contact}/{one.phone}".encode()).hexdigest()
    return f"SM{digest[:32]}"
