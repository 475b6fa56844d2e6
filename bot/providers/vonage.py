"""Vonage: receipts of its SMS API and of its Messages API, both signed with the account's signature secret.

The SMS API signs only after Vonage's support has turned that on: a field `sig` over all other fields. Of the digests that the
dashboard offers, only SHA-256 HMAC is accepted here; webhooks have to be POST or POST-JSON. The Messages API always signs, with
a JSON Web Token. The sender registers as `provider_id` the `message_uuid` of the Messages API, or the `message-id` of the SMS
API, which has one for each part of a long text: register the first.

Codes starting with `dlr:` and `status:` are from receipts of the SMS API, `messages:` and `messages-status:` from the Messages
API, `send:` from the answer to a send request. Source: Vonage's guides to signing messages, signed webhooks, delivery receipts,
and errors.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, as_text, check_age, e164, field, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    AFTER_CARRIER,
    BEFORE_CARRIER,
    BadSignature,
    Code,
    FamilyText,
    Malformed,
    OptOutMessage,
    Parsed,
    ParsedReceipt,
    TryAgain,
    look_up_failure,
)

NAME = "vonage"
SECRET = "vonage_signature_secret"  # noqa: S105 - the name of a setting.

# Vonage retries for a day and does not promise to sign anew. A replayed report is stored only once anyway.
_RETRY_PERIOD = timedelta(hours=25)


def verify(secret: str, callback: Callback) -> None:
    """Check that Vonage signed this request with our signature secret: a token in its header, or `sig` among its fields."""
    if not secret:
        raise BadSignature("no signature")
    if callback.header("authorization"):
        _check_jwt(secret, callback)
    else:
        _check_sig_field(secret, callback)


def _check_jwt(secret: str, callback: Callback) -> None:
    kind, _, jwt_text = callback.header("authorization").partition(" ")
    try:
        claims = jwt.decode(jwt_text, secret, ["HS256"], issuer="Vonage", options={"verify_iat": False})
    except (jwt.PyJWTError, ValueError) as problem:
        raise BadSignature("the token is not valid") from problem
    body_hash = sha256(callback.body).hexdigest()
    if kind.lower() != "bearer" or not is_same(as_text(claims.get("payload_hash")).lower(), body_hash):
        raise BadSignature("another body was signed")
    check_age(as_text(claims.get("iat")), callback, tolerance=_RETRY_PERIOD)


def _check_sig_field(secret: str, callback: Callback) -> None:
    fields = _fields(callback)
    given = fields.pop("sig", "")
    if not given:
        # According to Vonage, a webhook may rarely be unsigned, and a 5xx makes it retry with a signature.
        raise TryAgain("no signature; Vonage's support has to turn on signed webhooks for the SMS API")
    # The signed text cannot distinguish `a=1` `b=2` from one field called `a=1&b`.
    if re.search("[&=]", "".join(fields)):
        raise BadSignature("a field has an impossible name")
    text = "".join(f"&{name}={re.sub('[&=]', '_', value)}" for name, value in sorted(fields.items()))
    expected = hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), sha256).hexdigest()
    if not is_same(given.lower(), expected):
        raise BadSignature("the signature does not match; it has to be SHA-256 HMAC")
    check_age(fields.get("timestamp", ""), callback, tolerance=_RETRY_PERIOD)


def _fields(callback: Callback) -> dict[str, str]:
    if not callback.is_json:
        return dict(callback.form())
    return {name: value if isinstance(value, str) else as_text(value) for name, value in callback.json_object().items()}


def parse(callback: Callback) -> Parsed:
    if callback.is_json and "message_uuid" in (message := callback.json_object()):
        return _parse_messages_api(message)
    return _parse_sms_api(_fields(callback))


def _parse_messages_api(message: Mapping[str, Any]) -> Parsed:
    uuid = required_token(message["message_uuid"], "message_uuid")
    status = token(message.get("status"), "status").lower()
    if not status and "message_type" not in message:
        raise Malformed("no status")
    if not status:
        is_text = as_text(message.get("channel")) in {"sms", "mms", "rcs"}
        return read_inbound(uuid, message.get("from"), message.get("text")) if is_text else []
    return [read_messages_receipt(uuid, status, message)]


def read_messages_receipt(uuid: str, status: str, message: Mapping[str, Any]) -> ParsedReceipt:
    """Return what a status, in lower case, of the Messages API and its error mean. An unknown code is logged."""
    number = _error_number(message.get("error"))
    code = f"messages:{number}" if number else None
    default = BEFORE_CARRIER if status == "rejected" else AFTER_CARRIER
    codes, at = [code] if code else [], timestamp(message.get("timestamp"))
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"messages-status:{status}", codes, message_id=uuid, default=default),
        provider=NAME,
        event_key=f"{uuid}:{status}:{number}:{at.isoformat() if at else ''}",
        provider_id=uuid,
        phone=e164(message.get("to")),
        code=code,
        occurred_at=at,
    )


def _error_number(error: Any) -> str:
    """Return the number of a Messages API error: its `title`, its older `code`, or the end of its `type`.

    Vonage's own libraries also accept an error that is wrapped in another `error`.
    """
    error = field(error, "error") or error
    texts = [as_text(field(error, name)) for name in ("title", "code", "type")]
    return next((match[1] for text in texts if (match := re.fullmatch(r"(?:.*#)?([0-9]{1,8})", text))), "")


def _parse_sms_api(fields: Mapping[str, str]) -> Parsed:
    message_id = required_token(fields.get("messageId") or fields.get("message-id"), "messageId")
    status = token(fields.get("status"), "status").lower()
    if not status and "text" not in fields:
        raise Malformed("no status")
    if not status:
        return read_inbound(message_id, fields.get("msisdn"), fields["text"])
    return [read_sms_receipt(message_id, status, fields)]


def read_sms_receipt(message_id: str, status: str, fields: Mapping[str, str]) -> ParsedReceipt:
    """Return what a status, in lower case, of the SMS API and the `fields` of a callback mean. An unknown code is logged."""
    # Error code 0 comes with `delivered`, and means nothing with any other status.
    number = token(fields.get("err-code"), "err-code").lstrip("0")
    code = f"dlr:{number}" if number else None
    codes = [code] if code else []
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"status:{status}", codes, message_id=message_id, default=AFTER_CARRIER),
        provider=NAME,
        event_key=f"{message_id}:{status}:{number}:{token(fields.get('scts'), 'scts')}",
        provider_id=message_id,
        phone=e164(fields.get("msisdn")),
        code=code,
        occurred_at=timestamp(fields.get("message-timestamp")),
    )


def read_inbound(message_id: str, sender: Any, text: Any) -> Sequence[OptOutMessage | FamilyText]:
    return opt_out_messages(NAME, f"{message_id}:inbound", sender=sender, text=text)


_OURS = Outcome.NOT_CONTACT_PROBLEM

# Entries that codes of both APIs share.
_SHARED: Sequence[tuple[Code, str]] = (
    (Code(Outcome.DELIVERED, "The carrier says that the text arrived."), "status:delivered dlr:0 messages-status:delivered"),
    (Code(Outcome.UNCONFIRMED, "The carrier did not deliver and does not know why.", reasonless=True), "dlr:1 messages:1330 messages-status:undeliverable"),
    (Code(Outcome.TURNED_OFF, "The phone was off or out of range."), "dlr:2 messages:1180"),
    (Code(Outcome.INACTIVE, "The number is no longer in service."), "dlr:3 send:33 messages:1190"),
    (Code(Outcome.UNCONFIRMED, "The number moved to another carrier and could not be found there.", shaky=True), "dlr:5 messages:1200"),
    (Code(_OURS, "A spam filter stopped our text."), "dlr:6 messages:1210"),
    (Code(Outcome.TURNED_OFF, "The phone was busy."), "dlr:7 messages:1220"),
    (Code(_OURS, "The carrier's network failed."), "dlr:8 messages:1230"),
    (Code(Outcome.OPT_OUT, "This number has texted STOP to us."), "dlr:9 messages:1240"),
    (Code(_OURS, "Vonage found no route to the carrier."), "dlr:11 messages:1250"),
    (Code(Outcome.UNCONFIRMED, "There is no route to this number; it may be a landline or wrong.", shaky=True), "dlr:12 messages:1260"),
    (Code(Outcome.BLOCKED, "The carrier blocks such texts for this line because of its owner's age."), "dlr:13 messages:1270"),
    (Code(Outcome.BLOCKED, "The carrier has blocked this number, or its plan does not include texts."), "dlr:14 messages:1280"),
    (Code(Outcome.BLOCKED, "The prepaid credit of this number is used up.", shaky=True), "dlr:15 messages:1290"),
    (Code(_OURS, "We sent faster than our account allows."), "send:1 messages:1000"),
    (Code(_OURS, "Our request was incomplete."), "send:2 messages:1010"),
    (Code(_OURS, "Something in our request was wrong."), "send:3 messages:1020"),
    (Code(_OURS, "Vonage had an internal error."), "send:5 messages:1030"),
    (Code(_OURS, "Vonage could not read our text or the number."), "send:6 messages:1040"),
    (Code(Outcome.BLOCKED, "Vonage has this number on its block list."), "send:7 messages:1050"),
    (Code(_OURS, "Our Vonage account is suspended."), "send:8 messages:1060"),
    (Code(_OURS, "Our Vonage account has no credit left."), "send:9 messages:1070"),
    (Code(_OURS, "Our account may not send in this way."), "send:11 messages:1080"),
    (Code(_OURS, "Our text was too long."), "send:12 messages:1090"),
    (Code(_OURS, "Our signature was not accepted."), "send:14 messages:1110"),
    (Code(_OURS, "The name or number we send from is not allowed."), "send:15 messages:1120"),
    (Code(_OURS, "Our account is a trial and may only text numbers we have listed."), "send:29 messages:1160"),
)  # fmt: skip

CODES: Mapping[str, Code] = {
    **{code: entry for entry, codes in _SHARED for code in codes.split()},
    "status:accepted": Code(Outcome.PENDING, "A carrier has accepted the text and has not delivered it yet."),
    "status:buffered": Code(Outcome.PENDING, "The text is queued at the carrier."),
    "status:expired": Code(Outcome.UNCONFIRMED, "The carrier kept trying until the text expired."),
    "status:failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:rejected": Code(Outcome.BLOCKED, "The carrier refused and gave no reason.", shaky=True, reasonless=True),
    "status:unknown": Code(Outcome.UNCONFIRMED, "The carrier reported nothing useful."),
    "dlr:4": Code(Outcome.BLOCKED, "The contact has blocked such texts."),
    "dlr:10": Code(_OURS, "The carrier does not allow what our text contains."),
    "dlr:16": Code(_OURS, "We reached the limit of our gateway."),
    "dlr:50": Code(_OURS, "Our sender is not registered as that country requires."),
    "dlr:51": Code(_OURS, "Our sender name is not registered as that country requires."),
    "dlr:52": Code(_OURS, "The content of our text is not registered as that country requires."),
    "dlr:53": Code(Outcome.BLOCKED, "The contact has not agreed to such texts, which that country requires.", shaky=True),
    "dlr:54": Code(_OURS, "Our text broke a rule of that country."),
    "dlr:99": Code(Outcome.UNCONFIRMED, "The route to the carrier failed, for an unknown reason.", reasonless=True),
    "send:4": Code(_OURS, "Our Vonage credentials were not accepted."),
    "send:10": Code(_OURS, "We have too many connections to Vonage."),
    "send:22": Code(_OURS, "We specified a carrier network that does not exist."),
    "send:23": Code(_OURS, "The web address we gave for receipts was wrong."),
    "send:32": Code(_OURS, "We gave both a signature and a password, and only one may be given."),
    "messages:1100": Code(_OURS, "Vonage could not reach the next system."),
    "messages:1130": Code(_OURS, "The validity period that we set is not allowed."),
    "messages:1140": Code(_OURS, "Our account may not use this feature."),
    "messages:1170": Code(Outcome.INACTIVE, "Vonage says that this is not a phone number."),
    "messages:1241": Code(_OURS, "We sent this number too many texts in a short time."),
    "messages:1360": Code(Outcome.UNCONFIRMED, "The text expired before it arrived."),
    "messages-status:submitted": Code(Outcome.PENDING, "Vonage has handed the text to a carrier."),
    "messages-status:read": Code(Outcome.DELIVERED, "The text was opened."),
    "messages-status:rejected": Code(Outcome.UNCONFIRMED, "It was refused without a reason.", shaky=True, reasonless=True),
}  # fmt: skip
