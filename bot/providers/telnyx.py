"""Telnyx: JSON events signed with Ed25519. An error code overrides the status.

Events are repeated and arrive out of order: the event's id identifies a repeated one, or the message's id if a family sent it.
The sender registers the `id` that the send API returned; for a group text `<id>:<to>`, because all its recipients share one id.
Telnyx's pages disagree on 40300: the list of errors says STOP, a sample says unreachable. We follow the list and log an error
if its title says anything else. A failover URL in the messaging profile doubles its attempts (`docs/retries.md`). Source:
Telnyx's message errors and its guide to receiving webhooks.
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
from bot.providers.callback import Callback, as_text, check_age, e164, field, required_token, timestamp
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    BadSignature,
    Code,
    FamilyText,
    Malformed,
    OptOutMessage,
    Parsed,
    ParsedReceipt,
    look_up_failure,
)

logger = logging.getLogger(__name__)

NAME = "telnyx"
SECRET = "telnyx_public_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Telnyx signed this request within five minutes.

    `secret` is the account's public key (base64 of 32 bytes); the signed text is `timestamp|body`, byte for byte.
    """
    stamp = callback.header("telnyx-timestamp")
    check_age(stamp, callback)
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(secret, validate=True))
        signature = b64decode(callback.header("telnyx-signature-ed25519"), validate=True)
        key.verify(signature, f"{stamp}|".encode() + callback.body)
    except (InvalidSignature, ValueError) as problem:
        raise BadSignature("the signature does not match") from problem


def parse(callback: Callback) -> Parsed:
    """Return a receipt for each recipient, or the opt-out or opt-in of a verified event; nothing for other events."""
    event = field(callback.json(), "data")
    kind = required_token(field(event, "event_type"), "event_type")
    if kind not in {"message.sent", "message.finalized", "message.received"}:
        return []
    event_id = required_token(field(event, "id"), "id of the event")
    message = field(event, "payload")
    if kind == "message.received":
        return read_inbound(required_token(field(message, "id"), "id of the message"), message)
    return _receipts(event_id, message, timestamp(field(event, "occurred_at")))


def read_inbound(message_id: str, message: Any) -> Sequence[OptOutMessage | FamilyText]:
    """Return what a text of a family means, as an event or `GET /v2/messages/{id}` shows it."""
    sender = field(message, "from", "phone_number")
    return opt_out_messages(NAME, f"{message_id}:inbound", sender=sender, text=field(message, "text"))


def _receipts(event_id: str, message: Any, at: datetime | None) -> Parsed:
    """Return a receipt for each recipient. The errors of a group text name no recipient, so there only the statuses count."""
    message_id = required_token(field(message, "id"), "id of the message")
    recipients = _list(message, "to")
    if len(recipients) == 1:
        codes = _codes(message_id, message)
        return [read_receipt(recipients[0], codes, event_key=event_id, provider_id=message_id, at=at)]
    return [
        read_receipt(
            recipient,
            [],
            event_key=f"{event_id}:{index}",
            provider_id=f"{message_id}:{e164(field(recipient, 'phone_number')) or ''}",
            at=at,
        )
        for index, recipient in enumerate(recipients)
    ]


def read_receipt(
    recipient: Any, codes: Sequence[str], *, event_key: str, provider_id: str, at: datetime | None
) -> ParsedReceipt:
    """Return what the status and number of a recipient mean, with the codes of its errors. An unknown code is logged."""
    status = required_token(field(recipient, "status"), "status").lower()
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"status:{status}", codes, message_id=provider_id.partition(":")[0]),
        provider=NAME,
        event_key=event_key,
        provider_id=provider_id,
        phone=e164(field(recipient, "phone_number")),
        code=next((code for code in codes if code in CODES), codes[0] if codes else None),
        occurred_at=at,
    )


def _codes(message_id: str, message: Any) -> Sequence[str]:
    errors = _list(message, "errors") if field(message, "errors") is not None else []
    codes = [required_token(field(error, "code"), "code of the error") for error in errors]
    for code, error in zip(codes, errors, strict=True):
        title = re.sub(r"[^A-Za-z ]", "", as_text(field(error, "title")))[:64]
        if code == "40300" and title and "stop" not in title.lower():
            logger.error("%s %s: the title of 40300 is %s, not STOP", NAME, message_id, title)
    return codes


