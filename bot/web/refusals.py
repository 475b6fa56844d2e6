"""Counts refused requests in memory and writes them every few seconds, because strangers can cause any number of them.

What a process has not yet written when it stops is lost.
"""

import asyncio
import logging
import time
from collections import Counter

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.app import utc_now
from bot.db.session import transaction
from bot.errors import describe_error
from bot.operations.refusals import Burst, Key, add_refusals

logger = logging.getLogger(__name__)

_WRITE_AFTER_SECONDS = 2
_LOG_AFTER_SECONDS = 60.0


class RefusalCounter:
    """Counts refused requests by source and reason, both from small closed sets. Used on the event loop only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = CapacityLimiter(1)
        self._bursts: dict[Key, Burst] = {}
        self._open_challenges: Counter[Key] = Counter()
        self._unlogged: dict[Key, int] = {}
        self._logged_at: dict[Key, float] = {}
        self._writer: asyncio.Task[None] | None = None

    def add(self, source: str, reason: str) -> None:
        self._open_challenges[source, reason] += 1
        self._count((source, reason), 1)

    def take_back(self, source: str, reason: str) -> None:
        """Count one less, if there was one: a client that sends its password only after a challenge has now sent it."""
        if self._open_challenges[source, reason]:
            self._open_challenges[source, reason] -= 1
            self._count((source, reason), -1)

    def _count(self, key: Key, count: int) -> None:
        now = utc_now()
        self._merge(key, Burst(count, now, now))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon())

    def _merge(self, key: Key, burst: Burst) -> None:
        before = self._bursts.get(key, burst)
        count = burst.count + before.count if before is not burst else burst.count
        first_at, last_at = min(before.first_at, burst.first_at), max(before.last_at, burst.last_at)
        self._bursts[key] = Burst(count, first_at, last_at)

    def _log(self, key: Key, count: int) -> None:
        """Log how many of a kind came, at most once a minute."""
        count, now = self._unlogged.pop(key, 0) + count, time.monotonic()
        if count <= 0 or now - self._logged_at.get(key, -_LOG_AFTER_SECONDS) < _LOG_AFTER_SECONDS:
            self._unlogged[key] = count
            return
        self._logged_at[key] = now
        logger.warning("refused from %s: %d (%s)", key[0], count, key[1])

    async def _write_soon(self) -> None:
        while self._bursts:
            await asyncio.sleep(_WRITE_AFTER_SECONDS)
            bursts, self._bursts = self._bursts, {}
            for key, burst in bursts.items():
                self._log(key, burst.count)
            try:
                await to_thread.run_sync(_write, self._engine, bursts, limiter=self._threads)
            except SQLAlchemyError as error:
                for key, burst in bursts.items():
                    self._merge(key, burst)
                logger.warning("refused requests were not counted yet: %s", describe_error(error))


def _write(engine: Engine, bursts: dict[Key, Burst]) -> None:
    with transaction(engine) as session:
        add_refusals(session, bursts)
