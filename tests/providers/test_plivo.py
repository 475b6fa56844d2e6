import base64
import hmac
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

from bot.domain.sms_status import Outcome
from bot.providers import plivo
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused
from bot.providers.registry import BY_NAME

SECRET = "plivo-auth-token"
NONCE = "05429567804466091622"
URL = "https://cleanup.district.example/receipts/plivo"
SAMPLE = b"ParentMessageUUID=12345&Status=undelivered&MessageUUID=123&To=%2B60124361111&From=2020&ErrorCode=80"
UUID = "a2cab4c0-c8f2-11f0-a5a6-0242ac110005"
PHONE = "+13125550142"
TABLE = tables.code_rows("plivo")
BY_STATUS = [row for row in TABLE if row["code"].startswith("status:")]
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]

# What `plivo.utils.signature_v3` of plivo 4.63.0 makes of SECRET and NONCE.
PUBLISHED = {
    "a receipt": (URL, SAMPLE, "hogAJ5hiSde6HCBBD4ovjq12IEcjsidzj0GKOusRjWw="),
    "a port, a query, letters of all kinds and an empty field": (
        URL.replace(".example", ".example:8443") + "?school=lincoln&grade=5&grade=4",
        urlencode({"MessageUUID": "123", "Text": "Señora O'Brien 🎒 & co=1", "Empty": ""}).encode(),
        "kEyG0XLo345vBFF9DGUTWOCHsjpWnLcsn/OORUXIEhE=",
    ),
    "a name twice, and names in another case": (
        "http://127.0.0.1:3000/receipts/plivo",
        b"a=2&aa=4&a=1&A=3",
        "zE2/JGo1Dg4U7DraXYEz8RhTybR/rDZ4Hl/ptfM7wzU=",
    ),
}
SIGNATURE = PUBLISHED["a receipt"][2]


def callback(status="delivered", **fields):
    content = {"MessageUUID": UUID, "ParentMessageUUID": UUID, "Status": status, "To": PHONE, "From": "+13125550100"}
    return content | fields


def inbound(text, **fields):
    content = {"MessageUUID": UUID, "Type": "sms", "From": PHONE.removeprefix("+"), "To": "13125550100", "Text": text}
    return content | fields


def request(fields, headers=(), url=URL):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    return Callback(url, form | dict(headers), body, datetime.now(UTC))


def by(signature, nonce=NONCE, header="x-plivo-signature-v3"):
    return {header: signature, "x-plivo-signature-v3-nonce": nonce}


def parsed(fields):
    (report,) = plivo.parse(request(fields))
    return report


@pytest.mark.parametrize("none", [{}, {"ErrorCode": ""}, {"ErrorCode": "000"}])
def test_status_alone_decides_outcome(none):
    for row in BY_STATUS:
        receipt = parsed(callback(row["code"].removeprefix("status:"), **none))
        assert (receipt.outcome, receipt.code) == (row["outcome"], None)


