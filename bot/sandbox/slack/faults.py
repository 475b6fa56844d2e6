"""Bad days that a test can order: the next call of a method is answered slowly, wrongly or not at all."""

import asyncio
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import StrEnum

_LONGEST_HOLD = 30.0


class Fault(StrEnum):
    DROP = "drop"
    HTTP_500 = "http_500"
    INTERNAL_ERROR = "internal_error"
    RATELIMITED = "ratelimited"
    DELAY = "delay"
    HOLD = "hold"


class Held:
    """A call kept waiting at the door. `come` is set when it is there; `let_go` or `cut` ends its wait."""

    def __init__(self) -> None:
        self.come, self._over = threading.Event(), threading.Event()
        self.is_cut = False

    def let_go(self) -> None:
        """Go on as if nothing had been, also when nobody waits for the answer any more."""
        self._over.set()

    def cut(self) -> None:
        """Close the connection without an answer; what was not done yet is never done."""
        self.is_cut = True
        self._over.set()

    async def wait(self) -> None:
        self.come.set()
        await asyncio.to_thread(self._over.wait, _LONGEST_HOLD)


@dataclass(frozen=True)
class Order:
    """`taken` says whether Slack had done what it was asked before the fault; `seconds` is the delay or Retry-After."""

    fault: Fault
    taken: bool = False
    seconds: float = 1.0
    held: Held = field(default_factory=Held)


class Faults:
    def __init__(self) -> None:
        self._orders: defaultdict[str, deque[Order]] = defaultdict(deque)

    def order(self, method: str, fault: Fault, *, taken: bool = False, seconds: float = 1.0, times: int = 1) -> None:
        """Spoil the next `times` calls of `method` (a Web API method, or `response_url`).

        DROP closes the connection without an answer. With `taken`, DROP, HTTP_500 and INTERNAL_ERROR strike after the
        call had its effect. RATELIMITED answers 429 with `seconds` as Retry-After; DELAY answers `seconds` later.
        """
        self._orders[method].extend([Order(fault, taken, seconds)] * times)

    def hold(self, method: str, *, taken: bool = False) -> Held:
        """Keep the next call of `method` waiting: before it has its effect, or with `taken` before it is answered."""
        order = Order(Fault.HOLD, taken)
        self._orders[method].append(order)
        return order.held

    def next(self, method: str) -> Order | None:
        waiting = self._orders[method]
        return waiting.popleft() if waiting else None
