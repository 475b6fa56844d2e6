import json
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    calculate_sinch_event_signature,
    compute_signed_data,
)
from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import sinch
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, Refused

SECRET = "sinch-webhook-secret"
NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
HEADER = "x-sinch-webhook-signature"
BATCH = "01FC66621XXXXX119Z8PMV1QPQ"
TABLE = tables.code_rows("sinch")
BY_STATUS = [row for row in TABLE if row["code"].startswith("status:")]
BY_CODE = [row for row in TABLE if row not in BY_STATUS]


def report(status="Delivered", code=0, **fields):
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": BATCH,
        "recipient": "+12345678900",
        "code": code,
        "status": status,
        "at": "2016-12-05T16:24:23.318Z",
        "operator_status_at": "2016-12-05T16:24:00.000Z",
        "applied_originator": "+1234567890",
        "client_reference": "test_client_ref",
        "number_of_message_parts": 1,
        "operator": "35000",
        "encoding": "GSM7",
        **fields,
    }


def text(body, **fields):
    return {"type": "mo_text", "id": "01XXXXX21", "from": "12345678900", "to": "12345", "body": body, **fields}


def request(event, headers=None):
    body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
    return Callback("https://cleanup.district.example/receipts/sinch", headers or {}, body, NOW)


def signed(event, *, secret=SECRET, at=NOW, **headers):
    body = request(event).body
    stamp, nonce = str(int(at.timestamp())), "01FJA8B4A7BM43YGWSG9GBV067"
    signature = calculate_sinch_event_signature(compute_signed_data(body.decode(), nonce, stamp), secret)
    standard = {HEADER: signature, f"{HEADER}-nonce": nonce, f"{HEADER}-timestamp": stamp}
    return request(body, standard | {f"{HEADER}-algorithm": "HmacSHA256"} | headers)


def parsed(event):
    (report,) = sinch.parse(request(event))
    return report


def test_status_alone_decides_outcome_in_any_case():
    for row in BY_STATUS:
        status = row["code"].removeprefix("status:")
        assert parsed(report(status, code=None)).outcome == row["outcome"]
        assert parsed(report(status.upper(), code=None)).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["Aborted", "Rejected", "FAILED", "Expired", "Unknown", "Teleported"])
def test_error_code_overrides_failed_status(status):
    for row in BY_CODE:
        receipt = parsed(report(status, int(row["code"].removeprefix("dlr:"))))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("status", ["Delivered", "Queued", "Dispatched"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    assert parsed(report(status, 150)).outcome == sinch.CODES[f"status:{status}"].outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Aborted", "not_contact_problem"),
        ("Failed", "unconfirmed"),
        ("Rejected", "unconfirmed"),
        ("Teleported", "unconfirmed"),
    ],
)
@pytest.mark.parametrize("code", [499, 888, 4000])
def test_unknown_code_is_not_red_and_logged_without_number(caplog, status, outcome, code):
    with caplog.at_level(logging.ERROR):
        assert parsed(report(status, code)).outcome == outcome
    assert f"{code} is not in our table" in caplog.text
    assert BATCH in caplog.text
    assert "2345678" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(report("Teleported", code=None)).outcome is Outcome.PENDING
    assert "Teleported" in caplog.text


def test_signed_report_is_parsed_completely():
    callback = signed(report("Failed", 11))
    sinch.verify(SECRET, callback)
    (receipt,) = sinch.parse(callback)
    assert (receipt.provider_id, receipt.phone) == (f"{BATCH}:+12345678900", "+12345678900")
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, "dlr:11")
    assert receipt.occurred_at == datetime(2016, 12, 5, 16, 24, tzinfo=UTC)


def test_each_recipient_of_a_batch_is_a_delivery():
    first, other = parsed(report()), parsed(report(recipient="12345678901"))
    assert first.provider_id != other.provider_id == f"{BATCH}:+12345678901"
    assert first.event_key != other.event_key


def test_event_key_identifies_a_repeated_report():
    assert parsed(report()).event_key == parsed(report("DELIVERED", operator="1")).event_key
    others = [report("Failed"), report(code=11), report(at="2016-12-05T16:24:24Z"), report(batch_id="01FC")]
    assert len({parsed(event).event_key for event in [report(), *others]}) == 5


@pytest.mark.parametrize("at", [None, "", "yesterday", 5, {}, "0001-01-01T00:00:00+23:59"])
def test_impossible_time_is_ignored(at):
    assert parsed(report(at=at, operator_status_at=at)).occurred_at is None


