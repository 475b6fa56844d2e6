"""Counts of requests whose sender could not be verified, so that `doctor` can say that a secret, an address, or a clock is wrong.

Strangers can cause any number of them, so they are counted in memory and written together every few seconds. What a process has
not yet written when it stops is lost.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.app import utc_now
from bot.db.models.refusals import RefusedRequests
from bot.db.session import transaction
from bot.errors import describe_error

logger = logging.getLogger(__name__)

_WRITE_AFTER_SECONDS = 2
_DAY, _RETENTION = timedelta(days=1), timedelta(days=7)


class RefusalCounter:
    """Counts refused requests by source and reason, both from small closed sets. Used on the event loop only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = CapacityLimiter(1)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writer: asyncio.Task[None] | None = None

    def add(self, source: str, reason: str) -> None:
        self._counts[source, reason] += 1
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        while self._counts:
            await asyncio.sleep(_WRITE_AFTER_SECONDS)
            counts, self._counts = self._counts, Counter()
            try:
                await to_thread.run_sync(_write, self._engine, counts, limiter=self._threads)
            except SQLAlchemyError as error:
                self._counts.update(counts)
                logger.warning("refused requests were not counted yet: %s", describe_error(error))


def _write(engine: Engine, counts: Counter[tuple[str, str]]) -> None:
    hour = utc_now().replace(minute=0, second=0, microsecond=0)
    # In one order, so that two processes do not deadlock.
    rows = [
        {"source": source, "reason": reason, "hour": hour, "count": count}
        for (source, reason), count in sorted(counts.items())
    ]
    upsert = insert(RefusedRequests).values(rows)
    upsert = upsert.on_conflict_do_update(
        index_elements=["source", "reason", "hour"], set_={"count": RefusedRequests.count + upsert.excluded.count}
    )
    with transaction(engine) as session:
        session.execute(upsert)


@dataclass(frozen=True)
class Refusals:
    """Requests to one endpoint that were refused for one reason within a day, and how many of them in the last hours."""

    source: str
    reason: str
    total: int
    recent: int


def refusals_of_a_day(session: Session, *, now: datetime) -> list[Refusals]:
    """Return the counts, largest first. Recent are those of this hour and the one before."""
    total = func.sum(RefusedRequests.count)
    recent = func.coalesce(total.filter(RefusedRequests.hour > now - timedelta(hours=2)), 0)
    query = (
        select(RefusedRequests.source, RefusedRequests.reason, total, recent)
        .where(RefusedRequests.hour > now - _DAY)
        .group_by(RefusedRequests.source, RefusedRequests.reason)
        .order_by(total.desc(), RefusedRequests.source, RefusedRequests.reason)
    )
    return [Refusals(*row) for row in session.execute(query)]


def delete_old_refusals(session: Session, *, now: datetime) -> int:
    """Delete counts after a week, and return how many rows."""
    old = delete(RefusedRequests).where(RefusedRequests.hour < now - _RETENTION)
    return len(session.execute(old.returning(RefusedRequests.hour)).all())
