"""Sinch: JSON signed with the secret of the service plan (HMAC, which Sinch's account manager turns on).

Texts have to be sent with `delivery_report: per_recipient`; a report on a whole batch names no recipient. One batch is one or
many texts, so the sender registers `<batch_id>:<to>` as `provider_id`, with `to` in E.164. Sinch tries again for about a day
after a 5xx, but never after a 4xx other than 429; so the answer is a 5xx where correcting our secret would help.

Of the codes, the 400s are Sinch's own and `dlr:` are those of carriers and of SMPP. The latter come from whichever system on the
way reported the failure (subscriber register, switch, message center, next gateway), so one cause has many numbers.
Source: Sinch's references of SMS webhooks, delivery report codes, and SMPP error codes.
"""

import base64
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_age, e164, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    AFTER_CARRIER,
    BEFORE_CARRIER,
    Code,
    Malformed,
    Parsed,
    ParsedReceipt,
    TryAgain,
    look_up_failure,
)

logger = logging.getLogger(__name__)

NAME = "sinch"
SECRET = "sinch_webhook_secret"  # noqa: S105 - the name of a setting.

# Sinch's last attempt is 22 hours and 45 minutes after the first, and it does not promise to sign anew. A replayed report is
# stored only once anyway.
_RETRY_PERIOD = timedelta(hours=25)


def verify(secret: str, callback: Callback) -> None:
    """Check that Sinch signed this body with our secret: base64 of HMAC-SHA256 over `body.nonce.timestamp`.

    The header that names an algorithm is ignored: only this one is accepted.
    """
    given, nonce, stamp = (callback.header(f"x-sinch-webhook-signature{part}") for part in ("", "-nonce", "-timestamp"))
    if not secret or not given:
        raise TryAgain("no signature; Sinch's account manager has to turn HMAC on for the service plan")
    signed = callback.body + f".{nonce}.{stamp}".encode("utf-8", "surrogatepass")
    if not is_same(given, base64.b64encode(hmac.new(secret.encode(), signed, sha256).digest())):
        raise TryAgain("the signature does not match")
    check_age(stamp, callback, tolerance=_RETRY_PERIOD)


def parse(callback: Callback) -> Parsed:
    """Return the receipt, opt-out, or opt-in of a verified request; nothing for other texts and for reports on a batch."""
    event = callback.json_object()
    kind = required_token(event.get("type"), "type")
    parser = _PARSERS.get(kind)
    if parser is None:
        logger.warning("sinch: %s is not about one delivery; use delivery_report: per_recipient", kind)
        return []
    return parser(event)


def _inbound(event: Mapping[str, Any]) -> Parsed:
    event_key = f"{required_token(event.get('id'), 'id')}:inbound"
    return opt_out_messages(NAME, event_key, sender=event.get("from"), text=event.get("body"))


def _receipt(event: Mapping[str, Any]) -> Parsed:
    batch_id, phone = required_token(event.get("batch_id"), "batch_id"), e164(event.get("recipient"))
    status = f"status:{required_token(event.get('status'), 'status').capitalize()}"
    number = token(event.get("code"), "code")
    if phone is None:
        raise Malformed("no recipient")
    is_sinchs_own = number.startswith("4") and len(number) == len("400")
    code = (number if is_sinchs_own else f"dlr:{number}") if number else None
    is_before_carrier = status in CODES and CODES[status].outcome is Outcome.NOT_CONTACT_PROBLEM
    default = BEFORE_CARRIER if is_before_carrier else AFTER_CARRIER
    at = timestamp(event.get("at"))
    receipt = ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, status, [code] if code else [], message_id=batch_id, default=default),
        provider=NAME,
        event_key=f"{batch_id}:{phone}:{status.removeprefix('status:')}:{number}:{at.isoformat() if at else ''}",
        provider_id=f"{batch_id}:{phone}",
        phone=phone,
        code=code,
        occurred_at=timestamp(event.get("operator_status_at")) or at,
    )
    return [receipt]


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], Parsed]] = {
    "recipient_delivery_report_sms": _receipt,
    "recipient_delivery_report_mms": _receipt,
    "mo_text": _inbound,
    "mo_binary": lambda _event: [],
    "mo_media": lambda _event: [],
}


_OURS = Outcome.NOT_CONTACT_PROBLEM

