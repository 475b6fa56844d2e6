"""Group commit: items that arrive during a commit share the next one, and a bad submission fails alone."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from anyio import CapacityLimiter

from bot.web.group_commit import GroupCommit


def run(work):
    """Run in a separate thread: in the main one, a browser under test already runs an event loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


class Ledger:
    """Commits once it is `open`, and keeps the batches. A batch that contains 13 fails."""

    def __init__(self):
        self.batches = []
        self.open = threading.Event()

    @property
    def items(self):
        return [item for batch in self.batches for item in batch]

    def commit(self, items):
        self.open.wait(5)
        if 13 in items:
            raise ValueError("thirteen")
        self.batches.append(list(items))


async def all_added(ledger, *parts, most=500):
    batches = GroupCommit(ledger.commit, max_items=most, threads=CapacityLimiter(2))
    waiting = [asyncio.create_task(batches.add(part)) for part in parts]
    await asyncio.sleep(0.05)
    ledger.open.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_items_waiting_for_a_commit_are_committed_together():
    ledger = Ledger()
    assert run(all_added(ledger, [1], [2], [3, 4])) == [None, None, None]
    assert ledger.items == [1, 2, 3, 4]
    assert len(ledger.batches) <= 2


@pytest.mark.parametrize("most", [1, 2, 3])
def test_batch_is_bounded_and_keeps_the_order(most):
    ledger = Ledger()
    run(all_added(ledger, *([number] for number in range(7)), most=most))
    assert ledger.items == list(range(7))
    assert max(map(len, ledger.batches)) <= most


def test_submission_over_the_limit_is_a_batch_of_its_own():
    ledger = Ledger()
    run(all_added(ledger, [1, 2, 3], [4], most=2))
    assert ledger.batches == [[1, 2, 3], [4]]


def test_only_the_failing_submission_gets_the_error():
    ledger = Ledger()
    answers = run(all_added(ledger, [1], [13], [2]))
    assert [type(answer) for answer in answers] == [type(None), ValueError, type(None)]
    assert sorted(ledger.items) == [1, 2]


def test_empty_submission_returns_without_a_commit():
    ledger = Ledger()
    assert run(all_added(ledger, [])) == [None]
    assert ledger.batches == []


def test_items_of_a_disconnected_caller_are_committed():
    ledger = Ledger()

    async def hang_up():
        batches = GroupCommit(ledger.commit, max_items=10, threads=CapacityLimiter(2))
        waiting = asyncio.create_task(batches.add([1]))
        await asyncio.sleep(0.02)
        waiting.cancel()
        ledger.open.set()
        await batches.add([2])

    run(hang_up())
    assert ledger.items == [1, 2]
