"""The clock: nightly sync, pulls, notices, settling, digests, and clean-up.

Due work is rows that a job claims in the database, so two clocks may run at once, and neither keeps any state. The sync is due
once a day at `SYNC_AT` in the district's time zone, even if the clock was down at that moment. A failed sync is tried again
after an hour; a held one waits for a person.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from apscheduler.schedulers.blocking import BlockingScheduler
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bot.app import make_context, utc_now
from bot.cleanup_list.claims import expire_claims
from bot.contact_edits.bulk import delete_old_changes
from bot.contact_edits.counter import delete_old_codes
from bot.contact_edits.teacher_questions import ask_daily, delete_old_questions
from bot.db.advisory_locks import advisory_lock
from bot.db.models.roster import SyncRun, SyncState
from bot.db.seen_requests import delete_old_requests
from bot.db.session import transaction
from bot.digests.posts import enqueue_digests, enqueue_fix_thanks, enqueue_preliminary
from bot.downloads.requests import delete_old_downloads
from bot.errors import UserError, describe_error
from bot.mass_messages.forecasts import store_forecasts
from bot.mass_messages.pull import pull_if_due
from bot.mass_messages.receipts import apply_waiting_receipts
from bot.mass_messages.report_outbox import delete_old_reports
from bot.mass_messages.settle import due_messages, settle_message
from bot.mass_messages.unclear_texts import delete_old_texts
from bot.mass_messages.wrong_person_notices import enqueue_notices as enqueue_wrong_person_notices
from bot.operations.admin_notices import delete_old_admin_notices, enqueue_admin_notices
from bot.operations.old_rows import Periods, delete_old_data
from bot.operations.refusals import delete_old_refusals
from bot.providers.choose_log import choose_logs
from bot.reachability.record import record_if_due
from bot.settings import Settings
from bot.sis.choose_source import choose_source
from bot.sis.choose_writer import choose_writer
from bot.slack import refresh, write_back
from bot.slack.digest import post as digest_post
from bot.slack.digest import weekly_post
from bot.slack.kit import files, open_views
from bot.slack.kit.context import AppContext
from bot.slack.list import bulk_worker, download_post
from bot.slack.results import worker as results_worker
from bot.slack.student import counter, wrong_person_notice
from bot.slack.sync import admin_notice_post, notice_post
from bot.slack.teachers import answer as teacher_answer
from bot.slack.teachers import question as teacher_question
from bot.slack.texts import card as text_card
from bot.sync.hold import load_approval
from bot.sync.notices import enqueue_notices
from bot.sync.run import run_sync

logger = logging.getLogger(__name__)

_INTERVAL_SECONDS = 15
# A clerk looks at the dialog of a code.
_INTERVALS = {"syncs": 60, "old_data_deleted": 3600, "files_deleted": 3600, "counter_dialogs": 2}
_RETRY_AFTER = timedelta(hours=1)
_RETENTION_HOUR = 4  # In the district's time zone, when no one waits.

Now = Callable[[], datetime]
Job = Callable[[], int]


@dataclass(frozen=True)
class RoundResult:
    """The result of one round: how much per job, and the names of the jobs that failed (the log has the reasons)."""

    counts: Mapping[str, int]
    failed: tuple[str, ...]


def run_forever(settings: Settings, engine: Engine, slack_client: Any, *, sync_engine: Engine | None = None) -> None:
    """Do due work until SIGTERM (SystemExit) or Ctrl-C; jobs in progress are finished first.

    `sync_engine` is for syncs and their locks, if they use another connection to the same database.
    """
    scheduler = BlockingScheduler(
        timezone=settings.zone, job_defaults={"misfire_grace_time": 3600, "coalesce": True, "max_instances": 1}
    )
    start = datetime.now(UTC)
    for name, job in _jobs(settings, engine, slack_client, utc_now, sync_engine).items():
        seconds = _INTERVALS.get(name, _INTERVAL_SECONDS)
        run = partial(_run_jobs, engine, {name: job}, utc_now)
        scheduler.add_job(run, "interval", seconds=seconds, next_run_time=start, id=name)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        logger.info("stopping; jobs in progress are finished first")
        scheduler.shutdown(wait=True)


def run_once(
    settings: Settings, engine: Engine, slack_client: Any, *, now: Now = utc_now, sync_engine: Engine | None = None
) -> RoundResult:
    """Run every job once, even if another one failed. Without a `slack_client` (a WebClient) nothing is posted."""
    jobs = _jobs(settings, engine, slack_client, now, sync_engine)
    counts = _run_jobs(engine, jobs, now)
    failed = tuple(name for name, count in counts.items() if count is None)
    return RoundResult({name: count for name, count in counts.items() if count is not None}, failed)


def _jobs(
    settings: Settings, engine: Engine, slack_client: Any, now: Now, sync_engine: Engine | None
) -> dict[str, Job]:
    """Return the jobs, each of which may create work for the next. People read their names, with spaces."""
    context = make_context(settings, engine, now=now)
    return {
        "syncs": lambda: _sync(settings, sync_engine or engine, now()),
        "numbers_written": lambda: _write_back(settings, sync_engine or engine, now),
        "notices": lambda: _send_notices(context, slack_client),
        "texts_pulled": lambda: _pull(settings, engine, now(), sync_engine),
        "receipts": lambda: _apply_receipts(engine, now()),
        "messages_settled": lambda: _settle(settings, engine, now()),
        "scores_counted": lambda: record_if_due(
            engine, now=now(), zone=settings.zone, reachable_days=settings.reachable_days
        ),
        "preliminary_digests": lambda: _in_transaction(
            engine, enqueue_preliminary, now=now(), after=settings.first_look_after
        ),
        "digests_posted": lambda: digest_post.post_due(context, slack_client) if slack_client else 0,
        "weekly_reports": lambda: weekly_post.post_due(context, slack_client) if slack_client else 0,
        "text_cards": lambda: text_card.send_due(context, slack_client) if slack_client else 0,
        "teachers_asked": lambda: _ask_teachers(context, slack_client),
        "counter_dialogs": lambda: (
            counter.send_due(context, slack_client, redraw=refresh.redraw_all) if slack_client else 0
        ),
        "lists_sent": lambda: download_post.send_due(context, slack_client) if slack_client else 0,
        "bulk_changes": lambda: bulk_worker.work_due(context, slack_client) if slack_client else 0,
        "reports_read": lambda: results_worker.work_due(context, slack_client) if slack_client else 0,
        "files_deleted": lambda: files.delete_old_files(context, slack_client) if slack_client else 0,
        "claims_expired": lambda: _in_transaction(engine, expire_claims, now=now(), zone=settings.zone),
        "old_rows_deleted": lambda: _in_transaction(engine, _delete_old_rows, now=now()),
        "old_data_deleted": lambda: _delete_old_data(settings, engine, now(), sync_engine),
    }


def _delete_old_data(settings: Settings, engine: Engine, now: datetime, sync_engine: Engine | None) -> int:
    """Once a night: outside of its hour, nothing is done."""
    if now.astimezone(settings.zone).hour != _RETENTION_HOUR:
        return 0
    periods = Periods(
        messages=settings.keep_messages,
        waiting_receipts=settings.keep_waiting_receipts,
        audit=settings.keep_audit,
        families=settings.keep_families,
        scores=settings.keep_scores,
        reachable=timedelta(days=settings.reachable_days),
    )
    return delete_old_data(engine, periods, now=now, sync_engine=sync_engine)


def _run_jobs(engine: Engine, jobs: Mapping[str, Job], now: Now) -> dict[str, int | None]:
    """Run jobs one after the other, and record when each succeeded or failed; return the count of each, None if it failed."""
    counts, runs = {}, []
    for name, job in jobs.items():
        start = time.monotonic()
        counts[name] = _attempt(name, job)
        is_done, at = counts[name] is not None, now()
        seconds = time.monotonic() - start
        runs.append(
            {"job": name, "seconds": seconds, "done": at if is_done else None, "failed": None if is_done else at}
        )
    _attempt("recording", partial(_in_transaction, engine, _record_runs, runs=runs))
    return counts


# A success within a minute after another one tells nothing new.
_RECORD_RUN = text("""
INSERT INTO job_runs AS r (job, succeeded_at, failed_at, seconds) VALUES (:job, :done, :failed, :seconds)
ON CONFLICT (job) DO UPDATE SET
    succeeded_at = coalesce(excluded.succeeded_at, r.succeeded_at),
    failed_at = coalesce(excluded.failed_at, r.failed_at),
    seconds = CASE WHEN excluded.failed_at IS NULL THEN excluded.seconds ELSE r.seconds END
