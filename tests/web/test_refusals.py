"""Requests that prove nothing about their sender are counted in the database, by source and reason."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from support import people
from twilio.request_validator import RequestValidator

from bot.db.models.refusals import RefusedRequests
from bot.operations import refusals
from bot.operations.refusals import Burst, Refusals
from bot.providers.registry import BY_NAME
from bot.sandbox.slack.server import serve_app
from bot.settings import Settings
from bot.web import server, wrong_address

NOW = people.NOW
WITH_TOKEN = {"Authorization": "Bearer metrics-secret"}


def written(session, expected):
    """The counts, once their sum is `expected`: they are written together after some seconds."""
    query = select(RefusedRequests.source, RefusedRequests.reason, RefusedRequests.count)
    deadline = time.monotonic() + 20
    while True:
        counts = {(source, reason): count for source, reason, count in session.execute(query)}
        session.rollback()
        if sum(counts.values()) >= expected or time.monotonic() > deadline:
            return counts
        time.sleep(0.1)


@pytest.fixture
def bot(empty_database):
    settings = Settings(
        _env_file=None,
        slack_signing_secret=SecretStr("slack-secret"),
        twilio_auth_token=SecretStr("twilio-secret"),
        bandwidth_basic_auth=SecretStr("bandwidth:secret"),
        metrics_token=SecretStr("metrics-secret"),
    )
    with serve_app(server.create_web_app(settings, empty_database, None)) as url, httpx.Client(base_url=url) as bot:
        yield bot


def slack_headers(*, at):
    return {"X-Slack-Request-Timestamp": str(int(at)), "X-Slack-Signature": f"v0={'0' * 64}"}


def test_refused_requests_are_counted_by_source_and_reason(bot, session):
    for headers in ({}, slack_headers(at=time.time()), slack_headers(at=time.time()), slack_headers(at=1)):
        assert bot.post("/slack/events", headers=headers).status_code == 401
    assert bot.post("/receipts/twilio", data={"To": "1"}).status_code == 403
    assert bot.post("/receipts/plivo").status_code == 503
    assert bot.post("/receipts/pigeon").status_code == 404
    assert bot.post("/mass-messages").status_code == 404
    assert written(session, 8) == {
        ("slack", "no signature"): 1,
        ("slack", "the signature does not match"): 2,
        ("slack", "signed too long ago, or a clock is wrong"): 1,
        ("twilio", "no signature"): 1,
        ("plivo", "PLIVO_AUTH_TOKEN is not set"): 1,
        ("an unknown provider", "no such address; providers call /receipts/{provider}"): 1,
        ("the messenger", "INGEST_TOKEN is not set"): 1,
    }
    bot.post("/slack/events")
    assert written(session, 9)["slack", "no signature"] == 2
    metrics = bot.get("/metrics", headers=WITH_TOKEN).text
    assert 'contact_cleanup_requests_refused_last_day{source="slack"} 5.0' in metrics
    assert 'contact_cleanup_refusals_last_day{reason="no signature",source="slack"} 2.0' in metrics


def test_proxy_that_is_not_believed_is_named_as_the_cause(bot, session):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cleanup.district.example"}
    signature = RequestValidator("twilio-secret").compute_signature(
        "https://cleanup.district.example/receipts/twilio", {"To": "1"}
    )
    headers = {"X-Twilio-Signature": signature}
    assert bot.post("/receipts/twilio", data={"To": "1"}, headers=headers).status_code == 403
    assert bot.post("/receipts/twilio", data={"To": "1"}, headers=headers | forwarded).status_code == 403
    assert written(session, 2) == {
        ("twilio", "the signature does not match"): 1,
        ("twilio", "the signed URL differs; set PUBLIC_URL=https://cleanup.district.example"): 1,
    }
    answer = bot.get("/readyz", headers=WITH_TOKEN).json()
    assert "refused requests" in answer["attention"]
    assert "set PUBLIC_URL=https://cleanup.district.example" in answer["refused requests"]
    assert answer["ready"]


def test_addresses_that_do_not_exist_are_counted_only_for_providers(bot, session):
    for path in ("/receipt/twilio", "/", "/receipts/twilio/status"):
        answer = bot.post(path, headers={"X-Twilio-Signature": "any"})
        assert (answer.status_code, answer.json()["error"]) == (404, "Send receipts of twilio to /receipts/twilio.")
    assert bot.get("/wp-login.php").status_code == 404
    assert bot.post("/receipts").status_code == 404
    assert written(session, 4) == {
        ("twilio", "no such address; set /receipts/twilio there"): 3,
        (refusals.UNKNOWN_PROVIDER, "no such address; providers call /receipts/{provider}"): 1,
    }


def test_each_provider_that_marks_its_requests_is_recognized():
    assert set(wrong_address.SIGNATURE_HEADERS.values()) <= set(BY_NAME)


def test_first_refusal_is_logged_without_personal_data(bot, session, caplog):
    for _ in range(3):
        bot.post("/receipts/twilio", data={"To": "+13125550142", "Body": "Hello"})
    written(session, 3)
    lines = [record.getMessage() for record in caplog.records if "refused from" in record.getMessage()]
    assert lines == ["refused from twilio: 3 (no signature)"]


def test_password_that_is_sent_after_a_challenge_is_no_refusal(bot, session):
    for _ in range(3):
        assert bot.post("/receipts/bandwidth", json=[]).status_code == 401
    assert bot.post("/receipts/bandwidth", json=[], auth=("bandwidth", "wrong")).status_code == 401
    for _ in range(2):
        assert bot.post("/receipts/bandwidth", json=[], auth=("bandwidth", "secret")).status_code == 204
    assert written(session, 2) == {
        ("bandwidth", "no user and password were sent"): 1,
        ("bandwidth", "wrong user or password"): 1,
    }


def refused(hours_ago, count, source="slack", **changed):
    hour = NOW.replace(minute=0, second=0) - timedelta(hours=hours_ago)
    return RefusedRequests(
        source=source, reason=changed.pop("reason", "no signature"), hour=hour, count=count, **changed
    )


def test_refusals_of_a_day_are_summed_largest_first(session):
    session.add_all([refused(0, 1), refused(1, 2), refused(5, 4), refused(30, 8), refused(3, 9, "twilio")])
    session.flush()
    assert refusals.load_refusals(session, now=NOW) == [
        Refusals("twilio", "no signature", total=9, recent=0, since=refused(3, 0).hour),
        Refusals("slack", "no signature", total=7, recent=3, since=refused(5, 0).hour),
    ]


def test_counts_of_two_processes_are_added(session):
    key, times = ("twilio", "no signature"), [NOW + timedelta(minutes=minute) for minute in range(4)]
    for first, last in ((1, 2), (0, 3)):
        refusals.add_refusals(session, {key: Burst(3, times[first], times[last])})
    stored = session.scalars(select(RefusedRequests)).one()
    assert (stored.count, stored.first_at, stored.last_at) == (6, times[0], times[3])


SENTENCES = [
    ("twilio", "the signature does not match", "check TWILIO_AUTH_TOKEN, and PUBLIC_URL"),
    ("sinch", "the signature does not match", "check SINCH_WEBHOOK_SECRET"),
    ("plivo", "PLIVO_AUTH_TOKEN is not set", "set it"),
    ("telnyx", "it was signed too long ago, or a clock is wrong", "turn on time synchronization"),
]


@pytest.mark.parametrize(("source", "reason", "advice"), SENTENCES)
def test_sentence_says_how_many_since_when_why_and_what_to_do(source, reason, advice):
    since = datetime(2026, 11, 23, 15, 4, tzinfo=UTC)
    zone = ZoneInfo("America/Chicago")
    sentence = refusals.describe(Refusals(source, reason, 212, 212, since), zone=zone, now=since + timedelta(hours=2))
    assert sentence == f"212 receipts from {source} refused since 9:04: {reason}; {advice}"
    next_day = refusals.describe(Refusals(source, reason, 1, 1, since), zone=zone, now=since + timedelta(hours=20))
    assert next_day.startswith(f"1 receipt from {source} refused since 9:04 on November 23: ")


def test_counts_are_deleted_after_a_week(session):
    session.add_all([refused(0, 1), refused(24 * 7 - 1, 1), refused(24 * 7 + 1, 1)])
    session.flush()
    assert refusals.delete_old_refusals(session, now=NOW) == 1
