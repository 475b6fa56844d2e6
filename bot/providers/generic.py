"""Generic: the receipt for whoever has no file here, such as a gateway of one's own or a bridge from SMPP or Kannel.

A POST of JSON, one object or a list of them. `X-Cleanup-Timestamp` is the Unix time in seconds, `X-Cleanup-Signature` the
hex HMAC-SHA256 of `<timestamp>.<body>` with GENERIC_RECEIPTS_SECRET; five minutes later it is too old. For example:

    {"id": "7f3a", "message_id": "a1b2c3", "to": "+13125550142", "status": "UNDELIV", "code": "err[twilio-smpp]:001",
     "at": "2026-11-23T15:04:05Z"}

`message_id` is what the sender registered as `provider_id`. `status` is a state of SMPP or a Kannel mask (`dlr:2`); `code`
says more: `err[<profile>]:001` or `command_status:0x0B` (refused at submit_sm, before any receipt). One of the two is
enough. An `err` beats the state that it comes with, unless that is final success or still on its way; 000 is no error.
Every SMSC numbers its errors its own way, so an `err` of a profile that has no table here is logged and not believed.
`id` (of the event) and `at` (ISO 8601) may be left out.

Instead of those, or beside them, `"receipt": "id:a1b2c3 stat:UNDELIV err:001"` is the text of an SMPP receipt as it came,
with `"profile"` for its `err`. Its id is hexadecimal where the sender got a decimal one at some SMSCs: `message_id` wins.

A text that a family sent is `{"id": "8b41", "from": "+13125550142", "text": "STOP"}`.
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_age, e164, moment, needed, said, same, word
from bot.providers.receipt import (
    AFTER_CARRIER,
    BEFORE_CARRIER,
    ON_ITS_WAY,
    BadSignature,
    Code,
    Malformed,
    Parsed,
    ParsedReceipt,
    look_up,
)
from bot.providers.texted import heard

NAME = "generic"
SECRET = "generic_receipts_secret"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that the time and the body were signed with our secret, and lately.

    Raises:
        BadSignature: they were not.
    """
    stamp, given = callback.header("x-cleanup-timestamp"), callback.header("x-cleanup-signature")
    if not secret or not given:
        raise BadSignature("no signature")
    check_age(stamp, callback)
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + callback.body, sha256)
    if not same(given.lower(), signed.hexdigest()):
        raise BadSignature("the signature does not fit")


def parse(callback: Callback) -> Parsed:
    """All receipts, STOPs and STARTs of a verified request; other texts from families are left out.

    Raises:
        Malformed: one of them is not as this module describes; then none is taken.
    """
    read = callback.json()
    return [one for told in (read if isinstance(read, list) else [read]) for one in _read(told)]


def _read(told: Any) -> Parsed:
    if not isinstance(told, dict):
        raise Malformed("it is not an object")
    return _text(told) if "text" in told else [_receipt(told)]


def _text(told: Mapping[str, Any]) -> Parsed:
    event = needed(told.get("id"), "id")
    return heard(NAME, f"{event}:inbound", sender=told.get("from"), text=told.get("text"))


def _receipt(told: Mapping[str, Any]) -> ParsedReceipt:
    smpp = _smpp_receipt(told.get("receipt"))
    message_id = needed(told.get("message_id") or smpp.get("id"), "message_id")
    status = _spelled(told.get("status") or smpp.get("stat"), "status")
    code = _spelled(told.get("code") or _error(smpp, word(told.get("profile"), "profile")), "code")
    if not status and not code:
        raise Malformed("neither status nor code")
    phone, at = e164(told.get("to")), moment(told.get("at"))
    event = word(told.get("id"), "id") or f"{message_id}:{phone or ''}:{at or smpp.get('done date', '')}"
    return ParsedReceipt.of(
        _meaning(message_id, status, code),
        provider=NAME,
        event_key=f"{event}:{status}:{code}",
        provider_id=message_id,
        phone=phone,
        code=code or None,
        occurred_at=at,
    )


def _smpp_receipt(text: Any) -> dict[str, str]:
    """The fields of an SMPP receipt that are there, in any order; `text:`, the last, holds words of ours and not of the SMSC.

    Its `done date` is in a time zone that only the SMSC knows, so it tells two reports apart and no more.
    """
    head = re.split(r"(?i)(?<!\S)text:", said(text))[0]
    fields = re.findall(r"(?i)(?<!\S)(id|stat|err|done date):\s?([\w.+-]+)(?![\w:])", head)
    return {name.lower(): value for name, value in fields}


def _error(smpp: Mapping[str, str], profile: str) -> str:
    error = smpp.get("err")
    return "" if error is None else f"err[{profile}]:{error}" if profile else f"err:{error}"


