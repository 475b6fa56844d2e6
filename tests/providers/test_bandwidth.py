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

from bot.domain.sms_status import Outcome
from bot.providers import bandwidth
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused
from bot.providers.registry import BY_NAME

SECRET = "cleanup:correct horse:battery"
URL = "https://cleanup.district.example/receipts/bandwidth"
MESSAGE = "14762070468292kw2fuqty55yp2b2"
PHONE = "+13125550142"
TABLE = tables.told("bandwidth")
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


def parsed(one):
    (found,) = bandwidth.parse(request([one]))
    return found


def test_an_event_without_a_code_is_read_by_its_type():
    for row in BY_TYPE:
        assert parsed(event(row["code"].removeprefix("type:"))).outcome == row["outcome"]


@pytest.mark.parametrize("written", [int, str])
def test_the_code_of_a_failure_beats_its_type(written):
    for row in BY_CODE:
        receipt = parsed(event(errorCode=written(row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("kind", ["message-delivered", "message-sending"])
def test_a_code_beside_an_event_that_is_no_failure_changes_nothing(kind):
    assert parsed(event(kind, errorCode=4775)).outcome == bandwidth.CODES[f"type:{kind}"].outcome


def test_an_unknown_code_is_never_red_and_is_logged_without_the_number(caplog):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(event(errorCode=4799))
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, "4799")
    assert "4799" in caplog.text
    assert MESSAGE in caplog.text
    assert "5550142" not in caplog.text


def test_an_unknown_event_of_a_text_waits_and_is_logged(caplog):
    assert parsed(event("message-teleported")).outcome is Outcome.PENDING
    assert "message-teleported" in caplog.text


def test_a_receipt_is_read_from_end_to_end():
    """A receipt of a text to two, as Bandwidth's pages print it."""
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


def test_a_text_to_one_is_known_by_the_id_that_was_answered():
    assert parsed(event()).provider_id == MESSAGE


def test_every_event_of_a_list_is_read():
    said = bandwidth.parse(request([event("message-sending"), event("message-delivered"), inbound("STOP")]))
    assert [type(one).__name__ for one in said] == ["ParsedReceipt", "ParsedReceipt", "OptOutMessage"]


def test_the_same_report_has_the_same_key_and_another_one_another():
    first = parsed(event(errorCode=4702))
    assert first.event_key == parsed(event(errorCode=4702, description="again")).event_key
    others = [event(errorCode=4701), event("message-delivered"), event(to="+13125550143", errorCode=4702)]
    assert first.event_key not in {parsed(one).event_key for one in others}


@pytest.mark.parametrize("time", [None, "yesterday", "9999-99-99T99:99:99Z"])
def test_an_impossible_time_is_left_out(time):
    assert parsed(event(time=time)).occurred_at is None


@pytest.mark.parametrize(("text", "stop"), [("STOP", True), (" Quit ", True), ("start", False), ("UNSTOP", False)])
def test_stop_and_start_are_heard(text, stop):
    assert parsed(inbound(text)) == OptOutMessage("bandwidth", f"{MESSAGE}:inbound", PHONE, stop)


@pytest.mark.parametrize(
    "one",
    [
        inbound("stop by at noon"),
        inbound(""),
        inbound(["STOP"]),
        inbound("STOP", phone="72345"),
        {"type": "suggestion-response"},
    ],
)
def test_what_is_neither_a_receipt_nor_a_keyword_says_nothing(one):
    assert bandwidth.parse(request([one])) == []


def test_no_events_say_nothing():
    assert bandwidth.parse(request([])) == []


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_user_and_password_of_the_callbacks_are_believed(scheme):
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
def test_whoever_does_not_know_them_is_refused_and_asked_who_they_are(headers):
    with pytest.raises(BadSignature) as refused:
        bandwidth.verify(SECRET, request([event()], headers))
    assert refused.value.status == 401


@pytest.mark.parametrize("headers", [basic(""), {"authorization": "Basic "}, {}])
def test_an_unset_secret_verifies_nothing(headers):
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
def test_what_is_not_a_list_of_events_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        bandwidth.parse(request(body))
    assert refused.value.status == 400


ANYTHING = any_json(PHONE, "4702", names=["id", "to", "from", "text"])


@given(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(["message-failed", "message-received", "other"]))
def test_no_event_crashes_the_parser(to, code, message, kind):
    body = [{"type": kind, "to": to, "errorCode": code, "time": code, "message": message}]
    with suppress(Refused):
        bandwidth.parse(request(body))


@given(st.binary(max_size=300), st.text(max_size=100))
def test_no_request_crashes_the_verifier_or_the_parser(body, authorization):
    with pytest.raises(BadSignature):
        bandwidth.verify(SECRET, request(body, {"authorization": authorization}))
    with suppress(Refused):
        bandwidth.parse(request(body))
