"""Plivo: form posts signed with the account's auth token. The code of a failure beats its status word.

A long text goes in parts that are reported one by one; `ParentMessageUUID` is what the send API answered for the whole, and
what the sender registers (each recipient of a bulk text has one). What is signed holds no time, so a request that somebody
recorded can be sent again: it then is a report that we have. Source: Plivo's message status callbacks, error codes and SDK.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, e164, moment, needed, same, word
from bot.providers.receipt import BadSignature, Code, Parsed, ParsedReceipt, weigh
from bot.providers.texted import heard

NAME = "plivo"
SECRET = "plivo_auth_token"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Plivo signed this request with our auth token (signature V3, HMAC-SHA256 of URL, fields and nonce).

    Plivo signs with the token of the account that sent and, in a header of its own, with that of its main account; on texts
    from families only the second was seen to fit. A header may hold several signatures. One that fits is enough.

    Raises:
        BadSignature: it is not signed, or not with this secret.
        Malformed: the body is not a form.
    """
    headers = (callback.header("x-plivo-signature-v3"), callback.header("x-plivo-signature-ma-v3"))
    given = [one.strip() for header in headers for one in header.split(",") if one.strip()]
    nonce = callback.header("x-plivo-signature-v3-nonce")
    if not secret or not nonce or not given:
        raise BadSignature("no signature")
    expected = _signature(secret, f"{_signed(callback)}.{nonce}")
    if not any([same(one, expected) for one in given]):  # noqa: C419 (Compares all, whichever fits.)
        raise BadSignature("the signature does not fit")


def _signature(secret: str, text: str) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(errors="surrogatepass"), sha256).digest())


def _signed(callback: Callback) -> str:
    """The URL with its query in order, and the name and value of each field in order, a dot between the two."""
    address, _, query = callback.url.partition("?")
    asked = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(query, keep_blank_values=True)))
    fields = "".join(name + value for name, value in sorted(callback.form()))
    return f"{address}?{asked}.{fields}" if asked else f"{address}?{fields}"


def parse(callback: Callback) -> Parsed:
    """What a verified request says: one receipt, one STOP or START, or nothing (an ordinary text from a family).

    Raises:
        Malformed: it is not a Plivo callback.
    """
    fields = dict(callback.form())
    message_uuid = needed(fields.get("MessageUUID"), "MessageUUID")
    if "Text" in fields:
        return heard(NAME, f"{message_uuid}:inbound", sender=fields.get("From"), text=fields["Text"])
    return [_receipt(message_uuid, fields)]


def _receipt(message_uuid: str, fields: Mapping[str, str]) -> ParsedReceipt:
    """A receipt of a text, or of one part of it (`PartInfo`, like `1 of 2`). The code `000` is none."""
    status = needed(fields.get("Status"), "Status").lower()
    code = word(fields.get("ErrorCode"), "ErrorCode").lstrip("0") or None
    part = "-".join(re.findall("[0-9]{1,4}", fields.get("PartInfo", ""))[:2])
    at = moment(fields.get("DeliveryReportTime"))
    return ParsedReceipt.of(
        weigh(NAME, CODES, f"status:{status}", [code] if code else [], message=message_uuid),
        provider=NAME,
        event_key=f"{message_uuid}:{part}:{status}:{code or ''}:{at.isoformat() if at else ''}",
        provider_id=word(fields.get("ParentMessageUUID"), "ParentMessageUUID") or message_uuid,
        phone=e164(fields.get("To")),
        code=code,
        occurred_at=at,
    )


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 100, 1000 and a bare `undelivered` are the refusals for which the carrier gives no reason.
CODES: Mapping[str, Code] = {
    "status:queued": Code(Outcome.PENDING, "The text waits its turn at Plivo."),
    "status:sent": Code(Outcome.PENDING, "A carrier has taken the text; it may never say more."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:failed": Code(_OURS, "The text never left Plivo, and Plivo gave no reason."),
    "status:rejected": Code(_OURS, "Plivo did not take our text, and gave no reason."),
    "10": Code(_OURS, "Our text could not be sent as it was."),
    "20": Code(_OURS, "The carrier's network failed."),
    "30": Code(_OURS, "A filter took our words for spam."),
    "40": Code(_OURS, "The number we send from is not a valid one."),
    "50": Code(Outcome.LANDLINE, "This number cannot get texts; most likely it is a landline."),
    "60": Code(_OURS, "Our text went round in circles and was stopped."),
    "70": Code(Outcome.INACTIVE, "This number is out of service."),
    "80": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "90": Code(_OURS, "Plivo has no route to this carrier."),
    "100": Code(Outcome.BLOCKED, "The carrier does not let our texts through.", shaky=True, reasonless=True),
    "110": Code(_OURS, "Our text was too long."),
    "200": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "201": Code(_OURS, "Our toll-free number may not text Canada."),
    "300": Code(_OURS, "Plivo could not hand the text over."),
    "420": Code(Outcome.UNCONFIRMED, "The text's time ran out before it was delivered."),
    "450": Code(_OURS, "Our account may not text that country."),
    "900": Code(_OURS, "Our account has no credit left."),
    "910": Code(_OURS, "Our Plivo account is switched off."),
    "1000": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and cannot say why.", reasonless=True),
}
