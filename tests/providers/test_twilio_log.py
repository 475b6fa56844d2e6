"""Twilio's message log over HTTP: pages, limits, refusals, and odd messages."""

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from starlette.responses import JSONResponse, Response
from support import twilio_server
from support.people import NOW
from support.twilio_server import ACCOUNT, IMPATIENT, KEY, answering
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bot.errors import UserError
from bot.providers.message_log import ReceivedText, SentText
from bot.providers.receipt import FamilyText, OptOutMessage
from bot.providers.twilio_log import TwilioLog

NUMBER = "+13125550142"


@pytest.fixture
def server():
    with twilio_server.serving() as server:
        yield server


def read(server, log=None):
    return list((log or server.log()).texts(NOW - timedelta(days=1), NOW))


def refused(server, log=None):
    with pytest.raises(UserError) as error:
        read(server, log)
    assert "secret" not in error.value.sentence
    return error.value.code


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_every_page_is_read(server, size):
    server.page_size = size
    sids = {server.send(NUMBER, at=NOW - timedelta(minutes=minute)) for minute in range(5)}
    assert {text.provider_id for text in read(server)} == sids


def test_times_are_sent_as_twilio_expects_them(server):
    read(server)
    assert server.requests == [
        "PageSize=1000&DateSent%3E=2026-11-22T15%3A00%3A00Z&DateSent%3C=2026-11-23T15%3A00%3A00Z"
    ]


class _Redirected(TwilioHttpClient):
    """Twilio's own HTTP client, calling a local server."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://api.twilio.com", self.url), **options)


def test_twilios_own_client_reads_the_same_log_with_the_same_query(server):
    server.page_size = 2
    for minute in range(5):
        server.send(NUMBER, at=NOW - timedelta(minutes=minute))
    client = Client(KEY, "a-secret", ACCOUNT, http_client=_Redirected(server.url))
    theirs = client.messages.list(date_sent_after=NOW - timedelta(days=1), date_sent_before=NOW, page_size=1000)
    queries, server.requests[:] = set(server.requests), []
    ours = read(server)
    assert [(text.provider_id, text.at) for text in ours] == [(text.sid, text.date_sent) for text in theirs]
    assert {frozenset(parse_qsl(query)) for query in server.requests} == {frozenset(parse_qsl(q)) for q in queries}


def test_account_token_and_api_key_are_accepted():
    key = TwilioLog.from_setting(f"AC1:{KEY}:secret", url="https://api.twilio.com")
    token = TwilioLog.from_setting("AC1:secret", url="https://api.twilio.com")
    assert [(log.account, log.user, log.secret) for log in (key, token)] == [
        ("AC1", KEY, "secret"),
        ("AC1", "AC1", "secret"),
    ]
    assert "secret" not in repr(key)


def test_text_carries_its_state_and_no_body(server):
    sid = server.send(NUMBER, "Snow day", at=NOW, status="undelivered", error_code=30005)
    [sent] = read(server)
    receipt = server.log().receipt(sent)
    assert (sent.provider_id, sent.phone, sent.at, sent.is_unprompted) == (sid, NUMBER, NOW, True)
    assert (receipt.outcome, receipt.code, receipt.shaky, receipt.occurred_at) == ("inactive", "30005", True, NOW)
    assert "Snow" not in repr(sent)


def test_texts_of_families_are_opt_outs_or_texts(server):
    server.receive(NUMBER, "Stop.", at=NOW)
    server.receive(NUMBER, "Thanks", at=NOW)
    stop, thanks = (text.message for text in read(server) if isinstance(text, ReceivedText))
    assert (type(stop), type(thanks), thanks.phone) == (OptOutMessage, FamilyText, NUMBER)


@pytest.mark.parametrize(
    ("changed", "is_unprompted"),
    [({"direction": "outbound-reply"}, False), ({"status": "canceled"}, False), ({"status": "scheduled"}, False)],
)
def test_answers_and_texts_that_were_never_sent_are_marked(server, changed, is_unprompted):
    server.send(NUMBER, at=NOW, **changed)
    assert [text.is_unprompted for text in read(server)] == [is_unprompted]


def test_odd_messages_cost_only_themselves(server, caplog):
    for fields in (
        {"sid": None},
        {"date_sent": None, "date_created": "soon"},
        {"status": "<b>"},
        {"error_code": "<b>"},
    ):
        server.send(NUMBER, at=NOW, **fields)
    server.send("whatsapp:+13125550142", at=NOW)
    right = server.send(NUMBER, at=NOW)
    server.faults = [lambda _request: JSONResponse({"messages": [*server.messages, 7], "next_page_uri": None})]
    sids = [text.provider_id for text in read(server) if isinstance(text, SentText)]
    assert sids == [right]
    assert "left out" in caplog.text
    assert NUMBER not in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_twilio_is_asked_again_after_its_pause(server, status):
    server.send(NUMBER, at=NOW)
    server.faults = [answering(status, retry_after=1), answering(status)]
    assert len(read(server)) == 1
    assert len(server.requests) == 3


def test_connection_that_breaks_is_tried_again(server):
    def disconnect(request):
        request.scope["slack.drop_connection"]()
        return Response()

    server.send(NUMBER, at=NOW)
    server.faults = [disconnect]
    assert len(read(server)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answering(401, 20003), "pull.refused"),
        (answering(403, 20003), "pull.refused"),
        (answering(404, 20404), "pull.no_account"),
        (answering(429), "pull.busy"),
        (answering(429, retry_after=4), "pull.busy"),
        (answering(503), "pull.failed"),
        (answering(400, 20001), "pull.failed"),
        (lambda _request: Response("<html>"), "pull.unreadable"),
        (lambda _request: JSONResponse([]), "pull.unreadable"),
        (lambda _request: JSONResponse({"messages": None}), "pull.unreadable"),
        (
            lambda _request: Response(status_code=302, headers={"location": "https://elsewhere.example"}),
            "pull.other_host",
        ),
    ],
)
def test_refusal_is_one_sentence(server, answer, code):
    server.faults = [answer] * 3
    assert refused(server) == code


def test_wrong_key_and_account_are_refused(server):
    right = server.log()
    assert refused(server, TwilioLog(right.account, right.user, "another", right.url, IMPATIENT)) == "pull.refused"
    assert refused(server, TwilioLog("AC1", right.user, right.secret, right.url, IMPATIENT)) == "pull.no_account"


def test_host_that_does_not_answer_is_named(server):
    log = TwilioLog("AC1", "AC1", "a-secret", "http://127.0.0.1:9", IMPATIENT)
    assert refused(server, log) == "pull.unreachable"


@pytest.mark.parametrize(
    ("following", "code"),
    [
        ("https://elsewhere.example/Messages.json", "pull.other_host"),
        ("//elsewhere.example/Messages.json", "pull.other_host"),
        (17, "pull.unreadable"),
    ],
)
def test_key_goes_to_no_other_host(server, following, code):
    server.faults = [lambda _request: JSONResponse({"messages": [], "next_page_uri": following})]
    assert refused(server) == code


def test_page_that_names_itself_ends_the_pull(server):
    page = {"messages": [], "next_page_uri": "/2010-04-01/Accounts/x/Messages.json?Page=1"}
    server.faults = [lambda _request: JSONResponse(page)] * 2
    assert refused(server) == "pull.unreadable"


def test_probe_reads_one_text(server):
    server.log().probe()
    assert server.requests == ["PageSize=1"]
