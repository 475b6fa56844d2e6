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
from bot.providers import infobip
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, Refused

SECRET = "infobip:Pässwort:with:colons"
TABLE = tables.code_rows("infobip")
FAILURES = ["UNDELIVERABLE", "EXPIRED", "REJECTED"]


def rows(prefix):
    return [row | {"code": row["code"].removeprefix(prefix)} for row in TABLE if row["code"].startswith(prefix)]


def result(group="DELIVERED", error=0, status=None, **fields):
    return {
        "bulkId": "BULK-ID-123-xyz",
        "messageId": "dlr-2",
        "to": "41793026727",
        "sentAt": "2019-11-09T16:00:00.000+0000",
        "doneAt": "2019-11-09T17:00:00.000+0100",
        "messageCount": 1,
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": {"groupId": 2, "groupName": group, "id": status, "name": "A_NAME", "description": "Words."},
        "error": {"groupId": 1, "groupName": "HANDSET_ERRORS", "id": error, "name": "EC_NAME", "permanent": True},
        **fields,
    }


def text(words, **fields):
    return {"messageId": "mo-1", "from": "41793026727", "to": "41793026731", "text": words, "keyword": "X", **fields}


def basic(given):
    return {"authorization": f"Basic {b64encode(given.encode()).decode()}"}


