"""Metrics for Prometheus: how long requests and listeners take, and the state of the work in the database.

They are counts with labels of our own, so they hold no personal data. They still say how a district works, so only callers
with METRICS_TOKEN read them.
"""

from collections.abc import Iterator
from functools import partial

from anyio import CapacityLimiter, to_thread
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import Response

from bot.db.session import autocommit_engine
from bot.settings import Settings
from bot.web.responses import Endpoint, HttpError, has_bearer

# Each query uses an index or reads a small table; its last column is the value, the others are labels.
GAUGES = {
    "contact_cleanup_listed": (
        "Contacts on the list by SMS status.",
        "SELECT status, count(*) FROM cleanup_list GROUP BY 1",
    ),
    "contact_cleanup_edits": ("Edits by state.", "SELECT state, count(*) FROM edits GROUP BY 1"),
    "contact_cleanup_digest_posts": (
        "Digests by state.",
        "SELECT state, count(*) FROM digest_posts WHERE kind = 'digest' GROUP BY 1",
    ),
    "contact_cleanup_mass_messages_open": (
        "Mass messages that are not final.",
        "SELECT count(*) FROM mass_messages WHERE settled_at IS NULL",
    ),
    "contact_cleanup_mass_messages_silent_last_week": (
        "Mass messages of a week that got (nearly) no receipts.",
        "SELECT count(*) FROM mass_messages WHERE sent_at > now() - interval '7 days' AND silent_at IS NOT NULL",
    ),
    "contact_cleanup_receipts_waiting": (
        "Receipts of the last day whose text no one has registered.",
        "SELECT count(*) FROM receipts WHERE applied_at IS NULL AND received_at > now() - interval '1 day'",
    ),
    "contact_cleanup_requests_refused_last_day": (
        "Requests that nothing proved to be of their source.",
        "SELECT source, sum(count) FROM refused_requests WHERE hour > now() - interval '1 day' GROUP BY 1",
    ),
    "contact_cleanup_refusals_last_day": (
        "The same, by reason.",
        "SELECT source, reason, sum(count) FROM refused_requests WHERE hour > now() - interval '1 day' GROUP BY 1, 2",
    ),
    "contact_cleanup_sync_age_seconds": (
        "Time since the last complete sync ended.",
        "SELECT extract(epoch FROM now() - max(finished_at))::bigint FROM sync_runs WHERE state = 'done'",
    ),
    "contact_cleanup_job_success_age_seconds": (
        "Time since a job of the clock last succeeded.",
        "SELECT job, extract(epoch FROM now() - succeeded_at)::bigint FROM job_runs",
    ),
    "contact_cleanup_job_duration_seconds": (
        "How long a job of the clock last took.",
        "SELECT job, seconds FROM job_runs",
    ),
    "contact_cleanup_job_failing": (
        "1 while the last run of a job of the clock failed.",
        "SELECT job, CASE WHEN failed_at > coalesce(succeeded_at, '-infinity') THEN 1 ELSE 0 END FROM job_runs",
    ),
}


class _DatabaseGauges:
    """Reads all gauges whenever Prometheus asks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with autocommit_engine(self._engine).connect() as connection:
            for name, (help_text, query) in GAUGES.items():
                result = connection.execute(text(query))
                *labels, _ = result.keys()
                gauge = GaugeMetricFamily(name, help_text, labels=labels)
                for *values, value in result:
                    if value is not None:
                        gauge.add_metric([value or "" for value in values], float(value))
                yield gauge


def metrics_endpoint(settings: Settings, engine: Engine, threads: CapacityLimiter) -> Endpoint:
    registry = CollectorRegistry()
    registry.register(_DatabaseGauges(engine))

    async def endpoint(request: Request) -> Response:
        require_metrics_token(settings, request)
        database = await to_thread.run_sync(partial(generate_latest, registry), limiter=threads)
        return Response(database + generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return endpoint


def require_metrics_token(settings: Settings, request: Request) -> None:
    """Refuse a caller without METRICS_TOKEN.

    Raises:
        HttpError: 401, or 404 where no token is set.
    """
    if settings.metrics_token is None:
        raise HttpError(404, "METRICS_TOKEN is not set here, so metrics are off.")
    if not has_metrics_token(settings, request):
        raise HttpError(401, "Send the METRICS_TOKEN: `Authorization: Bearer ...`.", challenge="Bearer")


def has_metrics_token(settings: Settings, request: Request) -> bool:
    secret = settings.secret("metrics_token")
    return bool(secret) and has_bearer(request, secret or "")
