"""Health for machines: liveness (`/healthz`), readiness (`/readyz`), and metrics (`/metrics`).

`cleanup-bot doctor` runs the readiness checks too. Metrics are counts only, with labels of our own, so they hold no personal data.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.app import utc_now
from bot.db.engine import OLDEST_POSTGRESQL
from bot.db.migrations.upgrade import TablesState, load_tables_state
from bot.db.models.roster import last_sync_query
from bot.db.session import autocommit_engine
from bot.domain.plural import plural
from bot.sync import runs
from bot.web.responses import Endpoint


@dataclass(frozen=True)
class Check:
    """`sentence` continues `name`: the state and, if something is wrong, what to do. `/readyz` answers under these names."""

    name: str
    ok: bool | None
    sentence: str


async def liveness(_request: Request) -> Response:
    return PlainTextResponse("ok")


def readiness_endpoint(engine: Engine, threads: CapacityLimiter) -> Endpoint:
    """Build the endpoint. An old sync is reported but does not make the process unready: its data is still the best we have."""

    async def endpoint(_request: Request) -> Response:
        checks = await to_thread.run_sync(lambda: readiness_checks(engine, now=utc_now()), limiter=threads)
        is_ready = all(check.ok for check in checks if check.name != "SIS")
        sentences = {check.name: check.sentence for check in checks}
        return JSONResponse({"ready": is_ready, **sentences}, 200 if is_ready else 503)

    return endpoint


def metrics_endpoint(engine: Engine, threads: CapacityLimiter) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        metrics = await to_thread.run_sync(_render_metrics, engine, limiter=threads)
        return PlainTextResponse(metrics, media_type="text/plain; version=0.0.4")

    return endpoint


def readiness_checks(engine: Engine, *, now: datetime) -> list[Check]:
    """Check what a process needs to serve; if the database does not answer, only that."""
    database = _check_database(engine)
    return [database, _check_tables(engine), _check_sis(engine, now=now)] if database.ok else [database]


def _check_database(engine: Engine) -> Check:
    try:
        with autocommit_engine(engine).connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    except SQLAlchemyError:
        return Check("database", ok=False, sentence="does not answer; check DATABASE_URL and that PostgreSQL runs.")
    if version < OLDEST_POSTGRESQL:
        sentence = f"is PostgreSQL {version}; version {OLDEST_POSTGRESQL} or newer is needed."
        return Check("database", ok=False, sentence=sentence)
    return Check("database", ok=True, sentence=f"is PostgreSQL {version} and answers.")


def _check_tables(engine: Engine) -> Check:
    state = load_tables_state(engine)
    if state is TablesState.CURRENT:
        return Check("tables", ok=True, sentence="match this version.")
    if state is TablesState.NEWER:
        return Check("tables", ok=True, sentence="are newer than this version, which serves until it is replaced.")
    return Check("tables", ok=False, sentence="do not match this version; run: cleanup-bot migrate")


def _check_sis(engine: Engine, *, now: datetime) -> Check:
    try:
        with autocommit_engine(engine).connect() as connection:
            last_sync = connection.scalar(last_sync_query())
    except SQLAlchemyError:  # The tables may not exist yet.
        last_sync = None
    if last_sync is None:
        return Check("SIS", ok=False, sentence="was never read; run: cleanup-bot sync PATH")
    age = now - last_sync
    hours = age // timedelta(hours=1)
    when = f"{plural(hours, 'hour')} ago" if hours else "within the last hour"
    if age > runs.STALE_AFTER:
        return Check("SIS", ok=False, sentence=f"was last read {when}; check the clock process and the export.")
    return Check("SIS", ok=True, sentence=f"was read {when}.")


# Each query uses an index or reads a small table.
_METRICS = {
    "contact_cleanup_listed": "SELECT status, count(*) FROM cleanup_list GROUP BY 1 ORDER BY 1",
    "contact_cleanup_edits": "SELECT state, count(*) FROM edits GROUP BY 1 ORDER BY 1",
    "contact_cleanup_digest_posts": "SELECT state, count(*) FROM digest_posts WHERE kind = 'digest' GROUP BY 1 ORDER BY 1",
    "contact_cleanup_mass_messages_open": "SELECT NULL, count(*) FROM mass_messages WHERE settled_at IS NULL",
    "contact_cleanup_receipts_waiting": "SELECT NULL, count(*) FROM receipts WHERE applied_at IS NULL",
    "contact_cleanup_requests_refused_last_day": "SELECT source, sum(count) FROM refused_requests"
    " WHERE hour > now() - interval '1 day' GROUP BY 1 ORDER BY 1",
    "contact_cleanup_sync_age_seconds": "SELECT NULL, extract(epoch FROM now() - max(finished_at))::bigint"
    " FROM sync_runs WHERE state = 'done'",
}


def _render_metrics(engine: Engine) -> str:
    """Return all metrics in Prometheus' text format."""
    lines = []
    with autocommit_engine(engine).connect() as connection:
        for name, query in _METRICS.items():
            lines.append(f"# TYPE {name} gauge")
            for label, value in connection.execute(text(query)):
                labels = f'{{of="{label}"}}' if label else ""
                lines += [f"{name}{labels} {value}"] if value is not None else []
    return "\n".join(lines) + "\n"
