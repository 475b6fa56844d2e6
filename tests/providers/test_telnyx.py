import json
import logging
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import telnyx
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused
from bot.providers.registry import BY_NAME

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
URL = "https://cleanup.district.example/receipts/telnyx"
EVENT = "4ee8c3a6-4995-4309-a3c6-38e3db9ea4be"
MESSAGE = "ac012cbf-5e09-46af-a69a-7c0e2d90993c"
PHONE = "+13125550002"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = b64encode(KEY.public_key().public_bytes_raw()).decode()
TABLE = tables.code_rows("telnyx")
BY_STATUS = [row for row in TABLE if row["code"].startswith("status:")]
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]


def recipient(status="delivered", phone=PHONE):
    return {"carrier": "T-MOBILE USA, INC.", "line_type": "Wireless", "phone_number": phone, "status": status}


def event(*to, kind="message.finalized", codes=(), **payload):
    message = {
        "completed_at": "2024-01-15T21:32:14.148+00:00",
        "direction": "outbound",
        "errors": [{"code": code, "title": "A title", "detail": "A detail"} for code in codes],
        "from": {"carrier": "Telnyx", "line_type": "Wireless", "phone_number": "+13125550001"},
        "id": MESSAGE,
        "parts": 1,
        "record_type": "message",
        "to": list(to) or [recipient()],
        "type": "SMS",
    }
    data = {"event_type": kind, "id": EVENT, "occurred_at": "2024-01-15T21:32:14.148+00:00", "record_type": "event"}
    return {"data": data | {"payload": message | payload}, "meta": {"attempt": 1, "delivered_to": URL}}


def inbound(text):
    return event(kind="message.received", direction="inbound", text=text, **{"from": {"phone_number": PHONE}})


def request(body, headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(URL, {"content-type": "application/json"} | dict(headers), raw, NOW)


def signed(body, at=NOW, key=KEY):
    stamp = str(int(at.timestamp()))
    signature = b64encode(key.sign(f"{stamp}|".encode() + json.dumps(body).encode())).decode()
    return {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}


def parsed(body):
    (report,) = telnyx.parse(request(body))
    return report


def test_status_alone_decides_outcome():
    for row in BY_STATUS:
        assert parsed(event(recipient(row["code"].removeprefix("status:")))).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["sending_failed", "delivery_failed", "delivery_unconfirmed"])
