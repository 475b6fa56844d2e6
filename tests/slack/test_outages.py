"""While Slack refuses, limits, or loses what the bot sends on its own, nothing is lost and nothing comes twice."""

import logging

import pytest
from sqlalchemy import func, select
from support import mass_messages as messages
from support import people

from bot.db.models.downloads import Download
from bot.db.models.notices import NoticeKind, SyncNotice
from bot.db.models.roster import SyncRun, SyncState
from bot.db.models.slack import DigestPost, PostKind, Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of
from bot.slack.kit.api_errors import RULES, Outcome

POST = "chat.postMessage"
WORDS = {outcome: [word for word, rule in RULES.items() if rule.outcome is outcome] for outcome in Outcome}


@pytest.fixture
def maria(session, office):
    maria = people.contact(session, people.student(session, at=office.district.lincoln))
    people.list_contact(session, maria)
    session.commit()
    return maria


def subscribe(session, office, *channels):
    for channel in channels:
        session.add(Subscription(channel_id=channel, made_by=office.clara.id, made_at=office.now()))
    session.commit()


def enqueue_everything(session, office, maria):
    """Make due: a digest, thanks for a fix, the report of a held sync for Adam, and a list for Clara."""
    subscribe(session, office, office.channel)
    message_id, _ = messages.send(session, {maria: "blocked"}, now=office.now(), settled=False)
    run = SyncRun(
        source="export",
        started_at=office.now(),
        finished_at=office.now(),
        state=SyncState.HELD,
        error="25 of 32 students would disappear.",
        counts={},
    )
    session.add(run)
    session.flush()
    session.add(
        SyncNotice(sync_run_id=run.id, kind=NoticeKind.REPORT, reader="data@district.example", due_at=office.now())
    )
    session.add(
        Download(
            user_id=office.clara.id,
            filter_text="all",
            form="csv",
            state="pending",
            opened_at=office.now(),
            due_at=office.now(),
        )
    )
    session.commit()
    return message_id


def states(session):
    session.expire_all()
    return {
        "digest": session.scalars(select(DigestPost.state).where(DigestPost.kind == PostKind.DIGEST)).all(),
        "notice": session.scalars(select(SyncNotice.state)).all(),
        "download": session.scalars(select(Download.state)).all(),
    }


ALL_SENT = {"digest": ["posted"], "notice": ["sent"], "download": ["sent"]}


def digests(office, channel=None):
    return [message for message in office.clara.messages(channel or office.channel) if message.metadata]


def held_reports(office):
    return [message for message in office.adam.messages() if "sync.go_on" in str(message.blocks)]


def shared_files(office):
    return [file for message in office.clara.messages() for file in message.files]


def let_time_pass(office, rounds=4, minutes=2):
    for _ in range(rounds):
        office.advance(minutes=minutes)
        office.tick()


def assert_everything_came_once(office, session):
    assert states(session) == ALL_SENT
    assert (len(digests(office)), len(held_reports(office)), len(shared_files(office))) == (1, 1, 1)


def test_wrong_token_for_a_minute_loses_nothing(office, session, maria, caplog):
    enqueue_everything(session, office, maria)
    right, office.slack.bot_token = office.slack.bot_token, "xoxb-someone-elses"
    for _ in range(4):
        done = office.tick()
        assert "digests_posted" not in {name for name, count in done.counts.items() if count}
        office.advance(seconds=15)
    office.slack.bot_token = right
    let_time_pass(office)
    assert_everything_came_once(office, session)
    loud = [record for record in caplog.records if record.levelno >= logging.ERROR and "invalid_auth" in record.message]
    assert loud
    assert "SLACK_BOT_TOKEN" in loud[0].message


@pytest.mark.parametrize("word", WORDS[Outcome.OURS])
@pytest.mark.parametrize("method", [POST, "users.lookupByEmail", "files.getUploadURLExternal"])
def test_refusal_that_is_ours_keeps_everything_and_fails_the_round(office, session, maria, word, method):
    enqueue_everything(session, office, maria)
    office.slack.faults.inject(method, Fault.REFUSED, error=word, times=50)
    failed = set(office.tick().failed)
    assert failed & {"notices", "digests_posted", "lists_sent"}
    let_time_pass(office, rounds=2)
    office.slack.faults.clear()
    let_time_pass(office)
    assert_everything_came_once(office, session)


