"""Infobip: several reports in one JSON. It is asked to sign nothing, so whoever knows its user and password is believed.

Those are set in Infobip's notification profile (type Basic) and here as `user:password`; without TLS anybody on the way
could read them, and nothing shows that a request is sent again. The sender registers the `messageId`, which every recipient
has for itself. An error beats the status beside it; `permanent` only says whether the same text would fail again, so it is
not read. Source: Infobip's model of delivery reports and its response codes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_basic, e164, member, moment, needed, word
from bot.providers.receipt import AFTER_CARRIER, BEFORE_CARRIER, Code, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

NAME = "infobip"
SECRET = "infobip_basic_auth"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check the user and password, the only thing that shows that it is Infobip.

    Raises:
        BadSignature: they were not given, or are others.
    """
    check_basic(secret, callback)


def parse(callback: Callback) -> Parsed:
    """What the results say: receipts, STOPs and STARTs; an ordinary text from a family says nothing.

    Raises:
        Malformed: it is not a list of Infobip's results; then none of it is taken.
    """
    results = member(callback.json(), "results")
    if not isinstance(results, list):
        raise Malformed("no results")
    return [one for result in results for one in _read(result)]


def _read(result: Any) -> Parsed:
    message_id = needed(member(result, "messageId"), "messageId")
    if "status" not in result and "from" in result:
        return heard(NAME, f"{message_id}:inbound", sender=result["from"], text=result.get("text"))
    return [_receipt(message_id, result)]


def _receipt(message_id: str, result: Mapping[str, Any]) -> ParsedReceipt:
    group = needed(member(result, "status", "groupName"), "groupName").upper()
    codes = list(_codes(group, result))
    code = next((one for one in codes if one in CODES), codes[0] if codes else None)
    otherwise = BEFORE_CARRIER if group == "REJECTED" else AFTER_CARRIER
    at = moment(result.get("doneAt"))
    return ParsedReceipt.of(
        weigh(NAME, CODES, f"group:{group}", codes, message=message_id, otherwise=otherwise),
        provider=NAME,
        event_key=f"{message_id}:{group}:{code or ''}:{at.isoformat() if at else ''}",
        provider_id=message_id,
        phone=e164(result.get("to")),
        code=code,
        occurred_at=at,
    )


def _codes(group: str, result: Mapping[str, Any]) -> Iterator[str]:
    """What is said beside the group: first the error, of which 0 is none, then the status.

    A status says more than its group only of what Infobip rejects.
    """
    error = word(member(result, "error", "id"), "id of the error").lstrip("0")
    status = word(member(result, "status", "id"), "id of the status")
    if error:
        yield f"error:{error}"
    if status and (group == "REJECTED" or f"status:{status}" in CODES):
        yield f"status:{status}"


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "group:ACCEPTED": Code(Outcome.PENDING, "Infobip has taken the text."),
    "group:PENDING": Code(Outcome.PENDING, "The text is on its way to the carrier."),
    "group:DELIVERED": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "group:UNDELIVERABLE": Code(
        Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True
    ),
    "group:EXPIRED": Code(Outcome.UNCONFIRMED, "The text's time ran out before it arrived."),
    "group:REJECTED": Code(_OURS, "Infobip refused the text and gave no reason."),
    "status:6": Code(_OURS, "Our account is not set up for this carrier."),
    "status:8": Code(Outcome.INACTIVE, "Infobip says that this is no valid number: its start or its length is wrong."),
    "status:10": Code(Outcome.BLOCKED, "This number is on a list of those who want no such texts."),
    "status:11": Code(_OURS, "Our sender is on Infobip's list of blocked senders."),
    "status:12": Code(_OURS, "Our Infobip account has no credit left."),
    "status:13": Code(_OURS, "Our sender is not allowed on our account."),
    "status:14": Code(Outcome.BLOCKED, "The carrier or our account has this number on its list of blocked numbers."),
    "status:17": Code(_OURS, "Our prepaid package at Infobip has run out."),
    "status:18": Code(_OURS, "Our account is a trial and may only text numbers we have registered."),
    "status:19": Code(_OURS, "Our account has no route to this number."),
    "status:20": Code(_OURS, "We sent the same number too many texts in a short time."),
    "status:21": Code(_OURS, "Infobip failed inside."),
    "status:23": Code(_OURS, "We gave two texts the same id."),
    "status:24": Code(_OURS, "The form of our text was wrong."),
    "status:25": Code(_OURS, "Our text was too long."),
    "status:51": Code(_OURS, "We did not say which number to send to."),
    "status:52": Code(Outcome.INACTIVE, "Infobip says that this is no valid number."),
    "error:0": Code(Outcome.UNCONFIRMED, "Infobip names no error.", shaky=True, reasonless=True),
    "error:1": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "error:5": Code(Outcome.UNCONFIRMED, "The carrier could not tell for the moment which phone this is.", shaky=True),
    "error:6": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "error:9": Code(Outcome.INACTIVE, "The carrier no longer accepts the card in this phone."),
    "error:11": Code(Outcome.BLOCKED, "The plan of this number has no texts."),
    "error:12": Code(Outcome.BLOCKED, "The carrier blocks this phone.", shaky=True),
    "error:13": Code(Outcome.BLOCKED, "The contact or the carrier bars such texts."),
    "error:27": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "error:31": Code(Outcome.TURNED_OFF, "The phone was busy."),
    "error:32": Code(Outcome.UNCONFIRMED, "The delivery failed and the carrier does not say why.", reasonless=True),
    "error:34": Code(_OURS, "The carrier's network failed."),
    "error:256": Code(Outcome.TURNED_OFF, "The memory of the phone was full."),
    "error:351": Code(Outcome.INACTIVE, "The carrier says that this is no valid number."),
    "error:375": Code(_OURS, "The carrier blocks our sender.", shaky=True),
    "error:541": Code(_OURS, "We reached a limit of our account."),
    "error:542": Code(_OURS, "We used up a quota of our account."),
    "error:561": Code(_OURS, "The carrier stopped the words of our text.", shaky=True),
    "error:603": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "error:604": Code(_OURS, "Our campaign leaves this number out."),
    "error:607": Code(_OURS, "A filter of the carrier took our words for spam."),
    "error:608": Code(_OURS, "Infobip's guard against fraud stopped the text."),
    "error:2050": Code(Outcome.BLOCKED, "This number is on its carrier's list of those who want no such texts."),
    "error:2052": Code(Outcome.BLOCKED, "This number is on a list of blocked numbers."),
    "error:2053": Code(_OURS, "Our sender is on a list of blocked senders."),
    "error:3041": Code(Outcome.INACTIVE, "This number is listed as out of service."),
    "error:4103": Code(_OURS, "This number got too many texts in a short time."),
    "error:4104": Code(_OURS, "This number got the same words too often in a short time."),
    "error:4202": Code(_OURS, "We reached the limit of our registration."),
}
