"""What arrives while the database is busy is committed together with the next: one commit for a flood, none later than alone."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread

Item = TypeVar("Item")


@dataclass
class _Waiting(Generic[Item]):
    items: Sequence[Item]
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def tell(self, fault: Exception | None = None) -> None:
        """Whoever waits may have hung up meanwhile; what they sent counts all the same."""
        if self.done.done():
            return
        if fault is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(fault)


class GroupCommit(Generic[Item]):
    """Calls `commit` with all that is waiting, at most `most` items and one call at a time, in a thread of `threads`.

    Where a batch fails, each of those who sent something is tried alone, so that nobody pays for another's fault.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None], *, most: int, threads: CapacityLimiter) -> None:
        self._commit = commit
        self._most = most
        self._threads = threads
        self._waiting: deque[_Waiting[Item]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def add(self, items: Sequence[Item]) -> None:
        """Return when the items are committed.

        Raises:
            Exception: whatever `commit` raised for these items alone.
        """
        if not items:
            return
        mine = _Waiting(items)
        self._waiting.append(mine)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await mine.done

    async def _work(self) -> None:
        while self._waiting:
            batch = self._next()
            fault = await self._try(batch)
            if fault is None or len(batch) == 1:
                for one in batch:
                    one.tell(fault)
                continue
            for one in batch:
                one.tell(await self._try([one]))

    def _next(self) -> list[_Waiting[Item]]:
        batch = [self._waiting.popleft()]
        room = self._most - len(batch[0].items)
        while self._waiting and (room := room - len(self._waiting[0].items)) >= 0:
            batch.append(self._waiting.popleft())
        return batch

    async def _try(self, batch: Sequence[_Waiting[Item]]) -> Exception | None:
        items = [item for one in batch for item in one.items]
        try:
            await to_thread.run_sync(self._commit, items, limiter=self._threads)
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it.
            return fault
        return None
