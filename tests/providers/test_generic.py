import hmac
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import generic
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused

SECRET = "generic-secret"
URL = "https://cleanup.district.example/receipts/generic"
NOW = datetime(2026, 11, 23, 15, 4, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
TABLE = tables.code_rows("generic")
STATES = [row for row in TABLE if row["code"].startswith(("stat:", "dlr:"))]
ERRORS = [row for row in TABLE if row not in STATES and not row["code"].endswith(":000")]
RECEIPT = (
    "id:a1b2c3 sub:001 dlvrd:000 submit date:2611230801 done date:2611230803 stat:UNDELIV err:001 "
    "text:School closed tom"
)


def a_receipt(**changed):
    return {"message_id": "a1b2c3", "to": "+13125550142", "status": "UNDELIV", **changed}


def request(body, headers=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(URL, headers or {}, body, NOW)


def signed(body, *, stamp=STAMP, secret=SECRET):
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
    return {"x-cleanup-timestamp": stamp, "x-cleanup-signature": signature}


def parsed(content):
    (report,) = generic.parse(request(content))
    return report


def test_code_without_status_is_enough():
    for row in TABLE:
        receipt = parsed(a_receipt(status=None, code=row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


def test_status_alone_decides_outcome():
    for row in STATES:
        receipt = parsed(a_receipt(status=row["code"].removeprefix("stat:")))
        assert (receipt.outcome, receipt.code) == (row["outcome"], None)


@pytest.mark.parametrize("status", ["UNDELIV", "REJECTD", "EXPIRED", "dlr:2", "TELEPORTED"])
def test_error_overrides_the_state_beside_it(status):
    for row in ERRORS:
        assert parsed(a_receipt(status=status, code=row["code"])).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["DELIVRD", "ENROUTE", "ACCEPTD", "dlr:1", "dlr:8"])
def test_error_is_ignored_unless_state_is_a_failure(status):
    by_state = parsed(a_receipt(status=status)).outcome
    assert parsed(a_receipt(status=status, code="err[twilio-smpp]:005")).outcome is by_state


def test_state_as_code_does_not_override_delivered():
    assert parsed(a_receipt(status="DELIVRD", code="dlr:8")).outcome is Outcome.DELIVERED
    assert parsed(a_receipt(status="ENROUTE", code="dlr:1")).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("code", ["err[twilio-smpp]:000", "err[acme]:000", "err:0"])
def test_error_000_means_no_error(caplog, code):
    assert parsed(a_receipt(status="DELETED", code=code)).outcome is Outcome.NOT_CONTACT_PROBLEM
    assert not caplog.records


@pytest.mark.parametrize("code", ["err[acme]:001", "err:001", "err[twilio-smpp]:0FF", "command_status:0x99"])
def test_error_of_unknown_profile_is_logged_and_not_used(caplog, code):
    with caplog.at_level(logging.ERROR):
        assert parsed(a_receipt(code=code)).outcome is Outcome.UNCONFIRMED
    assert code in caplog.text
    assert "5550142" not in caplog.text


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("err[acme]:005", Outcome.UNCONFIRMED), ("command_status:0x99", Outcome.NOT_CONTACT_PROBLEM)],
)
def test_unknown_code_alone_depends_on_reaching_the_carrier(code, outcome):
    assert parsed(a_receipt(status=None, code=code)).outcome is outcome


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(a_receipt(status="TELEPORTED")).outcome is Outcome.PENDING
    assert "TELEPORTED" in caplog.text


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("undeliv", "stat:UNDELIV"),
        ("UNDELIVERABLE", "stat:UNDELIV"),
        ("stat:Rejected", "stat:REJECTD"),
        ("DLR:02", "dlr:2"),
        ("err[Twilio-SMPP]:1", "err[twilio-smpp]:001"),
        ("err:0b", "err:00B"),
        ("command_status:0x0000000b", "command_status:0x0B"),
    ],
)
def test_spellings_of_gateways_are_normalized(written, code):
    assert parsed(a_receipt(status=None, code=written)).code == code


