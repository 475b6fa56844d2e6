"""Bird: JSON events signed according to Standard Webhooks, with the webhook's `whsec_` secret. An error code overrides the type.

The sender registers the `id` (`sms_...`) that the send API returned for each recipient. Events may be repeated and arrive in any
order; a repeated one keeps its `webhook-id`. Texts sent through rest.messagebird.com report to `messagebird` instead. Source:
the event and error types in Bird's own SDKs, and the specification of Standard Webhooks.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import (
    Callback,
    check_age,
    decode_base64,
    e164,
    field,
    is_any,
    required_token,
    timestamp,
    token,
)
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import BadSignature, Code, Malformed, Parsed, ParsedReceipt, look_up_failure

NAME = "bird"
SECRET = "bird_signing_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that one of the signatures is HMAC-SHA256 of `id.timestamp.body` with our secret, at most five minutes old."""
    key, stamp = decode_base64(secret.removeprefix("whsec_")), callback.header("webhook-timestamp")
    if not key:
        raise BadSignature("BIRD_SIGNING_KEY is not one of Bird's secrets")
    check_age(stamp, callback)
    event_id = callback.header("webhook-id").encode("utf-8", "surrogateescape")
    digest = hmac.new(key, b".".join([event_id, stamp.encode(), callback.body]), sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    if not event_id or not is_any(callback.header("webhook-signature").split(), expected):
        raise BadSignature("no signature matches")


def parse(callback: Callback) -> Parsed:
    event = callback.json()
    kind, data = required_token(field(event, "type"), "type"), field(event, "data")
    if not kind.startswith("sms."):
        return []
    if not isinstance(data, dict):
        raise Malformed("an event has no data")
    event_id = required_token(callback.header("webhook-id"), "webhook-id")
    if kind == "sms.received":
        return opt_out_messages(NAME, event_id, sender=data.get("from"), text=data.get("text"))
    return [_receipt(event_id, kind, data, field(event, "timestamp"))]


def _receipt(event_id: str, kind: str, data: Mapping[str, Any], time: Any) -> ParsedReceipt:
    message_id = required_token(data.get("sms_id"), "sms_id")
    code = token(field(data.get("error"), "code"), "code") or None
    # A known type says more than the code `unknown`: `sms.rejected`, for one, happens before the carrier.
    codes = [code] if code and (code != "unknown" or kind not in CODES) else []
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, kind, codes, message_id=message_id),
        provider=NAME,
        event_key=event_id,
        provider_id=message_id,
        phone=e164(data.get("to")),
        code=code,
        occurred_at=timestamp(time),
    )


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "sms.accepted": Code(Outcome.PENDING, "Bird has accepted the text."),
    "sms.sent": Code(Outcome.PENDING, "A carrier has accepted the text."),
    "sms.delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "sms.undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "sms.failed": Code(Outcome.UNCONFIRMED, "It failed, for an unknown reason.", shaky=True, reasonless=True),
    "sms.expired": Code(Outcome.UNCONFIRMED, "The text expired before the phone accepted it."),
    "sms.rejected": Code(_OURS, "Bird refused the text before any carrier had it."),
    "invalid_destination": Code(Outcome.INACTIVE, "Bird says that this is not a valid phone number."),
    "unreachable": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "blocked_by_carrier": Code(Outcome.BLOCKED, "The contact's carrier blocks our texts.", reasonless=True),
    "blocked_by_recipient": Code(Outcome.BLOCKED, "The contact blocks our texts."),
    "landline_unreachable": Code(Outcome.LANDLINE, "This number is a landline."),
    "content_rejected": Code(_OURS, "A spam filter stopped our text."),
    "sender_unregistered": Code(_OURS, "Our sender is not registered for this carrier."),
    "recipient_opted_out": Code(Outcome.OPT_OUT, "This number has opted out of our texts."),
    "provider_unavailable": Code(_OURS, "Bird or a carrier was temporarily down."),
    "insufficient_balance": Code(_OURS, "Our Bird account has no credit left."),
    "unknown": Code(Outcome.UNCONFIRMED, "It failed, and Bird does not know why.", reasonless=True),
}
