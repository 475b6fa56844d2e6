import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.family_texts import counted
from twilio.request_validator import RequestValidator

from bot.domain.sms_status import Outcome
from bot.providers import twilio
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ReassignedNumber, Refused

SECRET = "twilio-auth-token"
URL = "https://cleanup.district.example/receipts/twilio"
SID = "SM1342fe1b2c904d1ab04f0fc7a58abca9"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TABLE = tables.code_rows("twilio")
BY_STATUS = [row for row in TABLE if row["code"].startswith("status:") and not row["code"].endswith("+timer")]
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]


def callback(status="delivered", **fields):
    return {"MessageSid": SID, "MessageStatus": status, "To": "+15558675310", "From": "+15017250604", **fields}


def signed(fields, url=URL, secret=SECRET):
    return FORM | {"X-Twilio-Signature": RequestValidator(secret).compute_signature(url, fields)}


def request(fields, headers=FORM, url=URL):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    return Callback(url, {name.lower(): value for name, value in headers.items()}, body, datetime.now(UTC))


def parsed(fields):
    (report,) = twilio.parse(request(fields))
    return report


def test_status_alone_decides_outcome():
    for row in BY_STATUS:
        assert parsed(callback(row["code"].removeprefix("status:"))).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_error_code_overrides_failed_status(status):
    for row in BY_CODE:
        receipt = parsed(callback(status, ErrorCode=row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("status", ["delivered", "sent", "queued"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    assert parsed(callback(status, ErrorCode="30003")).outcome == twilio.CODES[f"status:{status}"].outcome


@pytest.mark.parametrize(("status", "outcome"), [("failed", "not_contact_problem"), ("undelivered", "unconfirmed")])
def test_unknown_code_is_not_red_and_logged_without_number(caplog, status, outcome):
    with caplog.at_level(logging.ERROR):
        assert parsed(callback(status, ErrorCode="39999")).outcome == outcome
    assert "39999" in caplog.text
    assert SID in caplog.text
    assert "8675310" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(callback("teleported")).outcome is Outcome.PENDING
    assert "teleported" in caplog.text


def test_event_key_identifies_a_repeated_report():
    assert parsed(callback()).event_key == parsed(callback(ApiVersion="2010-04-01")).event_key
    assert parsed(callback("sent")).event_key != parsed(callback()).event_key


def test_carriers_time_is_parsed_and_impossible_one_ignored():
    assert parsed(callback(RawDlrDoneDate="2607171206")).occurred_at == datetime(2026, 7, 17, 12, 6, tzinfo=UTC)
    assert parsed(callback(RawDlrDoneDate="0000000000")).occurred_at is None


@pytest.mark.parametrize(
    ("fields", "opted_out"),
    [
        ({"OptOutType": "STOP", "Body": "please stop"}, True),
        ({"OptOutType": "START", "Body": "start"}, False),
        ({"Body": " Stop "}, True),
        ({"Body": "UNSTOP"}, False),
    ],
)
def test_stop_and_start_are_recognized(fields, opted_out):
    text = {"MessageSid": SID, "SmsStatus": "received", "From": "+15558675310", **fields}
    assert parsed(text) == OptOutMessage("twilio", f"{SID}:inbound", "+15558675310", opted_out)


@pytest.mark.parametrize(
    "fields",
    [
        {"Body": "yes"},
        {"Body": "stop by at noon"},
        {"OptOutType": "HELP", "Body": "STOP"},
        {"OptOutType": "START", "Body": "Yes"},
    ],
)
def test_other_texts_from_families_are_ignored(fields):
    text = {"MessageSid": SID, "SmsStatus": "received", "From": "+15558675310", **fields}
    assert counted(twilio.parse(request(text))) == []


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL + "?school=lincoln&grade=5",
        "https://cleanup.district.example:8443/receipts/twilio",
        "http://127.0.0.1:3000/receipts/twilio",
    ],
)
def test_signature_of_twilios_validator_is_accepted(url):
    fields = callback("undelivered", ErrorCode="30003", Ünïcode="Señora O'Brien 🎒", Empty="")
    twilio.verify(SECRET, request(fields, signed(fields, url), url))


@pytest.mark.parametrize(
    ("called", "seen"), [(URL, URL.replace(".example", ".example:443")), (URL.replace(".example", ".example:443"), URL)]
)
def test_signed_url_may_include_the_port_or_not(called, seen):
    fields = callback()
    twilio.verify(SECRET, request(fields, signed(fields, called), seen))


def test_json_body_is_verified_by_digest_in_url():
    body = b'{"MessageSid": "SM1", "MessageStatus": "delivered"}'
    url = f"{URL}?bodySHA256={sha256(body).hexdigest()}"
    headers = {
        "Content-Type": "application/json",
        "x-twilio-signature": RequestValidator(SECRET).compute_signature(url, {}),
    }
    twilio.verify(SECRET, request(body, headers, url))
    assert twilio.parse(request(body, headers, url))[0].outcome is Outcome.DELIVERED
    with pytest.raises(BadSignature):
        twilio.verify(SECRET, request(body.replace(b"delivered", b"undelivered"), headers, url))
    with pytest.raises(BadSignature):
        twilio.verify(SECRET, request(body, headers))


def reassigned(**data):
    """An event of Event Streams, as Twilio documents it."""
    return {
        "specversion": "1.0",
        "type": "com.twilio.messaging.reassigned-number.detected",
        "source": "AB00000000000000000000000001",
        "id": "NO00000000000000000000000001",
        "data": {
            "event_id": "1c70ebe1",
            "timestamp": "2026-09-21T00:00:00Z",
            "from_number": "+14155550000",
            "to_number": "+14155552671",
            "is_reassigned": True,
            "last_verified_date": "2026-08-01",
            **data,
        },
    }


def parse_events(*events):
    return twilio.parse(request(json.dumps(events).encode(), {"Content-Type": "application/json"}))


def test_reassigned_numbers_of_event_streams():
    other_event = reassigned() | {"type": "com.twilio.messaging.message.delivered"}
    found = ReassignedNumber("twilio", "+14155552671", datetime(2026, 9, 21, tzinfo=UTC))
    assert parse_events(reassigned(), other_event, reassigned(is_reassigned=False), reassigned(to_number="7")) == [
        found
    ]
    assert parse_events(other_event) == parse_events() == []


FORGED = {
    "no signature": (URL, FORM, callback()),
    "empty signature": (URL, FORM | {"X-Twilio-Signature": ""}, callback()),
    "not ascii": (URL, FORM | {"X-Twilio-Signature": "ß\udcff"}, callback()),
    "another secret": (URL, signed(callback(), secret="another"), callback()),
    "another url": (URL + "?x=1", signed(callback()), callback()),
    "another field": (URL, signed(callback()), callback(ErrorCode="30005")),
    "no such port": (URL.replace(".example", ".example:99999"), signed(callback()), callback()),
}


@pytest.mark.parametrize(("url", "headers", "fields"), FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(url, headers, fields):
    with pytest.raises(BadSignature) as refused:
        twilio.verify(SECRET, request(fields, headers, url))
    assert refused.value.status == 403


def test_header_cannot_choose_another_algorithm():
    fields = callback()
    signature = RequestValidator(SECRET).compute_signature(URL, fields, "HMAC_SHA256")
    chosen = {"X-Twilio-Signature": signature, "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}
    with pytest.raises(BadSignature):
        twilio.verify(SECRET, request(fields, FORM | chosen))


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        twilio.verify("", request(callback(), signed(callback(), secret="")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"MessageSid=SM1",
        b"MessageStatus=delivered",
        b"MessageSid=SM1%00&MessageStatus=delivered",
        b"MessageSid=SM1&MessageStatus=delivered&To=%ff",
        b"\xff\xfe",
        b"{",
        b"{" * 10_000,
        b'{"MessageSid": {}}',
        b"&".join(b"a%d=1" % n for n in range(200)),
    ],
)
def test_other_body_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        twilio.parse(request(body))
    assert refused.value.status == 400


@given(st.binary(max_size=300) | st.builds(lambda text: f"MessageSid=SM1&MessageStatus={text}".encode(), st.text()))
def test_parser_survives_any_body(body):
    with suppress(Refused):
        twilio.parse(request(body))


@pytest.mark.parametrize("host", ["[::1", "a]b", "cleanup.example:99999", "cleanup.example:x", "a\u2100b"])
@pytest.mark.parametrize("body", [b"MessageSid=SM1", b'{"MessageSid": "SM1"}'])
def test_invalid_host_is_refused(host, body):
    headers = {"X-Twilio-Signature": "guessed"}
    with pytest.raises(Refused):
        twilio.verify(SECRET, request(body, headers, url=f"https://{host}/receipts/twilio"))
