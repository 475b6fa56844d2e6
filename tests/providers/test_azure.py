import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import azure
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Handshake, Malformed, OptOutMessage, ParsedReceipt, Refused

KEY = "k3yOfTheDistrict"
URL = "https://cleanup.district.example/receipts/azure"
MESSAGE_ID = "Outgoing_202009180022138813a09b-0cbf-4304-9b03-1546683bb910"
TABLE = tables.code_rows("azure")
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
RECEIVED = "Microsoft.Communication.SMSReceived"
REPORT = "Microsoft.Communication.SMSDeliveryReportReceived"
# Microsoft's wording in July 2024 or before.
SENTENCES = {
    "Message Delivered Successfully.": "2000",
    "Message is rejected due to fraud detection.": "4000",
    "Message is rejected due to invalid Source/From number format": "4001",
    "Message is rejected due to invalid Destination/To number format.": "4002",
    "Message failed to deliver due to unsupported destination.": "4003",
    "Message failed to deliver since Destination/To number doesn't exist.": "4004",
    "Message blocked by Destination carrier.": "4005",
    "The Destination/To number isn\u2019t reachable.": "4006",
    "The Destination/To number is not reachable.": "4006",
    "The Destination/To number opted out of receiving messages from you.": "4007",
    "You exceeded the maximum number of messages allowed for your profile.": "4008",
    "Message rejected by Microsoft Entitlement System.": "4009",
    "Message was blocked due to the toll-free number not being verified.": "4010",
    "Message rejected by the carrier due to a volumetric violation.": "4020",
    "Message failed to deliver. AccessLevel out Microsoft support team for more details.": "5000",
    "Message failed to deliver due to temporary unavailability of application/system.": "5001",
    "Carrier does not support delivery report": "5002",
    "Message failed to deliver due to unknown error/failure.": "9999",
}


def an_event(data, kind=REPORT, **changed):
    return {"id": "e1", "eventType": kind, "data": data, "eventTime": "2020-09-18T00:22:20Z", **changed}


def a_report(status="Delivered", details="No error.", **changed):
    return {
        "messageId": MESSAGE_ID,
        "from": "15555555555",
        "to": "+15555555555",
        "deliveryStatus": status,
        "deliveryStatusDetails": details,
        "receivedTimestamp": "2020-09-18T00:22:20.2855749Z",
        "deliveryAttempts": [
            {"timestamp": "2020-09-18T00:22:14.9315918Z", "segmentsSucceeded": 1, "segmentsFailed": 0}
        ],
        **changed,
    }


def a_text(message, **changed):
    return {"messageId": "Incoming_20200918002745d29ebbea", "from": "15555555555", "message": message, **changed}


def request(content, url=f"{URL}?key={KEY}"):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Callback(url, {"aeg-event-type": "Notification"}, body, datetime.now(UTC))


def parsed(data, kind=REPORT):
    (report,) = azure.parse(request([an_event(data, kind)]))
    return report


