"""Health for machines: liveness (`/healthz`), readiness (`/readyz`), and metrics (`/metrics`).

`cleanup-bot doctor` runs the readiness checks too. Metrics are counts only, with labels of our own, so they hold no personal data.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import partial

from anyio import CapacityLimiter, move_on_after, to_thread
from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.app import utc_now
from bot.db.session import autocommit_engine
from bot.web.readiness import Check, readiness_checks
from bot.web.responses import Endpoint

# How long all of Slack's threads must be taken until that is a problem, and not a busy moment.
_BUSY_SECONDS = 2.0
# One answer serves everyone who asks within this time: the checks write to the database's disk, and anyone may ask.
_ANSWER_SECONDS = 1.0
# They need attention, but this process still does what it can: taking it out of service would not help.
_NEVER_UNREADY = {"SIS", "outbox", "refused requests", "mass messages"}


async def liveness(_request: Request) -> Response:
    return PlainTextResponse("ok")


def readiness_endpoint(
    engine: Engine, slack_threads: CapacityLimiter, *, zone: tzinfo, now: Callable[[], datetime] = utc_now
) -> Endpoint:
    """Build the endpoint. It has a thread of its own, so that it answers when all others are taken."""
    own_thread, lock = CapacityLimiter(1), asyncio.Lock()
    answered_at, answer = -_ANSWER_SECONDS, Response()

    async def endpoint(_request: Request) -> Response:
        nonlocal answered_at, answer
        async with lock:
            if time.monotonic() - answered_at >= _ANSWER_SECONDS:
                checks = await to_thread.run_sync(
                    partial(readiness_checks, engine, now=now(), zone=zone), limiter=own_thread
                )
                answer = _answer([*checks, await _check_threads(slack_threads)])
                answered_at = time.monotonic()
        return answer

    return endpoint


def _answer(checks: list[Check]) -> Response:
    attention = [check.name for check in checks if check.ok is False]
    is_ready = _NEVER_UNREADY.issuperset(attention)
    sentences = {check.name: check.sentence for check in checks}
    return JSONResponse({"ready": is_ready, "attention": attention, **sentences}, 200 if is_ready else 503)


async def _check_threads(threads: CapacityLimiter) -> Check:
    with move_on_after(_BUSY_SECONDS):
        async with threads:
            return Check("Slack threads", ok=True, sentence="are free.")
    sentence = f"are all taken ({threads.total_tokens:.0f}), so people wait. Check the database; if it is quick, run another web process."
    return Check("Slack threads", ok=False, sentence=sentence)


def metrics_endpoint(engine: Engine, threads: CapacityLimiter) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        metrics = await to_thread.run_sync(_render_metrics, engine, limiter=threads)
        return PlainTextResponse(metrics, media_type="text/plain; version=0.0.4")

    return endpoint


# Each query uses an index or reads a small table.
_METRICS = {
    "contact_cleanup_listed": "SELECT status, count(*) FROM cleanup_list GROUP BY 1 ORDER BY 1",
    "contact_cleanup_edits": "SELECT state, count(*) FROM edits GROUP BY 1 ORDER BY 1",
    "contact_cleanup_digest_posts": "SELECT state, count(*) FROM digest_posts WHERE kind = 'digest' GROUP BY 1 ORDER BY 1",
    "contact_cleanup_mass_messages_open": "SELECT NULL, count(*) FROM mass_messages WHERE settled_at IS NULL",
    "contact_cleanup_mass_messages_silent_last_week": "SELECT NULL, count(*) FROM mass_messages"
    " WHERE sent_at > now() - interval '7 days' AND silent_at IS NOT NULL",
    "contact_cleanup_receipts_waiting": "SELECT NULL, count(*) FROM receipts WHERE applied_at IS NULL",
    "contact_cleanup_requests_refused_last_day": "SELECT source, sum(count) FROM refused_requests"
    " WHERE hour > now() - interval '1 day' GROUP BY 1 ORDER BY 1",
    "contact_cleanup_refusals_last_day": "SELECT source, reason, sum(count) FROM refused_requests"
    " WHERE hour > now() - interval '1 day' GROUP BY 1, 2 ORDER BY 1, 2",
    "contact_cleanup_sync_age_seconds": "SELECT NULL, extract(epoch FROM now() - max(finished_at))::bigint"
    " FROM sync_runs WHERE state = 'done'",
}


def _labels(names: Sequence[str], values: Sequence[str | None]) -> str:
    pairs = [f"{name}={json.dumps(value)}" for name, value in zip(names, values, strict=True) if value]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _render_metrics(engine: Engine) -> str:
    """Return all metrics in Prometheus' text format."""
    lines = []
    with autocommit_engine(engine).connect() as connection:
        for name, query in _METRICS.items():
            lines.append(f"# TYPE {name} gauge")
            result = connection.execute(text(query))
            *names, _ = result.keys()
            names = names if len(names) > 1 else ["of"]
            lines += [f"{name}{_labels(names, labels)} {value}" for *labels, value in result if value is not None]
    return "\n".join(lines) + "\n"