_SINCHS_OWN: Mapping[str, Code] = {
    "status:Queued": Code(Outcome.PENDING, "The text is queued at Sinch."),
    "status:Dispatched": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "status:Delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:Aborted": Code(_OURS, "The text never left Sinch, and Sinch gave no reason."),
    "status:Cancelled": Code(_OURS, "We canceled the text before it was sent."),
    "status:Rejected": Code(Outcome.UNCONFIRMED, "It was refused without a reason.", shaky=True, reasonless=True),
    "status:Failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:Expired": Code(Outcome.UNCONFIRMED, "The text expired before it arrived.", shaky=True),
    "status:Deleted": Code(_OURS, "The text was deleted before it was sent."),
    "status:Unknown": Code(Outcome.UNCONFIRMED, "The carrier sent no status, or one that Sinch could not read."),
    "400": Code(Outcome.PENDING, "The text is queued at Sinch."),
    "401": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "402": Code(_OURS, "Sinch could not find a route to the carrier."),
    "403": Code(_OURS, "Sinch had an internal error."),
    "404": Code(_OURS, "Sinch could not hand the text to a carrier for the moment."),
    "405": Code(_OURS, "A placeholder in our text had no value."),
    "406": Code(_OURS, "The text expired while it was queued at Sinch."),
    "407": Code(_OURS, "We canceled the text before it was sent."),
    "408": Code(_OURS, "Sinch refused the text."),
    "410": Code(_OURS, "Sinch found no number of ours to send from."),
    "411": Code(_OURS, "Our text had more parts than we allow."),
    "412": Code(_OURS, "Our account may not text that region."),
    "413": Code(_OURS, "Our Sinch account is blocked.", shaky=True),
    "414": Code(_OURS, "The web address of our picture was wrong.", shaky=True),
    "415": Code(_OURS, "The carrier did not accept our picture message.", shaky=True),
    "416": Code(_OURS, "The carrier or the phone does not accept picture messages.", shaky=True),
    "417": Code(Outcome.UNCONFIRMED, "Our picture message could not reach this number.", shaky=True),
    "418": Code(_OURS, "The phone could not read our picture message.", shaky=True),
}

_CARRIERS: Sequence[tuple[Code, str]] = (
    (Code(Outcome.TURNED_OFF, "The phone was off or out of range."), "153 159 201 202"),
    (Code(Outcome.TURNED_OFF, "The phone was busy."), "203"),
    (Code(Outcome.TURNED_OFF, "The memory of the phone was full."), "158 210"),
    (Code(Outcome.INACTIVE, "The carrier does not know this number."), "100 150"),
    (Code(Outcome.INACTIVE, "The carrier no longer accepts this phone's SIM card."), "205"),
    (Code(Outcome.INACTIVE, "The carrier says that this is not a valid number."), "108 300 301 302 303"),
    (Code(Outcome.BLOCKED, "The contact or the carrier blocks such texts."), "151 254 255 256 257"),
    (Code(Outcome.BLOCKED, "The carrier blocks this phone."), "16 206"),
    (Code(Outcome.BLOCKED, "This number is blocked at Sinch, possibly because of a STOP."), "61"),
    (Code(Outcome.BLOCKED, "The plan of this number does not include texts."), "152 204"),
    (Code(Outcome.LANDLINE, "The device at this number cannot receive texts.", shaky=True), "212"),
    (Code(Outcome.UNCONFIRMED, "The carrier refused and gave no reason.", reasonless=True), "110 160 213 320 321"),
    (Code(Outcome.UNCONFIRMED, "The carrier did not deliver and does not know why.", reasonless=True),
     "0 11 114 164 217 349 399"),
    (Code(Outcome.UNCONFIRMED, "The carrier could not identify this phone for the moment."), "109 200"),
    (Code(Outcome.UNCONFIRMED, "The carrier does not support what the text needed."), "101 154"),
    (Code(Outcome.UNCONFIRMED, "The carrier's systems had a protocol error."),
     "103 104 105 156 157 208 209 211"),
    (Code(Outcome.UNCONFIRMED, "The carrier aborted the delivery."), "111 112 161 162 214 215"),
    (Code(Outcome.UNCONFIRMED, "The next system had a temporary problem."), "322 370"),
    (Code(_OURS, "Sinch could not find a route to the carrier."), "1 2 3 4 5 6 7 8 17"),
    (Code(_OURS, "Sinch has no route for this kind of number."), "9 10 12"),
    (Code(_OURS, "Sinch could not, or was not allowed to, look up where this phone is."), "13 14 77"),
    (Code(_OURS, "A filter stopped the text."), "15"),
    (Code(_OURS, "Our sender does not match the place that the text came from."), "19"),
    (Code(_OURS, "Our sender is blocked."), "60"),
    (Code(_OURS, "A filter stopped our text because of its content."), "62"),
    (Code(_OURS, "The message center that we used is blocked."), "63"),
    (Code(_OURS, "We reached our limit."), "64"),
    (Code(_OURS, "The text was routed in a loop."), "65"),
    (Code(_OURS, "The format of our text is not allowed."), "66 67"),
    (Code(_OURS, "Sinch had an internal error."), "40 50 51 52 53 54 55 56 113 163 216"),
    (Code(_OURS, "The connection to the next system failed."), "18 70 71 72 73 74 75 76 361 362"),
    (Code(_OURS, "The carrier's network failed."), "102 155 207"),
    (Code(_OURS, "The carrier does not know the message center that we used."), "106"),
    (Code(_OURS, "The carrier's network was overloaded."), "107"),
    (Code(_OURS, "The queue of the next system was full."), "360"),
    (Code(_OURS, "The line that we send from is barred from sending."), "250 251 252 253"),
    (Code(_OURS, "The number that we send from is not valid for the next system."), "310 311 312"),
    (Code(_OURS, "The next system did not accept the format of our request."),
     "304 330 331 332 333 334 335 336 337 338 339 340 341 342 343 344 345 346 347 348 350"),
)  # fmt: skip

CODES: Mapping[str, Code] = {
    **_SINCHS_OWN,
    **{f"dlr:{number}": code for code, numbers in _CARRIERS for number in numbers.split()},
}