WHERE excluded.failed_at IS NOT NULL OR r.succeeded_at IS NULL OR r.failed_at > r.succeeded_at
   OR r.succeeded_at < excluded.succeeded_at - interval '1 minute'
""")


def _record_runs(session: Session, *, runs: list[dict[str, Any]]) -> int:
    session.execute(_RECORD_RUN, runs)
    return 0


def _attempt(name: str, job: Job) -> int | None:
    """Run a job and log the result. Returns None if it failed."""
    label = name.replace("_", " ")
    try:
        count = job()
    except UserError as error:
        logger.error("%s: %s", label, error.sentence)  # noqa: TRY400 - the sentence is enough.
        return None
    except Exception as error:  # noqa: BLE001 - a failed job must not stop the others; the next round tries again.
        logger.error("%s: %s", label, describe_error(error))  # noqa: TRY400 - a traceback may hold personal data.
        return None
    if count:
        logger.info("%s: %d", label, count)
    return count


def _in_transaction(engine: Engine, verb: Callable[..., int], **values: Any) -> int:
    with transaction(engine) as session:
        return verb(session, **values)


def _apply_receipts(engine: Engine, now: datetime) -> int:
    """Apply waiting receipts in batches, each in its own transaction, so that an opt-out waits for one batch at most."""
    total = 0
    while count := _in_transaction(engine, apply_waiting_receipts, now=now):
        total += count
    return total


def _pull(settings: Settings, engine: Engine, now: datetime, lock_engine: Engine | None) -> int:
    """Pull the logs that are due, and return how many mass messages, results, and texts of families were new.

    Raises:
        UserError: a log could not be read; the others were.
    """
    new, failure = 0, None
    for log in choose_logs(settings).values():
        try:
            counts = pull_if_due(engine, log, settings=settings, now=now, lock_engine=lock_engine)
        except UserError as error:
            failure = error
            continue
        new += counts.messages + counts.receipts + counts.opt_outs + counts.unclear
    if failure:
        raise failure
    return new


def _delete_old_rows(session: Session, *, now: datetime) -> int:
    return (
        open_views.delete_expired_views(session, now=now)
        + delete_old_downloads(session, now=now)
        + delete_old_changes(session, now=now)
        + delete_old_reports(session, now=now)
        + delete_old_requests(session, now=now)
        + delete_old_refusals(session, now=now)
        + delete_old_admin_notices(session, now=now)
        + delete_old_texts(session, now=now)
        + delete_old_codes(session, now=now)
        + delete_old_questions(session, now=now)
    )


def _settle(settings: Settings, engine: Engine, now: datetime) -> int:
    """Settle due messages, each with its digests in its own transaction; one that fails does not block the others. First of all, what
    was to be expected of them is stored.
    """
    expect = partial(_in_transaction, engine, store_forecasts, now=now, settle_after=settings.settle_after)
    _attempt("forecasts stored", expect)
    tried = 0
    failed: set[str] = set()
    while True:
        with transaction(engine) as session:
            due = due_messages(session, now=now, settle_after=settings.settle_after)
            message_id = next((due_id for due_id in due if due_id not in failed), None)
            if message_id is None:
                break
            tried += 1
            if _attempt(f"settling {message_id}", partial(_settle_message, session, message_id, now)) is None:
                failed.add(message_id)
    if failed:
        raise UserError("clock.not_settled", f"{len(failed)} of {tried} mass messages could not be settled.")
    return tried


def _settle_message(session: Session, message_id: str, now: datetime) -> int:
    with session.begin_nested():
        settle_message(session, message_id, now=now)
        enqueue_fix_thanks(session, message_id, now=now)
        return enqueue_digests(session, message_id, now=now)


def _sync(settings: Settings, engine: Engine, now: datetime) -> int:
    """Sync from the SIS if that is due. The lock keeps a second clock out until this run is visible to it."""
    source = choose_source(settings)
    if source is None:
        return 0
    with advisory_lock(engine, "nightly sync") as connection:
        if connection is None:
            return 0
        with transaction(engine) as session:
            approval = load_approval(session)
            if approval is None and not sync_is_due(session, settings, now=now):
                return 0
        run_sync(
            engine,
            source,
            contacts=settings.sis_contacts_csv,
            now=now.astimezone(settings.zone),
            region=settings.phone_region,
            hold_percent=settings.sync_brake_percent,
            approval=approval,
            whole_every=settings.sync_whole_every,
            unless_same=True,
        )
    return 1


def _write_back(settings: Settings, engine: Engine, now: Now) -> int:
    """Write approved edits to the SIS, and return how many were settled."""
    open_writer = choose_writer(settings)
    if open_writer is None:
        return 0
    # The HTTP client is imported only by the districts that need it.
    from bot.contact_edits.write_back_worker import write_due

    return write_due(engine, open_writer, now=now)


def _send_notices(ctx: AppContext, slack_client: Any) -> int:
    """Send notices about finished syncs, numbers of the wrong person, and receipts that are refused or do not come."""
    settings = ctx.settings
    with transaction(ctx.engine) as session:
        if settings.sis_oneroster_csv or settings.sis_oneroster_url or settings.sis_powerschool_url:
            enqueue_notices(session, admins=settings.admin_emails, now=ctx.now())
        enqueue_wrong_person_notices(session, editor_roles=settings.editor_roles, now=ctx.now())
        enqueue_admin_notices(session, admins=settings.admin_emails, now=ctx.now())
    if not slack_client:
        return 0
    posts = (notice_post, wrong_person_notice, admin_notice_post, write_back)
    return sum(post.send_due(ctx, slack_client) for post in posts)


def _ask_teachers(ctx: AppContext, slack_client: Any) -> int:
    """Ask about students each morning, where the district wants that; send messages to teachers, and their answers to the office."""
    if ctx.settings.ask_teachers == "daily":
        with transaction(ctx.engine) as session:
            ask_daily(session, zone=ctx.settings.zone, now=ctx.now())
    if not slack_client or ctx.settings.ask_teachers == "off":
        return 0
    return sum(post.send_due(ctx, slack_client) for post in (teacher_question, teacher_answer))


def sync_is_due(session: Session, settings: Settings, *, now: datetime) -> bool:
    """Return whether no sync has run since the last `SYNC_AT`, on the district's local time."""
    due_at = datetime.combine(now.astimezone(settings.zone).date(), settings.sync_at, tzinfo=settings.zone)
    if due_at > now:
        due_at = datetime.combine(due_at.date() - timedelta(days=1), settings.sync_at, tzinfo=settings.zone)
    newest_first = select(SyncRun).where(SyncRun.started_at >= due_at).order_by(SyncRun.started_at.desc())
    last = session.scalar(newest_first.limit(1))
    if last is None:
        return True
    return last.state in {SyncState.FAILED, SyncState.RUNNING} and now - last.started_at > _RETRY_AFTER
