"""Bandwidth: lists of JSON events. Bandwidth signs nothing, so HTTP Basic is the only proof that it is calling.

The user and password are set in the messaging application (for inbound and for outbound callbacks) and here as
`user:password`. Without TLS anyone on the way can read them, and a repeated request cannot be recognized. The sender registers
the `id` that the send API returned; for a group text `<id>:<to>`, because all its recipients share one id. One code can have
several causes, and our table is as old as Bandwidth's last public one (2023). Source: Bandwidth's messaging webhooks and its
list of messaging error codes.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_basic_auth, e164, field, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import ON_ITS_WAY, Code, Malformed, Parsed, ParsedReceipt, look_up

NAME = "bandwidth"
SECRET = "bandwidth_basic_auth"  # noqa: S105 - the name of a setting.

verify = check_basic_auth


def parse(callback: Callback) -> Parsed:
    events = callback.json()
    if not isinstance(events, list):
        raise Malformed("the body is not a list")
    return [report for event in events for report in _parse_event(event)]


def _parse_event(event: Any) -> Parsed:
    kind = required_token(field(event, "type"), "type")
    if not kind.startswith("message-"):
        return []
    message_id = required_token(field(event, "message", "id"), "id of the message")
    if kind == "message-received":
        sender, text = field(event, "message", "from"), field(event, "message", "text")
        return opt_out_messages(NAME, f"{message_id}:inbound", sender=sender, text=text)
    return [_receipt(message_id, kind, event)]


def _receipt(message_id: str, kind: str, event: Any) -> ParsedReceipt:
    code = token(field(event, "errorCode"), "errorCode") or None
    phone, recipients = e164(field(event, "to")), field(event, "message", "to")
    is_group = isinstance(recipients, list) and len(recipients) > 1
    time = token(field(event, "time"), "time")
    entry = look_up(NAME, CODES, [f"type:{kind}"], message_id=message_id, default=ON_ITS_WAY)
    if code and kind == "message-failed":
        entry = look_up(NAME, CODES, [code], message_id=message_id, default=entry)
    return ParsedReceipt.from_code(
        entry,
        provider=NAME,
        event_key=f"{message_id}:{phone or ''}:{kind}:{code or ''}:{time}",
        provider_id=f"{message_id}:{phone or ''}" if is_group else message_id,
        phone=phone,
        code=code,
        occurred_at=timestamp(time),
    )


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 4750, 4772, 5650, 9999 and a bare `message-failed` are refusals without a reason.
CODES: Mapping[str, Code] = {
    "type:message-sending": Code(Outcome.PENDING, "Bandwidth is handing the text to a carrier."),
    "type:message-delivered": Code(Outcome.DELIVERED, "The carrier or the phone has received the text."),
    "type:message-failed": Code(Outcome.UNCONFIRMED, "The text failed, and no reason was given.", reasonless=True),
    "4001": Code(_OURS, "Bandwidth does not allow us to send this text, for an unspecified reason."),
    "4301": Code(_OURS, "The character encoding of our text was wrong."),
    "4302": Code(_OURS, "The number we send from is not valid."),
    "4303": Code(Outcome.INACTIVE, "Bandwidth cannot read this as a phone number."),
    "4350": Code(Outcome.INACTIVE, "Bandwidth could not use this number; it most likely does not exist.", shaky=True),
    "4360": Code(_OURS, "The text expired before Bandwidth could send it."),
    "4401": Code(_OURS, "Bandwidth found no route for the text."),
    "4403": Code(_OURS, "The number we send from may not send texts."),
    "4404": Code(Outcome.INACTIVE, "This number is not in service for texts."),
    "4405": Code(_OURS, "The number we send from belongs to no carrier."),
    "4406": Code(Outcome.INACTIVE, "No carrier has assigned this number."),
    "4407": Code(_OURS, "The number we send from is not on our account."),
    "4408": Code(Outcome.INACTIVE, "This number belongs to no account known to Bandwidth.", shaky=True),
    "4409": Code(_OURS, "Our sending profile does not match this text."),
    "4410": Code(_OURS, "Bandwidth could not fetch our picture."),
    "4411": Code(_OURS, "Our pictures are too large together."),
    "4412": Code(_OURS, "Our picture is of a kind that Bandwidth could not read."),
    "4420": Code(_OURS, "Bandwidth has no route to this carrier."),
    "4421": Code(_OURS, "Bandwidth has no route to the destination of this text."),
    "4431": Code(_OURS, "Our account may not use short codes."),
    "4432": Code(_OURS, "Our account may not text that country."),
    "4433": Code(_OURS, "Our account may not text from toll-free numbers."),
    "4434": Code(Outcome.LANDLINE, "This is a toll-free number, which cannot receive our texts.", shaky=True),
    "4435": Code(_OURS, "We sent one text to too many recipients at once."),
    "4451": Code(_OURS, "Our Bandwidth user is not valid."),
    "4452": Code(_OURS, "Our Bandwidth application is not valid."),
    "4470": Code(_OURS, "Bandwidth took our text for spam."),
    "4481": Code(_OURS, "The number we send from is on a block list."),
    "4482": Code(Outcome.BLOCKED, "This number is on a block list."),
    "4492": Code(Outcome.INACTIVE, "This is an emergency number, not a family's."),
    "4493": Code(_OURS, "Our account may not do this."),
    "4700": Code(Outcome.LANDLINE, "The carrier or the phone does not accept texts; most likely it is a landline.", shaky=True),
    "4701": Code(Outcome.TURNED_OFF, "The phone could not be reached, or has no service for texts.", shaky=True),
    "4702": Code(Outcome.TURNED_OFF, "The phone was off or busy, or its memory was full."),
    "4711": Code(_OURS, "Our picture was too large for the carrier."),
    "4712": Code(_OURS, "The carrier does not accept pictures of this kind."),
    "4720": Code(Outcome.LANDLINE, "The number cannot receive texts; it is a landline or does not exist.", shaky=True),
    "4721": Code(Outcome.INACTIVE, "The carriers list this number as disconnected."),
    "4730": Code(Outcome.UNCONFIRMED, "There was no route to the carrier, or to the network where the phone is roaming."),
    "4740": Code(_OURS, "The carrier does not accept the number we send from."),
    "4750": Code(Outcome.BLOCKED, "The carrier refused the text and gave no reason.", shaky=True, reasonless=True),
    "4751": Code(_OURS, "Our text has a length that the carrier does not accept."),
    "4752": Code(_OURS, "The carrier could not read our text."),
    "4753": Code(Outcome.BLOCKED, "The phone itself refused the text."),
    "4770": Code(_OURS, "The carrier took our text for spam."),
    "4771": Code(_OURS, "The carrier does not accept shortened links."),
    "4772": Code(Outcome.UNCONFIRMED, "Our number or the contact's is blocked.", shaky=True, reasonless=True),
    "4773": Code(_OURS, "Our registered campaign is not active at the carrier."),
    "4774": Code(_OURS, "The number we send from is not set up at the carriers."),
    "4775": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "4780": Code(_OURS, "We reached our limit at T-Mobile."),
    "4781": Code(_OURS, "We reached our limit at AT&T."),
    "4785": Code(_OURS, "We sent more than the carrier allows."),
    "4790": Code(Outcome.BLOCKED, "This phone does not accept texts from short codes."),
    "4791": Code(_OURS, "The carrier does not allow the campaign of our short code."),
    "4792": Code(_OURS, "Our short code is not set up at the carrier."),
    "4793": Code(_OURS, "Our short code has expired at the carrier."),
    "4795": Code(_OURS, "Our toll-free number is not verified."),
    "5100": Code(_OURS, "Bandwidth had an internal error."),
    "5101": Code(_OURS, "Bandwidth stopped while it was processing our text."),
    "5106": Code(_OURS, "Bandwidth tried several times and found no route."),
    "5111": Code(_OURS, "Bandwidth lost an internal connection."),
    "5201": Code(_OURS, "Bandwidth failed internally after too many attempts."),
    "5211": Code(_OURS, "Bandwidth was too busy."),
    "5220": Code(_OURS, "Bandwidth could not store our text."),
    "5231": Code(_OURS, "The parts of the text did not arrive in time."),
    "5500": Code(_OURS, "Bandwidth could not send the text."),
    "5501": Code(_OURS, "Bandwidth could not send the text and gave no details."),
    "5600": Code(_OURS, "The carrier's queue was full."),
    "5610": Code(_OURS, "The carrier's service failed when it received the text."),
    "5620": Code(_OURS, "The carrier's software failed."),
    "5630": Code(_OURS, "The carrier never answered Bandwidth."),
    "5650": Code(Outcome.UNCONFIRMED, "The carrier failed to deliver and gave no reason.", reasonless=True),
    "5999": Code(_OURS, "Bandwidth failed and does not know why."),
    "9902": Code(Outcome.UNCONFIRMED, "The carrier reported nothing for two hours; the text may have arrived."),
    "9999": Code(Outcome.UNCONFIRMED, "The carrier gave a reason that Bandwidth does not know.", reasonless=True),
}  # fmt: skip
