"""Bandwidth: lists of JSON events. Bandwidth signs nothing, so whoever knows the user and password of the callbacks is believed.

Those are set in the messaging application (for inbound and for outbound callbacks) and here as `user:password`; without TLS
anybody on the way could read them, and nothing shows that a request is sent again. The sender registers the `id` that the
send API answered; for a group text `<id>:<to>`, because all its recipients share one id. One code can have several causes
and the table is as old as Bandwidth's last open one (2023), so codes that are new to us are logged loudly.
Source: Bandwidth's messaging webhooks and its list of messaging error codes.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_basic, e164, member, moment, needed, word
from bot.providers.receipt import ON_ITS_WAY, Code, Malformed, Parsed, ParsedReceipt, look_up
from bot.providers.texted import heard

NAME = "bandwidth"
SECRET = "bandwidth_basic_auth"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that the caller knows our `user:password`; Bandwidth proves no more than that.

    Raises:
        BadSignature: it was not given, or is another one.
    """
    check_basic(secret, callback)


def parse(callback: Callback) -> Parsed:
    """What a list of events says: receipts, STOPs and STARTs; other texts and events say nothing.

    Raises:
        Malformed: it is not a list of Bandwidth's events; then none of it is taken.
    """
    events = callback.json()
    if not isinstance(events, list):
        raise Malformed("the body is not a list")
    return [one for event in events for one in _read(event)]


def _read(event: Any) -> Parsed:
    kind = needed(member(event, "type"), "type")
    if not kind.startswith("message-"):
        return []
    message_id = needed(member(event, "message", "id"), "id of the message")
    if kind == "message-received":
        return _inbound(message_id, event)
    return [_receipt(message_id, kind, event)]


def _inbound(message_id: str, event: Any) -> Parsed:
    sender, text = member(event, "message", "from"), member(event, "message", "text")
    return heard(NAME, f"{message_id}:inbound", sender=sender, text=text)


def _receipt(message_id: str, kind: str, event: Any) -> ParsedReceipt:
    code = word(member(event, "errorCode"), "errorCode") or None
    phone = e164(member(event, "to"))
    at = word(member(event, "time"), "time")
    return ParsedReceipt.of(
        _meaning(message_id, kind, code),
        provider=NAME,
        event_key=f"{message_id}:{phone or ''}:{kind}:{code or ''}:{at}",
        provider_id=f"{message_id}:{phone or ''}" if _is_group(event) else message_id,
        phone=phone,
        code=code,
        occurred_at=moment(at),
    )


def _is_group(event: Any) -> bool:
    to = member(event, "message", "to")
    return isinstance(to, list) and len(to) > 1


