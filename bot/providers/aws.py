"""AWS End User Messaging SMS, whose events arrive through Amazon SNS.

SNS signs every message with Amazon's own key, so the signature only proves that *some* topic sent it. The TopicArn proves that the
topic is ours: it is compared with AWS_SNS_TOPIC_ARN (several are separated by commas) before anything is fetched. Certificates and
confirmations are fetched from the topic's region only. Turn raw message delivery off, because raw messages are not signed, and prefer
SignatureVersion 2 for the topic (SHA-256; 1 is SHA-1). Raise the retries in the subscription's delivery policy (`docs/retries.md`). The
sender registers the `MessageId` that SendTextMessage returned. Source: AWS's guides to SNS and to End User Messaging.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.error import HTTPError

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import load_pem_x509_certificate

from bot.domain.sms_status import Outcome
from bot.providers.callback import (
    Callback,
    as_text,
    check_age,
    decode_base64,
    e164,
    is_any,
    required_token,
    timestamp,
    token,
)
from bot.providers.fetch import fetch
from bot.providers.opt_out_keywords import opt_out_messages
from bot.providers.receipt import (
    AFTER_CARRIER,
    ON_ITS_WAY,
    BadSignature,
    Code,
    FetchFirst,
    Handshake,
    Malformed,
    Parsed,
    ParsedReceipt,
    TryAgain,
    look_up,
)

logger = logging.getLogger(__name__)

NAME = "aws"
SECRET = "aws_sns_topic_arn"  # noqa: S105 - the name of a setting.

# SNS retries for at most this long, with the timestamp of the first attempt.
_RETRY_PERIOD = timedelta(hours=1)
_SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_DIGESTS: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}


def verify(secret: str, callback: Callback) -> None:
    """Check that SNS signed the message for one of our topics.

    Raises:
        FetchFirst: this is the first message with this certificate.
    """
    if callback.header("x-amz-sns-rawdelivery"):
        raise Malformed(
            "raw message delivery is on for this subscription, but raw messages are not signed: turn it off"
        )
    envelope = _envelope(callback)
    topic, url = as_text(envelope.get("TopicArn")), as_text(envelope.get("SigningCertURL"))
    if not is_any([arn.strip() for arn in secret.split(",") if arn.strip()], topic):
        raise BadSignature("this topic is not in AWS_SNS_TOPIC_ARN")
    sent_at = timestamp(envelope.get("Timestamp"))
    check_age(str(int(sent_at.timestamp())) if sent_at else "", callback, tolerance=_RETRY_PERIOD)
    digest = _DIGESTS.get(as_text(envelope.get("SignatureVersion")))
    if digest is None:
        raise BadSignature("no signature of version 1 or 2")
    if not re.fullmatch(re.escape(_sns_url(topic)) + r"SimpleNotificationService-[0-9a-f]+\.pem", url):
        raise BadSignature("the certificate is not in the topic's region")
    fields = [(name, envelope.get(name)) for name in _SIGNED_FIELDS[as_text(envelope.get("Type"))]]
    text = "".join(f"{name}\n{value}\n" for name, value in fields if isinstance(value, str))
    signature = decode_base64(as_text(envelope.get("Signature")))
    if url not in _public_keys:
        raise FetchFirst(partial(_fetch_public_key, url))
    try:
        _public_keys[url].verify(signature, text.encode("utf-8", "surrogatepass"), PKCS1v15(), digest())
    except InvalidSignature as problem:
        raise BadSignature("the signature does not match") from problem


def _envelope(callback: Callback) -> dict[str, Any]:
    envelope = callback.json()
    if not isinstance(envelope, dict) or as_text(envelope.get("Type")) not in _SIGNED_FIELDS:
        raise Malformed("it is not an SNS message")
    return envelope


def _sns_url(topic: str) -> str:
    """Return the URL of SNS in the topic's region: `https://sns.<region>.amazonaws.com/`."""
    arn = re.match(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]+):", topic)
    if arn is None:
        raise BadSignature("AWS_SNS_TOPIC_ARN is not the ARN of a topic")
    return f"https://sns.{arn[2]}.amazonaws.com{'.cn' if arn[1] == 'aws-cn' else ''}/"


# By the URL of their certificate. A new certificate gets a new URL, so an entry never becomes stale, and only Amazon can add one.
_public_keys: dict[str, RSAPublicKey] = {}


def _fetch_public_key(url: str) -> None:
    """Fetch Amazon's certificate (at most 5 s), unless another message did meanwhile."""
    if url in _public_keys:
        return
    try:
        key = load_pem_x509_certificate(fetch(url)).public_key()
    except OSError as problem:
        if isinstance(problem, HTTPError) and problem.code < 500:  # noqa: PLR2004 - from 500 on, Amazon itself has a problem.
            raise BadSignature("Amazon has no such certificate") from problem
        raise TryAgain("Amazon's certificate could not be fetched") from problem
    except ValueError as problem:
        raise BadSignature("the certificate's URL holds something else") from problem
    if not isinstance(key, RSAPublicKey):
        raise BadSignature("the certificate is not for signing messages")
    _public_keys[url] = key


