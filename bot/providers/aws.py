"""AWS End User Messaging SMS: its events come through Amazon SNS, which signs each with a key of Amazon's, shared by all.

So the signature only says that *a* topic sent it; that it is ours says its TopicArn, which is compared with AWS_SNS_TOPIC_ARN
(several with commas) before anything is fetched. Certificates and confirmations are at the topic's region and nowhere else.
Leave raw message delivery off: raw messages are not signed. Prefer SignatureVersion 2 for the topic (SHA-256; 1 is SHA-1).
The sender registers the `MessageId` that SendTextMessage gave it. Source: AWS's guides to SNS and to End User Messaging.
"""

import base64
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.error import HTTPError

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import load_pem_x509_certificate

from bot.domain.sms_status import Outcome
from bot.providers.callback import Callback, check_age, e164, moment, needed, said, same, word
from bot.providers.calling import call
from bot.providers.receipt import (
    AFTER_CARRIER,
    ON_ITS_WAY,
    BadSignature,
    Code,
    Handshake,
    Malformed,
    Parsed,
    ParsedReceipt,
    TryAgain,
    look_up,
)
from bot.providers.texted import heard

logger = logging.getLogger(__name__)

NAME = "aws"
SECRET = "aws_sns_topic_arn"  # noqa: S105 - the name of a setting.

_RETRIED_FOR = timedelta(hours=1)  # The longest that SNS tries again; the time in it is that of the first try.
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_DIGESTS: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}


def verify(secret: str, callback: Callback) -> None:
    """Check that SNS signed this for one of our topics. The first time, this fetches Amazon's certificate (5 s at most).

    Raises:
        BadSignature: another topic, too old, or not signed by Amazon; TryAgain while its certificate cannot be had.
        Malformed: it is not an SNS message, or a raw one.
    """
    if callback.header("x-amz-sns-rawdelivery"):
        raise Malformed(
            "raw message delivery is on for this subscription, and raw messages are not signed: turn it off"
        )
    envelope = _envelope(callback)
    topic, url = said(envelope.get("TopicArn")), said(envelope.get("SigningCertURL"))
    if not any([same(topic, known.strip()) for known in secret.split(",") if known.strip()]):  # noqa: C419 (All, whichever fits.)
        raise BadSignature("this topic is not in AWS_SNS_TOPIC_ARN")
    sent = moment(envelope.get("Timestamp"))
    check_age(str(int(sent.timestamp())) if sent else "", callback, tolerance=_RETRIED_FOR)
    digest = _DIGESTS.get(said(envelope.get("SignatureVersion")))
    if digest is None:
        raise BadSignature("no signature of version 1 or 2")
    if not re.fullmatch(re.escape(_site(topic)) + r"SimpleNotificationService-[0-9a-f]+\.pem", url):
        raise BadSignature("the certificate is not at the region of the topic")
    try:
        _key(url).verify(_decoded(envelope.get("Signature")), _signed_text(envelope), PKCS1v15(), digest())
    except InvalidSignature as problem:
        raise BadSignature("the signature does not fit") from problem


def _envelope(callback: Callback) -> dict[str, Any]:
    envelope = callback.json()
    if not isinstance(envelope, dict) or said(envelope.get("Type")) not in _SIGNED:
        raise Malformed("it is not a message of SNS")
    return envelope


def _site(topic: str) -> str:
    """Where SNS is for this topic: `https://sns.<region>.amazonaws.com/`."""
    arn = re.match(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]+):", topic)
    if arn is None:
        raise BadSignature("AWS_SNS_TOPIC_ARN is not the ARN of a topic")
    return f"https://sns.{arn[2]}.amazonaws.com{'.cn' if arn[1] == 'aws-cn' else ''}/"


def _signed_text(envelope: Mapping[str, Any]) -> bytes:
    fields = [(name, envelope.get(name)) for name in _SIGNED[said(envelope.get("Type"))]]
    texts = [f"{name}\n{value}\n" for name, value in fields if isinstance(value, str)]
    return "".join(texts).encode("utf-8", "surrogatepass")