def test_error_code_overrides_failed_status(status):
    for row in BY_CODE:
        receipt = parsed(event(recipient(status), codes=[row["code"]]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("status", ["delivered", "sent", "sending", "queued"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    receipt = parsed(event(recipient(status), codes=["40300"]))
    assert receipt.outcome == telnyx.CODES[f"status:{status}"].outcome


@pytest.mark.parametrize(
    ("status", "outcome"), [("sending_failed", "not_contact_problem"), ("delivery_failed", "unconfirmed")]
)
def test_unknown_code_is_not_red_and_logged_without_number(caplog, status, outcome):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(event(recipient(status), codes=["49999"]))
    assert (receipt.outcome, receipt.code) == (outcome, "49999")
    assert "49999" in caplog.text
    assert MESSAGE in caplog.text
    assert "5550002" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(event(recipient("teleported"))).outcome is Outcome.PENDING
    assert "teleported" in caplog.text


def test_first_known_error_of_several_counts():
    receipt = parsed(event(recipient("delivery_failed"), codes=["49999", "40001", "40300"]))
    assert (receipt.outcome, receipt.code) == (Outcome.LANDLINE, "40001")


@pytest.mark.parametrize(
    ("title", "logged"), [("Blocked due to STOP message", False), ("Destination +13125550002 unreachable", True)]
)
def test_40300_without_stop_in_title_is_opt_out_and_logged(caplog, title, logged):
    error = {"code": "40300", "title": title}
    assert parsed(event(recipient("delivery_failed"), errors=[error])).outcome is Outcome.OPT_OUT
    assert ("not STOP" in caplog.text) == logged
    assert "5550002" not in caplog.text


def test_signed_receipt_is_parsed_completely():
    body = event()
    telnyx.verify(PUBLIC_KEY, request(body, signed(body)))
    at = datetime(2024, 1, 15, 21, 32, 14, 148_000, tzinfo=UTC)
    assert parsed(body) == ParsedReceipt("telnyx", EVENT, MESSAGE, PHONE, Outcome.DELIVERED, occurred_at=at)
    assert BY_NAME["telnyx"].SECRET == "telnyx_public_key"


def test_group_text_has_a_receipt_per_recipient_without_errors():
    group = event(recipient(), recipient("delivery_failed", "+13125550003"), codes=["40300"])
    one, other = telnyx.parse(request(group))
    assert (one.provider_id, one.outcome) == (f"{MESSAGE}:{PHONE}", Outcome.DELIVERED)
    assert (other.provider_id, other.outcome) == (f"{MESSAGE}:+13125550003", Outcome.UNCONFIRMED)
    assert one.event_key != other.event_key


@pytest.mark.parametrize(("text", "stop"), [("STOP", True), (" stop all ", True), ("Start", False), ("unstop", False)])
def test_stop_and_start_are_recognized(text, stop):
    assert parsed(inbound(text)) == OptOutMessage("telnyx", f"{MESSAGE}:inbound", PHONE, stop)


@pytest.mark.parametrize(
    "body",
    [
        inbound("stop by at noon"),
        inbound(""),
        inbound(None),
        event(kind="message.received", text="STOP", **{"from": {"phone_number": "72345"}}),
        event(kind="10dlc.campaign.update"),
        {"data": {"event_type": "call.hangup"}},
    ],
)
def test_other_events_are_ignored(body):
    assert counted(telnyx.parse(request(body))) == []


def test_signature_covers_the_exact_bytes():
    raw = b' {"data" : "Se\xc3\xb1ora \xff"}\n'
    stamp = str(int(NOW.timestamp()))
    headers = {
        "telnyx-timestamp": stamp,
        "telnyx-signature-ed25519": b64encode(KEY.sign(f"{stamp}|".encode() + raw)).decode(),
    }
    telnyx.verify(PUBLIC_KEY, request(raw, headers))


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_clocks_may_differ_by_five_minutes(minutes):
    body = event()
    telnyx.verify(PUBLIC_KEY, request(body, signed(body, NOW + timedelta(minutes=minutes))))


GOOD = signed(event())
ANOTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
FORGED = {
    "no signature": {"telnyx-timestamp": GOOD["telnyx-timestamp"]},
    "no time": {"telnyx-signature-ed25519": GOOD["telnyx-signature-ed25519"]},
    "empty": GOOD | {"telnyx-signature-ed25519": ""},
    "not ascii": GOOD | {"telnyx-signature-ed25519": "ß\udcff"},
    "not base64": GOOD | {"telnyx-signature-ed25519": "!" * 88},
    "too short": GOOD | {"telnyx-signature-ed25519": b64encode(bytes(63)).decode()},
    "zeros": GOOD | {"telnyx-signature-ed25519": b64encode(bytes(64)).decode()},
    "another key": signed(event(), key=ANOTHER),
    "another body": signed(event(recipient("sent"))),
    "another time": GOOD | {"telnyx-timestamp": str(int(NOW.timestamp()) + 1)},
    "time not ascii": GOOD | {"telnyx-timestamp": "١٧٦\udcff"},
    "no number": GOOD | {"telnyx-timestamp": "now"},
    "recorded": signed(event(), NOW - timedelta(minutes=5, seconds=1)),
    "from the future": signed(event(), NOW + timedelta(minutes=5, seconds=1)),
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(headers):
    with pytest.raises(BadSignature) as refused:
        telnyx.verify(PUBLIC_KEY, request(event(), headers))
    assert refused.value.status == 403


@pytest.mark.parametrize("key", ["", "not a key", "ß", b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode()])
def test_invalid_key_accepts_nothing(key):
    with pytest.raises(BadSignature):
        telnyx.verify(key, request(event(), GOOD))


def test_keys_of_rfc_8032_are_accepted():
    """Its second pair (7.1); what it signs there is one byte, whose signature begins as printed."""
    private = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    key = Ed25519PrivateKey.from_private_bytes(private)
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540")
    telnyx.verify(b64encode(public).decode(), request(event(), signed(event(), key=key)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"data": ' + b"9" * 5_000 + b"}",
        [],
        {},
        {"data": []},
        {"data": {"event_type": "message.sent"}},
        {"data": {"event_type": ["message.sent"], "id": EVENT}},
        {"data": {"event_type": "message.sent", "id": EVENT, "payload": [MESSAGE]}},
        {"data": {"event_type": "message.received", "id": {}}},
        event(kind="message.sent\0"),
        event(id=10**100),
        event(id="ac01\0"),
        event(id=None),
        event(to={"status": "sent"}),
        event(to=None),
        event("delivered"),
        event([recipient()]),
        event({"phone_number": PHONE}),
        event(recipient({"sent": True})),
        event(recipient("sent\0")),
        event(errors={"code": "40300"}),
        event(errors=["40300"]),
        event(errors=[{"title": "Blocked"}]),
        event(codes=["<b>"]),
    ],
)
def test_other_body_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        telnyx.parse(request(body))
    assert refused.value.status == 400


ANYTHING = any_json("delivered", PHONE, names=["code", "status", "id"])


@given(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(["message.finalized", "message.received"]))
def test_parser_survives_any_event(to, errors, other, kind):
    with suppress(Refused):
        telnyx.parse(request(event(kind=kind, to=to, errors=errors, text=other, **{"from": other})))


@given(st.binary(max_size=300), st.text(max_size=100), st.text(max_size=20))
def test_verifier_and_parser_survive_any_request(body, signature, stamp):
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
    with pytest.raises(BadSignature):
        telnyx.verify(PUBLIC_KEY, request(body, headers))
    with suppress(Refused):
        telnyx.parse(request(body))
