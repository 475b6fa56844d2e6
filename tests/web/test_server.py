"""The HTTP endpoints, over a real socket, with a small Bolt app behind Slack's."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import func, select, text
from sqlalchemy.exc import TimeoutError  # noqa: A004
from support import amazon_sns as amazon
from support import people
from support.given_settings import GivenSettings
from support.ingest_schemas import validator
from twilio.request_validator import RequestValidator

from bot.access.rights import AccessLevel
from bot.contact_edits.counter import CodeDialog, issue_code
from bot.db.engine import build_engine
from bot.db.models.messages import Delivery, MassMessage, PhoneNumber, Receipt
from bot.db.models.roster import SyncRun, SyncState
from bot.db.models.slack import SlackUser
from bot.db.models.unclear_texts import UnclearText
from bot.db.models.views import contact_reach
from bot.sandbox.slack.server import serve_app
from bot.web import server

SNS_KEY = f"{amazon.SITE}SimpleNotificationService-"
SIGNING, TWILIO, INGEST, METRICS = "slack-secret", "twilio-secret", "ingest-secret", "metrics-secret"
WITH_TOKEN = {"Authorization": f"Bearer {METRICS}"}
COMMAND = urlencode({"command": "/cleanup", "text": "grade 5 O'Brien", "user_id": "U1", "team_id": "T1"}).encode()


def make_settings(**changed):
    defaults = {
        "slack_signing_secret": SecretStr(SIGNING),
        "twilio_auth_token": SecretStr(TWILIO),
        "ingest_token": SecretStr(INGEST),
        "metrics_token": SecretStr(METRICS),
    }
    return GivenSettings(**(defaults | changed))


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
    """Start the bot with some settings changed, and return a client for it."""
    contexts = []

    def start(**changed):
        running_app = serve_app(server.create_web_app(make_settings(**changed), empty_database, bolt))
        contexts.append(running_app)
        client = httpx.Client(base_url=running_app.__enter__(), timeout=10)
        contexts.append(client)
        return client

    yield start
    for context in reversed(contexts):
        context.__exit__(None, None, None)


@pytest.fixture
def bot(serve):
    return serve()


def signed(body=COMMAND, *, secret=SIGNING, at=None, **changed):
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    return {**headers, "Content-Type": "application/x-www-form-urlencoded", **changed}


def test_signed_slack_request_is_answered_in_the_acknowledgement(bot):
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
def test_request_not_signed_by_slack_is_refused_and_not_logged(bot, caplog, headers):
    with caplog.at_level(logging.DEBUG):
        answer = bot.post("/slack/events", content=COMMAND, headers=headers())
    assert answer.status_code == 401
    assert "O'Brien" not in caplog.text
    assert "O%27Brien" not in caplog.text


def test_replayed_request_is_refused_by_every_process(serve):
    bots, headers = (serve(), serve()), signed()
    assert [bot.post("/slack/events", content=COMMAND, headers=headers).status_code for bot in bots] == [200, 401]
    assert bots[0].post("/slack/events", content=COMMAND, headers=headers).status_code == 401


def test_concurrent_replays_are_handled_once(bot):
    headers = signed()
    with ThreadPoolExecutor(8) as pool:
        send = lambda _: bot.post("/slack/events", content=COMMAND, headers=headers).status_code  # noqa: E731
        assert sorted(pool.map(send, range(8))) == [200] + [401] * 7


def test_request_is_not_handled_if_it_cannot_be_claimed(bot, empty_database):
    with ExitStack() as stack:
        with suppress(TimeoutError):
            while True:
                stack.enter_context(empty_database.connect())
        assert bot.post("/slack/events", content=COMMAND, headers=signed()).status_code == 503


def test_two_signing_secrets_are_accepted_during_rotation(serve):
    bot = serve(slack_signing_secret=SecretStr(f"{SIGNING}, the next"))
    for number, secret in enumerate([SIGNING, "the next", "the one after"]):
        body = COMMAND + f"&trigger_id={number}".encode()
        status = bot.post("/slack/events", content=body, headers=signed(body, secret=secret)).status_code
        assert status == (401 if number == 2 else 200)


def test_binary_body_is_refused(bot):
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=1"}
    assert bot.post("/slack/events", content=b"\xff\xfe", headers=headers).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"null", b"[" * 100_000])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_signed_body_that_slack_never_sends_is_refused(bot, body, kind):
    content = body if "json" in kind else b"payload=" + body
    answer = bot.post("/slack/events", content=content, headers=signed(content, **{"Content-Type": kind}))
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/slack/events", "/receipts/twilio"])
def test_body_over_a_megabyte_is_refused_even_in_chunks(bot, path):
    pieces = (b"x" * 100_000 for _ in range(11))
    assert bot.post(path, content=pieces).status_code == 413


def test_nothing_is_accepted_without_a_signing_secret(serve):
    answer = serve(slack_signing_secret=None).post("/slack/events", content=COMMAND, headers=signed())
    assert answer.status_code == 503
    assert "SLACK_SIGNING_SECRET" in answer.json()["error"]


def test_slow_listener_does_not_delay_other_requests(bot, bolt):
    entered, may_go_on = threading.Event(), threading.Event()

    @bolt.command("/slow")
    def slow(ack):
        entered.set()
        may_go_on.wait(10)
        ack("done")

    body = urlencode({"command": "/slow", "user_id": "U1", "team_id": "T1"}).encode()
    with ThreadPoolExecutor() as others:
        slow_request = others.submit(httpx.post, f"{bot.base_url}/slack/events", content=body, headers=signed(body))
        assert entered.wait(10)
        assert bot.post("/slack/events", content=COMMAND, headers=signed()).status_code == 200
        assert not slow_request.done()
        may_go_on.set()
        assert slow_request.result().text == "done"


CALLBACK = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13125550142", "From": "+13125550100"}


def from_twilio(bot, fields=CALLBACK, *, secret=TWILIO, url=None, **headers):
    url = url or f"{bot.base_url}/receipts/twilio"
    signature = RequestValidator(secret).compute_signature(url, fields)
    return bot.post("/receipts/twilio", data=fields, headers={"X-Twilio-Signature": signature, **headers})


def stored_receipts(session):
    return session.scalar(select(func.count()).select_from(Receipt))


def test_receipt_is_stored_before_it_is_answered(bot, session):
    assert from_twilio(bot).status_code == 204
    assert stored_receipts(session) == 1


def test_repeated_receipt_is_stored_once(bot, session):
    assert {from_twilio(bot).status_code for _ in range(2)} == {204}
    assert stored_receipts(session) == 1


def test_receipt_with_a_bad_signature_is_not_stored(bot, session):
    assert from_twilio(bot, secret="guessed").status_code == 403
    assert stored_receipts(session) == 0


def test_text_with_a_code_verifies_the_number_of_a_contact(bot, session):
    district = people.create_district(session)
    sam = people.student(session, at=district.lincoln)
    maria = people.contact(session, sam, phone="+13125550142")
    clara = people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,))
    now = datetime.now(UTC)
    session.add(SlackUser(user_id=clara.user_id, email=clara.email, full_member=True, checked_at=now))
    code = issue_code(session, CodeDialog(maria.id, sam.id, list_id=1), actor=clara, now=now).code
    session.commit()
    fields = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+13125559901", "Body": f"Code {code}"}
    assert {from_twilio(bot, fields).status_code for _ in range(2)} == {204}
    session.rollback()
    reach = contact_reach.c
    assert session.scalar(select(reach.phone).where(reach.contact_id == maria.id)) == "+13125559901"
    assert session.scalars(select(UnclearText)).all() == []


def test_malformed_receipt_is_refused(bot, session):
    assert from_twilio(bot, {"Hello": "world"}).status_code == 400
    assert stored_receipts(session) == 0


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cleanup.district.example"}
CALLED = "https://cleanup.district.example/receipts/twilio"


def test_called_url_is_reconstructed_behind_a_trusted_proxy(serve):
    proxied = serve(trusted_proxies="10.0.0.0/8, 127.0.0.1")
    assert from_twilio(proxied, url=CALLED, **FORWARDED).status_code == 204
    assert from_twilio(serve(public_url="https://cleanup.district.example/"), url=CALLED).status_code == 204


REWRITTEN = [
    ("a list of schemes", {"X-Forwarded-Proto": "https,http", "X-Forwarded-Host": "cleanup.district.example"}),
    ("a list of hosts", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cleanup.district.example, web:3000"}),
    ("hosts in any order", {"X-Forwarded-Host": "web:3000, cleanup.district.example"}),
    ("the default port", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cleanup.district.example:443"}),
    ("RFC 7239", {"Forwarded": 'for=192.0.2.43;host=cleanup.district.example;proto=https, for="[2001:db8::17]"'}),
    ("RFC 7239, quoted", {"Forwarded": 'For=192.0.2.43; Host="cleanup.district.example:443"; Proto=https'}),
    ("the host that was called", {"Host": "cleanup.district.example", "X-Forwarded-Proto": "https"}),
]


@pytest.mark.parametrize("headers", [headers for _, headers in REWRITTEN], ids=[name for name, _ in REWRITTEN])
def test_signed_url_is_found_as_proxies_rewrite_it(serve, headers):
    assert from_twilio(serve(trusted_proxies="127.0.0.1"), url=CALLED, **headers).status_code == 204
    if "Host" not in headers:
        assert from_twilio(serve(), url=CALLED, **headers).status_code == 403


@pytest.mark.parametrize("signed_path", ["/receipts/twilio", "/receipts/twilio/"])
@pytest.mark.parametrize("path", ["/receipts/twilio", "/receipts/twilio/"])
def test_slash_at_the_end_is_answered_in_place(serve, path, signed_path):
    bot = serve(public_url="https://cleanup.district.example")
    signature = RequestValidator(TWILIO).compute_signature(f"https://cleanup.district.example{signed_path}", CALLBACK)
    assert bot.post(path, data=CALLBACK, headers={"X-Twilio-Signature": signature}).status_code == 204
    assert bot.post("/slack/events/", content=COMMAND, headers=signed()).status_code == 200


def test_url_for_connection_overrides_is_signed_without_its_fragment(serve):
    """A URL is requested, and signed, without the part after `#`, where Twilio takes its retries from."""
    bot = serve(public_url="https://cleanup.district.example")
    assert from_twilio(bot, url=f"{CALLED}#rc=5&rp=all".partition("#")[0]).status_code == 204


@pytest.mark.parametrize("host", ["[::1", "a]b", "x:99999", "a" * 300])
def test_unreadable_forwarded_host_is_refused(serve, host):
    forwarded = {"X-Forwarded-Host": host}
    for bot in (serve(trusted_proxies="127.0.0.1"), serve()):
        assert from_twilio(bot, secret="guessed", **forwarded).status_code in {400, 403}
        assert from_twilio(bot, **forwarded).status_code == 204


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8,::1"])
def test_forwarded_headers_of_others_are_ignored(serve, trusted):
    bot = serve(trusted_proxies=trusted)
    assert from_twilio(bot, url=CALLED, **FORWARDED).status_code == 403
    assert from_twilio(bot, **FORWARDED).status_code == 204


def test_unknown_provider_is_not_found(bot):
    answer = bot.post("/receipts/pigeon", data=CALLBACK)
    assert answer.status_code == 404
    assert "twilio" in answer.json()["error"]


def test_receipts_without_a_secret_are_refused_for_a_retry(serve):
    answer = serve(twilio_auth_token=None).post("/receipts/twilio", data=CALLBACK)
    assert answer.status_code == 503
    assert "TWILIO_AUTH_TOKEN is not set" in answer.json()["error"]


@pytest.fixture
def sns(tmp_path, monkeypatch):
    with amazon.running(tmp_path, monkeypatch) as sns_server:
        yield sns_server


@pytest.fixture
def subscribed(serve):
    return serve(aws_sns_topic_arn=SecretStr(amazon.TOPIC))


def from_sns(bot, content):
    return bot.post("/receipts/aws", json=content)


def an_event(**changed):
    return {"eventType": "TEXT_DELIVERED", "messageId": "862a8790", "destinationPhoneNumber": "+13125550142", **changed}


def test_subscription_of_our_topic_is_confirmed(subscribed, sns):
    answer = from_sns(subscribed, sns.confirmation(at=datetime.now(UTC)))
    assert (answer.status_code, answer.json()) == (200, {})
    assert sns.asked[-1] == amazon.SUBSCRIBE


def test_failed_confirmation_is_refused_for_a_retry(subscribed, sns):
    sns.pages[amazon.SUBSCRIBE] = (500, b"later")
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC))).status_code == 503
    sns.pages[amazon.SUBSCRIBE] = (302, amazon.OTHER_HOST.encode())
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC))).status_code == 503
    assert amazon.OTHER_HOST not in sns.asked


@pytest.mark.parametrize(
    ("changed", "fetches"), [({"TopicArn": amazon.TOPIC + "2"}, 0), ({"SubscribeURL": amazon.OTHER_HOST}, 1)]
)
def test_subscription_of_another_topic_is_not_confirmed(subscribed, sns, changed, fetches):
    assert from_sns(subscribed, sns.confirmation(at=datetime.now(UTC), **changed)).status_code == 403
    assert len(sns.asked) == fetches


def test_receipt_through_a_topic_is_stored(subscribed, sns, session):
    assert from_sns(subscribed, sns.message(an_event(), at=datetime.now(UTC))).status_code == 204
    assert stored_receipts(session) == 1


def test_slow_certificate_does_not_delay_other_requests(subscribed, sns):
    sns.may_answer.clear()
    with ThreadPoolExecutor() as others:
        slow_request = others.submit(from_sns, subscribed, sns.message(an_event(), at=datetime.now(UTC)))
        assert sns.was_asked.wait(10)
        assert httpx.get(f"{subscribed.base_url}/healthz", timeout=20).status_code == 200
        assert not slow_request.done()
        sns.may_answer.set()
        assert slow_request.result().status_code == 204


def test_forged_certificates_delay_no_receipt_and_no_check(subscribed, sns, session):
    sns.may_answer.clear()
    forgeries = [sns.message(an_event(), at=datetime.now(UTC), certificate=f"{SNS_KEY}{n:x}.pem") for n in range(12)]
    with ThreadPoolExecutor(12) as strangers:
        forged = [strangers.submit(from_sns, subscribed, forgery) for forgery in forgeries]
        assert sns.was_asked.wait(10)
        refused_at_once = next(as_completed(forged)).result()
        assert refused_at_once.status_code == 503
        assert from_twilio(subscribed).status_code == 204
        assert register(subscribed, a_message(a_delivery())).status_code == 200
        assert [subscribed.get(path, headers=WITH_TOKEN).status_code for path in ("/metrics", "/readyz")] == [200, 200]
        assert not all(request.done() for request in forged)
        sns.may_answer.set()
        assert {request.result().status_code for request in forged} == {403, 503}
    assert stored_receipts(session) == 1


@pytest.mark.parametrize(
    ("key", "status", "answer"),
    [
        ("k3y", 200, {"validationResponse": "512d38b6"}),
        ("guessed", 403, {"error": "azure: wrong key in the URL"}),
    ],
)
def test_event_grid_handshake_needs_the_key(serve, key, status, answer):
    events = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}]
    response = serve(azure_event_grid_key=SecretStr("k3y")).post(f"/receipts/azure?key={key}", json=events)
    assert (response.status_code, response.json()) == (status, answer)


def test_receipt_may_be_a_get_with_signed_query(serve, session):
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


def register(bot, message, query=""):
    return bot.post(f"/mass-messages{query}", json=message, headers={"Authorization": f"Bearer {INGEST}"})


def test_mass_message_sent_twice_is_registered_once(bot, session):
    answers = [register(bot, a_message(a_delivery())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert session.scalar(select(func.count()).select_from(Delivery)) == 1


@pytest.mark.parametrize(
    "given", [None, "Bearer guessed", "Bearer", "Bearer ingest-secret-and-more", "Basic ingest-secret", "Bearer naïve"]
)
def test_registering_needs_the_token(bot, session, given):
    headers = {"Authorization": given.encode()} if given else {}
    assert bot.post("/mass-messages", json=a_message(a_delivery()), headers=headers).status_code == 401
    assert session.scalar(select(func.count()).select_from(MassMessage)) == 0


INGEST_ENDPOINTS = {
    "/mass-messages": a_message(a_delivery()),
    "/opt-outs": {"opt_outs": [{"id": "call-17", "phone": "+13125550142", "at": "2026-11-20T15:04:05Z"}]},
}


@pytest.mark.parametrize(("path", "posted"), INGEST_ENDPOINTS.items())
def test_both_ingest_endpoints_need_the_token(bot, path, posted):
    assert bot.post(path, json=posted).status_code == 401
    assert bot.post(path, json=posted, headers={"Authorization": f"Bearer {INGEST}"}).status_code == 200


def test_opt_out_reported_twice_is_stored_once(bot, session):
    headers = {"Authorization": f"Bearer {INGEST}"}
    answers = [bot.post("/opt-outs", json=INGEST_ENDPOINTS["/opt-outs"], headers=headers).json() for _ in range(2)]
    others = {"unclear": 0, "ignored": 0}
    assert answers == [{"added": 1, "already": 0, **others}, {"added": 0, "already": 1, **others}]
    assert session.get(PhoneNumber, "+13125550142").status == "opt_out"


@pytest.mark.parametrize("body", ["Revoke.", "ＯＰＴ－ＯＵＴ", "¡Alto!", "no nos escriban mas"])
def test_opt_out_word_counts_in_every_spelling_and_the_districts_own(serve, session, body):
    bot = serve(twilio_auth_token=SecretStr(TWILIO), opt_out_words="basta ya, No nos escriban más")
    text = {"MessageSid": "SM7", "SmsStatus": "received", "From": "+13125550142", "Body": body}
    assert from_twilio(bot, text).status_code == 204
    assert session.get(PhoneNumber, "+13125550142").status == "opt_out"


def test_text_that_resembles_an_opt_out_waits_for_a_person_and_is_not_logged(bot, session, caplog):
    people.contact(session, people.student(session), phone="+13125550142")
    session.commit()
    texts = {"SM7": "take me off the list", "SM8": "see you at the bus stop"}
    for sid, body in texts.items():
        text = {"MessageSid": sid, "SmsStatus": "received", "From": "+13125550142", "Body": body}
        assert from_twilio(bot, text).status_code == 204
    assert session.scalars(select(UnclearText.text)).all() == ["take me off the list"]
    assert not any(body in caplog.text for body in texts.values())


def test_provider_without_signatures_is_challenged_for_a_password(serve):
    bot = serve(bandwidth_basic_auth=SecretStr("bandwidth:secret"))
    challenge = bot.post("/receipts/bandwidth", json=[])
    assert (challenge.status_code, challenge.headers["WWW-Authenticate"]) == (401, 'Basic realm="receipts"')
    assert bot.post("/receipts/bandwidth", json=[], auth=("bandwidth", "secret")).status_code == 204


@pytest.mark.parametrize("path", INGEST_ENDPOINTS)
@pytest.mark.parametrize(("strict", "status"), [("banana", 400), ("TRUE", 200), ("", 200), ("no", 200)])
def test_strict_is_true_or_false(bot, path, strict, status):
    headers = {"Authorization": f"Bearer {INGEST}"}
    answer = bot.post(f"{path}?strict={strict}", json=INGEST_ENDPOINTS[path], headers=headers)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["field"] == "strict"


def test_wrong_row_is_named_and_the_others_are_stored(bot, session):
    message = a_message(a_delivery(), a_delivery(contact="CON-2", provider_id="SM2", to="soon"))
    strict = register(bot, message, "?strict=true")
    assert (strict.status_code, strict.json()["field"]) == (422, "deliveries[1].to")
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    answer = register(bot, message)
    assert (answer.status_code, answer.json()["added"]) == (207, 1)
    assert [(row["row"], row["field"]) for row in answer.json()["refused"]] == [(1, "deliveries[1].to")]
    assert strict.json()["refused"] == answer.json()["refused"]
    validator("mass-messages", "answer").validate(answer.json())
    validator("mass-messages", "error").validate(strict.json())
    wrong = a_message(a_delivery(to="soon"))
    assert register(bot, wrong).status_code == 422
    opt_outs = {"opt_outs": [*INGEST_ENDPOINTS["/opt-outs"]["opt_outs"], {"id": "call-18"}]}
    answer = bot.post("/opt-outs", json=opt_outs, headers={"Authorization": f"Bearer {INGEST}"})
    assert (answer.status_code, answer.json()["added"], len(answer.json()["refused"])) == (207, 1, 1)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_body_that_is_not_json_is_refused(bot, body):
    answer = bot.post("/mass-messages", content=body, headers={"Authorization": f"Bearer {INGEST}"})
    assert (answer.status_code, answer.json()["error"]) == (422, "The body is not JSON.")


def test_internal_error_asks_for_a_retry_and_logs_no_number(serve, bolt, caplog):
    down = build_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with serve_app(server.create_web_app(make_settings(), down, bolt)) as url, httpx.Client(base_url=url) as bot:
        answer = from_twilio(bot)
    assert answer.status_code == 503
    assert "again" in answer.json()["error"]
    assert "5550142" not in caplog.text
    assert "OperationalError" in caplog.text


def test_liveness_is_ok(bot):
    assert bot.get("/healthz").text == "ok"


def test_readiness_needs_the_tables_of_this_version(bot):
    answer = bot.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_process_without_a_database_is_alive_but_not_ready(bolt):
    down = build_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with serve_app(server.create_web_app(make_settings(), down, bolt)) as url:
        answer = httpx.get(f"{url}/readyz", headers=WITH_TOKEN)
        assert httpx.get(f"{url}/healthz").status_code == 200
    assert answer.status_code == 503
    assert "DATABASE_URL" in answer.json()["database"]


def test_process_whose_slack_threads_are_taken_is_not_ready(bot, bolt):
    may_go_on = threading.Event()

    @bolt.command("/slow")
    def slow(ack):
        may_go_on.wait(30)
        ack("done")

    bodies = [urlencode({"command": "/slow", "user_id": f"U{number}"}).encode() for number in range(12)]
    with ThreadPoolExecutor(12) as others:
        send = lambda body: httpx.post(f"{bot.base_url}/slack/events", content=body, headers=signed(body))  # noqa: E731
        slow_requests = [others.submit(send, body) for body in bodies]
        until = time.monotonic() + 20
        while (answer := bot.get("/readyz")).status_code == 200 and time.monotonic() < until:
            time.sleep(0.1)
        may_go_on.set()
        assert [request.result().status_code for request in slow_requests] == [200] * 12
    assert (answer.status_code, answer.json()["attention"]) == (503, ["SIS", "Slack threads"])
    time.sleep(1.1)  # An answer is reused for a second.
    assert bot.get("/readyz").status_code == 200


def test_old_sync_is_reported_but_process_is_ready(bot, session):
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    run = SyncRun(source="bundle", started_at=long_ago, finished_at=long_ago, state=SyncState.DONE)
    session.add(run)
    session.commit()
    answer = bot.get("/readyz", headers=WITH_TOKEN)
    assert answer.status_code == 200
    assert "30 hours ago" in answer.json()["SIS"]


def test_strangers_read_what_is_wrong_and_no_details(bot, session):
    stranger, guess = bot.get("/readyz"), bot.get("/readyz", headers={"Authorization": "Bearer metrics"})
    assert stranger.json() == guess.json()
    assert set(stranger.json()) == {"ready", "attention", "sentences"}
    assert bot.get("/metrics").status_code == 401


def test_missing_table_is_named_in_the_log(bot, session, caplog):
    session.execute(text("ALTER TABLE job_runs RENAME TO job_runs_away"))
    session.commit()
    try:
        assert bot.get("/metrics", headers=WITH_TOKEN).status_code == 503
    finally:
        session.execute(text("ALTER TABLE job_runs_away RENAME TO job_runs"))
        session.commit()
    assert "run: cleanup-bot migrate" in caplog.text


def test_metrics_are_off_without_a_token(serve):
    answer = serve(metrics_token=None).get("/metrics", headers=WITH_TOKEN)
    assert (answer.status_code, "METRICS_TOKEN" in answer.json()["error"]) == (404, True)


def test_metrics_are_counts_only(bot, session):
    people.list_contact(session, people.contact(session, people.student(session)))
    session.commit()
    from_twilio(bot)
    answer = bot.get("/metrics", headers=WITH_TOKEN)
    lines = answer.text.splitlines()
    assert 'contact_cleanup_listed{status="blocked"} 1.0' in lines
    assert "contact_cleanup_receipts_waiting 1.0" in lines
    measured = {"endpoint": "/receipts/{provider}", "status": "204"}
    assert REGISTRY.get_sample_value("contact_cleanup_http_request_duration_seconds_count", measured) > 0
    families = list(text_string_to_metric_families(answer.text))
    assert {family.type for family in families} <= {"gauge", "counter", "histogram"}
    assert "5550142" not in answer.text
