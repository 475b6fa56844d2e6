"""Azure Communication Services: its SMS events come through Event Grid, in the Event Grid schema (not that of CloudEvents).

Event Grid signs nothing. So the endpoint of the subscription is `.../receipts/azure?key=<AZURE_EVENT_GRID_KEY>`, and whoever
knows this key can speak as Azure: make it long, of letters and digits, and keep it out of the logs of your proxy. The sender
registers the `messageId` that the send API gave it for each recipient. What failed is told in a code or, elsewhere in
Microsoft's pages, in the sentence of that code; both are read. Source: Microsoft's list of SMS codes and of SMS events.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, e164, moment, needed, said, same, word
from bot.providers.receipt import BadSignature, Code, Handshake, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

logger = logging.getLogger(__name__)

NAME = "azure"
SECRET = "azure_event_grid_key"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that whoever calls knows the key in the URL of the subscription.

    Raises:
        BadSignature: it is missing, or another one.
    """
    if not secret or not same(callback.query("key"), secret):
        raise BadSignature("the key in the URL does not fit")


def parse(callback: Callback) -> Parsed:
    """What the events say: receipts, STOPs and STARTs, and the question whether Event Grid may send here at all.

    Raises:
        Malformed: one of them is not an event of Event Grid; then none is taken.
    """
    events = callback.json()
    if not isinstance(events, list):
        raise Malformed("it is not a list of events; choose the Event Grid schema for the subscription")
    return [one for event in events for one in _read(event)]


def _read(event: Any) -> Parsed:
    if not isinstance(event, dict):
        raise Malformed("an event is not an object")
    read = _READERS.get(needed(event.get("eventType"), "eventType"))
    if read is None:
        return []
    data = event.get("data")
    if not isinstance(data, dict):
        raise Malformed("an event has no data")
    return read({name.lower(): value for name, value in data.items()})


def _handshake(data: Mapping[str, Any]) -> Parsed:
    return [Handshake({"validationResponse": needed(data.get("validationcode"), "validationCode")})]


def _inbound(data: Mapping[str, Any]) -> Parsed:
    text_id = needed(data.get("messageid"), "messageId")
    return heard(NAME, f"{text_id}:inbound", sender=data.get("from"), text=data.get("message"))


def _receipt(data: Mapping[str, Any]) -> Parsed:
    message_id, phone = needed(data.get("messageid"), "messageId"), e164(data.get("to"))
    status = needed(data.get("deliverystatus"), "deliveryStatus").capitalize()
    code = _code(message_id, said(data.get("deliverystatusdetails")))
    received = word(data.get("receivedtimestamp"), "receivedTimestamp")
    receipt = ParsedReceipt.of(
        weigh(NAME, CODES, f"deliveryStatus:{status}", [code] if code else [], message=message_id),
        provider=NAME,
        event_key=f"{message_id}:{phone or ''}:{status}:{code or ''}:{received}",
        provider_id=message_id,
        phone=phone,
        code=code,
        occurred_at=moment(received),
    )
    return [receipt]


_READERS = {
    "Microsoft.EventGrid.SubscriptionValidationEvent": _handshake,
    "Microsoft.Communication.SMSReceived": _inbound,
    "Microsoft.Communication.SMSDeliveryReportReceived": _receipt,
}


def _code(message_id: str, details: str) -> str | None:
    """The code with which the details begin, or the one whose sentence they are; they may hold a number, so no log has them."""
    if digits := re.match("[0-9]{4}(?![0-9])", details):
        return digits[0]
    sentence = details.lower().replace("\u2019", "'").replace("doesn't", "does not").replace("isn't", "is not")
    code = next((code for words, code in _SENTENCES.items() if words in sentence), None)
    if code is None and sentence.rstrip(".") not in {"", "no error"}:
        logger.error("%s %s: the sentence in its details is new to us", NAME, message_id)
    return code


# The words by which each of Microsoft's sentences is known; they were written anew more than once.
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

# 5002 said "timeout" until 2024; either way nobody knows whether the text arrived.
CODES: Mapping[str, Code] = {
    "deliveryStatus:Delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "deliveryStatus:Failed": Code(Outcome.UNCONFIRMED, "It failed, and Azure gave no reason.", reasonless=True),
    "2000": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "4000": Code(_OURS, "Azure's guard against fraud stopped the text."),
    "4001": Code(_OURS, "The number we send from is not a valid one."),
    "4002": Code(Outcome.INACTIVE, "Azure says that no such phone number can exist."),
    "4003": Code(_OURS, "Azure does not send texts there."),
    "4004": Code(Outcome.INACTIVE, "This number does not exist."),
    "4005": Code(Outcome.BLOCKED, "The contact's carrier blocks our texts.", reasonless=True),
    "4006": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "4007": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "4008": Code(_OURS, "We sent more texts than our account may."),
    "4009": Code(_OURS, "Microsoft took our sending for abuse."),
    "4010": Code(_OURS, "Our toll-free number is not verified."),
    "4020": Code(_OURS, "We sent more texts than the carrier takes."),
    "5000": Code(_OURS, "Azure failed; its support can say why."),
    "5001": Code(_OURS, "Azure or a carrier was down for a while."),
    "5002": Code(Outcome.UNCONFIRMED, "The carrier does not say whether texts arrive."),
    "9999": Code(Outcome.UNCONFIRMED, "It failed, and Azure does not know why.", reasonless=True),
}
