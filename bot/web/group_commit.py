"""Group commit: items that arrive while a commit is running are committed together by the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread

Item = TypeVar("Item")


class _Submission(NamedTuple, Generic[Item]):
    items: Sequence[Item]
    committed: "asyncio.Future[None]"

    def resolve(self, error: Exception | None) -> None:
        # The caller may have disconnected meanwhile, which cancels the future; its items count anyway.
        if self.committed.done():
            return
        if error is None:
            self.committed.set_result(None)
        else:
            self.committed.set_exception(error)


class GroupCommit(Generic[Item]):
    """Calls `commit` with everything that is waiting: up to `max_items`, one call at a time, in a thread of `threads`.

    If a batch fails, each submission is committed alone, so that one caller's bad items fail for that caller only.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None], *, max_items: int, threads: CapacityLimiter) -> None:
        self._commit = commit
        self._max_items = max_items
        self._threads = threads
        self._waiting: deque[_Submission[Item]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def add(self, items: Sequence[Item]) -> None:
        """Return when the items are committed.

        Raises:
            Exception: what `commit` raised for these items alone.
        """
        if not items:
            return
        submission = _Submission(items, asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._commit_all())
        await submission.committed

    async def _commit_all(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            error = await self._try_commit(batch)
            for submission in batch:
                if error and len(batch) > 1:
                    submission.resolve(await self._try_commit([submission]))
                else:
                    submission.resolve(error)

    def _next_batch(self) -> list[_Submission[Item]]:
        """Take submissions in their order while they fit; a first one that is too large is a batch of its own."""
        batch = [self._waiting.popleft()]
        free = self._max_items - len(batch[0].items)
        while self._waiting and (free := free - len(self._waiting[0].items)) >= 0:
            batch.append(self._waiting.popleft())
        return batch

    async def _try_commit(self, batch: Sequence[_Submission[Item]]) -> Exception | None:
        items = [item for submission in batch for item in submission.items]
        try:
            await to_thread.run_sync(self._commit, items, limiter=self._threads)
        except Exception as error:  # noqa: BLE001 - it is raised to the caller who waits for it.
            return error
        return None
