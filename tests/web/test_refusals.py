"""Requests that prove nothing about their sender are counted in the database, by source and reason."""

import time
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from support import people

from bot.db.models.refusals import RefusedRequests
from bot.sandbox.slack.server import serve_app
from bot.settings import Settings
from bot.web import refusals, server

NOW = people.NOW


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
        _env_file=None, slack_signing_secret=SecretStr("slack-secret"), twilio_auth_token=SecretStr("twilio-secret")
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
    assert written(session, 6) == {
        ("slack", "no signature"): 1,
        ("slack", "the signature does not match"): 2,
        ("slack", "signed too long ago, or a clock is wrong"): 1,
        ("twilio", "no signature"): 1,
        ("plivo", "PLIVO_AUTH_TOKEN is not set"): 1,
    }
    bot.post("/slack/events")
    assert written(session, 7)["slack", "no signature"] == 2
    assert 'contact_cleanup_requests_refused_last_day{of="slack"} 5' in bot.get("/metrics").text


def refused(hours_ago, count, source="slack"):
    hour = NOW.replace(minute=0, second=0) - timedelta(hours=hours_ago)
    return RefusedRequests(source=source, reason="no signature", hour=hour, count=count)


def test_refusals_of_a_day_are_summed_largest_first(session):
    session.add_all([refused(0, 1), refused(1, 2), refused(5, 4), refused(30, 8), refused(3, 9, "twilio")])
    session.flush()
    assert refusals.refusals_of_a_day(session, now=NOW) == [
        refusals.Refusals("twilio", "no signature", total=9, recent=0),
        refusals.Refusals("slack", "no signature", total=7, recent=3),
    ]


def test_counts_are_deleted_after_a_week(session):
    session.add_all([refused(0, 1), refused(24 * 7 - 1, 1), refused(24 * 7 + 1, 1)])
    session.flush()
    assert refusals.delete_old_refusals(session, now=NOW) == 1
