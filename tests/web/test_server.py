"""The HTTP doors, over a real socket, with a small Bolt app behind the one that is Slack's."""

import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from pydantic import SecretStr
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import func, select
from sqlalchemy.exc import TimeoutError  # noqa: A004
from support import amazon_sns as amazon
from support import people
from twilio.request_validator import RequestValidator

from bot.db.engine import build_engine
from bot.db.models.messages import Delivery, MassMessage, PhoneNumber, Receipt
from bot.db.models.roster import SyncRun, SyncState
from bot.sandbox.slack.serving import running
from bot.settings import Settings
from bot.web import server

SIGNING, TWILIO, INGEST = "slack-secret", "twilio-secret", "ingest-secret"
COMMAND = urlencode({"command": "/cleanup", "text": "grade 5 O'Brien", "user_id": "U1", "team_id": "T1"}).encode()


def make_settings(**changed):
    made = {
        "slack_signing_secret": SecretStr(SIGNING),
        "twilio_auth_token": SecretStr(TWILIO),
        "ingest_token": SecretStr(INGEST),
    }
    return Settings(_env_file=None, **(made | changed))


@pytest.fixture
def bolt():
    app = App(
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
        process_before_response=True,
        request_verification_enabled=False,
    )

    @app.command("/cleanup")
    def cleanup(ack, body):
        ack(text=f"You typed: {body['text']}", response_type="ephemeral")

    return app


@pytest.fixture
def serve(empty_database, bolt):
    """Start the bot with some settings changed; gives a client of it."""
    opened = []

    def start(**changed):
        running_app = running(server.create_web_app(make_settings(**changed), empty_database, bolt))
        opened.append(running_app)
        client = httpx.Client(base_url=running_app.__enter__(), timeout=10)
        opened.append(client)
        return client

    yield start
    for one in reversed(opened):
        one.__exit__(None, None, None)


@pytest.fixture
def bot(serve):
    return serve()


def signed(body=COMMAND, *, secret=SIGNING, at=None, **changed):
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    return {**headers, "Content-Type": "application/x-www-form-urlencoded", **changed}


def test_a_request_that_slack_signed_is_answered_in_the_acknowledgement(bot):
    answer = bot.post("/slack/events", content=COMMAND, headers=signed())
    assert answer.status_code == 200
    assert answer.json() == {"text": "You typed: grade 5 O'Brien", "response_type": "ephemeral"}


BAD_SIGNATURES = [
    ("another secret", lambda: signed(secret="guessed")),
    ("another body", lambda: signed(b"command=%2Fcleanup")),
    ("no headers", dict),
    ("no signature", lambda: {"X-Slack-Request-Timestamp": str(int(time.time()))}),
    ("an old stamp", lambda: signed(at=time.time() - 302)),
    ("a stamp from the future", lambda: signed(at=time.time() + 302)),
    ("a stamp that is no number", lambda: signed(**{"X-Slack-Request-Timestamp": "now"})),
    ("a negative stamp", lambda: signed(**{"X-Slack-Request-Timestamp": "-1"})),
    ("an empty stamp", lambda: signed(**{"X-Slack-Request-Timestamp": ""})),
    ("digits that are not ASCII", lambda: signed(**{"X-Slack-Request-Timestamp": "١٧٦٣".encode()})),
    ("a stamp of 5,000 digits", lambda: signed(**{"X-Slack-Request-Timestamp": "1" * 5000})),
    ("a signature that is not ASCII", lambda: signed(**{"X-Slack-Signature": "v0=é".encode()})),
]


@pytest.mark.parametrize("headers", [make for _, make in BAD_SIGNATURES], ids=[name for name, _ in BAD_SIGNATURES])
def test_what_slack_did_not_sign_is_refused_and_leaves_no_word_in_the_log(bot, caplog, headers):
    with caplog.at_level(logging.DEBUG):
        answer = bot.post("/slack/events", content=COMMAND, headers=headers())
    assert answer.status_code == 401
    assert "O'Brien" not in caplog.text
    assert "O%27Brien" not in caplog.text


def test_a_request_that_came_before_is_refused_by_every_process(serve):
    bots, headers = (serve(), serve()), signed()
    assert [bot.post("/slack/events", content=COMMAND, headers=headers).status_code for bot in bots] == [200, 401]
    assert bots[0].post("/slack/events", content=COMMAND, headers=headers).status_code == 401


def test_of_many_who_send_the_same_at_once_one_is_heard(bot):
    headers = signed()
    with ThreadPoolExecutor(8) as pool:
        send = lambda _: bot.post("/slack/events", content=COMMAND, headers=headers).status_code  # noqa: E731
        assert sorted(pool.map(send, range(8))) == [200] + [401] * 7


