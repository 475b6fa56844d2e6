import json
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import amazon_sns as amazon
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import aws
from bot.providers.callback import Callback
from bot.providers.receipt import (
    BadSignature,
    FetchFirst,
    Handshake,
    Malformed,
    OptOutMessage,
    ParsedReceipt,
    Refused,
    TryAgain,
)

URL = "https://cleanup.district.example/receipts/aws"
TOPICS = f"arn:aws:sns:us-west-2:123456789012:older, {amazon.TOPIC}"
NOW = datetime(2026, 11, 23, 15, 4, 30, tzinfo=UTC)
MESSAGE_ID = "862a8790-60c0-4430-9b2b-658bdexample"
HERE = Path(__file__).parent
TABLE = tables.code_rows("aws")
TYPES = [row for row in TABLE if row["code"].startswith("TEXT_")]
SENTENCES = [row for row in TABLE if row["code"].startswith("text:")]
PUBLISHED = json.loads((HERE / "aws_signed.json").read_text())


@pytest.fixture
def sns(tmp_path, monkeypatch):
    with amazon.running(tmp_path, monkeypatch) as sns_server:
        yield sns_server


def verify(secret, callback):
    """Verify as the endpoint does."""
    try:
        aws.verify(secret, callback)
    except FetchFirst as missing:
        missing.fetch()
        aws.verify(secret, callback)


def an_event(kind="TEXT_DELIVERED", **changed):
    return {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": 1686975103470,
        "isFinal": True,
        "originationPhoneNumber": "+12065550152",
        "destinationPhoneNumber": "+14255550156",
        "messageId": MESSAGE_ID,
        "messageStatusDescription": "Message has been accepted by phone carrier",
        **changed,
    }


def a_text(body, **changed):
    return {
        "originationNumber": "+14255550182",
        "destinationNumber": "+12125550101",
        "messageKeyword": "KEYWORD_1",
        "messageBody": body,
        "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
        **changed,
    }


def request(content, headers=None, at=NOW):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Callback(URL, headers or {"content-type": "text/plain; charset=UTF-8"}, body, at)


def notification(event, **changed):
    return {
        "Type": "Notification",
        "TopicArn": amazon.TOPIC,
        "Message": event if isinstance(event, str) else json.dumps(event),
        **changed,
    }


def parsed(event):
    (report,) = aws.parse(request(notification(event)))
    return report


def as_event(code):
    kind, _, final = code.partition("+isFinal=")
    return an_event(kind, isFinal=final != "false")


