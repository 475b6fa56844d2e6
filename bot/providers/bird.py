"""Bird: JSON events signed as Standard Webhooks say, with the `whsec_` secret of the webhook. A code beats the event's type.

The sender registers the `id` (`sms_...`) that the send API gave it for each recipient. Events come more than once and in any
order; `webhook-id` stays the same when one is sent again. Texts through rest.messagebird.com report as `messagebird`, not
here. Source: the event and error types in Bird's own SDKs, and the specification of Standard Webhooks.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_age, e164, member, moment, needed, same, word
from bot.providers.receipt import BadSignature, Code, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

NAME = "bird"
SECRET = "bird_signing_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that one of the signatures is HMAC-SHA256 of `id.timestamp.body` with our secret, not over five minutes old.

    Raises:
        BadSignature: none is, or our secret is not one.
    """
    key, stamp = _key(secret), callback.header("webhook-timestamp")
    check_age(stamp, callback)
    event_id = callback.header("webhook-id").encode("utf-8", "surrogateescape")
    expected = hmac.new(key, b".".join([event_id, stamp.encode(), callback.body]), sha256).digest()
    signature = f"v1,{base64.b64encode(expected).decode()}"
    if not event_id or not any([same(given, signature) for given in callback.header("webhook-signature").split()]):  # noqa: C419 (All.)
        raise BadSignature("no signature fits")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as problem:
        raise BadSignature("BIRD_SIGNING_KEY is not a secret of Bird's") from problem
    if not key:
        raise BadSignature("no secret")
    return key


def parse(callback: Callback) -> Parsed:
    """What a verified event says: one receipt, one STOP or START, or nothing for us.

    Raises:
        Malformed: it is not an event of Bird's.
    """
    event = callback.json()
    kind, data = needed(member(event, "type"), "type"), member(event, "data")
    if not kind.startswith("sms."):
        return []
    if not isinstance(data, dict):
        raise Malformed("an event has no data")
    event_id = needed(callback.header("webhook-id"), "webhook-id")
    if kind == "sms.received":
        return heard(NAME, event_id, sender=data.get("from"), text=data.get("text"))
    return [_receipt(event_id, kind, data, member(event, "timestamp"))]


def _receipt(event_id: str, kind: str, data: Mapping[str, Any], at: Any) -> ParsedReceipt:
    message_id = needed(data.get("sms_id"), "sms_id")
    code = word(member(data.get("error"), "code"), "code") or None
    return ParsedReceipt.of(
        weigh(NAME, CODES, kind, _told(kind, code), message=message_id),
        provider=NAME,
        event_key=event_id,
        provider_id=message_id,
        phone=e164(data.get("to")),
        code=code,
        occurred_at=moment(at),
    )


def _told(kind: str, code: str | None) -> list[str]:
    """`unknown` says nothing that the type would not say better: `sms.rejected` at least is before the carrier."""
    return [code] if code and (code != "unknown" or kind not in CODES) else []


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "sms.accepted": Code(Outcome.PENDING, "Bird has taken the text."),
    "sms.sent": Code(Outcome.PENDING, "A carrier has taken the text."),
    "sms.delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "sms.undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "sms.failed": Code(Outcome.UNCONFIRMED, "It failed, and nobody says why.", shaky=True, reasonless=True),
    "sms.expired": Code(Outcome.UNCONFIRMED, "The text's time ran out before the phone took it."),
    "sms.rejected": Code(_OURS, "Bird refused the text before any carrier had it."),
    "invalid_destination": Code(Outcome.INACTIVE, "Bird says that no such phone number can exist."),
    "unreachable": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "blocked_by_carrier": Code(Outcome.BLOCKED, "The contact's carrier blocks our texts.", reasonless=True),
    "blocked_by_recipient": Code(Outcome.BLOCKED, "The contact blocks our texts."),
    "landline_unreachable": Code(Outcome.LANDLINE, "This number is a landline."),
    "content_rejected": Code(_OURS, "A filter took our words for spam."),
    "sender_unregistered": Code(_OURS, "Our sender is not registered for this carrier."),
    "recipient_opted_out": Code(Outcome.OPT_OUT, "This number has opted out of our texts."),
    "provider_unavailable": Code(_OURS, "Bird or a carrier was down for a while."),
    "insufficient_balance": Code(_OURS, "Our Bird account has no money left."),
    "unknown": Code(Outcome.UNCONFIRMED, "It failed, and Bird does not know why.", reasonless=True),
}
