import base64
import hmac
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import bird
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
URL = "https://cleanup.district.example/receipts/bird"
NOW = datetime(2026, 11, 23, 15, 4, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
EVENT_ID = "evt_01krdgeqcxet5s7t44vh8rt9mg"
SMS_ID = "sms_01krdgeqcxet5s7t44vh8rt9mg"
TABLE = tables.code_rows("bird")
TYPES = [row for row in TABLE if row["code"].startswith("sms.")]
CODES = [row for row in TABLE if row not in TYPES]
FAILURES = ["sms.undelivered", "sms.failed", "sms.expired", "sms.rejected"]


def an_event(kind="sms.delivered", error=None, **changed):
    data = {"sms_id": SMS_ID, "to": "+15551234567", "from": "+15557654321", "tags": None, "metadata": None, **changed}
    if error is not None:
        content = {"code": error, "description": "Carrier filtered as spam", "carrier_error_code": "7"}
        data["error"] = content | {"occurred_at": "2026-05-21 12:00:00+00:00"}
    return {"type": kind, "timestamp": "2026-05-21 12:00:00+00:00", "data": data}


def signature(body, event_id=EVENT_ID, stamp=STAMP, key=KEY):
    signed = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def headers(body, **changed):
    values = {"id": EVENT_ID, "timestamp": STAMP, "signature": signature(body), **changed}
    return {f"webhook-{name}": value for name, value in values.items() if value is not None}


def request(content, given=None, at=NOW):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Callback(URL, headers(body) if given is None else given, body, at)


def parsed(event):
    (report,) = bird.parse(request(event))
    return report


@pytest.mark.parametrize("error", [None, "unknown"])
def test_type_alone_decides_outcome(error):
    for row in TYPES:
        receipt = parsed(an_event(row["code"], error))
        assert (receipt.outcome, receipt.code) == (row["outcome"], error)


@pytest.mark.parametrize("kind", [*FAILURES, "sms.teleported"])
def test_error_code_overrides_failed_type(kind):
    for row in [row for row in CODES if row["code"] != "unknown"]:
        receipt = parsed(an_event(kind, row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("kind", ["sms.delivered", "sms.sent", "sms.accepted"])
def test_code_is_ignored_unless_type_is_a_failure(kind):
    assert parsed(an_event(kind, "recipient_opted_out")).outcome is bird.CODES[kind].outcome


@pytest.mark.parametrize("kind", FAILURES)
def test_unknown_code_is_not_red_and_logged_without_number(caplog, kind):
    with caplog.at_level(logging.ERROR):
        assert parsed(an_event(kind, "gone_fishing")).outcome is bird.CODES[kind].outcome
    assert "gone_fishing" in caplog.text
    assert SMS_ID in caplog.text
    assert "1234567" not in caplog.text


def test_unknown_type_is_pending_and_logged(caplog):
    assert parsed(an_event("sms.teleported")).outcome is Outcome.PENDING
    assert "sms.teleported" in caplog.text


def test_event_is_parsed_completely():
    assert parsed(an_event("sms.expired", "unreachable")) == ParsedReceipt(
        "bird",
        EVENT_ID,
        SMS_ID,
        "+15551234567",
        Outcome.TURNED_OFF,
        "unreachable",
        occurred_at=datetime(2026, 5, 21, 12, tzinfo=UTC),
    )


def test_event_key_identifies_a_repeated_report():
    again = request(an_event(), {"webhook-id": EVENT_ID, "webhook-timestamp": str(int(STAMP) + 60)})
    assert bird.parse(again)[0].event_key == parsed(an_event()).event_key
    another = request(an_event(), {"webhook-id": "evt_2"})
    assert bird.parse(another)[0].event_key != parsed(an_event()).event_key


@pytest.mark.parametrize(("text", "stopped"), [("STOP", True), (" Stop ", True), ("start", False)])
def test_stop_and_start_are_recognized(text, stopped):
    message = parsed(an_event("sms.received", text=text))
    assert message == OptOutMessage("bird", EVENT_ID, "+15557654321", stopped)


@pytest.mark.parametrize(
    "event",
    [
        an_event("sms.received", text="thank you"),
        an_event("sms.received"),
        an_event("sms.received", text="STOP", **{"from": "12345"}),
        an_event("email.bounced"),
        {"type": "domain.failed"},
    ],
)
def test_other_events_are_ignored(event):
    assert counted(bird.parse(request(event))) == []


def test_example_of_standard_webhooks_is_accepted():
    given = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    callback = request(b'{"test": 2432232314}', given, at=datetime.fromtimestamp(1614265330, UTC))
    bird.verify(SECRET, callback)
    bird.verify(SECRET.removeprefix("whsec_"), callback)


BODY = json.dumps(an_event()).encode()


@pytest.mark.parametrize("before", ["v1,bm9uZQ== ", "v2,{} ", "v1a,x v1 , ß "])
def test_one_matching_signature_of_several_is_enough(before):
    given = headers(BODY, signature=before.replace("{}", signature(BODY)[3:]) + signature(BODY))
    bird.verify(SECRET, request(BODY, given))


def old(seconds):
    stamp = str(int(STAMP) - seconds)
    return {"timestamp": stamp, "signature": signature(BODY, stamp=stamp)}


FORGED = {
    "no signature": {"signature": None},
    "empty signature": {"signature": ""},
    "another version": {"signature": signature(BODY).replace("v1,", "v2,")},
    "no version": {"signature": signature(BODY).removeprefix("v1,")},
    "not ascii": {"signature": "v1,ß\udcff"},
    "another secret": {"signature": signature(BODY, key=b"guessed")},
    "another body": {"signature": signature(BODY + b" ")},
    "another id": {"id": "evt_2"},
    "an id that is not ascii": {"id": "ß\udcff"},
    "no id": {"id": None, "signature": signature(BODY, event_id="")},
    "another time": {"timestamp": str(int(STAMP) + 1)},
    "no time": {"timestamp": None},
    "a time in words": {"timestamp": "now"},
    "too old": old(301),
    "too new": old(-301),
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(changed):
    with pytest.raises(BadSignature) as refused:
        bird.verify(SECRET, request(BODY, headers(BODY, **changed)))
    assert refused.value.status == 403


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ß", "not base64!", "whsec_abc"])
def test_invalid_secret_accepts_nothing(secret):
    with pytest.raises(BadSignature):
        bird.verify(secret, request(BODY, headers(BODY, signature=signature(BODY, key=b""))))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff",
        b"[" * 100_000,
        b'{"type": ' + b"9" * 5_000 + b"}",
        None,
        [],
        [an_event()],
        {},
        {"type": []},
        {"type": "sms delivered"},
        {"type": "sms.delivered"},
        {"type": "sms.delivered", "data": []},
        {"type": "sms.delivered", "data": {}},
        an_event(sms_id=["x"]),
        an_event(sms_id="a\x00b"),
        an_event("sms.failed", "not a word"),
    ],
)
def test_other_body_is_malformed(content):
    with pytest.raises(Malformed) as refused:
        bird.parse(request(content))
    assert refused.value.status == 400


def test_event_without_an_id_is_malformed():
    with pytest.raises(Malformed):
        bird.parse(request(an_event(), {}))


ANYTHING = any_json()
DATA = st.dictionaries(st.sampled_from(["sms_id", "to", "from", "text", "error"]), ANYTHING) | ANYTHING
EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from(["sms.failed", "sms.received"]) | ANYTHING, "data": DATA, "timestamp": ANYTHING}
)


@given(
    st.binary(max_size=300) | (EVENT | ANYTHING).map(lambda content: json.dumps(content).encode()),
    st.fixed_dictionaries({}, optional={f"webhook-{name}": st.text() for name in ("id", "timestamp", "signature")}),
)
def test_parser_survives_any_request(body, given):
    with pytest.raises(BadSignature):
        bird.verify(SECRET, request(body, given))
    for callback in (request(body), request(body, given)):
        with suppress(Refused):
            bird.parse(callback)