def test_type_decides_outcome():
    for row in TYPES:
        receipt = parsed(as_event(row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("kind", ["TEXT_UNKNOWN", "TEXT_BLOCKED", "TEXT_TTL_EXPIRED", "TEXT_TELEPORTED"])
def test_known_description_overrides_failed_type(kind):
    for row in SENTENCES:
        receipt = parsed(an_event(kind, messageStatusDescription=row["code"].removeprefix("text:")))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("code", ["TEXT_DELIVERED", "TEXT_QUEUED", "TEXT_SUCCESSFUL+isFinal=true"])
def test_description_is_ignored_unless_type_is_a_failure(code):
    event = as_event(code) | {"messageStatusDescription": "Phone number is opted out"}
    assert parsed(event).outcome is aws.CODES[code].outcome


@pytest.mark.parametrize(("is_final", "outcome"), [(True, Outcome.UNCONFIRMED), (False, Outcome.PENDING)])
def test_unknown_type_is_not_red_and_logged_without_number(caplog, is_final, outcome):
    with caplog.at_level(logging.ERROR):
        assert parsed(an_event("TEXT_TELEPORTED", isFinal=is_final)).outcome is outcome
    assert "TEXT_TELEPORTED" in caplog.text
    assert MESSAGE_ID in caplog.text
    assert "5550156" not in caplog.text


def test_unknown_description_of_known_type_is_ignored(caplog):
    assert parsed(an_event("TEXT_UNREACHABLE", messageStatusDescription="Gone fishing")).outcome is Outcome.TURNED_OFF
    assert not caplog.records


def test_sample_of_aws_is_parsed_completely():
    assert parsed(an_event("TEXT_SUCCESSFUL")) == ParsedReceipt(
        "aws",
        f"{MESSAGE_ID}:TEXT_SUCCESSFUL:True:1686975103470",
        MESSAGE_ID,
        "+14255550156",
        Outcome.DELIVERED,
        "TEXT_SUCCESSFUL+isFinal=true",
        occurred_at=datetime(2023, 6, 17, 4, 11, 43, 470000, UTC),
    )


def test_event_key_identifies_a_repeated_report():
    assert parsed(an_event()).event_key == parsed(an_event(totalMessagePrice=0.09)).event_key
    others = [{"eventType": "TEXT_SENT"}, {"isFinal": False}, {"eventTimestamp": 1}, {"messageId": "m2"}]
    assert len({parsed(an_event() | other).event_key for other in [{}, *others]}) == 5


@pytest.mark.parametrize("stamp", [None, "", "soon", -1, 10**15, 1.5])
def test_impossible_time_is_ignored(stamp):
    assert parsed(an_event(eventTimestamp=stamp)).occurred_at is None


@pytest.mark.parametrize(("text", "stopped"), [("STOP", True), (" Stop ", True), ("start", False)])
def test_stop_and_start_are_recognized(text, stopped):
    key = "cae173d2-66b9-564c-8309-21f858e9fb84:inbound"
    assert parsed(a_text(text)) == OptOutMessage("aws", key, "+14255550182", stopped)


@pytest.mark.parametrize(
    "event", [a_text("thank you"), a_text("STOP", originationNumber="12345"), an_event("VOICE_COMPLETED")]
)
def test_other_events_are_ignored(event):
    assert counted(aws.parse(request(notification(event)))) == []


def test_subscription_is_confirmed_in_the_topics_region():
    content = notification("", Type="SubscriptionConfirmation", SubscribeURL=amazon.SUBSCRIBE)
    assert aws.parse(request(content)) == [Handshake({}, confirm=amazon.SUBSCRIBE)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        "http" + amazon.SUBSCRIBE.removeprefix("https"),
        amazon.SUBSCRIBE.replace("us-east-2", "us-west-2"),
        amazon.SUBSCRIBE.replace(".com/", ".com.guess.example/"),
        amazon.SUBSCRIBE.replace(".com/", ".com@guess.example/"),
        amazon.SUBSCRIBE.replace(".com/", ".com:8443/"),
        amazon.SUBSCRIBE.replace("ConfirmSubscription", "Publish"),
        amazon.SUBSCRIBE + "\r\nHost: guess.example",
    ],
)
def test_subscription_is_confirmed_nowhere_else(url):
    with pytest.raises(BadSignature):
        aws.parse(request(notification("", Type="SubscriptionConfirmation", SubscribeURL=url)))


def test_unsubscribing_is_logged(caplog):
    content = notification("", Type="UnsubscribeConfirmation", SubscribeURL=amazon.SUBSCRIBE)
    assert aws.parse(request(content)) == []
    assert amazon.TOPIC in caplog.text


@pytest.mark.parametrize("message", PUBLISHED["messages"], ids=lambda message: message["SignatureVersion"])
def test_messages_signed_by_amazon_are_accepted(sns, message):
    sns.pages[message["SigningCertURL"]] = (200, PUBLISHED["certificate"].encode())
    at = datetime.fromisoformat(message["Timestamp"]) + timedelta(minutes=59)
    verify(message["TopicArn"], request(message, at=at))
    with pytest.raises(BadSignature):
        verify(message["TopicArn"], request(message | {"Message": "Hello, world"}, at=at))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "changed", [{}, {"Subject": "Señora O'Brien 🎒\n"}, {"Type": "UnsubscribeConfirmation", "Token": "t"}]
)
def test_sns_signature_is_accepted(sns, version, changed):
    verify(TOPICS, request(sns.message(an_event(), at=NOW, version=version, **changed)))


