"""Twilio: form posts signed with the account's auth token. The code of a failure beats its status word.

Twilio asks not to build on its error codes, yet says nothing better; so the codes are a table, and a code that is not in
it is logged loudly and never turns a contact red. The sender registers the SID (`SM...`) that the send API answered.
Source: Twilio's error dictionary and its guide to status callbacks.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha1, sha256
from urllib.parse import SplitResult

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, e164, needed, said, same, word
from bot.providers.receipt import BadSignature, Code, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

NAME = "twilio"
SECRET = "twilio_auth_token"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Twilio signed this request with the auth token of the account.

    The signature is HMAC-SHA1 of the URL and, for a form, of every field in order of name; a JSON body is covered by the
    `bodySHA256` in the URL. Twilio signs some URLs with the port and some without, so both are tried. The algorithm is
    ours to say: a header that names another one is not listened to.

    Raises:
        BadSignature: it is not signed, or not with this secret.
        Malformed: the body cannot be read at all.
    """
    given = callback.header("x-twilio-signature")
    if not secret or not given:
        raise BadSignature("no signature")
    signed = _json_digest(callback) if callback.is_json else _signed_fields(callback)
    expected = [_signature(secret, spelled + signed) for spelled in _spellings(callback.url, callback.parts())]
    if not any([same(given, one) for one in expected]):  # noqa: C419 (Compares all, whichever fits.)
        raise BadSignature("the signature does not fit")


def _signature(secret: str, text: str) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), sha1).digest())


def _json_digest(callback: Callback) -> str:
    """What a JSON body adds to the signed text: nothing, because the signed URL itself holds the digest of the body."""
    if not same(callback.query("bodySHA256"), sha256(callback.body).hexdigest()):
        raise BadSignature("the body is not the one that was signed")
    return ""


def _signed_fields(callback: Callback) -> str:
    return "".join(name + value for name, value in sorted(set(callback.form())))


def _spellings(url: str, parts: SplitResult) -> Iterator[str]:
    """The URL as it came, without its port, and with one."""
    try:
        port = parts.port
    except ValueError as problem:
        raise BadSignature("the URL has no such port") from problem
    bare = parts.netloc.removesuffix(f":{port}") if port else parts.netloc
    default = 443 if parts.scheme == "https" else 80
    yield url
    yield parts._replace(netloc=bare).geturl()
    yield parts._replace(netloc=f"{bare}:{port or default}").geturl()


def parse(callback: Callback) -> Parsed:
    """What a verified request says: one receipt, one STOP or START, or nothing (an ordinary text from a family).

    Raises:
        Malformed: it is not a Twilio callback.
    """
    fields = _fields(callback)
    message_sid = needed(fields.get("MessageSid") or fields.get("SmsSid"), "MessageSid")
    status = word(fields.get("MessageStatus") or fields.get("SmsStatus"), "MessageStatus").lower()
    if not status and "Body" not in fields:
        raise Malformed("no MessageStatus")
    if status in {"", "receiving", "received"}:
        return _inbound(message_sid, fields)
    return [_receipt(message_sid, status, fields)]


def _fields(callback: Callback) -> dict[str, str]:
    if not callback.is_json:
        return dict(callback.form())
    return {name: said(value) for name, value in callback.json_object().items()}


def _inbound(message_sid: str, fields: Mapping[str, str]) -> Parsed:
    """Advanced Opt-Out says what it understood (`OptOutType`); without it the whole text has to be one of the keywords."""
    text = fields.get("OptOutType", fields.get("Body", ""))
    return heard(NAME, f"{message_sid}:inbound", sender=fields.get("From"), text=text)


def _receipt(message_sid: str, status: str, fields: Mapping[str, str]) -> ParsedReceipt:
    code = word(fields.get("ErrorCode"), "ErrorCode").lstrip("0") or None
    done = word(fields.get("RawDlrDoneDate"), "RawDlrDoneDate")
    return ParsedReceipt.of(
        weigh(NAME, CODES, f"status:{status}", [code] if code else [], message=message_sid),
        provider=NAME,
        event_key=f"{message_sid}:{status}:{code or ''}:{done}",
        provider_id=message_sid,
        phone=e164(fields.get("To")),
        code=code,
        occurred_at=_time(done),
    )


