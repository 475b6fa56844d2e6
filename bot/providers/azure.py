"""Azure Communication Services, whose SMS events arrive through Event Grid (in the Event Grid schema, not CloudEvents).

Event Grid signs nothing, so the subscription's endpoint is `.../receipts/azure?key=<AZURE_EVENT_GRID_KEY>`. Anyone with the key
can pose as Azure: use a long one of letters and digits, and keep it out of your proxy's logs. The sender registers the
`messageId` that the send API returned for each recipient. A failure has a code or, according to other pages of Microsoft's, the
sentence of that code; both are read. Source: Microsoft's lists of SMS codes and of SMS events.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, as_text, e164, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import BadSignature, Code, Handshake, Malformed, Parsed, ParsedReceipt, look_up_failure

logger = logging.getLogger(__name__)

NAME = "azure"
SECRET = "azure_event_grid_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check the key in the URL of the subscription."""
    if not secret or not is_same(callback.query("key"), secret):
        raise BadSignature("wrong key in the URL")


def parse(callback: Callback) -> Parsed:
    events = callback.json()
    if not isinstance(events, list):
        raise Malformed("it is not a list of events; choose the Event Grid schema for the subscription")
    return [report for event in events for report in _parse_event(event)]


def _parse_event(event: Any) -> Parsed:
    if not isinstance(event, dict):
        raise Malformed("an event is not an object")
    parser = _PARSERS.get(required_token(event.get("eventType"), "eventType"))
    if parser is None:
        return []
    data = event.get("data")
    if not isinstance(data, dict):
        raise Malformed("an event has no data")
    return parser({name.lower(): value for name, value in data.items()})


def _handshake(data: Mapping[str, Any]) -> Parsed:
    return [Handshake({"validationResponse": required_token(data.get("validationcode"), "validationCode")})]


def _inbound(data: Mapping[str, Any]) -> Parsed:
    message_id = required_token(data.get("messageid"), "messageId")
    return opt_out_messages(NAME, f"{message_id}:inbound", sender=data.get("from"), text=data.get("message"))


def _receipt(data: Mapping[str, Any]) -> Parsed:
    message_id, phone = required_token(data.get("messageid"), "messageId"), e164(data.get("to"))
    status = required_token(data.get("deliverystatus"), "deliveryStatus").capitalize()
    code = _code(message_id, as_text(data.get("deliverystatusdetails")))
    received = token(data.get("receivedtimestamp"), "receivedTimestamp")
    receipt = ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"deliveryStatus:{status}", [code] if code else [], message_id=message_id),
        provider=NAME,
        event_key=f"{message_id}:{phone or ''}:{status}:{code or ''}:{received}",
        provider_id=message_id,
        phone=phone,
        code=code,
        occurred_at=timestamp(received),
    )
    return [receipt]


_PARSERS = {
    "Microsoft.EventGrid.SubscriptionValidationEvent": _handshake,
    "Microsoft.Communication.SMSReceived": _inbound,
    "Microsoft.Communication.SMSDeliveryReportReceived": _receipt,
}


def _code(message_id: str, details: str) -> str | None:
    """Return the code at the start of the details, or the one whose sentence they are. Details may hold a number: never log them."""
    if digits := re.match("[0-9]{4}(?![0-9])", details):
        return digits[0]
    sentence = details.lower().replace("\u2019", "'").replace("doesn't", "does not").replace("isn't", "is not")
    code = next((code for words, code in _SENTENCES.items() if words in sentence), None)
    if code is None and sentence.rstrip(".") not in {"", "no error"}:
        logger.error("%s %s: the sentence in its details is not in our table", NAME, message_id)
    return code


# The words that identify each of Microsoft's sentences, whose wording has changed more than once.
_SENTENCES = {
    "delivered successfully": "2000",
    "fraud detection": "4000",
    "invalid source": "4001",
    "invalid destination": "4002",
    "unsupported destination": "4003",
    "does not exist": "4004",
    "blocked by destination carrier": "4005",
    "is not reachable": "4006",
    "opted out": "4007",
    "maximum number of messages": "4008",
    "entitlement": "4009",
    "toll-free number not being verified": "4010",
    "volumetric violation": "4020",
    "microsoft support team": "5000",
    "temporary unavailability": "5001",
    "does not support delivery report": "5002",
    "unknown error": "9999",
}


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 5002 meant "timeout" until 2024; either way it is unknown whether the text arrived.
CODES: Mapping[str, Code] = {
    "deliveryStatus:Delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "deliveryStatus:Failed": Code(Outcome.UNCONFIRMED, "It failed, and Azure gave no reason.", reasonless=True),
    "2000": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "4000": Code(_OURS, "Azure's fraud protection stopped the text."),
    "4001": Code(_OURS, "The number we send from is not valid."),
    "4002": Code(Outcome.INACTIVE, "Azure says that this is not a valid phone number."),
    "4003": Code(_OURS, "Azure does not send texts there."),
    "4004": Code(Outcome.INACTIVE, "This number does not exist."),
    "4005": Code(Outcome.BLOCKED, "The contact's carrier blocks our texts.", reasonless=True),
    "4006": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "4007": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "4008": Code(_OURS, "We sent more texts than our account allows."),
    "4009": Code(_OURS, "Microsoft classified our texts as abuse."),
    "4010": Code(_OURS, "Our toll-free number is not verified."),
    "4020": Code(_OURS, "We sent more texts than the carrier accepts."),
    "5000": Code(_OURS, "Azure had an error; Microsoft's support can explain it."),
    "5001": Code(_OURS, "Azure or a carrier was temporarily down."),
    "5002": Code(Outcome.UNCONFIRMED, "The carrier does not report whether texts arrive."),
    "9999": Code(Outcome.UNCONFIRMED, "It failed, and Azure does not know why.", reasonless=True),
}
