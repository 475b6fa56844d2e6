"""Infobip: several reports in one JSON. Its requests are not signed, so HTTP Basic is the only proof that it is calling.

The user and password are set in Infobip's notification profile (type Basic) and here as `user:password`. Without TLS anyone on
the way can read them, and a repeated request cannot be recognized. The sender registers the `messageId`, which each recipient
has of their own. An error overrides the status beside it; `permanent` only says whether the same text would fail again, so it is
ignored. Source: Infobip's model of delivery reports and its response codes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_basic_auth, e164, field, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    AFTER_CARRIER,
    BEFORE_CARRIER,
    Code,
    Malformed,
    Parsed,
    ParsedReceipt,
    look_up_failure,
)

NAME = "infobip"
SECRET = "infobip_basic_auth"  # noqa: S105 - the name of a setting.

verify = check_basic_auth


def parse(callback: Callback) -> Parsed:
    results = field(callback.json(), "results")
    if not isinstance(results, list):
        raise Malformed("no results")
    return [report for result in results for report in _parse_result(result)]


def _parse_result(result: Any) -> Parsed:
    message_id = required_token(field(result, "messageId"), "messageId")
    if "status" not in result and "from" in result:
        return opt_out_messages(NAME, f"{message_id}:inbound", sender=result["from"], text=result.get("text"))
    return [_receipt(message_id, result)]


def _receipt(message_id: str, result: Mapping[str, Any]) -> ParsedReceipt:
    group = required_token(field(result, "status", "groupName"), "groupName").upper()
    codes = list(_codes(group, result))
    code = next((code for code in codes if code in CODES), codes[0] if codes else None)
    default = BEFORE_CARRIER if group == "REJECTED" else AFTER_CARRIER
    at = timestamp(result.get("doneAt"))
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"group:{group}", codes, message_id=message_id, default=default),
        provider=NAME,
        event_key=f"{message_id}:{group}:{code or ''}:{at.isoformat() if at else ''}",
        provider_id=message_id,
        phone=e164(result.get("to")),
        code=code,
        occurred_at=at,
    )


def _codes(group: str, result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the error (0 means none) and then the status, which says more than its group only if Infobip rejected the text."""
    error = token(field(result, "error", "id"), "id of the error").lstrip("0")
    status = token(field(result, "status", "id"), "id of the status")
    if error:
        yield f"error:{error}"
    if status and (group == "REJECTED" or f"status:{status}" in CODES):
        yield f"status:{status}"


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "group:ACCEPTED": Code(Outcome.PENDING, "Infobip has accepted the text."),
    "group:PENDING": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "group:DELIVERED": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "group:UNDELIVERABLE": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "group:EXPIRED": Code(Outcome.UNCONFIRMED, "The text expired before it arrived."),
    "group:REJECTED": Code(_OURS, "Infobip refused the text and gave no reason."),
    "status:6": Code(_OURS, "Our account is not set up for this carrier."),
    "status:8": Code(Outcome.INACTIVE, "Infobip says that this is not a valid number: its prefix or its length is wrong."),
    "status:10": Code(Outcome.BLOCKED, "This number is on a list of people who do not want such texts."),
    "status:11": Code(_OURS, "Our sender is on Infobip's list of blocked senders."),
    "status:12": Code(_OURS, "Our Infobip account has no credit left."),
    "status:13": Code(_OURS, "Our sender is not allowed on our account."),
    "status:14": Code(Outcome.BLOCKED, "The carrier or our account has this number on its list of blocked numbers."),
    "status:17": Code(_OURS, "Our prepaid package at Infobip has run out."),
    "status:18": Code(_OURS, "Our account is a trial and may only text numbers we have registered."),
    "status:19": Code(_OURS, "Our account has no route to this number."),
    "status:20": Code(_OURS, "We sent the same number too many texts in a short time."),
    "status:21": Code(_OURS, "Infobip had an internal error."),
    "status:23": Code(_OURS, "We gave two texts the same id."),
    "status:24": Code(_OURS, "The format of our text was wrong."),
    "status:25": Code(_OURS, "Our text was too long."),
    "status:51": Code(_OURS, "We did not specify the number to send to."),
    "status:52": Code(Outcome.INACTIVE, "Infobip says that this is not a valid number."),
    "error:0": Code(Outcome.UNCONFIRMED, "Infobip reported no error.", shaky=True, reasonless=True),
    "error:1": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "error:5": Code(Outcome.UNCONFIRMED, "The carrier could not identify this phone for the moment.", shaky=True),
    "error:6": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "error:9": Code(Outcome.INACTIVE, "The carrier no longer accepts this phone's SIM card."),
    "error:11": Code(Outcome.BLOCKED, "The plan of this number does not include texts."),
    "error:12": Code(Outcome.BLOCKED, "The carrier blocks this phone.", shaky=True),
    "error:13": Code(Outcome.BLOCKED, "The contact or the carrier blocks such texts."),
    "error:27": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "error:31": Code(Outcome.TURNED_OFF, "The phone was busy."),
    "error:32": Code(Outcome.UNCONFIRMED, "The delivery failed, and the carrier gave no reason.", reasonless=True),
    "error:34": Code(_OURS, "The carrier's network failed."),
    "error:256": Code(Outcome.TURNED_OFF, "The memory of the phone was full."),
    "error:351": Code(Outcome.INACTIVE, "The carrier says that this is not a valid number."),
    "error:375": Code(_OURS, "The carrier blocks our sender.", shaky=True),
    "error:541": Code(_OURS, "We reached a limit of our account."),
    "error:542": Code(_OURS, "We used up a quota of our account."),
    "error:561": Code(_OURS, "The carrier stopped our text because of its content.", shaky=True),
    "error:603": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "error:604": Code(_OURS, "Our campaign leaves this number out."),
    "error:607": Code(_OURS, "The carrier's spam filter stopped our text."),
    "error:608": Code(_OURS, "Infobip's fraud protection stopped the text."),
    "error:2050": Code(Outcome.BLOCKED, "This number is on its carrier's list of people who do not want such texts."),
    "error:2052": Code(Outcome.BLOCKED, "This number is on a list of blocked numbers."),
    "error:2053": Code(_OURS, "Our sender is on a list of blocked senders."),
    "error:3041": Code(Outcome.INACTIVE, "This number is listed as out of service."),
    "error:4103": Code(_OURS, "This number received too many texts in a short time."),
    "error:4104": Code(_OURS, "This number received the same text too often in a short time."),
    "error:4202": Code(_OURS, "We reached the limit of our registration."),
}  # fmt: skip