def _time(done: str) -> datetime | None:
    """The carrier's time, `YYMMDDhhmm` in UTC; carriers fill it as they like, so an impossible one is no time."""
    try:
        return datetime.strptime(done, "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 30004, 30008 and a bare `undelivered` are the refusals for which the carrier gives no reason.
CODES: Mapping[str, Code] = {
    "status:accepted": Code(Outcome.PENDING, "Twilio has taken the text and is choosing a sender."),
    "status:scheduled": Code(Outcome.PENDING, "The text is planned for later."),
    "status:queued": Code(Outcome.PENDING, "The text waits its turn at Twilio."),
    "status:sending": Code(Outcome.PENDING, "Twilio is handing the text over."),
    "status:sent": Code(Outcome.PENDING, "A carrier has taken the text; it may never say more."),
    "status:sent+timer": Code(Outcome.UNCONFIRMED, "A carrier took the text and was silent until our window closed."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:read": Code(Outcome.DELIVERED, "The text was opened."),
    "status:partially_delivered": Code(Outcome.UNCONFIRMED, "Twilio says that only a part arrived.", shaky=True),
    "status:undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:failed": Code(_OURS, "The text never left Twilio, and Twilio gave no reason."),
    "status:canceled": Code(_OURS, "We called the text back before it was sent."),
    "11200": Code(_OURS, "Twilio could not fetch something from our side."),
    "20003": Code(_OURS, "Our Twilio credentials were not accepted."),
    "20429": Code(_OURS, "We asked Twilio for too much at once."),
    "21211": Code(Outcome.INACTIVE, "Twilio says that no such phone number can exist."),
    "21212": Code(_OURS, "The number we send from is not a valid one."),
    "21408": Code(_OURS, "Our account may not text that country."),
    "21602": Code(_OURS, "We sent a text without words."),
    "21603": Code(_OURS, "We did not say which number to send from."),
    "21604": Code(_OURS, "We did not say which number to send to."),
    "21606": Code(_OURS, "The number we send from cannot send texts."),
    "21608": Code(_OURS, "Our account is a trial and may only text numbers we have verified."),
    "21610": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "21611": Code(_OURS, "Too many texts wait behind the number we send from."),
    "21612": Code(_OURS, "There is no route from our number to this one."),
    "21614": Code(Outcome.LANDLINE, "This number cannot get texts; most likely it is a landline."),
    "21617": Code(_OURS, "Our text was too long."),
    "21619": Code(_OURS, "We sent a text without words or picture."),
    "21620": Code(_OURS, "The address of our picture was wrong."),
    "21635": Code(Outcome.LANDLINE, "This number is a landline."),
    "21701": Code(_OURS, "The messaging service we named does not exist."),
    "21703": Code(_OURS, "Our messaging service had no number free to send from."),
    "21704": Code(_OURS, "Our messaging service has no numbers to send from."),
    "30001": Code(_OURS, "The text waited too long in a full queue."),
    "30002": Code(_OURS, "Our Twilio account is suspended."),
    "30003": Code(Outcome.TURNED_OFF, "The phone was off, out of range or roaming."),
    "30004": Code(Outcome.BLOCKED, "The contact or the carrier blocks our texts.", reasonless=True),
    "30005": Code(Outcome.INACTIVE, "The carrier does not know this phone; it may be gone, or only off.", shaky=True),
    "30006": Code(Outcome.LANDLINE, "The number is a landline or its carrier takes no texts."),
    "30007": Code(_OURS, "A filter took our words for spam."),
    "30008": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and cannot say why.", reasonless=True),
    "30009": Code(_OURS, "A part of a text that came in was lost."),
    "30010": Code(_OURS, "The text would have cost more than we allowed."),
    "30011": Code(_OURS, "The phone cannot get pictures; words may still arrive."),
    "30012": Code(_OURS, "We gave the text too little time."),
    "30013": Code(_OURS, "We gave the text more time than is allowed."),
    "30014": Code(_OURS, "Something we said about the receiving number was wrong."),
    "30015": Code(_OURS, "We used a channel that Twilio does not offer."),
    "30016": Code(_OURS, "Our channel and the receiving one do not fit together."),
    "30017": Code(_OURS, "The carrier's network was overloaded."),
    "30018": Code(_OURS, "The carrier wants our sender to be registered first."),
    "30019": Code(_OURS, "Our text was larger than the carrier takes."),
    "30020": Code(_OURS, "Twilio failed while scheduling."),
    "30021": Code(_OURS, "Twilio failed inside."),
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
    "30036": Code(_OURS, "The text's time ran out before Twilio could send it."),
    "30042": Code(_OURS, "Our sender name is not allowed."),
    "30410": Code(_OURS, "The next carrier did not answer Twilio in time."),
    "30450": Code(_OURS, "Twilio's guard against made-up traffic stopped the text."),
    "30453": Code(_OURS, "Twilio's guard against fraud stopped the text."),
    "30500": Code(_OURS, "Twilio failed inside."),
    "60005": Code(_OURS, "The next carrier failed."),
    "63014": Code(Outcome.BLOCKED, "The contact blocked us on this channel."),
    "63018": Code(_OURS, "We sent faster than this channel allows."),
    "63024": Code(Outcome.INACTIVE, "Nobody can be reached under this number on this channel."),
    "63036": Code(_OURS, "The phone has no RCS; a plain text may still arrive."),
    "63038": Code(_OURS, "Our account reached its limit for the day."),
    "OptOutType=STOP": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
}