def test_certificate_is_fetched_once(sns):
    url = sns.new_certificate()
    for _ in range(3):
        verify(TOPICS, request(sns.message(an_event(), at=NOW, certificate=url)))
    assert sns.asked == [url]


@pytest.mark.parametrize("secret", ["", " , ", amazon.TOPIC[:-1], amazon.TOPIC + "2", "ß\udcff"])
def test_other_topic_is_refused_without_fetching(sns, secret):
    with pytest.raises(BadSignature) as refused:
        verify(secret, request(sns.message(an_event(), at=NOW)))
    assert refused.value.status == 403
    assert sns.asked == []


def test_setting_without_arn_accepts_nothing(sns):
    with pytest.raises(BadSignature, match="ARN"):
        verify("cleanup", request(sns.message(an_event(), at=NOW, TopicArn="cleanup")))
    assert sns.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        amazon.OTHER_HOST,
        amazon.SITE,
        amazon.SITE + "SimpleNotificationService-0a.txt",
        amazon.SITE + "other/SimpleNotificationService-0a.pem",
        amazon.SITE + "SimpleNotificationService-0a.pem?x",
        amazon.SITE.replace("us-east-2", "us-west-2") + "SimpleNotificationService-0a.pem",
        amazon.SITE.replace("amazonaws.com", "amazonaws.com.cn") + "SimpleNotificationService-0a.pem",
        amazon.SITE.replace(".com/", ".com@guess.example/") + "SimpleNotificationService-0a.pem",
        amazon.SITE.replace("https", "http") + "SimpleNotificationService-0a.pem",
        "file:///SimpleNotificationService-0a.pem",
    ],
)
def test_certificate_is_fetched_nowhere_else(sns, url):
    with pytest.raises(BadSignature):
        verify(TOPICS, request(sns.message(an_event(), at=NOW) | {"SigningCertURL": url}))
    assert sns.asked == []


def test_chinese_topic_is_confirmed_in_china():
    topic, url = "arn:aws-cn:sns:cn-north-1:123456789012:x", "https://sns.cn-north-1.amazonaws.com.cn/"
    content = notification("", Type="SubscriptionConfirmation", TopicArn=topic)
    content["SubscribeURL"] = f"{url}?Action=ConfirmSubscription&Token=1"
    assert aws.parse(request(content)) == [Handshake({}, confirm=content["SubscribeURL"])]
    with pytest.raises(BadSignature):
        aws.parse(request(content | {"SubscribeURL": content["SubscribeURL"].replace(".cn/", "/")}))


def test_redirect_is_not_followed(sns):
    sns.pages[amazon.OTHER_HOST] = (200, sns.certificate)
    url = sns.new_certificate(amazon.OTHER_HOST.encode(), status=302)
    with pytest.raises(BadSignature):
        verify(TOPICS, request(sns.message(an_event(), at=NOW, certificate=url)))
    assert sns.asked == [url]


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"no"), (200, b""), (200, b"no certificate"), (200, b"\xff" * 200_000)]
)
def test_invalid_certificate_is_refused(sns, status, body):
    url = sns.new_certificate(body, status=status)
    with pytest.raises(BadSignature) as refused:
        verify(TOPICS, request(sns.message(an_event(), at=NOW, certificate=url)))
    assert refused.value.status == 403


def test_failed_certificate_fetch_is_tried_again(sns):
    url = sns.new_certificate(b"later", status=503)
    callback = request(sns.message(an_event(), at=NOW, certificate=url))
    with pytest.raises(TryAgain) as refused:
        verify(TOPICS, callback)
    assert refused.value.status == 503
    sns.pages[url] = (200, sns.certificate)
    verify(TOPICS, callback)