def test_a_request_that_cannot_be_noted_because_all_connections_are_taken_is_not_heard(bot, empty_database):
    with ExitStack() as stack:
        with suppress(TimeoutError):
            while True:
                stack.enter_context(empty_database.connect())
        assert bot.post("/slack/events", content=COMMAND, headers=signed()).status_code == 503


def test_while_the_signing_secret_changes_both_are_believed(serve):
    bot = serve(slack_signing_secret=SecretStr(f"{SIGNING}, the next"))
    for number, secret in enumerate([SIGNING, "the next", "the one after"]):
        body = COMMAND + f"&trigger_id={number}".encode()
        status = bot.post("/slack/events", content=body, headers=signed(body, secret=secret)).status_code
        assert status == (401 if number == 2 else 200)


def test_a_body_that_is_no_text_is_refused(bot):
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=1"}
    assert bot.post("/slack/events", content=b"\xff\xfe", headers=headers).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"null", b"[" * 100_000])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_signed_body_that_slack_never_sends_is_refused_and_no_fault_of_ours(bot, body, kind):
    content = body if "json" in kind else b"payload=" + body
    answer = bot.post("/slack/events", content=content, headers=signed(content, **{"Content-Type": kind}))
    assert (answer.status_code, answer.json()) == (400, {"error": "The body is none that Slack sends."})


@pytest.mark.parametrize("path", ["/slack/events", "/receipts/twilio"])
def test_more_than_a_megabyte_is_too_much_even_when_it_comes_in_pieces(bot, path):
    pieces = (b"x" * 100_000 for _ in range(11))
    assert bot.post(path, content=pieces).status_code == 413


def test_without_a_signing_secret_nothing_is_believed(serve):
    answer = serve(slack_signing_secret=None).post("/slack/events", content=COMMAND, headers=signed())
    assert answer.status_code == 503
    assert "SLACK_SIGNING_SECRET" in answer.json()["error"]


def test_a_slow_click_of_one_person_keeps_nobody_else_waiting(bot, bolt):
    entered, may_go_on = threading.Event(), threading.Event()

    @bolt.command("/slow")
    def slow(ack):
        entered.set()
        may_go_on.wait(10)
        ack("done")

    body = urlencode({"command": "/slow", "user_id": "U1", "team_id": "T1"}).encode()
    with ThreadPoolExecutor() as others:
        slow_one = others.submit(httpx.post, f"{bot.base_url}/slack/events", content=body, headers=signed(body))
        assert entered.wait(10)
        assert bot.post("/slack/events", content=COMMAND, headers=signed()).status_code == 200
        assert not slow_one.done()
        may_go_on.set()
        assert slow_one.result().text == "done"


CALLBACK = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13125550142", "From": "+13125550100"}


def from_twilio(bot, fields=CALLBACK, *, secret=TWILIO, url=None, **headers):
    url = url or f"{bot.base_url}/receipts/twilio"
    signature = RequestValidator(secret).compute_signature(url, fields)
    return bot.post("/receipts/twilio", data=fields, headers={"X-Twilio-Signature": signature, **headers})


def stored_receipts(session):
    return session.scalar(select(func.count()).select_from(Receipt))


def test_a_receipt_is_stored_before_it_is_answered(bot, session):
    assert from_twilio(bot).status_code == 204
    assert stored_receipts(session) == 1


def test_a_receipt_that_comes_twice_is_one(bot, session):
    assert {from_twilio(bot).status_code for _ in range(2)} == {204}
    assert stored_receipts(session) == 1


def test_a_receipt_with_a_bad_signature_is_refused_and_nothing_is_stored(bot, session):
    assert from_twilio(bot, secret="guessed").status_code == 403
    assert stored_receipts(session) == 0


def test_a_receipt_that_is_none_is_refused(bot, session):
    assert from_twilio(bot, {"Hello": "world"}).status_code == 400
    assert stored_receipts(session) == 0


def test_behind_a_proxy_the_url_is_the_one_that_twilio_called(serve, session):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cleanup.district.example"}
    called = "https://cleanup.district.example/receipts/twilio"
    assert from_twilio(serve(), url=called, **forwarded).status_code == 204
    assert from_twilio(serve(public_url="https://cleanup.district.example/"), url=called).status_code == 204


def test_a_provider_that_nobody_knows_is_not_found(bot):
    answer = bot.post("/receipts/pigeon", data=CALLBACK)
    assert answer.status_code == 404
    assert "twilio" in answer.json()["error"]


