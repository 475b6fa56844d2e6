"""Generic: receipts from any other source, such as your own gateway or a bridge from SMPP or Kannel.

A POST of JSON, one object or a list of them. `X-Cleanup-Timestamp` is the Unix time in seconds, `X-Cleanup-Signature` the hex
HMAC-SHA256 of `<timestamp>.<body>` with GENERIC_RECEIPTS_SECRET; it expires after five minutes. For example:

    {"id": "7f3a", "message_id": "a1b2c3", "to": "+13125550142", "status": "UNDELIV", "code": "err[twilio-smpp]:001",
     "at": "2026-11-23T15:04:05Z"}

`message_id` is what the sender registered as `provider_id`. `status` is an SMPP state or a Kannel mask (`dlr:2`); `code` is more
specific: `err[<profile>]:001` or `command_status:0x0B` (refused at submit_sm, before any receipt). One of the two is enough. An
`err` overrides the state beside it, unless that is delivered or still on its way; 000 means no error. Every SMSC numbers its
errors differently, so an `err` of a profile without a table here is logged and not used. `id` (of the event) and `at` (ISO 8601)
are optional.

Instead of these fields, or beside them, `"receipt": "id:a1b2c3 stat:UNDELIV err:001"` is the text of an SMPP receipt, with
`"profile"` for its `err`. Some SMSCs write the id in hexadecimal that the sender got in decimal: `message_id` wins.

A text that a family sent is `{"id": "8b41", "from": "+13125550142", "text": "STOP"}`.
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, as_text, check_age, e164, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
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

NAME = "generic"
SECRET = "generic_receipts_secret"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that the time and the body were signed with our secret within five minutes."""
    stamp, given = callback.header("x-cleanup-timestamp"), callback.header("x-cleanup-signature")
    if not secret or not given:
        raise BadSignature("no signature")
    check_age(stamp, callback)
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + callback.body, sha256).hexdigest()
    if not is_same(given.lower(), expected):
        raise BadSignature("the signature does not match")


def parse(callback: Callback) -> Parsed:
    body = callback.json()
    return [parsed for report in (body if isinstance(body, list) else [body]) for parsed in _parse_report(report)]


def _parse_report(report: Any) -> Parsed:
    if not isinstance(report, dict):
        raise Malformed("it is not an object")
    if "text" in report:
        event_key = f"{required_token(report.get('id'), 'id')}:inbound"
        return opt_out_messages(NAME, event_key, sender=report.get("from"), text=report["text"])
    return [_receipt(report)]


def _receipt(report: Mapping[str, Any]) -> ParsedReceipt:
    smpp = _smpp_fields(report.get("receipt"))
    message_id = required_token(report.get("message_id") or smpp.get("id"), "message_id")
    status = _normalize(report.get("status") or smpp.get("stat"), "status")
    code = report.get("code")
    if not code and "err" in smpp:
        profile = token(report.get("profile"), "profile")
        code = f"err[{profile}]:{smpp['err']}" if profile else f"err:{smpp['err']}"
    code = _normalize(code, "code")
    if not status and not code:
        raise Malformed("neither status nor code")
    phone, at = e164(report.get("to")), timestamp(report.get("at"))
    event_id = token(report.get("id"), "id") or f"{message_id}:{phone or ''}:{at or smpp.get('done date', '')}"
    return ParsedReceipt.from_code(
        _entry(message_id, status, code),
        provider=NAME,
        event_key=f"{event_id}:{status}:{code}",
        provider_id=message_id,
        phone=phone,
        code=code or None,
        occurred_at=at,
    )


def _smpp_fields(receipt: Any) -> dict[str, str]:
    """Return the fields of an SMPP receipt, which come in any order. The last, `text:`, holds our own text.

    `done date` is in a time zone that only the SMSC knows, so it only distinguishes two reports.
    """
    head = re.split(r"(?i)(?<!\S)text:", as_text(receipt))[0]
    fields = re.findall(r"(?i)(?<!\S)(id|stat|err|done date):\s?([\w.+-]+)(?![\w:])", head)
    return {name.lower(): value for name, value in fields}


def _normalize(value: Any, name: str) -> str:
    """Return a status or code as the table spells it: SMSCs also write `UNDELIVERABLE`, `err:1`, and `0x0000000b`.

    Raises:
        Malformed: it has none of the forms that this module describes.
    """
    text = as_text(value)
    if not text:
        return ""
    if state := re.fullmatch(r"(?i)(?:stat:)?([A-Z]{1,20})", text):
        return f"stat:{_SHORT_STATES.get(state[1].upper(), state[1].upper())}"
    if mask := re.fullmatch(r"(?i)dlr:([0-9]{1,3})", text):
        return f"dlr:{int(mask[1])}"
    if error := re.fullmatch(r"(?ai)err(\[[\w.+-]{1,32}\])?:(\w{1,3})", text):
        return f"err{(error[1] or '').lower()}:{error[2].upper().zfill(3)}"
    if status := re.fullmatch(r"(?i)command_status:0x([0-9A-F]{1,8})", text):
        return f"command_status:0x{int(status[1], 16):02X}"
    raise Malformed(f"{name} has an unknown form")


