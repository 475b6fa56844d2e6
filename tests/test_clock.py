"""The clock: which work is due, and that a round does all of it once, even beside another clock."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr
from slack_sdk import WebClient
from sqlalchemy import func, select
from support import log_servers, people, twilio_server
from support import sis_bundles as bundles
from support import sis_server as server

from bot import clock
from bot.cli import manifest
from bot.db.models.job_runs import JobRun
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.roster import StaffRole, SyncRejection, SyncRun, SyncState
from bot.db.models.slack import Subscription
from bot.sandbox.district.maplewood import write_export
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

NOW = people.NOW  # 09:00 on a Monday in Chicago.


def make_settings(**changed):
    return Settings(_env_file=None, timezone="America/Chicago", sync_at="02:30", **changed)


def ran(session, at, state=SyncState.DONE):
    session.add(SyncRun(source="bundle", started_at=at, finished_at=at, state=state))
    session.commit()


def test_jobs_leave_when_they_succeeded_and_failed(session, empty_database, monkeypatch):
    settings = make_settings()
    clock.run_once(settings, empty_database, None, now=lambda: NOW)
    monkeypatch.setattr(clock, "expire_claims", lambda *_args, **_values: 1 / 0)
    clock.run_once(settings, empty_database, None, now=lambda: NOW + timedelta(minutes=5))
    runs = {run.job: run for run in session.scalars(select(JobRun))}
    assert (runs["claims_expired"].succeeded_at, runs["claims_expired"].failed_at) == (NOW, NOW + timedelta(minutes=5))
    assert (runs["receipts"].succeeded_at, runs["receipts"].failed_at) == (NOW + timedelta(minutes=5), None)


def at(*clock_time, day=23):
    """Return a time of that day in November 2026 in Chicago, where UTC is six hours ahead."""
    return datetime(2026, 11, day, *clock_time, tzinfo=UTC) + timedelta(hours=6)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, at(9), True),
        (at(2, 30), at(9), False),
        (at(2, 29), at(9), True),  # The last run was before this morning's time.
        (at(3, day=22), at(2, 29), False),  # Not yet due: yesterday's run counts until this morning's time.
        (at(3, day=22), at(2, 30), True),
        (at(3, day=20), at(9), True),  # The clock was down for days: due once.
    ],
)
def test_sync_is_due_once_a_day_at_local_time(session, last, now, due):
    if last:
        ran(session, last)
    assert clock.sync_is_due(session, make_settings(), now=now) is due


@pytest.mark.parametrize(
    ("state", "after", "due"),
    [
        (SyncState.FAILED, timedelta(minutes=59), False),
        (SyncState.FAILED, timedelta(minutes=61), True),
        (SyncState.RUNNING, timedelta(minutes=59), False),
        (SyncState.RUNNING, timedelta(minutes=61), True),
        (SyncState.HELD, timedelta(hours=20), False),
    ],
)
def test_failed_sync_retries_after_an_hour_and_held_one_waits(session, state, after, due):
    ran(session, at(2, 30), state)
    assert clock.sync_is_due(session, make_settings(), now=at(2, 30) + after) is due


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        (date(2027, 3, 14), "07:59", "08:30"),  # 02:30 does not exist: clocks go from 01:59 CST to 03:00 CDT.
        (date(2026, 11, 1), "07:29", "08:30"),  # Clocks went back at 02:00 CDT.
    ],
)
def test_sync_is_due_once_when_daylight_saving_changes(session, day, before, after):
    def utc(written):
        return datetime.fromisoformat(f"{day}T{written}:00+00:00")

    ran(session, utc(before))
    assert clock.sync_is_due(session, make_settings(), now=utc(after))
    ran(session, utc(after))
    hours = [utc(after) + timedelta(hours=hour) for hour in range(20)]
    assert not any(clock.sync_is_due(session, make_settings(), now=hour) for hour in hours)


@pytest.fixture
def slack():
    """Yield the local Slack, a channel of it, and a client."""
    workspace = Workspace(manifest.read())
    dana = workspace.add_user("Dana Diaz", email="dana.diaz@district.example")
    channel = workspace.add_channel("family-texts", members=[dana.id], with_bot=True)
    with serve(workspace) as url:
        client = WebClient(token=workspace.bot_token, base_url=url, retry_handlers=[])
        yield workspace, channel, client


def a_message_whose_window_is_over(session, channel):
    contact = people.contact(session, people.student(session, at=people.school(session)))
    session.add(Subscription(channel_id=channel.id, made_by="U1", made_at=NOW))
    sent = NOW - timedelta(days=2)
    session.add(MassMessage(id="M1", title="Early dismissal", sent_at=sent, settles_at=NOW - timedelta(days=1)))
    session.flush()
    session.add(Delivery(mass_message_id="M1", contact_sourced_id=contact.sourced_id, phone=contact.sis_phone))
    session.commit()


def posts(workspace):
    return [call for call in workspace.calls if call.method == "chat.postMessage"]


def test_one_round_settles_due_messages_and_posts_digests(engine, session, slack):
    workspace, channel, client = slack
    a_message_whose_window_is_over(session, channel)
    done = clock.run_once(make_settings(), engine, client, now=lambda: NOW)
    assert (done.counts["messages_settled"], done.counts["digests_posted"], done.failed) == (1, 1, ())
    assert len(posts(workspace)) == 1


def test_round_stores_what_was_expected_of_a_message_before_it_settles(engine, session, slack):
    _workspace, channel, client = slack
    earlier = NOW - timedelta(days=9)
    session.add(MassMessage(id="M0", title="Snow day", sent_at=earlier, settles_at=earlier, settled_at=earlier))
    a_message_whose_window_is_over(session, channel)
    clock.run_once(make_settings(), engine, client, now=lambda: NOW)
    session.expire_all()
    message = session.get_one(MassMessage, "M1")
    assert (message.forecast_texts, message.forecast_missed, message.settled_at) == (1, 0, NOW)


def test_second_round_finds_nothing_to_do(engine, session, slack):
    workspace, channel, client = slack
    a_message_whose_window_is_over(session, channel)
    clock.run_once(make_settings(), engine, client, now=lambda: NOW)
    again = clock.run_once(make_settings(), engine, client, now=lambda: NOW)
    assert set(again.counts.values()) == {0}
    assert len(posts(workspace)) == 1


def test_concurrent_clocks_do_everything_once(engine, session, slack, tmp_path):
    workspace, channel, client = slack
    write_export(tmp_path / "sis", NOW.date())
    a_message_whose_window_is_over(session, channel)
    here = make_settings(sis_oneroster_csv=tmp_path / "sis", sync_brake_percent=100)
    with ThreadPoolExecutor(4) as clocks:
        rounds = [clocks.submit(clock.run_once, here, engine, client, now=lambda: NOW) for _ in range(4)]
        done = [future.result() for future in rounds]
    assert [result.failed for result in done] == [()] * 4
    assert sum(result.counts["syncs"] for result in done) == 1
    assert session.scalar(select(func.count()).select_from(SyncRun)) == 1
    assert len(posts(workspace)) == 1


def test_nightly_sync_reads_the_separate_contacts_file(engine, session, tmp_path):
    write_export(tmp_path / "sis", NOW.date())
    (tmp_path / "families.csv").write_text("Student_id,Contact_name\nnobody,Pat Lee\n")
    here = make_settings(sis_oneroster_csv=tmp_path / "sis", sis_contacts_csv=tmp_path / "families.csv")
    assert clock.run_once(here, engine, None, now=lambda: NOW).failed == ()
    assert "contacts.csv" in session.scalars(select(SyncRejection.file)).all()


def test_role_ends_at_midnight_local_time(engine, session, tmp_path):
    tables = bundles.a_district()
    clara = next(role for role in tables["roles"] if role["userSourcedId"] == "clara")
    clara["endDate"] = "2026-11-24"
    here = make_settings(sis_oneroster_csv=bundles.write(tables, tmp_path / "sis"))
    held = select(func.count(StaffRole.id)).where(StaffRole.role == "siteAdministrator")
    for evening, roles in ((at(23, 30), 1), (at(23, 30, day=24), 0)):
        assert clock.run_once(here, engine, None, now=lambda evening=evening: evening).counts["syncs"] == 1
        assert session.scalar(held) == roles


def test_message_that_fails_to_settle_does_not_block_others(engine, session, slack):
    workspace, channel, client = slack
    session.add(MassMessage(id="M0", title="Broken", sent_at=NOW - timedelta(days=3), settles_at=NOW))
    a_message_whose_window_is_over(session, channel)
    with refusing_to_settle(engine, "M0"):
        done = clock.run_once(make_settings(), engine, client, now=lambda: NOW)
    assert done.failed == ("messages_settled",)
    settled = select(MassMessage.id).where(MassMessage.settled_at.is_not(None))
    assert session.scalars(settled).all() == ["M1"]
    assert len(posts(workspace)) == 1


@contextmanager
def refusing_to_settle(engine, message_id):
    """Make settling one message fail in the database."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON mass_messages FOR EACH ROW"
            f" WHEN (NEW.id = '{message_id}' AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION refuse()"
        )
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION refuse CASCADE")


