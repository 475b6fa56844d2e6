"""MessageBird: the API at rest.messagebird.com that Bird still runs. Bird's newer API is in `bird`.

A receipt is a GET with everything in its query; a family's text is a POST. Both are signed with a JSON Web Token that is valid
for a minute and contains digests of the full URL and of the body: behind a proxy set PUBLIC_URL, or no URL will match. One
message has one id for all its recipients, so the sender registers `<id>:<to>` as `provider_id`, with `to` in E.164. Source:
MessageBird's guide to verifying requests, Bird's list of SMS error codes, and 103 from nyaruka/courier.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, as_text, e164, is_same, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import BadSignature, Code, Malformed, OtherUrlSigned, Parsed, ParsedReceipt, look_up_failure

NAME = "messagebird"
SECRET = "messagebird_signing_key"  # noqa: S105 - the name of a setting.

# All that MessageBird lists; each needs the same secret.
_ALGORITHMS = ["HS256", "HS384", "HS512"]
_CLOCK_LEEWAY = timedelta(minutes=1)


def verify(secret: str, callback: Callback) -> None:
    """Check that MessageBird signed this URL and this body with our signing key, for this minute."""
    jwt_text = callback.header("messagebird-signature-jwt")
    if not secret or not jwt_text:
        raise BadSignature("no signature")
    # `_check_time` checks the times, against the time of the request instead of now.
    options: Any = {"require": ["iss", "nbf", "exp"], "verify_iat": False, "verify_nbf": False, "verify_exp": False}
    try:
        claims = jwt.decode(jwt_text, secret, _ALGORITHMS, issuer="MessageBird", options=options)
    except (jwt.PyJWTError, ValueError) as problem:
        raise BadSignature("the token is not valid") from problem
    _check_time(claims, callback)
    url_hashes = (sha256(url.encode("utf-8", "surrogatepass")).hexdigest() for url in callback.signed_urls())
    if as_text(claims.get("url_hash")) not in url_hashes:
        raise OtherUrlSigned("another URL was signed")
    body_hash = sha256(callback.body).hexdigest() if callback.body else ""
    if not is_same(as_text(claims.get("payload_hash")), body_hash):
        raise BadSignature("another body was signed")


def _check_time(claims: Mapping[str, Any], callback: Callback) -> None:
    start, end = (as_text(claims.get(name)) for name in ("nbf", "exp"))
    if not (re.fullmatch("[0-9]{1,12}", start) and re.fullmatch("[0-9]{1,12}", end)):
        raise BadSignature("no time was signed")
    leeway = _CLOCK_LEEWAY.total_seconds()
    if not int(start) - leeway <= callback.at.timestamp() <= int(end) + leeway:
        raise BadSignature("it was signed for another time, or a clock is wrong")


_REPORT_FIELDS = ("id", "recipient", "status", "statusReason", "statusErrorCode", "statusDatetime")
# A short code sends `message` and `mid` instead of `body` and `id`.
_TEXT_FIELDS = ("originator", "body", "message", "mid")


def parse(callback: Callback) -> Parsed:
    body: Mapping[str, Any] = callback.json_object() if callback.is_json else dict(callback.form())
    names = (*_REPORT_FIELDS, *_TEXT_FIELDS)
    fields = {name: as_text(body.get(name)) or callback.query(name).strip() for name in names}
    if fields["status"]:
        return [_receipt(fields)]
    if fields["originator"]:
        event_key = f"{required_token(fields['id'] or fields['mid'], 'id')}:inbound"
        return opt_out_messages(NAME, event_key, sender=fields["originator"], text=fields["body"] or fields["message"])
    raise Malformed("neither a status nor an originator")


def _receipt(fields: Mapping[str, str]) -> ParsedReceipt:
    message_id, phone = required_token(fields["id"], "id"), e164(fields["recipient"])
    if phone is None:
        raise Malformed("no recipient")
    status, codes = token(fields["status"], "status").lower(), _codes(fields)
    time = token(fields["statusDatetime"].replace(" ", "+"), "statusDatetime")
    entry = look_up_failure(NAME, CODES, f"status:{status}", codes, message_id=message_id)
    return ParsedReceipt.from_code(
        entry,
        provider=NAME,
        event_key=f"{message_id}:{phone}:{status}:{','.join(codes)}:{time}",
        provider_id=f"{message_id}:{phone}",
        phone=phone,
        code=next((code for code in codes if CODES.get(code) is entry), codes[0] if codes else None),
        occurred_at=timestamp(time),
    )


def _codes(fields: Mapping[str, str]) -> list[str]:
    """Return the error code and then the reason. Code 0 means no error, so it counts only without a reason."""
    number = token(fields["statusErrorCode"], "statusErrorCode")
    reason = " ".join(fields["statusReason"].lower().replace("_", " ").split())
    if not re.fullmatch("[a-z /().-]{0,64}", reason):
        raise Malformed("statusReason has unexpected characters")
    codes = [number.lstrip("0")] if number.lstrip("0") else []
    codes += [_REASONS.get(reason, f"reason:{reason}")] if reason else []
    return codes or (["0"] if number else [])


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "status:scheduled": Code(Outcome.PENDING, "The text is scheduled for later."),
    "status:sent": Code(Outcome.PENDING, "A carrier has accepted the text."),
    "status:buffered": Code(Outcome.PENDING, "The text is queued."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:delivery_failed": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:expired": Code(Outcome.UNCONFIRMED, "The text expired before the phone accepted it."),
    "reason:unknown subscriber": Code(Outcome.INACTIVE, "No line in service has this number."),
    "reason:unavailable subscriber": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "reason:DLR not received": Code(Outcome.UNCONFIRMED, "The carrier reported nothing before the text expired."),
    "reason:expired": Code(_OURS, "The text expired before it was sent."),
    "reason:generic delivery failure": Code(Outcome.UNCONFIRMED, "It failed, for an unknown reason.", reasonless=True),
    "reason:received network error": Code(_OURS, "The carrier's network failed."),
    "1": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "2": Code(Outcome.INACTIVE, "The network does not know where this phone is; it may be disconnected.", shaky=True),
    "3": Code(Outcome.INACTIVE, "No switch of the network knows this phone; it may be disconnected.", shaky=True),
    "5": Code(Outcome.INACTIVE, "The network cannot tell whose number this is."),
    "9": Code(Outcome.INACTIVE, "The network no longer admits this phone."),
    "10": Code(Outcome.INACTIVE, "This line does not have this service; it may be disconnected.", shaky=True),
    "11": Code(Outcome.INACTIVE, "This line has no text service; it may be inactive."),
    "12": Code(Outcome.BLOCKED, "The number is barred from receiving texts."),
    "0": Code(Outcome.UNCONFIRMED, "It failed without an error.", reasonless=True),
    "34": Code(_OURS, "The carrier's network failed."),
    "103": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
}  # fmt: skip
_REASONS = {code.removeprefix("reason:").lower(): code for code in CODES if code.startswith("reason:")}
