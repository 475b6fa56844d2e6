"""Twilio: form posts signed with the account's auth token. An error code overrides the status.

Twilio advises against relying on its error codes but offers nothing better. So an unknown code is logged as an error and never
turns a number red. Event Streams reports reassigned numbers in JSON, several at once. End the callback's URL with `#rc=5&rp=all`,
or a receipt that gets a 503 is lost (`docs/retries.md`). The sender registers the SID (`SM...`) that the send API returned. Source:
Twilio's error dictionary and its
guide to status callbacks.
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Any

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, as_text, e164, field, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    BadSignature,
    Code,
    Malformed,
    OtherUrlSigned,
    Parsed,
    ParsedReceipt,
    ReassignedNumber,
    look_up_failure,
)

NAME = "twilio"
_REASSIGNED = "com.twilio.messaging.reassigned-number.detected"
SECRET = "twilio_auth_token"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Twilio signed this request with the account's auth token.

    The signature is HMAC-SHA1 of the URL (without what follows a `#`) and, for a form, of every field sorted by name; for a JSON body,
    the signed URL contains its digest as `bodySHA256`. The header that names another algorithm is ignored: only this one is accepted.
    """
    given = callback.header("x-twilio-signature")
    if not secret or not given:
        raise BadSignature("no signature")
    if not callback.is_json:
        signed_fields = "".join(name + value for name, value in sorted(set(callback.form())))
    elif is_same(callback.query("bodySHA256"), sha256(callback.body).hexdigest()):
        signed_fields = ""
    else:
        raise BadSignature("another body was signed")
    # Stopping at the first match shows only which spelling of the URL was signed, and the usual one comes first.
    if not any(is_same(given, _sign(secret, url + signed_fields)) for url in callback.signed_urls()):
        raise OtherUrlSigned("the signature does not match")


def _sign(secret: str, text: str) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(errors="surrogatepass"), sha1).digest())


def parse(callback: Callback) -> Parsed:
    if callback.is_json:
        body = callback.json()
        events = [event for event in (body if isinstance(body, list) else [body]) if field(event, "specversion")]
        if events or body == []:
            return [report for event in events for report in _reassigned(event)]
        fields = {name: as_text(value) for name, value in callback.json_object().items()}
    else:
        fields = dict(callback.form())
    message_sid = required_token(fields.get("MessageSid") or fields.get("SmsSid"), "MessageSid")
    status = token(fields.get("MessageStatus") or fields.get("SmsStatus"), "MessageStatus").lower()
    if not status and "Body" not in fields:
        raise Malformed("no MessageStatus")
    if status in {"", "receiving", "received"}:
        return opt_out_messages(NAME, inbound_key(message_sid), sender=fields.get("From"), text=_text(fields))
    return [read_receipt(message_sid, status, fields)]


def inbound_key(message_sid: str) -> str:
    return f"{message_sid}:inbound"


def _text(fields: Mapping[str, str]) -> str:
    """Return the keyword that Advanced Opt-Out recognized, else the text. It takes YES for START, too, which lifts nothing here."""
    body, recognized = fields.get("Body", ""), fields.get("OptOutType", "")
    return body if recognized.upper() == "START" and body.strip() else recognized or body


def _reassigned(event: Any) -> list[ReassignedNumber]:
    """Return the reassigned number of an Event Streams event, and nothing for any other event."""
    phone = e164(field(event, "data", "to_number"))
    if field(event, "type") != _REASSIGNED or phone is None:
        return []
    if field(event, "data", "is_reassigned") is not True:
        return []
    return [ReassignedNumber(NAME, phone, timestamp(field(event, "data", "timestamp")))]


def read_receipt(message_sid: str, status: str, fields: Mapping[str, str]) -> ParsedReceipt:
    """Return what a status, in lower case, and the `fields` of a callback mean. An unknown code is logged."""
    code, done_date = _code(fields), token(fields.get("RawDlrDoneDate"), "RawDlrDoneDate")
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"status:{status}", [code] if code else [], message_id=message_sid),
        provider=NAME,
        event_key=event_key(message_sid, status, fields) + done_date,
        provider_id=message_sid,
        phone=e164(fields.get("To")),
        code=code,
        occurred_at=_parse_done_date(done_date),
    )


def event_key(message_sid: str, status: str, fields: Mapping[str, str]) -> str:
    """Return the key of a receipt without its date, which the message log does not show."""
    return f"{message_sid}:{status}:{_code(fields) or ''}:"


def _code(fields: Mapping[str, str]) -> str | None:
    return token(fields.get("ErrorCode"), "ErrorCode").lstrip("0") or None