def _list(message: Any, name: str) -> Sequence[Any]:
    items = field(message, name)
    if not isinstance(items, list):
        raise Malformed(f"{name} is not a list")
    return items


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 40004, 40008 and a bare `delivery_failed` are refusals without a reason.
CODES: Mapping[str, Code] = {
    "status:queued": Code(Outcome.PENDING, "The text is queued at Telnyx."),
    "status:sending": Code(Outcome.PENDING, "Telnyx is handing the text to a carrier."),
    "status:sent": Code(Outcome.PENDING, "A carrier has accepted the text."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:sending_failed": Code(_OURS, "The text never left Telnyx, and Telnyx gave no reason."),
    "status:delivery_failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:delivery_unconfirmed": Code(Outcome.UNCONFIRMED, "The carrier never reported whether the text arrived."),
    "40001": Code(Outcome.LANDLINE, "This number cannot receive texts; most likely it is a landline."),
    "40002": Code(_OURS, "A spam filter stopped our text."),
    "40003": Code(_OURS, "The number we send from is blocked for spam."),
    "40004": Code(Outcome.BLOCKED, "The receiving side refused the text without a reason.", shaky=True, reasonless=True),
    "40005": Code(Outcome.UNCONFIRMED, "The carrier could not deliver before the text expired."),
    "40006": Code(_OURS, "The carrier's network was down."),
    "40008": Code(Outcome.UNCONFIRMED, "The carrier did not accept the text.", reasonless=True),
    "40009": Code(_OURS, "The content of our text could not be sent."),
    "40010": Code(_OURS, "The number we send from is not registered."),
    "40011": Code(_OURS, "We sent faster than the carrier allows."),
    "40012": Code(Outcome.INACTIVE, "Telnyx says that this is not a valid phone number."),
    "40013": Code(_OURS, "The number we send from is not valid."),
    "40014": Code(_OURS, "The text expired before Telnyx could send it."),
    "40015": Code(_OURS, "Telnyx took our text for spam."),
    "40016": Code(_OURS, "We reached our limit at T-Mobile."),
    "40017": Code(_OURS, "AT&T took our text for spam."),
    "40018": Code(_OURS, "We reached our limit at AT&T."),
    "40019": Code(_OURS, "AT&T did not understand how our text was labeled."),
    "40020": Code(_OURS, "Protection against artificial traffic stopped the text."),
    "40100": Code(_OURS, "The number we send from is not set up for texts."),
    "40150": Code(_OURS, "Our toll-free number is not in the registry."),
    "40151": Code(_OURS, "Our number is still being set up with another provider."),
    "40155": Code(_OURS, "Telnyx needs a letter of authorization before our number may send."),
    "40300": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "40301": Code(_OURS, "We sent a kind of text that this number cannot take."),
    "40302": Code(_OURS, "Our text was too large."),
    "40304": Code(_OURS, "The parts of our text do not belong together."),
    "40305": Code(_OURS, "The number we send from is not ours to use."),
    "40306": Code(_OURS, "Our sender name is not set up."),
    "40307": Code(_OURS, "Our sender name is not the one we registered."),
    "40308": Code(_OURS, "The number we send from cannot send pictures."),
    "40309": Code(_OURS, "Our account may not text that region."),
    "40310": Code(Outcome.INACTIVE, "Telnyx cannot read this as a phone number."),
    "40311": Code(_OURS, "The secret of our messaging profile is wrong."),
    "40312": Code(_OURS, "Our messaging profile is disabled."),
    "40313": Code(_OURS, "The secret of our messaging profile is missing."),
    "40314": Code(_OURS, "Our account may not send texts."),
    "40315": Code(_OURS, "Too many texts from our number fail, so Telnyx restricts it."),
    "40316": Code(_OURS, "We sent an empty text."),
    "40317": Code(_OURS, "Our picture could not be used."),
    "40318": Code(_OURS, "Too many texts are queued."),
    "40319": Code(_OURS, "Our number cannot send this kind of text."),
    "40320": Code(_OURS, "The number we send from cannot be used for a while."),
    "40321": Code(_OURS, "Our messaging profile had no free number to send from."),
    "40322": Code(_OURS, "The content of our text is not allowed."),
    "40323": Code(_OURS, "Our number could not be set up for texts."),
    "40325": Code(_OURS, "Our sender name is not allowed."),
    "40328": Code(_OURS, "Our text was longer than recommended."),
    "40329": Code(_OURS, "Our toll-free number is not verified."),
    "40330": Code(_OURS, "Our toll-free number is not set up for texts."),
    "40331": Code(_OURS, "Our messaging profile does not specify where it may send."),
    "40333": Code(_OURS, "Our account reached its spending limit."),
    "10009": Code(_OURS, "Our Telnyx credentials were not accepted."),
    "10011": Code(_OURS, "We sent Telnyx too many requests at once."),
}  # fmt: skip
