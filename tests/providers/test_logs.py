"""The message logs of Telnyx, Plivo, and Vonage over HTTP, checked against what these providers publish."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.responses import JSONResponse, Response
from support import log_servers
from support.log_servers import Plivo, Telnyx, Vonage, answering
from support.people import NOW

from bot.domain.sms_status import Outcome
from bot.errors import UserError
from bot.providers.message_log import ReceivedText, SentText
from bot.providers.receipt import FamilyText, OptOutMessage

NUMBER = "+13125550142"
EARLIER = NOW - timedelta(minutes=30)


@pytest.fixture(params=[Telnyx, Plivo, Vonage], ids=lambda kind: kind.__name__)
def server(request):
    with log_servers.serving(request.param) as server:
        yield server


@pytest.fixture
def telnyx():
    with log_servers.serving(Telnyx) as server:
        yield server


@pytest.fixture
def plivo():
    with log_servers.serving(Plivo) as server:
        yield server


@pytest.fixture
def vonage():
    with log_servers.serving(Vonage) as server:
        yield server


def read(server, start=NOW - timedelta(days=1), end=NOW):
    return list(server.log().texts(start, end))


def refused(server, log=None):
    with pytest.raises(UserError) as error:
        list((log or server.log()).texts(NOW - timedelta(days=1), NOW))
    assert "secret" not in error.value.sentence
    return error.value.code


def queries(server):
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(request).query).items()} for request in server.requests
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_every_page_is_read(server, size):
    server.page_size = size
    ids = {server.send(NUMBER, at=EARLIER - timedelta(minutes=minute)) for minute in range(5)}
    assert sorted(text.provider_id for text in read(server)) == sorted(ids)


def test_only_the_asked_time_is_read(server):
    server.send(NUMBER, at=NOW - timedelta(days=1, minutes=1))
    right = server.send(NUMBER, at=EARLIER)
    server.send(NUMBER, at=NOW + timedelta(minutes=1))
    assert [text.provider_id for text in read(server)] == [right]


def test_text_carries_its_state_and_no_body(server):
    message_id = server.send(NUMBER, "Snow day", at=EARLIER)
    [sent] = read(server)
    receipt = server.log().receipt(sent)
    assert (sent.provider_id, sent.phone, sent.at, sent.is_unprompted) == (message_id, NUMBER, EARLIER, True)
    assert (receipt.outcome, receipt.phone, receipt.occurred_at) == (Outcome.DELIVERED, NUMBER, EARLIER)
    assert receipt.event_key.startswith(sent.event_key)
    assert "Snow" not in repr(sent)
    assert "secret" not in repr(server.log())


def test_answer_to_a_family_is_marked(server):
    server.receive(NUMBER, "ok", at=EARLIER)
    answer = server.send(NUMBER, at=EARLIER + timedelta(seconds=5))
    other = server.send("+13125550143", at=EARLIER + timedelta(seconds=5))
    later = server.send(NUMBER, at=EARLIER + timedelta(minutes=5))
    sent = {text.provider_id: text.is_unprompted for text in read(server) if isinstance(text, SentText)}
    assert sent == {answer: False, other: True, later: True}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_provider_is_asked_again_after_its_pause(server, status):
    server.send(NUMBER, at=EARLIER)
    server.faults = [answering(status, retry_after=1), answering(status)]
    assert len(read(server)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answering(401), "pull.refused"),
        (answering(403), "pull.refused"),
        (answering(404), "pull.no_account"),
        (answering(429), "pull.busy"),
        (answering(422), "pull.failed"),
        (answering(503), "pull.failed"),
        (lambda _request: Response("<html>"), "pull.unreadable"),
        (lambda _request: JSONResponse([]), "pull.unreadable"),
        (lambda _request: JSONResponse({}), "pull.unreadable"),
        (lambda _request: JSONResponse({"data": {}, "objects": {}, "records": {}}), "pull.unreadable"),
    ],
)
def test_refusal_is_one_sentence(server, answer, code):
    server.faults = [answer] * 3
    assert refused(server) == code


@pytest.mark.parametrize("fields", [{}, {"uuid": 7}, 7, None, [], {"message_uuid": "<b>"}, {"message_id": "A"}])
def test_odd_records_cost_only_themselves(server, fields, caplog):
    right = server.send(NUMBER, at=EARLIER)
    page = {"meta": {"total_pages": 1, "next": None}, "request_status": "SUCCESS"}
    for name in ("data", "objects", "records"):
        page[name] = [fields, *server.records]
    server.faults = [lambda _request: JSONResponse(page)] * 4
    ids = {text.provider_id for text in read(server) if isinstance(text, SentText)}
    assert ids == {right}
    assert "left out" in caplog.text
    assert NUMBER not in caplog.text


def test_probe_reads_one_page(server):
    server.log().probe()
    assert len(server.requests) == 1


def test_telnyx_is_asked_for_days_as_it_documents(telnyx):
    read(telnyx, NOW - timedelta(hours=16), NOW)
    assert queries(telnyx) == [
        {
            "filter[record_type]": "messaging",
            "filter[created_at][gte]": "2026-11-22",
            "filter[created_at][lt]": "2026-11-24",
            "sort": "created_at",
            "page[size]": "50",
            "page[number]": "1",
        }
    ]


@pytest.mark.parametrize(
    ("status", "error_code", "outcome"),
    [
        ("delivered", None, Outcome.DELIVERED),
        ("failed", None, Outcome.UNCONFIRMED),
        ("failed", 40001, Outcome.LANDLINE),
        ("failed", 40300, Outcome.OPT_OUT),
        ("gw_reject", 40310, Outcome.INACTIVE),
        ("gw_reject", None, Outcome.NOT_CONTACT_PROBLEM),
        ("gw_timeout", None, Outcome.NOT_CONTACT_PROBLEM),
        ("dlr_timeout", None, Outcome.UNCONFIRMED),
        ("dlr_unconfirmed", None, Outcome.UNCONFIRMED),
    ],
)
def test_telnyx_statuses_mean_what_its_receipts_mean(telnyx, status, error_code, outcome, caplog):
    telnyx.send(NUMBER, at=EARLIER, status=status, error_code=error_code)
    [sent] = read(telnyx)
    receipt = telnyx.log().receipt(sent)
    assert (receipt.outcome, receipt.code) == (outcome, error_code and str(error_code))
    assert "not in our table" not in caplog.text


def test_telnyx_texts_of_families_are_fetched(telnyx):
    stop = telnyx.receive(NUMBER, "Stop.", at=EARLIER)
    telnyx.receive(NUMBER, "Thanks", at=EARLIER)
    telnyx.receive("72345", "STOP", at=EARLIER)
    gone = telnyx.receive(NUMBER, "STOP", at=EARLIER)
    del telnyx.bodies[gone]
    found = [text.message for text in read(telnyx) if isinstance(text, ReceivedText)]
    assert found == [
        OptOutMessage("telnyx", f"{stop}:inbound", NUMBER, opted_out=True),
        FamilyText("telnyx", found[1].event_key, NUMBER, "Thanks"),
    ]


def test_plivo_is_asked_in_its_time_format(plivo):
    read(plivo)
    assert queries(plivo) == [
        {
            "message_time__gte": "2026-11-22 15:00:00.000000",
            "message_time__lte": "2026-11-23 15:00:00.000000",
            "limit": "20",
            "offset": "0",
        }
    ]


@pytest.mark.parametrize(
    ("status", "error_code", "outcome"),
    [
        ("delivered", None, Outcome.DELIVERED),
        ("sent", None, Outcome.PENDING),
        ("queued", None, Outcome.PENDING),
        ("undelivered", 50, Outcome.LANDLINE),
        ("undelivered", None, Outcome.UNCONFIRMED),
        ("failed", 200, Outcome.OPT_OUT),
        ("failed", None, Outcome.NOT_CONTACT_PROBLEM),
    ],
)
def test_plivo_states_mean_what_its_receipts_mean(plivo, status, error_code, outcome):
    plivo.send(NUMBER, at=EARLIER, status=status, error_code=error_code)
    [sent] = read(plivo)
    assert plivo.log().receipt(sent).outcome == outcome


def test_plivo_keeps_within_its_rate_limit(plivo):
    plivo.page_size = 1
    for minute in range(3):
        plivo.send(NUMBER, at=EARLIER - timedelta(minutes=minute))
    assert plivo.log().seconds_a_page == 0
    assert log_servers.PlivoLog.from_setting(plivo.credentials, url=plivo.url).seconds_a_page * 20 == 60


def test_plivo_page_that_is_empty_and_names_another_ends_the_pull(plivo):
    plivo.faults = [lambda _request: JSONResponse({"objects": [], "meta": {"next": "/v1/?offset=20"}})]
    assert refused(plivo) == "pull.unreadable"


def test_other_channels_of_plivo_and_vonage_are_left_out(plivo, vonage):
    plivo.send(NUMBER, at=EARLIER, message_type="whatsapp")
    vonage.send(NUMBER, at=EARLIER, provider="whatsapp")
    assert read(plivo) == read(vonage) == []


def test_vonage_is_asked_for_both_products_and_directions(vonage):
    read(vonage)
    assert {(query["product"], query["direction"]) for query in queries(vonage)} == {
        ("SMS", "inbound"),
        ("SMS", "outbound"),
        ("MESSAGES", "inbound"),
        ("MESSAGES", "outbound"),
    }
    assert queries(vonage)[0]["date_end"] == "2026-11-23T15:00:00Z"


@pytest.mark.parametrize(
    ("changed", "outcome", "code"),
    [
        ({"status": "delivered"}, Outcome.DELIVERED, None),
        ({"status": "failed", "error_code": 3}, Outcome.INACTIVE, "dlr:3"),
        ({"status": "rejected", "error_code": 9}, Outcome.OPT_OUT, "dlr:9"),
        ({"status": "submitted"}, Outcome.PENDING, None),
        ({"status": "deleted"}, Outcome.UNCONFIRMED, None),
        ({"status": "delivered", "provider": "sms"}, Outcome.DELIVERED, None),
        ({"status": "undeliverable", "error_code": 1180, "provider": "sms"}, Outcome.TURNED_OFF, "messages:1180"),
        ({"status": "submitted", "provider": "sms"}, Outcome.PENDING, None),
    ],
)
def test_vonage_statuses_mean_what_its_receipts_mean(vonage, changed, outcome, code, caplog):
    vonage.send(NUMBER, at=EARLIER, **changed)
    [sent] = read(vonage)
    receipt = vonage.log().receipt(sent)
    assert (receipt.outcome, receipt.code) == (outcome, code)
    assert receipt.event_key.startswith(sent.event_key)
    assert "not in our table" not in caplog.text


def test_vonage_texts_of_families_are_opt_outs_or_texts(vonage):
    stop = vonage.receive(NUMBER, "STOP", at=EARLIER)
    vonage.receive(NUMBER, "Thanks", at=EARLIER, provider="sms")
    messages = [text.message for text in read(vonage) if isinstance(text, ReceivedText)]
    assert messages[0] == OptOutMessage("vonage", f"{stop}:inbound", NUMBER, opted_out=True)
    assert (type(messages[1]), messages[1].phone) == (FamilyText, NUMBER)


def test_vonage_page_that_comes_again_ends_the_pull(vonage):
    page = {"records": [], "request_status": "TRUNCATED", "cursor": "a", "iv": "b"}
    vonage.faults = [lambda _request: JSONResponse(page)] * 2
    assert refused(vonage) == "pull.unreadable"
