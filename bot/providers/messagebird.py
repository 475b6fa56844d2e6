"""MessageBird, the API at rest.messagebird.com that Bird has kept; what Bird built since is in `bird`.

A report is a GET with everything in its query; a family's text is a POST. Both are signed with a JSON Web Token of a minute's
life that holds digests of the whole URL and of the body: behind a proxy set PUBLIC_URL, or no URL will fit. One message has
one id for all its recipients, so the sender registers `<id>:<to>` as `provider_id`, with `to` in E.164. Source: MessageBird's
guide to verifying requests, Bird's list of SMS error codes, and 103 from nyaruka/courier.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, e164, moment, needed, said, same, word
from bot.providers.receipt import BadSignature, Code, Malformed, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

NAME = "messagebird"
SECRET = "messagebird_signing_key"  # noqa: S105 - the name of a setting.

_ALGORITHMS = ["HS256", "HS384", "HS512"]  # All that MessageBird names; each needs the same secret.
_CLOCKS_DIFFER = timedelta(minutes=1)


def verify(secret: str, callback: Callback) -> None:
    """Check that MessageBird signed this URL and this body with our signing key, for this minute.

    Raises:
        BadSignature: it is not signed, not with this key, for another request, or for another time.
    """
    token = callback.header("messagebird-signature-jwt")
    if not secret or not token:
        raise BadSignature("no signature")
    claims = _claims(secret, token)
    _check_time(claims, callback)
    if not same(said(claims.get("url_hash")), sha256(callback.url.encode("utf-8", "surrogatepass")).hexdigest()):
        raise BadSignature("the URL is not the one that was signed; is PUBLIC_URL right?")
    if not same(said(claims.get("payload_hash")), sha256(callback.body).hexdigest() if callback.body else ""):
        raise BadSignature("the body is not the one that was signed")


def _claims(secret: str, token: str) -> dict[str, Any]:
    # The time is checked against that of the request, which is not the time of this line.
    options: Any = {"require": ["iss", "nbf", "exp"], "verify_iat": False, "verify_nbf": False, "verify_exp": False}
    try:
        return jwt.decode(token, secret, _ALGORITHMS, issuer="MessageBird", options=options)
    except (jwt.PyJWTError, ValueError) as problem:
        raise BadSignature("the token does not fit") from problem


def _check_time(claims: Mapping[str, Any], callback: Callback) -> None:
    start, end = (said(claims.get(name)) for name in ("nbf", "exp"))
    if not (re.fullmatch("[0-9]{1,12}", start) and re.fullmatch("[0-9]{1,12}", end)):
        raise BadSignature("no time was signed")
    leeway = _CLOCKS_DIFFER.total_seconds()
    if not int(start) - leeway <= callback.at.timestamp() <= int(end) + leeway:
        raise BadSignature("it was signed for another time, or a clock is wrong")


def parse(callback: Callback) -> Parsed:
    """What a verified request says: one receipt, one STOP or START, or nothing (an ordinary text from a family).

    Raises:
        Malformed: it is neither a report nor a text.
    """
    fields = _fields(callback)
    if fields["status"]:
        return [_receipt(fields)]
    if fields["originator"]:
        return _inbound(fields)
    raise Malformed("neither a status nor an originator")


_REPORT = ("id", "recipient", "status", "statusReason", "statusErrorCode", "statusDatetime")
_TEXT = ("originator", "body", "message", "mid")  # `message` and `mid` are what a short code has for `body` and `id`.


def _fields(callback: Callback) -> dict[str, str]:
    body: Mapping[str, Any] = callback.json_object() if callback.is_json else dict(callback.form())
    return {name: said(body.get(name)) or callback.query(name).strip() for name in (*_REPORT, *_TEXT)}


def _inbound(fields: Mapping[str, str]) -> Parsed:
    text_id = needed(fields["id"] or fields["mid"], "id")
    return heard(NAME, f"{text_id}:inbound", sender=fields["originator"], text=fields["body"] or fields["message"])


def _receipt(fields: Mapping[str, str]) -> ParsedReceipt:
    message_id, phone = needed(fields["id"], "id"), e164(fields["recipient"])
    if phone is None:
        raise Malformed("no recipient")
    status, told = word(fields["status"], "status").lower(), _told(fields)
    at = word(fields["statusDatetime"].replace(" ", "+"), "statusDatetime")
    known = weigh(NAME, CODES, f"status:{status}", told, message=message_id)
    return ParsedReceipt.of(
        known,
        provider=NAME,
        event_key=f"{message_id}:{phone}:{status}:{','.join(told)}:{at}",
        provider_id=f"{message_id}:{phone}",
        phone=phone,
        code=next((code for code in told if CODES.get(code) is known), told[0] if told else None),
        occurred_at=moment(at),
    )


def _told(fields: Mapping[str, str]) -> list[str]:
    """The code and the reason beside a status, what says more first; 0 is `no error`, so a reason says more than it."""
    code = word(fields["statusErrorCode"], "statusErrorCode")
    reason = " ".join(fields["statusReason"].lower().replace("_", " ").split())
    if not re.fullmatch("[a-z /().-]{0,64}", reason):
        raise Malformed("statusReason is not in words")
    told = [code.lstrip("0")] if code.lstrip("0") else []
    told += [_REASONS.get(reason, f"reason:{reason}")] if reason else []
    return told or (["0"] if code else [])


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "status:scheduled": Code(Outcome.PENDING, "The text is planned for later."),
    "status:sent": Code(Outcome.PENDING, "A carrier has taken the text."),
    "status:buffered": Code(Outcome.PENDING, "The text waits its turn."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:delivery_failed": Code(
        Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True
    ),
    "status:expired": Code(Outcome.UNCONFIRMED, "The text's time ran out before the phone took it."),
    "reason:unknown subscriber": Code(Outcome.INACTIVE, "No line in service has this number."),
    "reason:unavailable subscriber": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "reason:DLR not received": Code(Outcome.UNCONFIRMED, "The carrier was silent until the text's time ran out."),
    "reason:expired": Code(_OURS, "The text's time ran out before it was sent."),
    "reason:generic delivery failure": Code(Outcome.UNCONFIRMED, "It failed, and nobody says why.", reasonless=True),
    "reason:received network error": Code(_OURS, "The carrier's network failed."),
    "1": Code(Outcome.INACTIVE, "The carrier does not know this number."),
    "2": Code(Outcome.INACTIVE, "The network does not know where this phone is; it may be gone.", shaky=True),
    "3": Code(Outcome.INACTIVE, "No switch of the network knows this phone; it may be gone.", shaky=True),
    "5": Code(Outcome.INACTIVE, "The network cannot tell whose number this is."),
    "9": Code(Outcome.INACTIVE, "The network does not admit this phone any more."),
    "10": Code(Outcome.INACTIVE, "This line has no such service; it may be gone.", shaky=True),
    "11": Code(Outcome.INACTIVE, "This line has no texts; no active line may be behind it."),
    "12": Code(Outcome.BLOCKED, "The number is barred from getting texts."),
    "0": Code(Outcome.UNCONFIRMED, "It failed without an error.", reasonless=True),
    "34": Code(_OURS, "The carrier's network failed."),
    "103": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
}
_REASONS = {code.removeprefix("reason:").lower(): code for code in CODES if code.startswith("reason:")}
