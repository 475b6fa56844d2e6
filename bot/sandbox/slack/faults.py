"""Failures that a test injects: the next call of a Web API method is answered late, wrongly, or not at all."""

import asyncio
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_MAX_HOLD_SECONDS = 30.0


class Fault(StrEnum):
    DROP = "drop"
    HTTP_500 = "http_500"
    INTERNAL_ERROR = "internal_error"
    REFUSED = "refused"
    HTTP_STATUS = "http_status"
    NOT_JSON = "not_json"
    RATELIMITED = "ratelimited"
    DELAY = "delay"
    HOLD = "hold"


class HeldCall:
    """A call that waits until the test calls `release` or `drop`; `arrived` is set when the call is there."""

    def __init__(self) -> None:
        self.arrived, self._ended = threading.Event(), threading.Event()
        self.is_dropped = False

    def release(self) -> None:
        """Continue normally, even if the client no longer waits for the response."""
        self._ended.set()

    def drop(self) -> None:
        """Close the connection without a response; what has not been applied yet never is."""
        self.is_dropped = True
        self._ended.set()

    async def wait(self) -> None:
        self.arrived.set()
        await asyncio.to_thread(self._ended.wait, _MAX_HOLD_SECONDS)


@dataclass(frozen=True)
class InjectedFault:
    """`applied`: Slack has carried out the call before it fails; `seconds`: the delay, or Retry-After.

    `error` is the word of a refusal, `status` an HTTP status, and `retry_after` a whole Retry-After header.
    """

    fault: Fault
    applied: bool = False
    seconds: float = 1.0
    error: str = "internal_error"
    status: int = 500
    retry_after: str | None = None
    held: HeldCall = field(default_factory=HeldCall)


class Faults:
    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[InjectedFault]] = defaultdict(deque)

    def inject(self, method: str, fault: Fault, *, times: int = 1, **details: Any) -> None:
        """Make the next `times` calls of `method` (a Web API method, `response_url`, or `upload`) fail.

        DROP closes the connection without a response. NOT_JSON answers 200 with a page, REFUSED with the word `error`, and
        HTTP_STATUS with `status`. With `applied`, all of these happen after the call had its effect. RATELIMITED answers 429
        with `seconds` or `retry_after` as Retry-After; DELAY answers `seconds` later. `details` are fields of `InjectedFault`.
        """
        self._queues[method].extend([InjectedFault(fault, **details)] * times)

    def clear(self) -> None:
        """Let every later call succeed."""
        self._queues.clear()

    def hold(self, method: str, *, applied: bool = False) -> HeldCall:
        """Make the next call of `method` wait: before it has its effect, or with `applied` before it is answered."""
        injected = InjectedFault(Fault.HOLD, applied)
        self._queues[method].append(injected)
        return injected.held

    def next(self, method: str) -> InjectedFault | None:
        queue = self._queues[method]
        return queue.popleft() if queue else None
