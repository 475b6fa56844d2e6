"""What runs when. Due work is rows, claimed in the database: two clocks at once are harmless, and neither holds anything.

The sync is due once a day at `SYNC_AT` in the district's time zone, also when the clock was down at that moment; one
that failed is tried again after an hour, one that the brake stopped waits for a person.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.blocking import BlockingScheduler
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bot.app import make_context, utc_now
from bot.cleanup_list.claims import expire_claims
from bot.db.models.roster import SyncRun, SyncState
from bot.db.session import advisory_lock, transaction
from bot.digests.posts import enqueue_digests, enqueue_fix_thanks, enqueue_preliminary
from bot.downloads.requests import delete_old_drafts
from bot.errors import UserError, describe_error
from bot.mass_messages.receipts import apply_waiting_receipts
from bot.mass_messages.settle import due_messages, settle_message
from bot.settings import Settings
from bot.sis.choose_source import choose_source
from bot.slack import open_views
from bot.slack.digest import post as digest_post
from bot.slack.list import download_post
from bot.slack.sync import notice_post
from bot.sync.approvals import approved_counts
from bot.sync.notices import enqueue_notices
from bot.sync.run import run_sync
from bot.web.slack import delete_old_requests
from bot.wording import say

logger = logging.getLogger(__name__)

_TICK_SECONDS = 15
_SYNC_CHECK_SECONDS = 60
_TRY_AGAIN = timedelta(hours=1)

Now = Callable[[], datetime]
Job = Callable[[], int]


@dataclass(frozen=True)
class Done:
    """What one round did: how many of each, and the names of the jobs that failed (why is in the log)."""

    counts: Mapping[str, int]
    failed: tuple[str, ...]


def run_forever(settings: Settings, engine: Engine, slack_client: Any) -> None:
    """Do due work until told to stop (SystemExit, Ctrl-C); what is under way is finished first."""
    scheduler = BlockingScheduler(
        timezone=settings.zone, job_defaults={"misfire_grace_time": 3600, "coalesce": True, "max_instances": 1}
    )
    soon = datetime.now(UTC)
    jobs = _jobs(settings, engine, slack_client, utc_now)
    for name, job in jobs.items():
        seconds = _SYNC_CHECK_SECONDS if name == "syncs" else _TICK_SECONDS
        work = (say(f"clock.job.{name}"), job)
        scheduler.add_job(_attempt, "interval", work, seconds=seconds, next_run_time=soon, id=name)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        logger.info("ending; what is under way is finished first")
        scheduler.shutdown(wait=True)


def run_once(settings: Settings, engine: Engine, slack_client: Any, *, now: Now = utc_now) -> Done:
    """Do all due work, each kind even if another failed. `slack_client` is a WebClient; without one no digest is posted."""
    counts: dict[str, int] = {}
    failed = []
    for name, job in _jobs(settings, engine, slack_client, now).items():
        count = _attempt(say(f"clock.job.{name}"), job)
        if count is None:
            failed.append(name)
        else:
            counts[name] = count
    return Done(counts, tuple(failed))


def _jobs(settings: Settings, engine: Engine, slack_client: Any, now: Now) -> dict[str, Job]:
    """In the order in which one brings work for the next. What each is called in words is `clock.job` of the wording."""
    return {
        "syncs": lambda: _sync(settings, engine, now()),
        "notices": lambda: _notices(settings, engine, slack_client, now),
        "receipts": lambda: _apply_receipts(engine, now()),
        "messages_settled": lambda: _settle(settings, engine, now()),
        "first_looks": lambda: _first_looks(settings, engine, now()),
        "digests_posted": lambda: (
            digest_post.post_due(make_context(settings, engine, now=now), slack_client) if slack_client else 0
        ),
        "lists_sent": lambda: (
            download_post.send_due(make_context(settings, engine, now=now), slack_client) if slack_client else 0
        ),
        "claims_lapsed": lambda: _lapse(engine, now()),
        "old_notes_forgotten": lambda: _forget(engine, now()),
    }


def _attempt(name: str, job: Job) -> int | None:
    try:
        count = job()
    except UserError as no:
        logger.error("%s: %s", name, no.sentence)  # noqa: TRY400 - the sentence says it all.
        return None
    except Exception as fault:  # noqa: BLE001 - one job that fails must not stop the others; the next round tries again.
        logger.error("%s: %s", name, describe_error(fault))  # noqa: TRY400 - without the values a traceback may hold.
        return None
    if count:
        logger.info("%s: %d", name, count)
    return count


def _apply_receipts(engine: Engine, now: datetime) -> int:
    """Some at a time, each in a transaction of its own: a STOP waits behind one, never behind all of them."""
    found = 0
    while True:
        with transaction(engine) as session:
            more = apply_waiting_receipts(session, now=now)
        if not more:
            return found
        found += more


def _forget(engine: Engine, now: datetime) -> int:
    with transaction(engine) as session:
        return (
            open_views.sweep(session, now=now)
            + delete_old_drafts(session, now=now)
            + delete_old_requests(session, now=now)
        )


def _lapse(engine: Engine, now: datetime) -> int:
    with transaction(engine) as session:
        return expire_claims(session, now=now)


def _settle(settings: Settings, engine: Engine, now: datetime) -> int:
    """Settle what is due, each message in a transaction of its own, with its digests; one that fails keeps none back."""
    tried, failed = 0, set[str]()
    while _settle_next(settings, engine, now, failed=failed):
        tried += 1
    if failed:
        raise UserError("clock.not_settled", f"{len(failed)} of {tried} could not be settled.")
    return tried


def _settle_next(settings: Settings, engine: Engine, now: datetime, *, failed: set[str]) -> bool:
    with transaction(engine) as session:
        due = due_messages(session, now=now, settle_after=settings.settle_after)
        message_id = next((one for one in due if one not in failed), None)
        if message_id is None:
            return False
        work = f"settling {message_id}, its digests"
        if _attempt(work, lambda: _settle_one(session, message_id, now)) is None:
            failed.add(message_id)
        return True


def _settle_one(session: Session, message_id: str, now: datetime) -> int:
    with session.begin_nested():
        settle_message(session, message_id, now=now)
        enqueue_fix_thanks(session, message_id, now=now)
        return enqueue_digests(session, message_id, now=now)


def _first_looks(settings: Settings, engine: Engine, now: datetime) -> int:
    with transaction(engine) as session:
        return enqueue_preliminary(session, now=now, after=settings.first_look_after)


def _sync(settings: Settings, engine: Engine, now: datetime) -> int:
    """Read the SIS if it is due. The lock keeps a second clock out until this one's run can be seen."""
    source = choose_source(settings)
    if source is None:
        return 0
    with advisory_lock(engine, "nightly sync") as turn:
        if turn is None:
            return 0
        with transaction(engine) as session:
            seen = approved_counts(session)
            if seen is None and not sync_is_due(session, settings, now=now):
                return 0
        run_sync(
            engine,
            source,
            contacts=settings.sis_contacts_csv,
            now=now.astimezone(settings.zone),
            region=settings.phone_region,
            brake_percent=settings.sync_brake_percent,
            seen=seen,
            whole_every=settings.sync_whole_every,
            unless_same=True,
        )
    return 1


def _notices(settings: Settings, engine: Engine, slack_client: Any, now: Now) -> int:
    """Tell people of the syncs that ended."""
    if settings.sis_oneroster_csv or settings.sis_oneroster_url:
        with transaction(engine) as session:
            enqueue_notices(session, admins=settings.admin_emails, now=now())
    return notice_post.send_due(make_context(settings, engine, now=now), slack_client) if slack_client else 0


def sync_is_due(session: Session, settings: Settings, *, now: datetime) -> bool:
    """Whether no sync ran since the last `SYNC_AT`, by the clock on the district's wall."""
    at = datetime.combine(now.astimezone(settings.zone).date(), settings.sync_at, tzinfo=settings.zone)
    if at > now:
        at = datetime.combine(at.date() - timedelta(days=1), settings.sync_at, tzinfo=settings.zone)
    last = session.scalar(select(SyncRun).where(SyncRun.started_at >= at).order_by(SyncRun.started_at.desc()).limit(1))
    if last is None:
        return True
    return last.state in {SyncState.FAILED, SyncState.RUNNING} and now - last.started_at > _TRY_AGAIN