@pytest.mark.parametrize("form", ["{}", "{}: it failed", " {}."])
def test_error_code_overrides_failed_status(form):
    for row in BY_CODE:
        receipt = parsed(a_report("Failed", form.format(row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


def test_code_may_be_a_number():
    assert parsed(a_report("Failed", 4004)).outcome is Outcome.INACTIVE


@pytest.mark.parametrize(("sentence", "code"), SENTENCES.items())
def test_sentence_means_the_same_as_its_code(sentence, code):
    assert parsed(a_report("Failed", sentence)).code == code


def test_every_code_has_a_sentence():
    assert set(SENTENCES.values()) == {row["code"] for row in BY_CODE}


@pytest.mark.parametrize("details", ["No error.", "", None, {}])
def test_status_alone_decides_outcome(caplog, details):
    assert parsed(a_report("Delivered", details)).outcome is Outcome.DELIVERED
    assert parsed(a_report("Failed", details)).outcome is Outcome.UNCONFIRMED
    assert not caplog.records


@pytest.mark.parametrize("details", ["4004", "Message blocked by Destination carrier."])
def test_code_does_not_override_delivered(details):
    assert parsed(a_report("Delivered", details)).outcome is Outcome.DELIVERED


def test_unknown_code_is_not_red_and_logged_without_number(caplog):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(a_report("Failed", "4999: +15555555555 is odd"))
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, "4999")
    assert "4999" in caplog.text
    assert MESSAGE_ID in caplog.text
    assert "5555555" not in caplog.text


@pytest.mark.parametrize("details", ["15555555555 has gone fishing", "Gone fishing with +15555555555"])
def test_unknown_sentence_is_not_red_and_not_logged(caplog, details):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(a_report("Failed", details))
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, None)
    assert MESSAGE_ID in caplog.text
    assert "5555555" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(a_report("Teleported")).outcome is Outcome.PENDING
    assert "Teleported" in caplog.text


def test_sample_of_azure_is_parsed_completely():
    at = datetime(2020, 9, 18, 0, 22, 20, 285574, UTC)
    key = f"{MESSAGE_ID}:+15555555555:Delivered::2020-09-18T00:22:20.2855749Z"
    assert parsed(a_report()) == ParsedReceipt(
        "azure", key, MESSAGE_ID, "+15555555555", Outcome.DELIVERED, occurred_at=at
    )


def test_field_names_may_be_capitalized():
    old = {name[0].upper() + name[1:]: value for name, value in a_report().items()}
    assert parsed(old) == parsed(a_report())


def test_event_key_identifies_a_repeated_report():
    assert parsed(a_report()).event_key == parsed(a_report(Tag="x")).event_key
    others = [{"messageId": "m2"}, {"to": "+15555555556"}, {"deliveryStatus": "Failed"}, {"receivedTimestamp": "x"}]
    assert len({parsed(a_report() | other).event_key for other in [{}, *others]}) == 5


def test_events_keep_their_order_and_others_are_skipped():
    content = [
        an_event(a_report()),
        an_event(None, "Microsoft.Storage.BlobCreated"),
        an_event(a_report(messageId="m2")),
    ]
    assert [report.provider_id for report in azure.parse(request(content))] == [MESSAGE_ID, "m2"]


@pytest.mark.parametrize(("text", "stopped"), [("STOP", True), (" Stop ", True), ("Start", False)])
def test_stop_and_start_are_recognized(text, stopped):
    key = "Incoming_20200918002745d29ebbea:inbound"
    assert parsed(a_text(text), RECEIVED) == OptOutMessage("azure", key, "+15555555555", stopped)


@pytest.mark.parametrize("data", [a_text("thank you"), a_text("STOP", **{"from": "12345"}), a_text(None)])
def test_other_texts_from_families_are_ignored(data):
    assert counted(azure.parse(request([an_event(data, RECEIVED)]))) == []


def test_handshake_of_event_grid_is_answered():
    code = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"
    data = {"validationCode": code, "validationUrl": "https://rp-eastus2.eventgrid.azure.net/validate?id=1"}
    assert parsed(data, VALIDATION) == Handshake({"validationResponse": code}, confirm=None)


@pytest.mark.parametrize("key", [KEY, "long & odd / key=ß"])
def test_request_with_the_key_is_accepted(key):
    azure.verify(key, request([], f"{URL}?school=1&key={quote(key)}"))


@pytest.mark.parametrize(
    "query", ["", "?key=", "?key", "?key=guessed", f"?Key={KEY}", "?key=%ff%00", "?key=\udcff", f"#key={KEY}"]
)
def test_request_without_the_key_is_refused_with_403(query):
    with pytest.raises(BadSignature) as refused:
        azure.verify(KEY, request([], URL + query))
    assert refused.value.status == 403


@pytest.mark.parametrize("query", ["", "?key="])
def test_unset_secret_accepts_nothing(query):
    with pytest.raises(BadSignature):
        azure.verify("", request([], URL + query))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff",
        b"[" * 100_000,
        None,
        7,
        {},
        an_event(a_report()),
        [None],
        [[an_event(a_report())]],
        [{}],
        [an_event(a_report(), None)],
        [an_event(a_report(), ["x"])],
        [an_event(None)],
        [an_event([])],
        [an_event({})],
        [an_event(a_report()), an_event({})],
        [an_event(a_report(messageId=7.5))],
        [an_event(a_report(messageId="a\x00b"))],
        [an_event(a_report(None))],
        [an_event(a_report("De livered"))],
        [an_event(a_report(receivedTimestamp="a b"))],
        [an_event({}, RECEIVED)],
        [an_event({}, VALIDATION)],
        [an_event({"validationCode": "<script>"}, VALIDATION)],
    ],
)
def test_other_body_is_malformed(content):
    with pytest.raises(Malformed) as refused:
        azure.parse(request(content))
    assert refused.value.status == 400


ANYTHING = any_json()
DATA = st.dictionaries(st.sampled_from([*a_report(), "message", "validationCode"]), ANYTHING) | ANYTHING
EVENT = st.builds(an_event, DATA, st.sampled_from([REPORT, RECEIVED, VALIDATION]) | ANYTHING)


@given(
    st.binary(max_size=300) | (st.lists(EVENT) | ANYTHING).map(lambda content: json.dumps(content).encode()), st.text()
)
def test_parser_survives_any_request(body, query):
    callback = request(body, f"{URL}?{query}")
    with suppress(Refused):
        azure.verify(KEY, callback)
    with suppress(Refused):
        azure.parse(callback)