def request(body, headers=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = "https://cleanup.district.example/receipts/infobip"
    return Callback(url, basic(SECRET) if headers is None else headers, body, datetime.now(UTC))


def parsed(one_result):
    (report,) = infobip.parse(request({"results": [one_result]}))
    return report


def test_group_alone_decides_outcome():
    for row in rows("group:"):
        assert parsed(result(row["code"])).outcome == row["outcome"]
        assert parsed(result(row["code"].lower(), error=None)).outcome == row["outcome"]
        assert parsed(result(row["code"], status=9999 if row["code"] != "REJECTED" else None)).code is None


@pytest.mark.parametrize("group", [*FAILURES, "TELEPORTED"])
def test_error_overrides_failed_group_and_status(group):
    for row in rows("error:")[1:]:
        receipt = parsed(result(group, int(row["code"]), status=12))
        assert (receipt.outcome, receipt.code) == (row["outcome"], f"error:{row['code']}")


@pytest.mark.parametrize("group", FAILURES)
def test_status_overrides_group_if_there_is_no_error(group):
    for row in rows("status:"):
        receipt = parsed(result(group, status=int(row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], f"status:{row['code']}")


@pytest.mark.parametrize("group", ["DELIVERED", "PENDING", "ACCEPTED"])
def test_error_is_ignored_unless_group_is_a_failure(group):
    assert parsed(result(group, 1, status=10)).outcome == infobip.CODES[f"group:{group}"].outcome


@pytest.mark.parametrize(
    ("group", "outcome"),
    [("REJECTED", "not_contact_problem"), ("UNDELIVERABLE", "unconfirmed"), ("EXPIRED", "unconfirmed")],
)
def test_unknown_error_is_not_red_and_logged_without_number(caplog, group, outcome):
    with caplog.at_level(logging.ERROR):
        assert parsed(result(group, 9999)).outcome == outcome
    assert "dlr-2: error:9999 is not in our table" in caplog.text
    assert "41793026727" not in caplog.text


def test_unknown_status_is_logged_for_rejections_only(caplog):
    assert parsed(result("REJECTED", status=99)).outcome is Outcome.NOT_CONTACT_PROBLEM
    assert "status:99" in caplog.text
    caplog.clear()
    assert parsed(result("UNDELIVERABLE", status=9)).outcome is Outcome.UNCONFIRMED
    assert parsed(result("DELIVERED", status=5)).outcome is Outcome.DELIVERED
    assert not caplog.text


def test_unknown_group_is_pending_and_logged(caplog):
    assert parsed(result("TELEPORTED")).outcome is Outcome.PENDING
    assert "group:TELEPORTED" in caplog.text


def test_published_report_is_parsed_completely():
    body = b"""{"results":[{"messageId":"dlr-2","to":"41793026727","status":{"groupId":2,"groupName":"UNDELIVERABLE",
        "name":"UNDELIVERABLE_NOT_DELIVERED","description":"Message sent not delivered"},"error":{"groupId":1,
        "groupName":"HANDSET_ERRORS","id":27,"name":"EC_ABSENT_SUBSCRIBER","description":"Absent Subscriber",
        "permanent":false}}]}"""
    infobip.verify(SECRET, request(body))
    (receipt,) = infobip.parse(request(body))
    assert (receipt.provider_id, receipt.phone) == ("dlr-2", "+41793026727")
    assert (receipt.outcome, receipt.code, receipt.occurred_at) == (Outcome.TURNED_OFF, "error:27", None)


def test_several_reports_of_one_request_are_parsed():
    results = [result(messageId="a"), text("STOP"), result("UNDELIVERABLE", 1, messageId="b"), text("thank you")]
    reports = counted(infobip.parse(request({"results": results})))
    assert [getattr(report, "provider_id", "a text") for report in reports] == ["a", "a text", "b"]
    assert infobip.parse(request({"results": []})) == []


def test_report_that_names_its_sender_is_a_receipt():
    assert parsed(result("UNDELIVERABLE", 1, **{"from": "41793026731"})).outcome is Outcome.INACTIVE


def test_carriers_time_is_parsed_and_impossible_one_ignored():
    assert parsed(result()).occurred_at == datetime(2019, 11, 9, 16, tzinfo=UTC)
    assert parsed(result(doneAt="soon")).occurred_at is None


def test_event_key_identifies_a_repeated_report():
    assert parsed(result()).event_key == parsed(result(price=None)).event_key
    others = [result("EXPIRED"), result("EXPIRED", 27), result(doneAt="2019-11-09T17:00:00"), result(messageId="dlr-3")]
    assert len({parsed(report).event_key for report in [result(), *others]}) == 5


@pytest.mark.parametrize(("words", "stop"), [(" Stop ", True), ("UNSTOP", False)])
def test_stop_and_start_are_recognized(words, stop):
    assert parsed(text(words)) == OptOutMessage("infobip", "mo-1:inbound", "+41793026727", stop)


@pytest.mark.parametrize(
    "inbound", [text("yes"), text("stop by at noon"), text(None), text("STOP", **{"from": "short"})]
)
def test_other_texts_from_families_are_ignored(inbound):
    assert counted(infobip.parse(request({"results": [inbound]}))) == []


FORGED = {
    "nothing": {},
    "empty": {"authorization": ""},
    "another password": basic("infobip:other"),
    "another user": basic(SECRET.replace("infobip:", "twilio:")),
    "a longer password": basic(SECRET + "x"),
    "no password": basic("infobip"),
    "not base64": {"authorization": f"Basic {SECRET}"},
    "not ascii": {"authorization": "Basic ß\udcff\ud800"},
    "another scheme": {"authorization": basic(SECRET)["authorization"].replace("Basic", "Bearer")},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_wrong_user_or_password_is_refused(headers):
    with pytest.raises(BadSignature):
        infobip.verify(SECRET, request({"results": []}, headers))


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        infobip.verify("", request({"results": []}, basic("")))


MALFORMED = [
    b"",
    b"hello",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"7",
    b"[" * 10_000,
    b'{"results": ' * 10_000,
    b'{"results": [{"messageId": ' + b"9" * 5_000 + b"}]}",
    {},
    {"results": None},
    {"results": {}},
    {"results": "STOP"},
    *(
        {"results": [result(messageId="good"), bad]}
        for bad in [
            None,
            5,
            "x",
            [],
            ["messageId"],
            {},
            {"messageId": "dlr-2"},
            text("STOP", messageId=None),
            result(messageId={}),
            result(messageId="a\u0000b"),
            result(status=None) | {"status": None},
            result() | {"status": "DELIVERED"},
            result() | {"status": ["DELIVERED"]},
            result(None),
            result(["DELIVERED"]),
            result("DELIVERED TO ALL"),
            result("EXPIRED", "27 or 28"),
            result("EXPIRED", 10**100),
            result("REJECTED", status="6\u0000"),
        ]
    ),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body)[-60:])
def test_other_body_is_malformed(body):
    with pytest.raises(Malformed) as refused:
        infobip.parse(request(body))
    assert refused.value.status == 400


@pytest.mark.parametrize("error", [None, [], "EC_ABSENT_SUBSCRIBER", {"id": {}}, {"id": True}, {"id": 27.5}])
def test_malformed_error_is_ignored(error):
    assert parsed(result("UNDELIVERABLE") | {"error": error}).outcome is Outcome.UNCONFIRMED


ANYTHING = any_json(names=["id", "groupName", "x"])
RESULTS = st.lists(st.dictionaries(st.sampled_from([*result(), "from", "text"]), ANYTHING) | ANYTHING)


@given(st.binary(max_size=300) | RESULTS.map(lambda results: json.dumps({"results": results}).encode()), st.text())
def test_verifier_and_parser_survive_any_request(body, authorization):
    with suppress(Refused):
        infobip.verify(SECRET, request(body, {"authorization": f"Basic {authorization}"}))
    with suppress(Refused):
        infobip.parse(request(body))