@pytest.mark.parametrize("word", [*WORDS[Outcome.LATER], "HTTP 429"])
def test_busy_slack_gets_everything_in_the_end(office, session, maria, word):
    enqueue_everything(session, office, maria)
    fault = (
        {"fault": Fault.RATELIMITED, "seconds": 20} if word == "HTTP 429" else {"fault": Fault.REFUSED, "error": word}
    )
    office.slack.faults.inject(POST, **fault, times=3)
    assert office.tick().failed == ()
    let_time_pass(office, rounds=8)
    assert_everything_came_once(office, session)


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.NOT_JSON, Fault.HTTP_500, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("applied", [True, False])
def test_digest_of_unclear_fate_comes_once(office, session, maria, fault, applied):
    subscribe(session, office, office.channel)
    messages.send(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.slack.faults.inject(POST, fault, applied=applied)
    office.tick()
    let_time_pass(office)
    assert (len(digests(office)), states(session)["digest"]) == (1, ["posted"])


def test_one_rate_limit_ends_the_round_for_all(office, session, maria):
    count = 61
    channels = [office.slack.add_channel(f"c{n}", members=["UCLARA"], with_bot=True).id for n in range(count)]
    enqueue_everything(session, office, maria)
    subscribe(session, office, *channels)
    office.slack.faults.inject("conversations.info", Fault.RATELIMITED, seconds=45, times=count)
    office.slack.faults.inject(POST, Fault.RATELIMITED, seconds=45, times=count)
    before = len(office.slack.calls)
    office.tick()
    limited = [call for call in office.slack.calls[before:] if call.method in {POST, "conversations.info"}]
    assert len(limited) == 1
    for _ in range(2):  # Nothing is sent before Slack wants it.
        calls = len(office.slack.calls)
        office.advance(seconds=20)
        office.tick()
        assert len(office.slack.calls) == calls


def test_row_that_always_fails_does_not_hold_up_the_others(office, session, maria):
    first, second = (office.slack.add_channel(name, members=["UCLARA"], with_bot=True).id for name in ("one", "two"))
    subscribe(session, office, first, second)
    messages.send(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.slack.faults.inject("conversations.info", Fault.REFUSED, error="missing_scope")
    office.tick()
    office.advance(minutes=2)
    office.slack.faults.clear()
    stuck = session.scalar(select(func.min(DigestPost.id)))
    calls = len(office.slack.calls)
    office.tick()
    posted = [call.arguments["channel"] for call in office.slack.calls[calls:] if call.method == POST]
    session.expire_all()
    assert posted[-1] == session.get(DigestPost, stuck).channel_id
    assert len(posted) == 2


ADVICE = {"is_archived": "archived", "not_in_channel": "/invite", "invalid_blocks": "error in Contact Cleanup"}


@pytest.mark.parametrize("word", ADVICE)
def test_refused_digest_is_reported_with_advice_for_its_reason(office, session, maria, word):
    subscribe(session, office, office.channel)
    messages.send(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.slack.faults.inject(POST, Fault.REFUSED, error=word)
    office.tick()
    report = text_of(office.clara.last())
    assert [other for other, advice in ADVICE.items() if advice in report] == [word]
    assert states(session)["digest"] == ["failed"]
    assert session.scalar(select(DigestPost.error)) == word


def test_channel_that_slack_does_not_describe_gets_no_digest(office, session, maria):
    """Its privacy is unknown, so nothing is posted there."""
    subscribe(session, office, office.channel)
    messages.send(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.slack.faults.inject("conversations.info", Fault.REFUSED, error="channel_not_found")
    office.tick()
    assert (digests(office), states(session)["digest"]) == ([], ["failed"])


def enqueue_download(session, office):
    download = Download(
        user_id=office.clara.id, filter_text="all", state="pending", opened_at=office.now(), due_at=office.now()
    )
    session.add(download)
    session.commit()
    return download


LOST = [Fault.DROP, Fault.NOT_JSON, Fault.HTTP_500, Fault.INTERNAL_ERROR]


UPLOAD_STEPS = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]


@pytest.mark.parametrize("lost", [(step, fault) for step in UPLOAD_STEPS for fault in LOST], ids=str)
@pytest.mark.parametrize("applied", [True, False])
def test_download_whose_answer_is_lost_comes_once(office, session, maria, lost, applied):
    enqueue_download(session, office)
    office.slack.faults.inject(*lost, applied=applied)
    office.tick()
    let_time_pass(office)
    assert (len(shared_files(office)), states(session)["download"]) == (1, ["sent"])


def test_download_is_not_repeated_while_the_earlier_file_may_be_there(office, session, maria):
    enqueue_download(session, office)
    office.slack.faults.inject("files.completeUploadExternal", Fault.DROP, applied=True)
    office.slack.faults.inject("files.delete", Fault.REFUSED, error="cant_delete_file")
    office.tick()
    let_time_pass(office)
    assert (len(shared_files(office)), states(session)["download"]) == (1, ["failed"])
    assert any("may have arrived already" in text_of(message) for message in office.clara.messages())


def test_list_that_slack_never_takes_is_given_up_after_two_days(office, session, maria):
    enqueue_download(session, office)
    office.slack.faults.inject("files.completeUploadExternal", Fault.REFUSED, error="file_update_failed", times=9)
    office.tick()
    let_time_pass(office, rounds=1, minutes=60 * 49)
    assert states(session)["download"] == ["failed"]


def test_worker_that_crashes_after_sharing_a_file_leaves_one(office, session, maria):
    download = enqueue_download(session, office)
    office.tick()
    assert len(shared_files(office)) == 1
    session.refresh(download)
    download.state, download.claimed_at = "claimed", office.now()
    session.commit()
    office.advance(minutes=16)
    office.tick()
    assert (len(shared_files(office)), states(session)["download"]) == (1, ["sent"])


def test_list_waits_longer_than_the_tries_of_an_email(office, session, maria):
    enqueue_download(session, office)
    office.slack.faults.inject(POST, Fault.REFUSED, error="token_revoked", times=20)
    office.tick()
    let_time_pass(office, rounds=12)
    assert states(session)["download"] == ["pending"]
    office.slack.faults.clear()
    let_time_pass(office, rounds=1)
    assert states(session)["download"] == ["sent"]


def test_notice_for_an_unknown_address_is_given_up_with_the_reason(office, session, maria, caplog):
    enqueue_everything(session, office, maria)
    office.slack.update_user(office.adam.id, email="renamed@district.example")
    office.tick()
    assert states(session)["notice"] == ["failed"]
    assert "users_not_found" in caplog.text
