"""Vonage: receipts of its SMS API and of its Messages API, both signed with the account's signature secret.

The SMS API signs only once Vonage's support has switched that on: a field `sig` over all other fields. Of the digests that
the dashboard offers, only SHA-256 HMAC is taken here; webhooks have to be POST or POST-JSON. The Messages API signs
always, with a JSON Web Token. A sender registers as `provider_id` the `message_uuid` of the Messages API, or the
`message-id` of the SMS API, which has one for each part of a long text: register the first. Sources: Vonage's guides to
signing messages, signed webhooks and delivery receipts.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt

from bot.providers import vonage_codes
from bot.providers.callback import Callback, check_age, e164, member, moment, needed, said, same, word
from bot.providers.receipt import (
    AFTER_CARRIER,
    BEFORE_CARRIER,
    BadSignature,
    Malformed,
    Parsed,
    ParsedReceipt,
    TryAgain,
    weigh,
)
from bot.providers.texted import heard

NAME = "vonage"
SECRET = "vonage_signature_secret"  # noqa: S105 - the name of a setting.
CODES = vonage_codes.CODES
# Vonage tries again for a day and does not say that it signs anew. What somebody sends again is stored once in any case.
_TRIED_FOR = timedelta(hours=25)


def verify(secret: str, callback: Callback) -> None:
    """Check that Vonage signed this request with our signature secret: a token in its header, or `sig` among its fields.

    Raises:
        BadSignature: it is not signed, not with this secret, or too long ago.
        Malformed: the body cannot be read at all.
    """
    if not secret:
        raise BadSignature("no signature")
    if callback.header("authorization"):
        _check_token(secret, callback)
    else:
        _check_fields(secret, callback)


def _check_token(secret: str, callback: Callback) -> None:
    kind, _, token = callback.header("authorization").partition(" ")
    try:
        claims = jwt.decode(token, secret, ["HS256"], issuer="Vonage", options={"verify_iat": False})
    except (jwt.PyJWTError, ValueError) as problem:
        raise BadSignature("the token does not fit") from problem
    if kind.lower() != "bearer" or not same(
        said(claims.get("payload_hash")).lower(), sha256(callback.body).hexdigest()
    ):
        raise BadSignature("the body is not the one that was signed")
    check_age(said(claims.get("iat")), callback, tolerance=_TRIED_FOR)


def _check_fields(secret: str, callback: Callback) -> None:
    """Vonage says that it may, rarely, send a webhook unsigned, and that a 5xx makes it try again with a signature.

    The signed text does not tell `a=1` `b=2` from one field called `a=1&b`, so no such name is taken.
    """
    fields = _fields(callback)
    given = fields.pop("sig", "")
    if not given:
        raise TryAgain("no signature; Vonage's support has to switch signed webhooks on for the SMS API")
    if re.search("[&=]", "".join(fields)):
        raise BadSignature("a field has an impossible name")
    signed = "".join(f"&{name}={re.sub('[&=]', '_', value)}" for name, value in sorted(fields.items()))
    if not same(given.lower(), hmac.new(secret.encode(), signed.encode("utf-8", "surrogatepass"), sha256).hexdigest()):
        raise BadSignature("the signature does not fit; it has to be SHA-256 HMAC")
    check_age(fields.get("timestamp", ""), callback, tolerance=_TRIED_FOR)


def _fields(callback: Callback) -> dict[str, str]:
    if not callback.is_json:
        return dict(callback.form())
    return {name: value if isinstance(value, str) else said(value) for name, value in callback.json_object().items()}


def parse(callback: Callback) -> Parsed:
    """What a verified request says: one receipt, one STOP or START, or nothing (an ordinary text from a family).

    Raises:
        Malformed: it is not a Vonage webhook.
    """
    if callback.is_json and "message_uuid" in (message := callback.json_object()):
        return _of_messages_api(message)
    return _of_sms_api(_fields(callback))


def _of_messages_api(message: Mapping[str, Any]) -> Parsed:
    uuid = needed(message["message_uuid"], "message_uuid")
    status = word(message.get("status"), "status").lower()
    if not status and "message_type" not in message:
        raise Malformed("no status")
    if not status:
        is_text = said(message.get("channel")) in {"sms", "mms", "rcs"}
        return _inbound(uuid, message.get("from"), message.get("text")) if is_text else []
    number = _error_number(message.get("error"))
    code = f"messages:{number}" if number else None
    otherwise = BEFORE_CARRIER if status == "rejected" else AFTER_CARRIER
    at = moment(message.get("timestamp"))
    receipt = ParsedReceipt.of(
        weigh(NAME, CODES, f"messages-status:{status}", [code] if code else [], message=uuid, otherwise=otherwise),
        provider=NAME,
        event_key=f"{uuid}:{status}:{number}:{at.isoformat() if at else ''}",
        provider_id=uuid,
        phone=e164(message.get("to")),
        code=code,
        occurred_at=at,
    )
    return [receipt]


def _error_number(error: Any) -> str:
    """The number of a Messages API error, which stands in its `title`, its older `code`, or at the end of its `type`.

    Vonage's own libraries also know an error that is wrapped in another `error`.
    """
    error = member(error, "error") or error
    places = [said(member(error, name)) for name in ("title", "code", "type")]
    return next((found[1] for place in places if (found := re.fullmatch(r"(?:.*#)?([0-9]{1,8})", place))), "")


def _of_sms_api(fields: Mapping[str, str]) -> Parsed:
    message_id = needed(fields.get("messageId") or fields.get("message-id"), "messageId")
    status = word(fields.get("status"), "status").lower()
    if not status and "text" not in fields:
        raise Malformed("no status")
    if not status:
        return _inbound(message_id, fields.get("msisdn"), fields["text"])
    # Err-code 0 is `delivered` beside that status, and says nothing beside any other.
    number = word(fields.get("err-code"), "err-code").lstrip("0")
    code = f"dlr:{number}" if number else None
    receipt = ParsedReceipt.of(
        weigh(NAME, CODES, f"status:{status}", [code] if code else [], message=message_id, otherwise=AFTER_CARRIER),
        provider=NAME,
        event_key=f"{message_id}:{status}:{number}:{word(fields.get('scts'), 'scts')}",
        provider_id=message_id,
        phone=e164(fields.get("msisdn")),
        code=code,
        occurred_at=moment(fields.get("message-timestamp")),
    )
    return [receipt]


def _inbound(message_id: str, sender: Any, text: Any) -> Parsed:
    return heard(NAME, f"{message_id}:inbound", sender=sender, text=text)
