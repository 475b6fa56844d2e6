import json
import logging
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import bandwidth
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused
from bot.providers.registry import BY_NAME

SECRET = "cleanup:correct horse:battery"
URL = "https://cleanup.district.example/receipts/bandwidth"
MESSAGE = "14762070468292kw2fuqty55yp2b2"
PHONE = "+13125550142"
TABLE = tables.code_rows("bandwidth")
BY_TYPE = [row for row in TABLE if row["code"].startswith("type:")]
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]


def event(kind="message-failed", *, to=PHONE, everyone=None, **fields):
    message = {
        "id": MESSAGE,
        "time": "2016-09-14T18:20:16Z",
        "to": everyone or [to],
        "from": "+12345678901",
        "text": "",
        "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
        "owner": "+12345678901",
        "direction": "out",
        "segmentCount": 1,
    }
    return {"type": kind, "time": "2016-09-14T18:20:16Z", "description": "ok", "to": to, "message": message} | fields


def inbound(text, phone=PHONE):
    message = {"id": MESSAGE, "to": ["+12345678901"], "from": phone, "text": text, "direction": "in"}
    return {"type": "message-received", "to": "+12345678901", "message": message}


def basic(secret):
    return {"authorization": f"Basic {b64encode(secret.encode()).decode()}"}


def request(body, headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(URL, {"content-type": "application/json"} | dict(headers), raw, datetime.now(UTC))


def parsed(one_event):
    (report,) = bandwidth.parse(request([one_event]))
    return report


def test_type_alone_decides_outcome():
    for row in BY_TYPE:
        assert parsed(event(row["code"].removeprefix("type:"))).outcome == row["outcome"]


@pytest.mark.parametrize("written", [int, str])
def test_error_code_overrides_failed_type(written):
    for row in BY_CODE:
        receipt = parsed(event(errorCode=written(row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("kind", ["message-delivered", "message-sending"])
def test_code_is_ignored_unless_type_is_a_failure(kind):
    assert parsed(event(kind, errorCode=4775)).outcome == bandwidth.CODES[f"type:{kind}"].outcome


def test_unknown_code_is_not_red_and_logged_without_number(caplog):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(event(errorCode=4799))
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, "4799")
    assert "4799" in caplog.text
    assert MESSAGE in caplog.text
    assert "5550142" not in caplog.text


def test_unknown_type_is_pending_and_logged(caplog):
    assert parsed(event("message-teleported")).outcome is Outcome.PENDING
    assert "message-teleported" in caplog.text


def test_signed_receipt_is_parsed_completely():
    """Bandwidth's published receipt of a text to two recipients."""
    to = "+52345678903"
    body = [event(to=to, everyone=["+12345678902", to], description="forbidden to country", errorCode=4432)]
    bandwidth.verify(SECRET, request(body, basic(SECRET)))
    (receipt,) = bandwidth.parse(request(body))
    at = "2016-09-14T18:20:16Z"
    assert receipt == ParsedReceipt(
        "bandwidth",
        f"{MESSAGE}:{to}:message-failed:4432:{at}",
        f"{MESSAGE}:{to}",
        to,
        Outcome.NOT_CONTACT_PROBLEM,
        "4432",
        occurred_at=datetime.fromisoformat(at),
    )
    assert BY_NAME["bandwidth"].SECRET == "bandwidth_basic_auth"


def test_text_to_one_recipient_keeps_its_id():
    assert parsed(event()).provider_id == MESSAGE


def test_every_event_of_a_list_is_parsed():
    reports = bandwidth.parse(request([event("message-sending"), event("message-delivered"), inbound("STOP")]))
    assert [type(report).__name__ for report in reports] == ["ParsedReceipt", "ParsedReceipt", "OptOutMessage"]


def test_event_key_identifies_a_repeated_report():
    first = parsed(event(errorCode=4702))
    assert first.event_key == parsed(event(errorCode=4702, description="again")).event_key
    others = [event(errorCode=4701), event("message-delivered"), event(to="+13125550143", errorCode=4702)]
    assert first.event_key not in {parsed(other).event_key for other in others}


@pytest.mark.parametrize("time", [None, "yesterday", "9999-99-99T99:99:99Z"])
def test_impossible_time_is_ignored(time):
    assert parsed(event(time=time)).occurred_at is None


@pytest.mark.parametrize(("text", "stop"), [("STOP", True), (" Quit ", True), ("start", False), ("UNSTOP", False)])
def test_stop_and_start_are_recognized(text, stop):
    assert parsed(inbound(text)) == OptOutMessage("bandwidth", f"{MESSAGE}:inbound", PHONE, stop)


@pytest.mark.parametrize(
    "ignored",
    [
        inbound("stop by at noon"),
        inbound(""),
        inbound(["STOP"]),
        inbound("STOP", phone="72345"),
        {"type": "suggestion-response"},
    ],
)
def test_other_events_are_ignored(ignored):
    assert counted(bandwidth.parse(request([ignored]))) == []


def test_empty_list_is_accepted():
    assert bandwidth.parse(request([])) == []


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_right_user_and_password_are_accepted(scheme):
    known = basic(SECRET)["authorization"].removeprefix("Basic")
    bandwidth.verify(SECRET, request([event()], {"authorization": scheme + known}))


FORGED = {
    "nothing": {},
    "empty": {"authorization": ""},
    "no password": {"authorization": "Basic"},
    "not ascii": {"authorization": "Basic ß\udcff"},
    "not base64": {"authorization": "Basic !!!!"},
    "in the clear": {"authorization": f"Basic {SECRET}"},
    "a bearer": {"authorization": basic(SECRET)["authorization"].replace("Basic", "Bearer")},
    "another password": basic("cleanup:guessed"),
    "only the user": basic("cleanup:"),
    "something more": basic(SECRET + "x"),
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_wrong_user_or_password_is_refused_with_401(headers):
    with pytest.raises(BadSignature) as refused:
        bandwidth.verify(SECRET, request([event()], headers))
    assert refused.value.status == 401


@pytest.mark.parametrize("headers", [basic(""), {"authorization": "Basic "}, {}])
def test_unset_secret_accepts_nothing(headers):
    with pytest.raises(BadSignature):
        bandwidth.verify("", request([event()], headers))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" + b"9" * 5_000 + b"]",
        event(),
        [[]],
        ["message-failed"],
        [{}],
        [{"type": ["message-failed"]}],
        [{"type": "message-failed\0"}],
        [{"type": "message-failed"}],
        [{"type": "message-received", "message": "STOP"}],
        [event(message=[])],
        [event(message={"id": {}})],
        [event(message={"id": "a" * 65})],
        [event(message={"id": 10**100})],
        [event(errorCode="47 02")],
        [event(errorCode=10**100)],
        [event(time="2016\0")],
        [event(), "and more"],
    ],
)
def test_other_body_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        bandwidth.parse(request(body))
    assert refused.value.status == 400


ANYTHING = any_json(PHONE, "4702", names=["id", "to", "from", "text"])


@given(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(["message-failed", "message-received", "other"]))
def test_parser_survives_any_event(to, code, message, kind):
    body = [{"type": kind, "to": to, "errorCode": code, "time": code, "message": message}]
    with suppress(Refused):
        bandwidth.parse(request(body))


@given(st.binary(max_size=300), st.text(max_size=100))
def test_verifier_and_parser_survive_any_request(body, authorization):
    with pytest.raises(BadSignature):
        bandwidth.verify(SECRET, request(body, {"authorization": authorization}))
    with suppress(Refused):
        bandwidth.parse(request(body))