def test_receipts_of_a_provider_that_is_not_set_up_yet_are_asked_for_again_later(serve):
    answer = serve(twilio_auth_token=None).post("/receipts/twilio", data=CALLBACK)
    assert answer.status_code == 503
    assert "TWILIO_AUTH_TOKEN is not set" in answer.json()["error"]


@pytest.fixture
def sns(tmp_path, monkeypatch):
    with amazon.running(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def subscribed(serve):
    return serve(aws_sns_topic_arn=SecretStr(amazon.TOPIC))


def from_sns(bot, told):
    return bot.post("/receipts/aws", json=told)


def an_event(**changed):
    return {"eventType": "TEXT_DELIVERED", "messageId": "862a8790", "destinationPhoneNumber": "+13125550142", **changed}


def test_a_subscription_of_our_topic_is_confirmed(subscribed, sns):
    answer = from_sns(subscribed, sns.confirmation(at=datetime.now(UTC)))
    assert (answer.status_code, answer.json()) == (200, {})
    assert sns.asked[-1] == amazon.SUBSCRIBE


def test_a_confirmation_that_failed_is_asked_for_again(subscribed, sns):
    sns.pages[amazon.SUBSCRIBE] = (500, b"later")
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC))).status_code == 503
    sns.pages[amazon.SUBSCRIBE] = (302, amazon.ANOTHERS.encode())
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC))).status_code == 503
    assert amazon.ANOTHERS not in sns.asked


@pytest.mark.parametrize(
    ("changed", "asked"), [({"TopicArn": amazon.TOPIC + "2"}, 0), ({"SubscribeURL": amazon.ANOTHERS}, 1)]
)
def test_no_subscription_of_anybody_else_is_confirmed(subscribed, sns, changed, asked):
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC), **changed)).status_code == 403
    assert len(sns.asked) == asked


def test_a_receipt_through_a_topic_is_stored(subscribed, sns, session):
    assert from_sns(subscribed, sns.message(an_event(), at=datetime.now(UTC))).status_code == 204
    assert stored_receipts(session) == 1


def test_while_a_certificate_is_waited_for_everybody_else_is_answered(subscribed, sns):
    sns.may_answer.clear()
    with ThreadPoolExecutor() as others:
        slow_one = others.submit(from_sns, subscribed, sns.message(an_event(), at=datetime.now(UTC)))
        assert sns.was_asked.wait(10)
        assert httpx.get(f"{subscribed.base_url}/healthz", timeout=3).status_code == 200
        assert not slow_one.done()
        sns.may_answer.set()
        assert slow_one.result().status_code == 204


@pytest.mark.parametrize(
    ("key", "status", "answer"),
    [
        ("k3y", 200, {"validationResponse": "512d38b6"}),
        ("guessed", 403, {"error": "azure: the key in the URL does not fit"}),
    ],
)
def test_event_grid_gets_its_code_back_if_it_knows_the_key(serve, key, status, answer):
    asked = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}]
    said = serve(azure_event_grid_key=SecretStr("k3y")).post(f"/receipts/azure?key={key}", json=asked)
    assert (said.status_code, said.json()) == (status, answer)


def test_a_receipt_may_be_a_get_signed_with_its_whole_query(serve, session):
    bot, key = serve(messagebird_signing_key=SecretStr(SIGNING * 3)), SIGNING * 3
    path = "/receipts/messagebird?id=b6aae1b5&recipient=13125550142&status=delivered&statusDatetime=2026-11-23T15%3A04%2B00%3A00"
    at = int(time.time())
    claims = {
        "iss": "MessageBird",
        "nbf": at,
        "exp": at + 60,
        "url_hash": sha256(f"{bot.base_url}{path}".encode()).hexdigest(),
    }
    headers = {"MessageBird-Signature-JWT": jwt.encode(claims, key)}
    assert bot.get(path + "&x=1", headers=headers).status_code == 403
    assert stored_receipts(session) == 0
    assert bot.get(path, headers=headers).status_code == 204
    assert stored_receipts(session) == 1


def a_message(*deliveries, **changed):
    return {
        "id": "2026-11-23-early-dismissal",
        "title": "Early dismissal today",
        "sender": "office@district.example",
        "sent_at": "2026-11-23T15:04:05Z",
        "deliveries": list(deliveries),
        **changed,
    }


def a_delivery(**changed):
    return {"contact": "CON-1", "to": "+13125550142", "provider": "twilio", "provider_id": "SM1", **changed}


def register(bot, message):
    return bot.post("/mass-messages", json=message, headers={"Authorization": f"Bearer {INGEST}"})


