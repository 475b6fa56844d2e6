"""Sinch: JSON signed with the secret of the service plan (HMAC, which Sinch's account manager switches on).

Texts have to be sent with `delivery_report: per_recipient`; a report on a whole batch names nobody whom we could list. One
batch is one or many texts, so a sender registers `<batch_id>:<to>` as `provider_id`, with `to` in E.164. Sinch tries again
after a 5xx, for about a day, and never after another 4xx than 429; so what a secret set right can mend is answered 5xx.
Source: Sinch's references of SMS webhooks, delivery report codes and SMPP error codes.
"""

import base64
import hmac
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers import sinch_codes
from bot.providers.callback import Callback, check_age, e164, moment, needed, same, word
from bot.providers.receipt import AFTER_CARRIER, BEFORE_CARRIER, Code, Malformed, Parsed, ParsedReceipt, TryAgain, weigh
from bot.providers.texted import heard

NAME = "sinch"
SECRET = "sinch_webhook_secret"  # noqa: S105 - the name of a setting.
CODES = sinch_codes.CODES
# The last try comes 22 hours and 45 minutes after the first, and Sinch does not say that it signs anew. What somebody
# sends again is stored once in any case.
_TRIED_FOR = timedelta(hours=25)

logger = logging.getLogger(__name__)


def verify(secret: str, callback: Callback) -> None:
    """Check that Sinch signed this body with our secret: base64 of HMAC-SHA256 over `body.nonce.timestamp`.

    The algorithm is ours to say: the header that names one is not read.

    Raises:
        BadSignature: it is not signed, not with this secret, or too long ago.
    """
    given, nonce, stamp = (callback.header(f"x-sinch-webhook-signature{part}") for part in ("", "-nonce", "-timestamp"))
    if not secret or not given:
        raise TryAgain("no signature; Sinch's account manager has to switch HMAC on for the service plan")
    signed = callback.body + f".{nonce}.{stamp}".encode("utf-8", "surrogatepass")
    if not same(given, base64.b64encode(hmac.new(secret.encode(), signed, sha256).digest())):
        raise TryAgain("the signature does not fit")
    check_age(stamp, callback, tolerance=_TRIED_FOR)


def parse(callback: Callback) -> Parsed:
    """What a verified request says: one receipt, one STOP or START, or nothing (a text from a family, a batch's summary).

    Raises:
        Malformed: it is not a Sinch callback.
    """
    event = callback.json_object()
    kind = needed(event.get("type"), "type")
    return _READERS.get(kind, _nothing)(event)


def _nothing(event: Mapping[str, Any]) -> Parsed:
    logger.warning("sinch: %s says nothing of one delivery; use delivery_report: per_recipient", event["type"])
    return []


def _inbound(event: Mapping[str, Any]) -> Parsed:
    message_id = needed(event.get("id"), "id")
    return heard(NAME, f"{message_id}:inbound", sender=event.get("from"), text=event.get("body"))


def _receipt(event: Mapping[str, Any]) -> Parsed:
    batch = needed(event.get("batch_id"), "batch_id")
    phone = e164(event.get("recipient"))
    status = needed(event.get("status"), "status").capitalize()
    number = word(event.get("code"), "code")
    if phone is None:
        raise Malformed("no recipient")
    code = (number if number.startswith("4") and len(number) == len("400") else f"dlr:{number}") if number else None
    at = moment(event.get("at"))
    receipt = ParsedReceipt.of(
        _meaning(batch, f"status:{status}", [code] if code else []),
        provider=NAME,
        event_key=f"{batch}:{phone}:{status}:{number}:{at.isoformat() if at else ''}",
        provider_id=f"{batch}:{phone}",
        phone=phone,
        code=code,
        occurred_at=moment(event.get("operator_status_at")) or at,
    )
    return [receipt]


def _meaning(batch: str, status: str, said: list[str]) -> Code:
    is_ours = status in CODES and CODES[status].outcome is Outcome.NOT_CONTACT_PROBLEM
    otherwise = BEFORE_CARRIER if is_ours else AFTER_CARRIER
    return weigh(NAME, CODES, status, said, message=batch, otherwise=otherwise)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Parsed]] = {
    "recipient_delivery_report_sms": _receipt,
    "recipient_delivery_report_mms": _receipt,
    "mo_text": _inbound,
    "mo_binary": lambda _event: [],
    "mo_media": lambda _event: [],
}