def test_documented_example_is_parsed_completely():
    lines = [line for line in generic.__doc__.splitlines() if line.startswith(("    {", "     "))]
    assert parsed(json.loads("".join(lines))) == ParsedReceipt(
        "generic",
        "7f3a:stat:UNDELIV:err[twilio-smpp]:001",
        "a1b2c3",
        "+13125550142",
        Outcome.TURNED_OFF,
        "err[twilio-smpp]:001",
        occurred_at=datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC),
    )


def test_list_keeps_its_order_and_skips_other_texts():
    content = [a_receipt(), {"id": "1", "from": "+13125550142", "text": "thank you"}, a_receipt(message_id="d4")]
    assert [report.provider_id for report in counted(generic.parse(request(content)))] == ["a1b2c3", "d4"]
    assert generic.parse(request([])) == []


def test_smpp_receipt_is_parsed():
    receipt = parsed({"receipt": RECEIPT, "profile": "twilio-smpp", "to": "13125550142"})
    assert (receipt.provider_id, receipt.phone) == ("a1b2c3", "+13125550142")
    assert (receipt.outcome, receipt.code) == (Outcome.TURNED_OFF, "err[twilio-smpp]:001")
    assert receipt.occurred_at is None


@pytest.mark.parametrize(
    ("text", "provider_id", "code", "outcome"),
    [
        ("stat:DELIVRD id:99", "99", None, Outcome.DELIVERED),
        ("ID:99 STAT:undeliv ERR:1", "99", "err[twilio-smpp]:001", Outcome.TURNED_OFF),
        ("id: 99 stat: EXPIRED err: 001", "99", "err[twilio-smpp]:001", Outcome.TURNED_OFF),
        ("id:99\tstat:UNDELIV\nerr:", "99", None, Outcome.UNCONFIRMED),
        ("id:99 stat: err:005", "99", "err[twilio-smpp]:005", Outcome.INACTIVE),
        ("id:99 stat:UNDELIV err:000 text:", "99", "err[twilio-smpp]:000", Outcome.UNCONFIRMED),
        ("id:99 stat:UNDELIV text:a joke: id:1 stat:DELIVRD err:005", "99", None, Outcome.UNCONFIRMED),
        ("message-id:1 id:99 xstat:DELIVRD stat:DELETED", "99", None, Outcome.NOT_CONTACT_PROBLEM),
        ("id:5f2c-99.a stat:ENROUTE", "5f2c-99.a", None, Outcome.PENDING),
    ],
)
def test_smpp_receipts_are_parsed_as_smscs_write_them(text, provider_id, code, outcome):
    receipt = parsed({"receipt": text, "profile": "twilio-smpp"})
    assert (receipt.provider_id, receipt.code, receipt.outcome) == (provider_id, code, outcome)


def test_fields_override_the_smpp_receipt():
    receipt = parsed({"receipt": RECEIPT, "message_id": "10597059", "status": "DELIVRD", "at": "2026-11-23T08:03Z"})
    assert (receipt.provider_id, receipt.outcome) == ("10597059", Outcome.DELIVERED)
    assert receipt.occurred_at == datetime(2026, 11, 23, 8, 3, tzinfo=UTC)


def test_event_key_identifies_a_repeated_report():
    first = a_receipt(at="2026-11-23T15:04:05Z")
    assert parsed(first).event_key == parsed(first | {"status": "stat:undeliv", "to": "13125550142"}).event_key
    others = [
        {"status": "ENROUTE"},
        {"code": "err:1"},
        {"to": "+13125550143"},
        {"at": "2026-11-23T15:04:06Z"},
        {"id": "7"},
    ]
    assert len({parsed(first | other).event_key for other in [{}, *others]}) == 6
    again = RECEIPT.replace("done date:2611230803", "done date:2611230903")
    assert parsed({"receipt": RECEIPT}).event_key != parsed({"receipt": again}).event_key


@pytest.mark.parametrize(("text", "stopped"), [("Stop", True), (" UNSUBSCRIBE ", True), ("start", False)])
def test_stop_and_start_are_recognized(text, stopped):
    content = {"id": "8b41", "from": "+13125550142", "text": text}
    assert parsed(content) == OptOutMessage("generic", "8b41:inbound", "+13125550142", stopped)