def _meaning(message_id: str, kind: str, code: str | None) -> Code:
    by_type = look_up(NAME, CODES, [f"type:{kind}"], message=message_id, otherwise=ON_ITS_WAY)
    if code is None or kind != "message-failed":
        return by_type
    return look_up(NAME, CODES, [code], message=message_id, otherwise=by_type)


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 4750, 4772, 5650, 9999 and a bare `message-failed` are the refusals for which nobody gives a reason.
CODES: Mapping[str, Code] = {
    "type:message-sending": Code(Outcome.PENDING, "Bandwidth is handing the text over."),
    "type:message-delivered": Code(Outcome.DELIVERED, "The carrier or the phone has the text."),
    "type:message-failed": Code(Outcome.UNCONFIRMED, "The text failed and nobody said why.", reasonless=True),
    "4001": Code(_OURS, "Bandwidth does not let us send this, for no reason it has a code for."),
    "4301": Code(_OURS, "The letters of our text were written in a wrong way."),
    "4302": Code(_OURS, "The number we send from is not a valid one."),
    "4303": Code(Outcome.INACTIVE, "Bandwidth cannot read this as a phone number."),
    "4350": Code(Outcome.INACTIVE, "Bandwidth could not use this number; most likely no such one exists.", shaky=True),
    "4360": Code(_OURS, "The text's time ran out before Bandwidth could send it."),
    "4401": Code(_OURS, "Bandwidth found no way to send the text."),
    "4403": Code(_OURS, "The number we send from may not send texts."),
    "4404": Code(Outcome.INACTIVE, "This number is not in service for texts."),
    "4405": Code(_OURS, "The number we send from belongs to no carrier."),
    "4406": Code(Outcome.INACTIVE, "No carrier has given this number to anybody."),
    "4407": Code(_OURS, "The number we send from is not on our account."),
    "4408": Code(Outcome.INACTIVE, "This number belongs to no account that Bandwidth knows.", shaky=True),
    "4409": Code(_OURS, "Our sending profile does not fit this text."),
    "4410": Code(_OURS, "Bandwidth could not fetch our picture."),
    "4411": Code(_OURS, "Our pictures are too large together."),
    "4412": Code(_OURS, "Our picture is of a kind that Bandwidth could not read."),
    "4420": Code(_OURS, "Bandwidth has no route to this carrier."),
    "4421": Code(_OURS, "Bandwidth has no route to where this text should go."),
    "4431": Code(_OURS, "Our account may not use short codes."),
    "4432": Code(_OURS, "Our account may not text that country."),
    "4433": Code(_OURS, "Our account may not text from toll-free numbers."),
    "4434": Code(Outcome.LANDLINE, "This is a toll-free number, which cannot get our texts.", shaky=True),
    "4435": Code(_OURS, "We sent one text to too many at once."),
    "4451": Code(_OURS, "Our Bandwidth user is not a valid one."),
    "4452": Code(_OURS, "Our Bandwidth application is not a valid one."),
    "4470": Code(_OURS, "Bandwidth took our words for spam."),
    "4481": Code(_OURS, "The number we send from is on a block list."),
    "4482": Code(Outcome.BLOCKED, "This number is on a block list."),
    "4492": Code(Outcome.INACTIVE, "This is an emergency number, not a family's."),
    "4493": Code(_OURS, "Our account may not do this."),
    "4700": Code(
        Outcome.LANDLINE, "The carrier or the phone takes no texts; most likely it is a landline.", shaky=True
    ),
    "4701": Code(Outcome.TURNED_OFF, "The phone could not be reached, or has no service for texts.", shaky=True),
    "4702": Code(Outcome.TURNED_OFF, "The phone was off, busy or full."),
    "4711": Code(_OURS, "Our picture was too large for the carrier."),
    "4712": Code(_OURS, "The carrier does not take pictures of this kind."),
    "4720": Code(Outcome.LANDLINE, "The number cannot get texts; a landline, or no such number.", shaky=True),
    "4721": Code(Outcome.INACTIVE, "The carriers' list says that this number was given up."),
    "4730": Code(Outcome.UNCONFIRMED, "There was no way to the carrier, or to where the phone is roaming."),
    "4740": Code(_OURS, "The carrier does not accept the number we send from."),
    "4750": Code(Outcome.BLOCKED, "The carrier refused the text and gave no reason.", shaky=True, reasonless=True),
    "4751": Code(_OURS, "Our text has a length that the carrier does not take."),
    "4752": Code(_OURS, "The carrier could not read our text."),
    "4753": Code(Outcome.BLOCKED, "The phone itself refused the text."),
    "4770": Code(_OURS, "The carrier took our words for spam."),
    "4771": Code(_OURS, "The carrier does not take shortened links."),
    "4772": Code(Outcome.UNCONFIRMED, "Our number or the contact's is blocked.", shaky=True, reasonless=True),
    "4773": Code(_OURS, "Our registered campaign is not active at the carrier."),
    "4774": Code(_OURS, "The number we send from is not set up at the carriers."),
    "4775": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "4780": Code(_OURS, "We reached our limit at T-Mobile."),
    "4781": Code(_OURS, "We reached our limit at AT&T."),
    "4785": Code(_OURS, "We sent more than the carrier allows."),
    "4790": Code(Outcome.BLOCKED, "This phone takes no texts from short codes."),
    "4791": Code(_OURS, "The carrier does not allow the campaign of our short code."),
    "4792": Code(_OURS, "Our short code is not set up at the carrier."),
    "4793": Code(_OURS, "Our short code has run out at the carrier."),
    "4795": Code(_OURS, "Our toll-free number is not verified."),
    "5100": Code(_OURS, "Bandwidth failed inside."),
    "5101": Code(_OURS, "Bandwidth stopped while it had our text."),
    "5106": Code(_OURS, "Bandwidth tried several times and found no way."),
    "5111": Code(_OURS, "Bandwidth lost a connection inside."),
    "5201": Code(_OURS, "Bandwidth tried too often inside."),
    "5211": Code(_OURS, "Bandwidth was too busy."),
    "5220": Code(_OURS, "Bandwidth could not store our text."),
    "5231": Code(_OURS, "The parts of the text did not come together in time."),
    "5500": Code(_OURS, "Bandwidth could not send the text."),
    "5501": Code(_OURS, "Bandwidth could not send the text, and does not say more."),
    "5600": Code(_OURS, "The carrier's queue was full."),
    "5610": Code(_OURS, "The carrier's service failed when it was given the text."),
    "5620": Code(_OURS, "The carrier's software failed."),
    "5630": Code(_OURS, "The carrier never answered Bandwidth."),
    "5650": Code(Outcome.UNCONFIRMED, "The carrier failed to deliver and gave no reason.", reasonless=True),
    "5999": Code(_OURS, "Bandwidth failed and does not know why."),
    "9902": Code(Outcome.UNCONFIRMED, "The carrier said nothing for two hours; the text may have arrived."),
    "9999": Code(Outcome.UNCONFIRMED, "The carrier gave a reason that Bandwidth does not know.", reasonless=True),
}
