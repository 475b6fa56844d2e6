"""Telnyx: JSON events signed with Ed25519. The code of a failure beats its status word.

Events come twice and out of order: the id of the event tells them apart, and what is final is never taken back. The sender
registers the `id` that the send API answered; for a group text `<id>:<to>`, because all its recipients share one id.
Telnyx's pages disagree on 40300: its list of errors says STOP, a sample says unreachable. We go by the list, and a title
that speaks of something else is logged loudly. Source: Telnyx's message errors and its guide to receiving webhooks.
"""

import logging
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_age, e164, member, moment, needed, said
from bot.providers.receipt import BadSignature, Code, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

logger = logging.getLogger(__name__)

NAME = "telnyx"
SECRET = "telnyx_public_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Telnyx signed this request, not more than five minutes ago.

    `secret` is the public key of the account (base64 of 32 bytes); what is signed is `timestamp|body`, byte for byte.

    Raises:
        BadSignature: it is not signed, not with the key to this one, or too long ago; or ours is not a key.
    """
    stamp = callback.header("telnyx-timestamp")
    check_age(stamp, callback)
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(secret, validate=True))
        signature = b64decode(callback.header("telnyx-signature-ed25519"), validate=True)
        key.verify(signature, f"{stamp}|".encode() + callback.body)
    except (InvalidSignature, ValueError) as problem:
        raise BadSignature("the signature does not fit") from problem


def parse(callback: Callback) -> Parsed:
    """What a verified event says: a receipt for each recipient, one STOP or START, or nothing.

    Raises:
        Malformed: it is not a Telnyx event.
    """
    event = member(callback.json(), "data")
    kind = needed(member(event, "event_type"), "event_type")
    if kind not in {"message.sent", "message.finalized", "message.received"}:
        return []
    event_id = needed(member(event, "id"), "id of the event")
    message = member(event, "payload")
    if kind == "message.received":
        return _inbound(event_id, message)
    return _receipts(event_id, message, moment(member(event, "occurred_at")))


def _inbound(event_id: str, message: Any) -> Parsed:
    return heard(NAME, event_id, sender=member(message, "from", "phone_number"), text=member(message, "text"))


def _receipts(event_id: str, message: Any, at: datetime | None) -> Parsed:
    """One for each recipient. The errors of a group name no recipient, so there only the status words are read."""
    message_id = needed(member(message, "id"), "id of the message")
    to = _list(message, "to")
    if len(to) == 1:
        return [_receipt(to[0], _codes(message_id, message), event_key=event_id, provider_id=message_id, at=at)]
    return [
        _receipt(one, [], event_key=f"{event_id}:{place}", provider_id=f"{message_id}:{_phone(one) or ''}", at=at)
        for place, one in enumerate(to)
    ]


def _receipt(
    recipient: Any, codes: Sequence[str], *, event_key: str, provider_id: str, at: datetime | None
) -> ParsedReceipt:
    status = needed(member(recipient, "status"), "status").lower()
    return ParsedReceipt.of(
        weigh(NAME, CODES, f"status:{status}", codes, message=provider_id.partition(":")[0]),
        provider=NAME,
        event_key=event_key,
        provider_id=provider_id,
        phone=_phone(recipient),
        code=next((code for code in codes if code in CODES), codes[0] if codes else None),
        occurred_at=at,
    )


def _phone(recipient: Any) -> str | None:
    return e164(member(recipient, "phone_number"))


def _codes(message_id: str, message: Any) -> Sequence[str]:
    errors = _list(message, "errors") if member(message, "errors") is not None else []
    codes = [needed(member(error, "code"), "code of the error") for error in errors]
    for code, error in zip(codes, errors, strict=True):
        title = re.sub(r"[^A-Za-z ]", "", said(member(error, "title")))[:64]
        if code == "40300" and title and "stop" not in title.lower():
            logger.error("%s %s: 40300 is called %s, which is not STOP", NAME, message_id, title)
    return codes


def _list(message: Any, name: str) -> Sequence[Any]:
    found = member(message, name)
    if not isinstance(found, list):
        raise Malformed(f"{name} is not a list")
    return found


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 40004, 40008 and a bare `delivery_failed` are the refusals for which the carrier gives no reason.
CODES: Mapping[str, Code] = {
    "status:queued": Code(Outcome.PENDING, "The text waits its turn at Telnyx."),
    "status:sending": Code(Outcome.PENDING, "Telnyx is handing the text over."),
    "status:sent": Code(Outcome.PENDING, "A carrier has taken the text."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:sending_failed": Code(_OURS, "The text never left Telnyx, and Telnyx gave no reason."),
    "status:delivery_failed": Code(
        Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True
    ),
    "status:delivery_unconfirmed": Code(Outcome.UNCONFIRMED, "The carrier never said whether the text arrived."),
    "40001": Code(Outcome.LANDLINE, "This number cannot get texts; most likely it is a landline."),
    "40002": Code(_OURS, "A filter took our words for spam."),
    "40003": Code(_OURS, "The number we send from is blocked for spam."),
    "40004": Code(
        Outcome.BLOCKED, "The receiving side refused the text without a reason.", shaky=True, reasonless=True
    ),
    "40005": Code(Outcome.UNCONFIRMED, "The carrier could not deliver before the text's time ran out."),
    "40006": Code(_OURS, "The carrier's network was down."),
    "40008": Code(Outcome.UNCONFIRMED, "The carrier did not accept the text.", reasonless=True),
    "40009": Code(_OURS, "The words of our text could not be sent as they were."),
    "40010": Code(_OURS, "The number we send from is not registered."),
    "40011": Code(_OURS, "We sent faster than the carrier allows."),
    "40012": Code(Outcome.INACTIVE, "Telnyx says that no such phone number can exist."),
    "40013": Code(_OURS, "The number we send from is not a valid one."),
    "40014": Code(_OURS, "The text's time ran out before Telnyx could send it."),
    "40015": Code(_OURS, "Telnyx took our words for spam."),
    "40016": Code(_OURS, "We reached our limit at T-Mobile."),
    "40017": Code(_OURS, "AT&T took our words for spam."),
    "40018": Code(_OURS, "We reached our limit at AT&T."),
    "40019": Code(_OURS, "AT&T did not understand how our text was labelled."),
    "40020": Code(_OURS, "A guard against made-up traffic stopped the text."),
    "40100": Code(_OURS, "The number we send from is not set up for texts."),
    "40150": Code(_OURS, "Our toll-free number is not in the registry."),
    "40151": Code(_OURS, "Our number is still being set up with another provider."),
    "40155": Code(_OURS, "Telnyx needs a letter from us before our number may send."),
    "40300": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "40301": Code(_OURS, "We sent a kind of text that this number cannot take."),
    "40302": Code(_OURS, "Our text was too large."),
    "40304": Code(_OURS, "The parts of our text do not go together."),
    "40305": Code(_OURS, "The number we send from is not ours to use."),
    "40306": Code(_OURS, "Our sender name is not set up."),
    "40307": Code(_OURS, "Our sender name is not the one we registered."),
    "40308": Code(_OURS, "The number we send from cannot send pictures."),
    "40309": Code(_OURS, "Our account may not text that region."),
    "40310": Code(Outcome.INACTIVE, "Telnyx cannot read this as a phone number."),
    "40311": Code(_OURS, "The secret of our messaging profile is wrong."),
    "40312": Code(_OURS, "Our messaging profile is switched off."),
    "40313": Code(_OURS, "The secret of our messaging profile is missing."),
    "40314": Code(_OURS, "Our account may not send texts."),
    "40315": Code(_OURS, "Too many texts from our number fail, so Telnyx holds it back."),
    "40316": Code(_OURS, "We sent a text without words."),
    "40317": Code(_OURS, "Our picture could not be used."),
    "40318": Code(_OURS, "Too many texts wait behind ours."),
    "40319": Code(_OURS, "Our number and the kind of text do not fit together."),
    "40320": Code(_OURS, "The number we send from cannot be used for a while."),
    "40321": Code(_OURS, "Our messaging profile had no number free to send from."),
    "40322": Code(_OURS, "Our words are not allowed."),
    "40323": Code(_OURS, "Our number could not be set up for texts."),
    "40325": Code(_OURS, "Our sender name is not allowed."),
    "40328": Code(_OURS, "Our text was longer than is advised."),
    "40329": Code(_OURS, "Our toll-free number is not verified."),
    "40330": Code(_OURS, "Our toll-free number is not set up for texts."),
    "40331": Code(_OURS, "Our messaging profile does not say where it may send."),
    "40333": Code(_OURS, "Our account reached its spending limit."),
    "10009": Code(_OURS, "Our Telnyx credentials were not accepted."),
    "10011": Code(_OURS, "We asked Telnyx for too much at once."),
}