@pytest.mark.parametrize("status", ["failed", "undelivered", "rejected"])
def test_error_code_overrides_failed_status(status):
    for row in BY_CODE:
        receipt = parsed(callback(status, ErrorCode=row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("status", ["delivered", "sent", "queued"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    assert parsed(callback(status, ErrorCode="200")).outcome == plivo.CODES[f"status:{status}"].outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("failed", "not_contact_problem"), ("rejected", "not_contact_problem"), ("undelivered", "unconfirmed")],
)
def test_unknown_code_is_not_red_and_logged_without_number(caplog, status, outcome):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(callback(status, ErrorCode="777"))
    assert (receipt.outcome, receipt.code) == (outcome, "777")
    assert "777" in caplog.text
    assert UUID in caplog.text
    assert "5550142" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(callback("teleported")).outcome is Outcome.PENDING
    assert "teleported" in caplog.text


def test_signed_receipt_is_parsed_completely():
    plivo.verify(SECRET, request(SAMPLE, by(SIGNATURE)))
    assert parsed(SAMPLE) == ParsedReceipt(
        "plivo", "123::undelivered:80:", "12345", "+60124361111", Outcome.TURNED_OFF, "80"
    )
    assert BY_NAME["plivo"].SECRET == "plivo_auth_token"


def test_parts_of_a_text_share_a_delivery_but_no_key():
    parts = [
        callback(PartInfo="1 of 2"),
        callback(PartInfo="2 of 2"),
        callback(MessageUUID="b2", PartInfo="2 of 2"),
        callback(MessageUUID="b2"),
    ]
    receipts = [parsed(part) for part in parts]
    assert {receipt.provider_id for receipt in receipts} == {UUID}
    assert len({receipt.event_key for receipt in receipts}) == 4


def test_text_without_parent_keeps_its_own_id():
    assert parsed(callback(ParentMessageUUID="")).provider_id == UUID


def test_event_key_identifies_a_repeated_report():
    assert parsed(callback()).event_key == parsed(callback(TotalRate="0.0055")).event_key
    assert parsed(callback("sent")).event_key != parsed(callback()).event_key


@pytest.mark.parametrize(
    ("time", "read"),
    [
        ("2026-11-23 15:04:05.25+00:00", datetime(2026, 11, 23, 15, 4, 5, 250_000, tzinfo=UTC)),
        ("soon", None),
        ("", None),
    ],
)
def test_time_is_parsed_and_impossible_one_ignored(time, read):
    assert parsed(callback(DeliveryReportTime=time)).occurred_at == read


@pytest.mark.parametrize(("text", "stop"), [("STOP", True), (" Cancel ", True), ("start", False), ("UNSTOP", False)])
def test_stop_and_start_are_recognized(text, stop):
    assert parsed(inbound(text)) == OptOutMessage("plivo", f"{UUID}:inbound", PHONE, stop)


@pytest.mark.parametrize("fields", [inbound("stop by at noon"), inbound(""), inbound("STOP", From="72345")])
def test_other_texts_from_families_are_ignored(fields):
    assert counted(plivo.parse(request(fields))) == []


@pytest.mark.parametrize(("url", "body", "signature"), PUBLISHED.values(), ids=PUBLISHED.keys())
def test_signature_of_plivos_sdk_is_accepted(url, body, signature):
    plivo.verify(SECRET, request(body, by(signature), url))


@pytest.mark.parametrize("header", [f"guessed,{SIGNATURE}", f"{SIGNATURE}, guessed", f" {SIGNATURE} "])
def test_one_matching_signature_of_several_is_enough(header):
    plivo.verify(SECRET, request(SAMPLE, by(header)))


def test_main_accounts_signature_has_its_own_header():
    main = by(SIGNATURE, header="x-plivo-signature-ma-v3")
    plivo.verify(SECRET, request(SAMPLE, main))
    plivo.verify(SECRET, request(SAMPLE, main | {"x-plivo-signature-v3": "of-another-account"}))


def _hmac(secret, nonce=NONCE, algorithm=sha256):
    content = "ErrorCode80From2020MessageUUID123ParentMessageUUID12345StatusundeliveredTo+60124361111"
    return base64.b64encode(hmac.new(secret.encode(), f"{URL}?{content}.{nonce}".encode(), algorithm).digest()).decode()


def test_forgeries_start_from_a_valid_signature():
    assert _hmac(SECRET) == SIGNATURE


FORGED = {
    "no signature": (URL, {"x-plivo-signature-v3-nonce": NONCE}, SAMPLE),
    "no nonce": (URL, {"x-plivo-signature-v3": SIGNATURE}, SAMPLE),
    "an empty nonce": (URL, by(_hmac(SECRET, ""), ""), SAMPLE),
    "another nonce": (URL, by(SIGNATURE, "1"), SAMPLE),
    "a nonce that is not ascii": (URL, by(SIGNATURE, "ß\udcff\ud800"), SAMPLE),
    "empty": (URL, by(""), SAMPLE),
    "only commas": (URL, by(" , ,"), SAMPLE),
    "not ascii": (URL, by("ß\udcff"), SAMPLE),
    "another secret": (URL, by(_hmac("guessed")), SAMPLE),
    "another algorithm": (URL, by(_hmac(SECRET, algorithm="sha1")), SAMPLE),
    "another url": (URL + "x", by(SIGNATURE), SAMPLE),
    "another query": (URL + "?x=1", by(SIGNATURE), SAMPLE),
    "another value": (URL, by(SIGNATURE), SAMPLE.replace(b"=80", b"=70")),
    "another field": (URL, by(SIGNATURE), SAMPLE + b"&x=1"),
    "no body": (URL, by(SIGNATURE), b""),
}


@pytest.mark.parametrize(("url", "headers", "body"), FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(url, headers, body):
    with pytest.raises(BadSignature) as refused:
        plivo.verify(SECRET, request(body, headers, url))
    assert refused.value.status == 403


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        plivo.verify("", request(SAMPLE, by(_hmac(""))))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b'{"MessageUUID": "1", "Status": "sent"}',
        b"MessageUUID=1",
        b"Status=delivered",
        b"Text=STOP",
        b"MessageUUID=1%00&Status=delivered",
        b"MessageUUID=1&Status=delivered&ErrorCode=8+0",
        b"MessageUUID=1&Status=delivered&ParentMessageUUID=%3Cb%3E",
        b"MessageUUID=1&Status=delivered&To=%ff",
        b"MessageUUID=" + b"9" * 5_000 + b"&Status=delivered",
        b"\xff\xfe",
        b"[" * 10_000,
        b"&".join(b"a%d=1" % n for n in range(200)),
    ],
)
def test_other_body_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        plivo.parse(request(body))
    assert refused.value.status == 400


@given(
    st.dictionaries(st.sampled_from([*callback(), "Text", "PartInfo", "ErrorCode", "DeliveryReportTime"]), st.text())
)
def test_parser_survives_any_form(fields):
    with suppress(Refused):
        plivo.parse(request(callback() | fields))


@given(st.binary(max_size=300), st.text(max_size=100), st.text(max_size=20), st.text(max_size=50))
def test_verifier_and_parser_survive_any_request(body, signature, nonce, url):
    with pytest.raises(Refused):
        plivo.verify(SECRET, request(body, by(signature, nonce), url))
    with suppress(Refused):
        plivo.parse(request(body))