def _decoded(signature: Any) -> bytes:
    try:
        return base64.b64decode(said(signature), validate=True)
    except ValueError:
        return b""


@lru_cache(maxsize=16)
def _key(url: str) -> RSAPublicKey:
    """The key of Amazon's certificate at this address. A new certificate has a new address, so this one stays as it is."""
    try:
        key = load_pem_x509_certificate(call(url)).public_key()
    except OSError as problem:
        if isinstance(problem, HTTPError) and problem.code < 500:  # noqa: PLR2004 - Above are faults of Amazon's.
            raise BadSignature("Amazon has no such certificate") from problem
        raise TryAgain("Amazon could not be asked for its certificate") from problem
    except ValueError as problem:
        raise BadSignature("what Amazon has there is not a certificate") from problem
    if not isinstance(key, RSAPublicKey):
        raise BadSignature("the certificate is not for signing messages")
    return key


def parse(callback: Callback) -> Parsed:
    """What a verified message says: a receipt, a STOP or START, a subscription to be confirmed, or nothing for us.

    Raises:
        Malformed: it is not an event of End User Messaging.
    """
    envelope = _envelope(callback)
    kind, topic = said(envelope["Type"]), said(envelope.get("TopicArn"))
    if kind == "SubscriptionConfirmation":
        return [_handshake(topic, said(envelope.get("SubscribeURL")))]
    if kind == "UnsubscribeConfirmation":
        logger.warning("%s: somebody unsubscribed us from %s; no more receipts will come", NAME, topic)
        return []
    event = _event(callback, said(envelope.get("Message")))
    if "inboundMessageId" in event:
        return _inbound(event)
    return [_receipt(event)] if needed(event.get("eventType"), "eventType").startswith("TEXT_") else []


def _handshake(topic: str, url: str) -> Handshake:
    if not re.fullmatch(re.escape(_site(topic)) + r"\?Action=ConfirmSubscription&[!-~]+", url):
        raise BadSignature("the SubscribeURL is not at the region of the topic")
    return Handshake({}, confirm=url)


def _event(callback: Callback, message: str) -> dict[str, Any]:
    """The event within the message, which is JSON as a text."""
    event = replace(callback, body=message.encode("utf-8", "surrogatepass")).json()
    if not isinstance(event, dict):
        raise Malformed("its Message is not an event")
    return event


def _inbound(event: Mapping[str, Any]) -> Parsed:
    event_key = f"{needed(event.get('inboundMessageId'), 'inboundMessageId')}:inbound"
    return heard(NAME, event_key, sender=event.get("originationNumber"), text=event.get("messageBody"))


def _receipt(event: Mapping[str, Any]) -> ParsedReceipt:
    message_id, is_final = needed(event.get("messageId"), "messageId"), event.get("isFinal") is True
    stamp = word(event.get("eventTimestamp"), "eventTimestamp")
    code = _code(event, is_final=is_final)
    otherwise = AFTER_CARRIER if is_final else ON_ITS_WAY
    return ParsedReceipt.of(
        look_up(NAME, CODES, [code], message=message_id, otherwise=otherwise),
        provider=NAME,
        event_key=f"{message_id}:{word(event.get('eventType'), 'eventType')}:{is_final}:{stamp}",
        provider_id=message_id,
        phone=e164(event.get("destinationPhoneNumber")),
        code=code,
        occurred_at=_time(stamp),
    )


def _code(event: Mapping[str, Any], *, is_final: bool) -> str:
    """The type of the event, or for a failure the sentence beside it where we know it: it says more."""
    kind, sentence = word(event.get("eventType"), "eventType"), f"text:{said(event.get('messageStatusDescription'))}"
    if kind == "TEXT_SUCCESSFUL":
        return f"{kind}+isFinal={'true' if is_final else 'false'}"
    has_failed = kind not in CODES or CODES[kind].outcome not in {Outcome.PENDING, Outcome.DELIVERED}
    return sentence if has_failed and sentence in CODES else kind