def parse(callback: Callback) -> Parsed:
    """Return the receipt, opt-out, opt-in, or subscription to confirm of a verified message; nothing for other events."""
    envelope = _envelope(callback)
    kind, topic = as_text(envelope["Type"]), as_text(envelope.get("TopicArn"))
    if kind == "SubscriptionConfirmation":
        url = as_text(envelope.get("SubscribeURL"))
        if not re.fullmatch(re.escape(_sns_url(topic)) + r"\?Action=ConfirmSubscription&[!-~]+", url):
            raise BadSignature("the SubscribeURL is not in the topic's region")
        return [Handshake({}, confirm=url)]
    if kind == "UnsubscribeConfirmation":
        logger.warning("%s: we were unsubscribed from %s; no more receipts will arrive", NAME, topic)
        return []
    # The message is the event as JSON in a text.
    event = replace(callback, body=as_text(envelope.get("Message")).encode("utf-8", "surrogatepass")).json_object()
    if "inboundMessageId" in event:
        event_key = f"{required_token(event['inboundMessageId'], 'inboundMessageId')}:inbound"
        return opt_out_messages(NAME, event_key, sender=event.get("originationNumber"), text=event.get("messageBody"))
    return [_receipt(event)] if required_token(event.get("eventType"), "eventType").startswith("TEXT_") else []


def _receipt(event: Mapping[str, Any]) -> ParsedReceipt:
    message_id, is_final = required_token(event.get("messageId"), "messageId"), event.get("isFinal") is True
    kind, stamp = token(event.get("eventType"), "eventType"), token(event.get("eventTimestamp"), "eventTimestamp")
    code = _code(kind, as_text(event.get("messageStatusDescription")), is_final=is_final)
    default = AFTER_CARRIER if is_final else ON_ITS_WAY
    return ParsedReceipt.from_code(
        look_up(NAME, CODES, [code], message_id=message_id, default=default),
        provider=NAME,
        event_key=f"{message_id}:{kind}:{is_final}:{stamp}",
        provider_id=message_id,
        phone=e164(event.get("destinationPhoneNumber")),
        code=code,
        # In milliseconds since 1970.
        occurred_at=datetime.fromtimestamp(int(stamp) / 1000, UTC) if re.fullmatch("[0-9]{1,14}", stamp) else None,
    )


def _code(kind: str, description: str, *, is_final: bool) -> str:
    """Return the type of the event; for a failure the description, if the table has it, because it says more."""
    if kind == "TEXT_SUCCESSFUL":
        return f"{kind}+isFinal={'true' if is_final else 'false'}"
    has_failed = kind not in CODES or CODES[kind].outcome not in {Outcome.PENDING, Outcome.DELIVERED}
    by_description = f"text:{description}"
    return by_description if has_failed and by_description in CODES else kind


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "TEXT_SENT": Code(Outcome.PENDING, "AWS has sent the text."),
    "TEXT_QUEUED": Code(Outcome.PENDING, "The text is queued at AWS."),
    "TEXT_PENDING": Code(Outcome.PENDING, "The text is on its way to the phone."),
    "TEXT_SUCCESSFUL+isFinal=false": Code(Outcome.PENDING, "A carrier has accepted the text; another report will follow."),
    "TEXT_SUCCESSFUL+isFinal=true": Code(Outcome.DELIVERED, "A carrier has accepted the text and will not report anything more."),
    "TEXT_DELIVERED": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "TEXT_BLOCKED": Code(Outcome.BLOCKED, "The contact's phone or carrier blocks our texts.", reasonless=True),
    "TEXT_TTL_EXPIRED": Code(Outcome.UNCONFIRMED, "The text expired before the phone accepted it."),
    "TEXT_CARRIER_UNREACHABLE": Code(_OURS, "The carrier's network failed temporarily."),
    "TEXT_INVALID": Code(Outcome.INACTIVE, "AWS says that this is not a valid phone number."),
    "TEXT_INVALID_MESSAGE": Code(_OURS, "The content of our text could not be sent."),
    "TEXT_CARRIER_BLOCKED": Code(_OURS, "The carrier took our text for abuse."),
    "TEXT_UNREACHABLE": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "TEXT_SPAM": Code(_OURS, "The carrier took our text for spam."),
    "TEXT_UNKNOWN": Code(Outcome.UNCONFIRMED, "It failed, and AWS does not know why.", reasonless=True),
    "TEXT_PROTECT_BLOCKED": Code(_OURS, "Our own protection settings at AWS stopped the text."),
    "ConflictException:DESTINATION_PHONE_NUMBER_OPTED_OUT": Code(Outcome.OPT_OUT, "This number is on our opt-out list at AWS."),
    "ConflictException:DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": Code(_OURS, "Our own protection settings at AWS do not allow that country."),
    "ConflictException:DESTINATION_PHONE_NUMBER_NOT_VERIFIED": Code(_OURS, "Our AWS account is a trial and may only text numbers we have verified."),
    "text:Blocked as spam by phone carrier": Code(_OURS, "The carrier took our text for spam."),
    "text:Destination is on a blocked list": Code(Outcome.BLOCKED, "The number is on a list of blocked numbers."),
    "text:Invalid phone number": Code(Outcome.INACTIVE, "AWS says that this is not a valid phone number."),
    "text:Message body is invalid": Code(_OURS, "The content of our text could not be sent."),
    "text:Phone carrier has blocked this message": Code(_OURS, "The carrier blocked our text.", shaky=True),
    "text:Phone carrier is currently unreachable/unavailable": Code(_OURS, "The carrier's network failed temporarily."),
    "text:Phone has blocked SMS": Code(Outcome.BLOCKED, "The contact's phone blocks our texts."),
    "text:Phone is on a blocked list": Code(Outcome.BLOCKED, "The number is on a list of blocked numbers."),
    "text:Phone is currently unreachable/unavailable": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "text:Phone number is opted out": Code(Outcome.OPT_OUT, "This number has opted out of our texts."),
    "text:This delivery would exceed max price": Code(_OURS, "The text would have cost more than we allowed."),
    "text:Unknown error attempting to reach phone": Code(Outcome.UNCONFIRMED, "It failed on the way to the phone, for an unknown reason.", reasonless=True),
    "text:No quota left for account": Code(_OURS, "Our AWS account has reached its spending limit."),
}  # fmt: skip