def _entry(message_id: str, status: str, code: str) -> Code:
    by_status = look_up(NAME, CODES, [status] if status else [], message_id=message_id, default=ON_ITS_WAY)
    is_on_its_way = by_status.outcome is Outcome.PENDING and status in CODES and not code.startswith(("stat:", "dlr:"))
    is_no_error = bool(status) and code.startswith("err") and code.endswith(":000")
    if not code or by_status.outcome is Outcome.DELIVERED or is_on_its_way or is_no_error:
        return by_status
    unknown = BEFORE_CARRIER if code.startswith("command_status:") else AFTER_CARRIER
    return look_up(NAME, CODES, [code], message_id=message_id, default=by_status if status in CODES else unknown)


# The full names of `message_state` (SMPP 3.4, 5.2.28), and those in the text of a receipt (Appendix B).
_SHORT_STATES = {"DELIVERED": "DELIVRD", "UNDELIVERABLE": "UNDELIV", "ACCEPTED": "ACCEPTD", "REJECTED": "REJECTD"}


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "stat:ENROUTE": Code(Outcome.PENDING, "The text is on its way to the phone."),
    "stat:SCHEDULED": Code(Outcome.PENDING, "The text is scheduled for later."),
    "stat:ACCEPTD": Code(Outcome.PENDING, "The carrier has accepted the text."),
    "stat:DELIVRD": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "stat:EXPIRED": Code(Outcome.UNCONFIRMED, "The text expired before the phone accepted it."),
    "stat:DELETED": Code(_OURS, "The text was canceled before it arrived."),
    "stat:UNDELIV": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "stat:REJECTD": Code(Outcome.UNCONFIRMED, "The carrier refused and gave no reason.", shaky=True, reasonless=True),
    "stat:UNKNOWN": Code(Outcome.UNCONFIRMED, "The carrier does not know what happened to the text."),
    "stat:SKIPPED": Code(_OURS, "The carrier skipped the text.", shaky=True),
    "err[twilio-smpp]:000": Code(Outcome.UNCONFIRMED, "It failed without an error.", shaky=True, reasonless=True),
    "err[twilio-smpp]:001": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "err[twilio-smpp]:002": Code(Outcome.TURNED_OFF, "The memory of the phone was full."),
    "err[twilio-smpp]:003": Code(Outcome.UNCONFIRMED, "The phone and the network had a protocol error."),
    "err[twilio-smpp]:004": Code(Outcome.LANDLINE, "This phone cannot receive texts; it may be a landline.", shaky=True),
    "err[twilio-smpp]:005": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "err[twilio-smpp]:006": Code(Outcome.INACTIVE, "The network no longer admits this phone."),
    "err[twilio-smpp]:007": Code(Outcome.BLOCKED, "The contact's plan does not include texts; only the carrier can change that."),
    "err[twilio-smpp]:008": Code(Outcome.BLOCKED, "The network does not admit this phone."),
    "err[twilio-smpp]:009": Code(Outcome.BLOCKED, "The number is barred from receiving texts."),
    "err[twilio-smpp]:010": Code(Outcome.UNCONFIRMED, "The network where the phone is cannot deliver texts to it."),
    "err[twilio-smpp]:011": Code(Outcome.TURNED_OFF, "The phone was busy."),
    "err[twilio-smpp]:012": Code(_OURS, "The carrier's network failed."),
    "command_status:0x0B": Code(Outcome.INACTIVE, "The carrier says that this is not a valid phone number."),
    "command_status:0x0A": Code(_OURS, "The number we send from is not valid."),
    "command_status:0x01": Code(_OURS, "Our text was longer or shorter than the carrier accepts."),
    "command_status:0x08": Code(_OURS, "The carrier's system failed."),
    "command_status:0x0D": Code(_OURS, "The carrier rejected the login of our gateway."),
    "command_status:0x14": Code(_OURS, "The carrier's queue is full."),
    "command_status:0x45": Code(_OURS, "The carrier did not accept our text."),
    "command_status:0x58": Code(_OURS, "We sent faster than the carrier allows."),
    "command_status:0xFE": Code(Outcome.UNCONFIRMED, "The carrier could not deliver and gave no reason.", reasonless=True),
    "command_status:0xFF": Code(_OURS, "The carrier reports an unknown error."),
    "dlr:1": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "dlr:2": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "dlr:4": Code(Outcome.PENDING, "The text is queued at the carrier."),
    "dlr:8": Code(Outcome.PENDING, "The carrier has accepted the text."),
    "dlr:16": Code(_OURS, "The carrier did not accept our text."),
}  # fmt: skip