def test_host_without_valid_tls_gives_no_certificate(sns, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nobody.pem"))
    with pytest.raises(TryAgain):
        verify(TOPICS, request(sns.message(an_event(), at=NOW)))


def test_raw_messages_are_refused_with_advice():
    with pytest.raises(Malformed, match="turn it off"):
        verify(TOPICS, request(an_event(), {"x-amz-sns-rawdelivery": "true"}))


CHANGED = {
    "another message": {"Message": "{}"},
    "another id": {"MessageId": "1"},
    "a subject": {"Subject": "x"},
    "another type": {"Type": "SubscriptionConfirmation"},
    "another time": {"Timestamp": "2026-11-23T15:04:31.000Z"},
    "no time": {"Timestamp": None},
    "a time that is none": {"Timestamp": "0001-01-01T00:00:00+23:59"},
    "no signature": {"Signature": ""},
    "a signature that is not base64": {"Signature": "ß\udcff"},
    "a signature that is a list": {"Signature": []},
    "the other algorithm": {"SignatureVersion": "1"},
    "no algorithm": {"SignatureVersion": "3"},
    "a list of algorithms": {"SignatureVersion": ["2"]},
    "a message that is a list": {"Message": []},
    "a message that is half a letter": {"Message": "\ud800"},
}


@pytest.mark.parametrize("changed", CHANGED.values(), ids=CHANGED.keys())
def test_forged_request_is_refused_with_403(sns, changed):
    with pytest.raises(BadSignature) as refused:
        verify(TOPICS, request(sns.message(an_event(), at=NOW, version="2") | changed))
    assert refused.value.status == 403


@pytest.mark.parametrize("minutes", [61, -61])
def test_message_of_another_time_is_refused_without_fetching(sns, minutes):
    with pytest.raises(BadSignature):
        verify(TOPICS, request(sns.message(an_event(), at=NOW - timedelta(minutes=minutes))))
    assert sns.asked == []


NOT_SNS = [b"", b"hello", b"\xff", b"[" * 100_000, b"[]", b"7", b"{}", b'{"Type": {}}', b'{"Type": "Receipt"}']


@pytest.mark.parametrize("body", NOT_SNS)
def test_other_body_is_malformed(body):
    for read in (aws.parse, lambda callback: verify(TOPICS, callback)):
        with pytest.raises(Malformed) as refused:
            read(request(body))
        assert refused.value.status == 400


@pytest.mark.parametrize(
    "event",
    [
        "",
        "hello",
        "[]",
        "{}",
        "[" * 100_000,
        "\ud800",
        {"eventType": []},
        an_event(None),
        an_event("TEXT SENT"),
        an_event(messageId=None),
        an_event(messageId=["1"]),
        an_event(messageId="a\x00b"),
        an_event(eventTimestamp="a b"),
        '{"eventTimestamp": ' + "9" * 5_000 + "}",
        a_text("STOP", inboundMessageId=None),
    ],
)
def test_other_event_is_malformed(event):
    with pytest.raises(Malformed):
        aws.parse(request(notification(event)))


ANYTHING = any_json()
TOLD = st.fixed_dictionaries(
    {"Type": st.sampled_from(["Notification", "SubscriptionConfirmation"])},
    optional={
        "TopicArn": st.just(amazon.TOPIC) | ANYTHING,
        "Timestamp": st.just(NOW.isoformat()) | ANYTHING,
        "SignatureVersion": st.just("2") | ANYTHING,
        "SigningCertURL": ANYTHING,
        "SubscribeURL": ANYTHING,
        "Signature": ANYTHING,
        "Message": ANYTHING
        | st.fixed_dictionaries(
            {"eventType": st.just("TEXT_BLOCKED") | ANYTHING, "messageId": st.just("m") | ANYTHING},
            optional={"isFinal": ANYTHING, "eventTimestamp": ANYTHING, "messageStatusDescription": ANYTHING},
        ).map(json.dumps),
    },
)


@given(st.binary(max_size=300) | (TOLD | ANYTHING).map(lambda content: json.dumps(content).encode()))
def test_parser_survives_any_body(body):
    with suppress(Refused):
        verify(TOPICS, request(body))
    with suppress(Refused):
        aws.parse(request(body))