@pytest.mark.parametrize(("hours", "settled"), [(1, 1), (3, 0)])
def test_message_written_into_the_database_settles_after_configured_window(engine, session, slack, hours, settled):
    _, channel, client = slack
    a_message_whose_window_is_over(session, channel)
    message = session.get(MassMessage, "M1")
    message.sent_at, message.settles_at = NOW - timedelta(hours=2), None
    session.commit()
    here = make_settings(settle_after=timedelta(hours=hours))
    done = clock.run_once(here, engine, client, now=lambda: NOW)
    assert done.counts["messages_settled"] == settled


def test_failed_job_is_named_and_does_not_stop_others(engine, session, slack, tmp_path):
    workspace, channel, client = slack
    a_message_whose_window_is_over(session, channel)
    nowhere = make_settings(sis_oneroster_csv=tmp_path / "nowhere", slack_bot_token=SecretStr("xoxb"))
    done = clock.run_once(nowhere, engine, client, now=lambda: NOW)
    assert done.failed == ("syncs",)
    assert done.counts["messages_settled"] == 1
    assert len(posts(workspace)) == 1


def test_nightly_sync_uses_rest_if_url_is_set(engine, session):
    client_id, secret = server.CLIENT
    with server.serving(bundles.a_district(), 1) as sis:
        here = make_settings(
            sis_oneroster_url=sis.source().url, sis_oneroster_client_id=client_id, sis_oneroster_client_secret=secret
        )
        assert clock.run_once(here, engine, None, now=lambda: NOW).counts["syncs"] == 1
    assert session.scalars(select(SyncRun.source)).all() == ["127.0.0.1"]