@pytest.mark.parametrize(("body", "stop"), [(" Stop ", True), ("UNSTOP", False)])
def test_stop_and_start_are_recognized(body, stop):
    assert parsed(text(body)) == OptOutMessage("sinch", "01XXXXX21:inbound", "+12345678900", stop)


@pytest.mark.parametrize(
    "event",
    [text("yes"), text("stop by at noon"), text(None), text("STOP", **{"from": "short"}), {"type": "mo_binary"}],
)
def test_other_texts_from_families_are_ignored(event):
    assert counted(sinch.parse(request(event))) == []


@pytest.mark.parametrize("kind", ["delivery_report_sms", "delivery_report_mms", "new_in_2027"])
def test_report_on_a_batch_is_accepted_and_logged(caplog, kind):
    assert sinch.parse(request({"type": kind, "batch_id": BATCH, "statuses": [{"code": 0, "count": 2}]})) == []
    assert kind in caplog.text


@pytest.mark.parametrize("event", [report(), text("Señora O'Brien 🎒"), b"", b"{not even json"])
def test_signature_of_sinchs_library_is_accepted(event):
    callback = signed(event)
    assert SmsSinchEvent(SECRET).validate_authentication_header(dict(callback.headers), callback.body)
    sinch.verify(SECRET, callback)


def test_last_retry_is_still_accepted():
    sinch.verify(SECRET, signed(report(), at=NOW - timedelta(hours=22, minutes=45)))


GOOD = signed(report())
FORGED = {
    "no signature": request(report()),
    "empty signature": signed(report(), **{HEADER: ""}),
    "not ascii": signed(report(), **{HEADER: "ß\udcff\ud800"}),
    "another secret": signed(report(), secret="another"),
    "another nonce": signed(report(), **{f"{HEADER}-nonce": "\ud800"}),
    "another time": signed(report(), **{f"{HEADER}-timestamp": str(int(NOW.timestamp()) + 1)}),
    "another body": request(report("Failed", 150), GOOD.headers),
    "no nonce": request(GOOD.body, {name: GOOD.headers[name] for name in (HEADER, f"{HEADER}-timestamp")}),
    "another algorithm": signed(report(), **{HEADER: "abc", f"{HEADER}-algorithm": "none"}),
}


@pytest.mark.parametrize("callback", FORGED.values(), ids=FORGED.keys())
def test_bad_signature_is_refused_with_503_for_a_retry(callback):
    with pytest.raises(BadSignature) as refused:
        sinch.verify(SECRET, callback)
    assert refused.value.status == 503


@pytest.mark.parametrize("hours", [-26, 26])
def test_old_request_is_refused_with_403(hours):
    with pytest.raises(BadSignature) as refused:
        sinch.verify(SECRET, signed(report(), at=NOW + timedelta(hours=hours)))
    assert refused.value.status == 403


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        sinch.verify("", signed(report(), secret=""))


MALFORMED = [
    b"",
    b"hello",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"[{}]",
    b"null",
    b"7",
    b"[" * 10_000,
    b'{"a": ' * 10_000,
    b'{"type": ' + b"9" * 5_000 + b"}",
    {},
    {"type": None},
    {"type": ["recipient_delivery_report_sms"]},
    {"type": "recipient_delivery_report_sms\u0000"},
    {"type": "mo_text", "id": {}, "from": "12345678900", "body": "STOP"},
    report(batch_id=None),
    report(batch_id=[]),
    report(batch_id="a\u0000b"),
    report(status=None),
    report(status={}),
    report(status="a b"),
    report(code="1 or 2"),
    report(code=10**100),
    report(recipient=None),
    report(recipient={"number": "+12345678900"}),
    report(recipient="grandma"),
]


@pytest.mark.parametrize("event", MALFORMED, ids=lambda event: repr(event)[:40])
def test_other_body_is_malformed(event):
    with pytest.raises(Malformed) as refused:
        sinch.parse(request(event))
    assert refused.value.status == 400


ANYTHING = any_json()
KINDS = st.sampled_from(["recipient_delivery_report_sms", "mo_text", "delivery_report_sms"])
EVENTS = st.dictionaries(st.sampled_from([*report(), "id", "from", "body"]), ANYTHING)


@given(
    st.binary(max_size=300) | st.builds(lambda kind, event: json.dumps(event | {"type": kind}).encode(), KINDS, EVENTS)
)
def test_verifier_and_parser_survive_any_body(body):
    with suppress(Refused):
        sinch.verify(SECRET, request(body, {HEADER: "x", f"{HEADER}-timestamp": body.decode("latin-1")}))
    with suppress(Refused):
        sinch.parse(request(body))