@pytest.mark.parametrize("changed", [{"text": "stop by at noon"}, {"text": "yes"}, {"from": "SCHOOL"}, {"text": None}])
def test_other_texts_from_families_are_ignored(changed):
    assert counted(generic.parse(request({"id": "8b41", "from": "+13125550142", "text": "STOP"} | changed))) == []


BODY = json.dumps(a_receipt()).encode()


def test_request_signed_with_our_secret_is_accepted():
    generic.verify(SECRET, request(BODY, signed(BODY)))


def test_openssl_signature_is_accepted():
    """`printf '1795446270.{"message_id":"a1b2c3","status":"DELIVRD"}' | openssl dgst -sha256 -hmac generic-secret`"""
    signature = "f1ee0bb21d267629b5b006a1ae413bf72fe16950f483f1a7bdff0e64358b23e6"
    headers = {"x-cleanup-timestamp": "1795446270", "x-cleanup-signature": signature}
    generic.verify(SECRET, request(b'{"message_id":"a1b2c3","status":"DELIVRD"}', headers))


def old(seconds):
    return str(int((NOW - timedelta(seconds=seconds)).timestamp()))


FORGED = {
    "nothing": {},
    "no signature": {"x-cleanup-timestamp": STAMP},
    "empty signature": signed(BODY) | {"x-cleanup-signature": ""},
    "wrong signature": signed(BODY) | {"x-cleanup-signature": "0" * 64},
    "not ascii": signed(BODY) | {"x-cleanup-signature": "ß\udcff"},
    "no time": {"x-cleanup-signature": signed(BODY)["x-cleanup-signature"]},
    "another time": signed(BODY) | {"x-cleanup-timestamp": old(1)},
    "another body": signed(BODY + b" "),
    "another secret": signed(BODY, secret="guessed"),
    "too old": signed(BODY, stamp=old(301)),
    "too new": signed(BODY, stamp=old(-301)),
    "time in words": signed(BODY, stamp="now"),
    "time not ascii": signed(BODY) | {"x-cleanup-timestamp": "\u0661\udcff"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(headers):
    with pytest.raises(BadSignature) as refused:
        generic.verify(SECRET, request(BODY, headers))
    assert refused.value.status == 403


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        generic.verify("", request(BODY, signed(BODY, secret="")))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff",
        b"[" * 100_000,
        b'{"message_id": ' + b"9" * 5_000 + b"}",
        None,
        "text",
        7,
        {},
        [[a_receipt()]],
        [a_receipt(), None],
        [a_receipt(), {}],
        a_receipt(message_id=None),
        a_receipt(message_id={}),
        a_receipt(message_id="a\x00b"),
        a_receipt(status=None),
        a_receipt(status=["UNDELIV"], code={}),
        a_receipt(status="UN\x00DELIV"),
        a_receipt(status="not a word"),
        a_receipt(code="err[]:001"),
        a_receipt(code="dlr:٢"),
        a_receipt(code="err:ßßß"),
        a_receipt(id="a b"),
        a_receipt(receipt=RECEIPT, profile="a b"),
        {"receipt": "hello"},
        {"receipt": "id:99"},
        {"receipt": "stat:UNDELIV"},
        {"receipt": "id:ß stat:UNDELIV"},
        {"from": "+13125550142", "text": "STOP"},
    ],
)
def test_other_body_is_malformed(content):
    with pytest.raises(Malformed) as refused:
        generic.parse(request(content))
    assert refused.value.status == 400


ANYTHING = any_json(RECEIPT, "UNDELIV")
NAMES = st.sampled_from(["id", "message_id", "to", "status", "code", "at", "from", "text", "receipt", "profile"])


@given(st.binary(max_size=300) | (ANYTHING | st.dictionaries(NAMES, ANYTHING)).map(lambda it: json.dumps(it).encode()))
def test_parser_survives_any_body(body):
    with suppress(Refused):
        generic.parse(request(body))


@given(st.text(max_size=80), st.text(max_size=20), st.binary(max_size=50))
def test_verifier_survives_any_header(signature, stamp, body):
    with pytest.raises(BadSignature):
        generic.verify(SECRET, request(body, {"x-cleanup-signature": signature, "x-cleanup-timestamp": stamp}))