def test_two_sources_fail_the_nightly_sync(engine, session, tmp_path):
    here = make_settings(sis_oneroster_csv=tmp_path, sis_oneroster_url="https://sis.example/ims/oneroster/v1p1")
    assert clock.run_once(here, engine, None, now=lambda: NOW).failed == ("syncs",)


def test_round_pulls_the_log_and_settles_its_messages(engine, session):
    contacts = [people.contact(session, people.student(session)) for _ in range(10)]
    session.commit()
    with twilio_server.serving() as twilio:
        for contact in contacts:
            twilio.send(contact.sis_phone, at=NOW - timedelta(hours=1))
        here = make_settings(pull_twilio=twilio_server.CREDENTIALS, pull_twilio_url=twilio.url)
        counts = clock.run_once(here, engine, None, now=lambda: NOW).counts
        assert (counts["texts_pulled"], counts["messages_settled"]) == (11, 1)
        assert clock.run_once(here, engine, None, now=lambda: NOW).counts["texts_pulled"] == 0
        assert len(twilio.requests) == 1
        twilio.faults = [twilio_server.answering(401, 20003)]
        assert clock.run_once(here, engine, None, now=lambda: NOW + timedelta(hours=1)).failed == ("texts_pulled",)


def test_log_that_cannot_be_read_does_not_keep_the_others_waiting(empty_database):
    with log_servers.serving(log_servers.Plivo) as plivo, twilio_server.serving() as twilio:
        plivo.faults = [log_servers.answering(401)]
        credentials = {"pull_plivo": plivo.credentials, "pull_twilio": twilio_server.CREDENTIALS}
        here = make_settings(**credentials, pull_plivo_url=plivo.url, pull_twilio_url=twilio.url)
        assert clock.run_once(here, empty_database, None, now=lambda: NOW).failed == ("texts_pulled",)
        assert len(plivo.requests) == len(twilio.requests) == 1
