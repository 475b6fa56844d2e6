"""Plivo: form posts signed with the account's auth token. An error code overrides the status.

A long text is sent in parts that are reported separately; `ParentMessageUUID` is what the send API returned for the whole, and
what the sender registers (each recipient of a bulk text has one). The signature contains no time, so a recorded request can be
sent again; it is then a repeated report. Source: Plivo's message status callbacks, error codes, and SDK.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, e164, is_any, required_token, timestamp, token
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import BadSignature, Code, OtherUrlSigned, Parsed, ParsedReceipt, look_up_failure

NAME = "plivo"
SECRET = "plivo_auth_token"  # noqa: S105 - the name of a setting.


def verify(secret: str, callback: Callback) -> None:
    """Check that Plivo signed this request with our auth token (signature V3, HMAC-SHA256 of URL, fields, and nonce).

    Plivo signs with the token of the sending account and, in a header of its own, with that of its main account; on texts from
    families only the second has been seen to match. A header may contain several signatures. One match is enough.
    """
    headers = (callback.header("x-plivo-signature-v3"), callback.header("x-plivo-signature-ma-v3"))
    given = [signature.strip() for header in headers for signature in header.split(",") if signature.strip()]
    nonce = callback.header("x-plivo-signature-v3-nonce")
    if not secret or not nonce or not given:
        raise BadSignature("no signature")
    fields = "".join(name + value for name, value in sorted(callback.form()))
    if not any(is_any(given, _sign(secret, url, fields, nonce)) for url in callback.signed_urls()):
        raise OtherUrlSigned("the signature does not match")


def _sign(secret: str, url: str, fields: str, nonce: str) -> bytes:
    """Sign the URL with its query sorted, a dot if there is one, the name and value of each form field, sorted, and the nonce."""
    address, _, query = url.partition("?")
    parameters = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(query, keep_blank_values=True)))
    signed = f"{address}?{parameters}.{fields}.{nonce}" if parameters else f"{address}?{fields}.{nonce}"
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(errors="surrogatepass"), sha256).digest())


def parse(callback: Callback) -> Parsed:
    fields = dict(callback.form())
    message_uuid = required_token(fields.get("MessageUUID"), "MessageUUID")
    if "Text" in fields:
        return opt_out_messages(NAME, f"{message_uuid}:inbound", sender=fields.get("From"), text=fields["Text"])
    return [read_receipt(message_uuid, fields)]


def read_receipt(message_uuid: str, fields: Mapping[str, str]) -> ParsedReceipt:
    """Return the receipt of a text or of one part of it (`PartInfo`, like `1 of 2`). The code `000` means no error."""
    status = required_token(fields.get("Status"), "Status").lower()
    code = token(fields.get("ErrorCode"), "ErrorCode").lstrip("0") or None
    part = "-".join(re.findall("[0-9]{1,4}", fields.get("PartInfo", ""))[:2])
    at = timestamp(fields.get("DeliveryReportTime"))
    return ParsedReceipt.from_code(
        look_up_failure(NAME, CODES, f"status:{status}", [code] if code else [], message_id=message_uuid),
        provider=NAME,
        event_key=event_key(message_uuid, status, code, part=part) + (at.isoformat() if at else ""),
        provider_id=token(fields.get("ParentMessageUUID"), "ParentMessageUUID") or message_uuid,
        phone=e164(fields.get("To")),
        code=code,
        occurred_at=at,
    )


def event_key(message_uuid: str, status: str, code: str | None, *, part: str = "") -> str:
    """Return the key of a receipt without its time, which the message log does not show."""
    return f"{message_uuid}:{part}:{status}:{code or ''}:"


_OURS = Outcome.NOT_CONTACT_PROBLEM

# 100, 1000 and a bare `undelivered` are refusals without a reason.
CODES: Mapping[str, Code] = {
    "status:queued": Code(Outcome.PENDING, "The text is queued at Plivo."),
    "status:sent": Code(Outcome.PENDING, "A carrier has accepted the text; it may not report anything more."),
    "status:delivered": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "status:undelivered": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and gave no reason.", reasonless=True),
    "status:failed": Code(_OURS, "The text never left Plivo, and Plivo gave no reason."),
    "status:rejected": Code(_OURS, "Plivo did not accept our text and gave no reason."),
    "10": Code(_OURS, "Our text could not be sent as it was."),
    "20": Code(_OURS, "The carrier's network failed."),
    "30": Code(_OURS, "A spam filter stopped our text."),
    "40": Code(_OURS, "The number we send from is not valid."),
    "50": Code(Outcome.LANDLINE, "This number cannot receive texts; most likely it is a landline."),
    "60": Code(_OURS, "Our text was routed in a loop and stopped."),
    "70": Code(Outcome.INACTIVE, "This number is out of service."),
    "80": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "90": Code(_OURS, "Plivo has no route to this carrier."),
    "100": Code(Outcome.BLOCKED, "The carrier does not let our texts through.", shaky=True, reasonless=True),
    "110": Code(_OURS, "Our text was too long."),
    "200": Code(Outcome.OPT_OUT, "This number has texted STOP to us."),
    "201": Code(_OURS, "Our toll-free number may not text Canada."),
    "300": Code(_OURS, "Plivo could not hand the text to a carrier."),
    "420": Code(Outcome.UNCONFIRMED, "The text expired before it was delivered."),
    "450": Code(_OURS, "Our account may not text that country."),
    "900": Code(_OURS, "Our account has no credit left."),
    "910": Code(_OURS, "Our Plivo account is disabled."),
    "1000": Code(Outcome.UNCONFIRMED, "The carrier did not deliver and does not know why.", reasonless=True),
}