def _parse_done_date(text: str) -> datetime | None:
    """Return the carrier's time, `YYMMDDhhmm` in UTC, or None: some carriers send impossible dates."""
    try:
        return datetime.strptime(text, "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 30004, 30008 and a bare `undelivered` are refusals without a reason.
CODES: Mapping[str, Code] = {
    "status:accepted": Code(Outcome.PENDING, "Twilio has accepted the text and is choosing a sender."),
    "status:scheduled": Code(Outcome.PENDING, "The text is scheduled for later."),
    "status:queued": Code(Outcome.PENDING, "The text is queued at Twilio."),
    "status:sending": Code(Outcome.PENDING, "Twilio is handing the text to a carrier."),
    "status:sent": Code(Outcome.PENDING, "A carrier has accepted the text; it may not report anything more."),
    "status:sent+timer": Code(Outcome.UNCONFIRMED, "A carrier accepted the text and reported nothing before our window closed."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:read": Code(Outcome.DELIVERED, "The text was opened."),
    "status:partially_delivered": Code(Outcome.UNCONFIRMED, "Twilio says that only a part arrived.", shaky=True),
    "status:undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:failed": Code(_OURS, "The text never left Twilio, and Twilio gave no reason."),
    "status:canceled": Code(_OURS, "We canceled the text before it was sent."),
    "11200": Code(_OURS, "Twilio could not fetch something from our server."),
    "20003": Code(_OURS, "Our Twilio credentials were not accepted."),
    "20429": Code(_OURS, "We sent Twilio too many requests at once."),
    "21211": Code(Outcome.INACTIVE, "Twilio says that this is not a valid phone number."),
    "21212": Code(_OURS, "The number we send from is not valid."),
    "21408": Code(_OURS, "Our account may not text that country."),
    "21602": Code(_OURS, "We sent an empty text."),
    "21603": Code(_OURS, "We did not specify the number to send from."),
    "21604": Code(_OURS, "We did not specify the number to send to."),
    "21606": Code(_OURS, "The number we send from cannot send texts."),
    "21608": Code(_OURS, "Our account is a trial and may only text numbers we have verified."),
    "21610": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "21611": Code(_OURS, "Too many texts are queued for the number we send from."),
    "21612": Code(_OURS, "There is no route from our number to this one."),
    "21614": Code(Outcome.LANDLINE, "This number cannot receive texts; most likely it is a landline."),
    "21617": Code(_OURS, "Our text was too long."),
    "21619": Code(_OURS, "We sent a text without content."),
    "21620": Code(_OURS, "The web address of our picture was wrong."),
    "21635": Code(Outcome.LANDLINE, "This number is a landline."),
    "21701": Code(_OURS, "The messaging service that we specified does not exist."),
    "21703": Code(_OURS, "Our messaging service had no free number to send from."),
    "21704": Code(_OURS, "Our messaging service has no numbers to send from."),
    "30001": Code(_OURS, "The queue was full, and the text waited too long."),
    "30002": Code(_OURS, "Our Twilio account is suspended."),
    "30003": Code(Outcome.TURNED_OFF, "The phone was off, out of range or roaming."),
    "30004": Code(Outcome.BLOCKED, "The contact or the carrier blocks our texts.", reasonless=True),
    "30005": Code(Outcome.INACTIVE, "The carrier does not know this phone; it may be disconnected, or only off.", shaky=True),
    "30006": Code(Outcome.LANDLINE, "The number is a landline or its carrier does not accept texts."),
    "30007": Code(_OURS, "A spam filter stopped our text."),
    "30008": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and does not know why.", reasonless=True),
    "30009": Code(_OURS, "A part of an incoming text was lost."),
    "30010": Code(_OURS, "The text would have cost more than we allowed."),
    "30011": Code(_OURS, "The phone cannot receive pictures; a plain text may still arrive."),
    "30012": Code(_OURS, "We set too short a validity period for the text."),
    "30013": Code(_OURS, "We set too long a validity period for the text."),
    "30014": Code(_OURS, "Something in our request about the receiving number was wrong."),
    "30015": Code(_OURS, "We used a channel that Twilio does not offer."),
    "30016": Code(_OURS, "Our channel and the receiving one do not match."),
    "30017": Code(_OURS, "The carrier's network was overloaded."),
    "30018": Code(_OURS, "The carrier requires our sender to be registered first."),
    "30019": Code(_OURS, "Our text was larger than the carrier accepts."),
    "30020": Code(_OURS, "Twilio failed while scheduling."),
    "30021": Code(_OURS, "Twilio had an internal error."),
    "30022": Code(_OURS, "We sent faster than our registration allows."),
    "30023": Code(_OURS, "We reached the day's limit of our registration."),
    "30024": Code(_OURS, "The carrier does not know our sending number yet."),
    "30025": Code(_OURS, "Half of the day's limit at T-Mobile is used."),
    "30026": Code(_OURS, "Most of the day's limit at T-Mobile is used."),
    "30027": Code(_OURS, "The day's limit at T-Mobile is used up."),
    "30032": Code(_OURS, "Our toll-free number is not verified."),
    "30033": Code(_OURS, "Our registered campaign is suspended."),
    "30034": Code(_OURS, "The number we send from is not registered."),
    "30035": Code(_OURS, "Our sending number is still being set up."),
    "30036": Code(_OURS, "The text expired before Twilio could send it."),
    "30042": Code(_OURS, "Our sender name is not allowed."),
    "30410": Code(_OURS, "The next carrier did not answer Twilio in time."),
    "30450": Code(_OURS, "Twilio's protection against artificial traffic stopped the text."),
    "30453": Code(_OURS, "Twilio's fraud protection stopped the text."),
    "30500": Code(_OURS, "Twilio had an internal error."),
    "60005": Code(_OURS, "The next carrier failed."),
    "63014": Code(Outcome.BLOCKED, "The contact blocked us on this channel."),
    "63018": Code(_OURS, "We sent faster than this channel allows."),
    "63024": Code(Outcome.INACTIVE, "This number cannot be reached on this channel."),
    "63036": Code(_OURS, "The phone has no RCS; a plain text may still arrive."),
    "63038": Code(_OURS, "Our account reached its limit for the day."),
    "OptOutType=STOP": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
}  # fmt: skip