def _spelled(value: Any, name: str) -> str:
    """A status or code as our table spells it: SMSCs write `UNDELIVERABLE`, `err:1` and `0x0000000b`, too.

    Raises:
        Malformed: it is not in one of the forms that this module names.
    """
    text = said(value)
    if not text:
        return ""
    if state := re.fullmatch(r"(?i)(?:stat:)?([A-Z]{1,20})", text):
        return f"stat:{_SHORT.get(state[1].upper(), state[1].upper())}"
    if mask := re.fullmatch(r"(?i)dlr:([0-9]{1,3})", text):
        return f"dlr:{int(mask[1])}"
    if error := re.fullmatch(r"(?ai)err(\[[\w.+-]{1,32}\])?:(\w{1,3})", text):
        return f"err{(error[1] or '').lower()}:{error[2].upper().zfill(3)}"
    if status := re.fullmatch(r"(?i)command_status:0x([0-9A-F]{1,8})", text):
        return f"command_status:0x{int(status[1], 16):02X}"
    raise Malformed(f"{name} is none that this door knows")


def _meaning(message_id: str, status: str, code: str) -> Code:
    by_status = look_up(NAME, CODES, [status] if status else [], message=message_id, otherwise=ON_ITS_WAY)
    is_under_way = by_status.outcome is Outcome.PENDING and status in CODES and not code.startswith(("stat:", "dlr:"))
    is_no_error = bool(status) and code.startswith("err") and code.endswith(":000")
    if not code or by_status.outcome is Outcome.DELIVERED or is_under_way or is_no_error:
        return by_status
    blind = BEFORE_CARRIER if code.startswith("command_status:") else AFTER_CARRIER
    return look_up(NAME, CODES, [code], message=message_id, otherwise=by_status if status in CODES else blind)


# How `message_state` is called in full (SMPP 3.4, 5.2.28) and in the text of a receipt (Appendix B).
_SHORT = {"DELIVERED": "DELIVRD", "UNDELIVERABLE": "UNDELIV", "ACCEPTED": "ACCEPTD", "REJECTED": "REJECTD"}
_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "stat:ENROUTE": Code(Outcome.PENDING, "The text is on its way to the phone."),
    "stat:SCHEDULED": Code(Outcome.PENDING, "The text is planned for later."),
    "stat:ACCEPTD": Code(Outcome.PENDING, "The carrier has taken the text."),
    "stat:DELIVRD": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "stat:EXPIRED": Code(Outcome.UNCONFIRMED, "The text's time ran out before the phone took it."),
    "stat:DELETED": Code(_OURS, "The text was called back before it arrived."),
    "stat:UNDELIV": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "stat:REJECTD": Code(Outcome.UNCONFIRMED, "The carrier refused and gave no reason.", shaky=True, reasonless=True),
    "stat:UNKNOWN": Code(Outcome.UNCONFIRMED, "The carrier does not know what became of the text."),
    "stat:SKIPPED": Code(_OURS, "The carrier passed over the text.", shaky=True),
    "err[twilio-smpp]:000": Code(Outcome.UNCONFIRMED, "It failed without an error.", shaky=True, reasonless=True),
    "err[twilio-smpp]:001": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "err[twilio-smpp]:002": Code(Outcome.TURNED_OFF, "The phone had no room for another text."),
    "err[twilio-smpp]:003": Code(Outcome.UNCONFIRMED, "The phone and the network did not understand each other."),
    "err[twilio-smpp]:004": Code(Outcome.LANDLINE, "This phone cannot get texts; it may be a landline.", shaky=True),
    "err[twilio-smpp]:005": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "err[twilio-smpp]:006": Code(Outcome.INACTIVE, "The network does not admit this phone any more."),
    "err[twilio-smpp]:007": Code(Outcome.BLOCKED, "The contact's plan has no texts; only the carrier can change that."),
    "err[twilio-smpp]:008": Code(Outcome.BLOCKED, "The network does not admit this phone."),
    "err[twilio-smpp]:009": Code(Outcome.BLOCKED, "The number is barred from getting texts."),
    "err[twilio-smpp]:010": Code(Outcome.UNCONFIRMED, "The network where the phone is cannot deliver texts to it."),
    "err[twilio-smpp]:011": Code(Outcome.TURNED_OFF, "The phone was busy."),
    "err[twilio-smpp]:012": Code(_OURS, "The carrier's network failed."),
    "command_status:0x0B": Code(Outcome.INACTIVE, "The carrier says that no such phone number can exist."),
    "command_status:0x0A": Code(_OURS, "The number we send from is not a valid one."),
    "command_status:0x01": Code(_OURS, "Our text was longer or shorter than the carrier takes."),
    "command_status:0x08": Code(_OURS, "The carrier's system failed."),
    "command_status:0x0D": Code(_OURS, "The carrier did not let our gateway in."),
    "command_status:0x14": Code(_OURS, "The carrier's queue is full."),
    "command_status:0x45": Code(_OURS, "The carrier did not take our text."),
    "command_status:0x58": Code(_OURS, "We sent faster than the carrier allows."),
    "command_status:0xFE": Code(
        Outcome.UNCONFIRMED, "The carrier could not deliver and gave no reason.", reasonless=True
    ),
    "command_status:0xFF": Code(_OURS, "The carrier reports an error that it cannot name."),
    "dlr:1": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "dlr:2": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "dlr:4": Code(Outcome.PENDING, "The text waits its turn at the carrier."),
    "dlr:8": Code(Outcome.PENDING, "The carrier has taken the text."),
    "dlr:16": Code(_OURS, "The carrier did not take our text."),
}