def _time(stamp: str) -> datetime | None:
    """AWS's time in milliseconds since 1970."""
    return datetime.fromtimestamp(int(stamp) / 1000, UTC) if re.fullmatch("[0-9]{1,14}", stamp) else None


_OURS = Outcome.NOT_CONTACT_PROBLEM

CODES: Mapping[str, Code] = {
    "TEXT_SENT": Code(Outcome.PENDING, "AWS has sent the text off."),
    "TEXT_QUEUED": Code(Outcome.PENDING, "The text waits its turn at AWS."),
    "TEXT_PENDING": Code(Outcome.PENDING, "The text is on its way to the phone."),
    "TEXT_SUCCESSFUL+isFinal=false": Code(Outcome.PENDING, "A carrier has taken the text; more will be said."),
    "TEXT_SUCCESSFUL+isFinal=true": Code(Outcome.DELIVERED, "A carrier has taken the text and has no more to say."),
    "TEXT_DELIVERED": Code(Outcome.DELIVERED, "The carrier says that the text arrived."),
    "TEXT_BLOCKED": Code(Outcome.BLOCKED, "The contact's phone or carrier blocks our texts.", reasonless=True),
    "TEXT_TTL_EXPIRED": Code(Outcome.UNCONFIRMED, "The text's time ran out before the phone took it."),
    "TEXT_CARRIER_UNREACHABLE": Code(_OURS, "The carrier's network failed for a while."),
    "TEXT_INVALID": Code(Outcome.INACTIVE, "AWS says that no such phone number can exist."),
    "TEXT_INVALID_MESSAGE": Code(_OURS, "Our words could not be sent as they were."),
    "TEXT_CARRIER_BLOCKED": Code(_OURS, "The carrier took our text for abuse."),
    "TEXT_UNREACHABLE": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "TEXT_SPAM": Code(_OURS, "The carrier took our words for spam."),
    "TEXT_UNKNOWN": Code(Outcome.UNCONFIRMED, "It failed, and AWS does not know why.", reasonless=True),
    "TEXT_PROTECT_BLOCKED": Code(_OURS, "Our own protection settings at AWS stopped the text."),
    "ConflictException:DESTINATION_PHONE_NUMBER_OPTED_OUT": Code(
        Outcome.OPT_OUT, "This number is on our opt-out list at AWS."
    ),
    "ConflictException:DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": Code(
        _OURS, "Our own protection settings at AWS do not allow that country."
    ),
    "ConflictException:DESTINATION_PHONE_NUMBER_NOT_VERIFIED": Code(
        _OURS, "Our AWS account is a trial and may only text numbers we have verified."
    ),
    "text:Blocked as spam by phone carrier": Code(_OURS, "The carrier took our words for spam."),
    "text:Destination is on a blocked list": Code(Outcome.BLOCKED, "The number is on a list of blocked ones."),
    "text:Invalid phone number": Code(Outcome.INACTIVE, "AWS says that no such phone number can exist."),
    "text:Message body is invalid": Code(_OURS, "Our words could not be sent as they were."),
    "text:Phone carrier has blocked this message": Code(_OURS, "The carrier did not like our text.", shaky=True),
    "text:Phone carrier is currently unreachable/unavailable": Code(_OURS, "The carrier's network failed for a while."),
    "text:Phone has blocked SMS": Code(Outcome.BLOCKED, "The contact's phone blocks our texts."),
    "text:Phone is on a blocked list": Code(Outcome.BLOCKED, "The number is on a list of blocked ones."),
    "text:Phone is currently unreachable/unavailable": Code(Outcome.TURNED_OFF, "The phone was off or out of range."),
    "text:Phone number is opted out": Code(Outcome.OPT_OUT, "This number has opted out of our texts."),
    "text:This delivery would exceed max price": Code(_OURS, "The text would have cost more than we allowed."),
    "text:Unknown error attempting to reach phone": Code(
        Outcome.UNCONFIRMED, "It failed on the way to the phone, and nobody knows why.", reasonless=True
    ),
    "text:No quota left for account": Code(_OURS, "Our AWS account has spent what it may spend."),
}