def test_a_mass_message_is_registered_once_however_often_it_is_sent(bot, session):
    answers = [register(bot, a_message(a_delivery())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert session.scalar(select(func.count()).select_from(Delivery)) == 1


@pytest.mark.parametrize(
    "given", [None, "Bearer guessed", "Bearer", "Bearer ingest-secret-and-more", "Basic ingest-secret", "Bearer naïve"]
)
def test_only_the_sender_may_register_messages(bot, session, given):
    headers = {"Authorization": given.encode()} if given else {}
    assert bot.post("/mass-messages", json=a_message(a_delivery()), headers=headers).status_code == 401
    assert session.scalar(select(func.count()).select_from(MassMessage)) == 0


BOTH_DOORS = {
    "/mass-messages": a_message(a_delivery()),
    "/opt-outs": {"opt_outs": [{"id": "call-17", "phone": "+13125550142", "at": "2026-11-20T15:04:05Z"}]},
}


@pytest.mark.parametrize(("door", "posted"), BOTH_DOORS.items())
def test_both_doors_of_the_district_take_the_token_and_say_401_without(bot, door, posted):
    assert bot.post(door, json=posted).status_code == 401
    assert bot.post(door, json=posted, headers={"Authorization": f"Bearer {INGEST}"}).status_code == 200


def test_an_opt_out_that_the_district_heard_counts_once(bot, session):
    headers = {"Authorization": f"Bearer {INGEST}"}
    answers = [bot.post("/opt-outs", json=BOTH_DOORS["/opt-outs"], headers=headers).json() for _ in range(2)]
    assert answers == [{"added": 1, "already": 0}, {"added": 0, "already": 1}]
    assert session.get(PhoneNumber, "+13125550142").status == "opt_out"


def test_a_provider_that_signs_nothing_is_asked_for_user_and_password(serve):
    bot = serve(bandwidth_basic_auth=SecretStr("bandwidth:secret"))
    asked = bot.post("/receipts/bandwidth", json=[])
    assert (asked.status_code, asked.headers["WWW-Authenticate"]) == (401, 'Basic realm="receipts"')
    assert bot.post("/receipts/bandwidth", json=[], auth=("bandwidth", "secret")).status_code == 204


def test_a_wrong_row_is_named_with_its_field_and_nothing_is_kept(bot, session):
    answer = register(bot, a_message(a_delivery(), a_delivery(contact="CON-2", provider_id="SM2", to="soon")))
    assert answer.status_code == 422
    assert answer.json()["field"] == "deliveries[1].to"
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_said_so(bot, body):
    answer = bot.post("/mass-messages", content=body, headers={"Authorization": f"Bearer {INGEST}"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "The body is not JSON."


def test_a_fault_of_ours_asks_to_send_it_again_and_logs_no_number(serve, bolt, caplog):
    down = build_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with running(server.create_web_app(make_settings(), down, bolt)) as url, httpx.Client(base_url=url) as bot:
        answer = from_twilio(bot)
    assert answer.status_code == 503
    assert "again" in answer.json()["error"]
    assert "5550142" not in caplog.text
    assert "OperationalError" in caplog.text


def test_the_process_says_that_it_lives(bot):
    assert bot.get("/healthz").text == "ok"


def test_ready_means_a_database_with_the_tables_of_this_version(bot):
    answer = bot.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_without_a_database_it_is_not_ready_but_alive(bolt):
    down = build_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with running(server.create_web_app(make_settings(), down, bolt)) as url:
        answer = httpx.get(f"{url}/readyz")
        assert httpx.get(f"{url}/healthz").status_code == 200
    assert answer.status_code == 503
    assert "DATABASE_URL" in answer.json()["database"]


def test_a_sync_older_than_a_day_is_said_but_stops_nothing(bot, session):
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    run = SyncRun(source="bundle", started_at=long_ago, finished_at=long_ago, state=SyncState.DONE)
    session.add(run)
    session.commit()
    answer = bot.get("/readyz")
    assert answer.status_code == 200
    assert "30 hours ago" in answer.json()["SIS"]


def test_the_metrics_are_counts_and_nothing_else(bot, session):
    people.listed(session, people.contact(session, people.student(session)))
    session.commit()
    lines = bot.get("/metrics").text.splitlines()
    assert 'contact_cleanup_listed{of="blocked"} 1' in lines
    assert "contact_cleanup_receipts_waiting 0" in lines
    assert all(re.fullmatch(r"# TYPE \w+ gauge|\w+(\{of=\"\w+\"\})? \d+", line) for line in lines)
