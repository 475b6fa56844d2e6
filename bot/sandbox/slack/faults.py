"""Bad days that a test can order: the next call of a method is answered slowly, wrongly or not at all."""

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    DROP = "drop"
    HTTP_500 = "http_500"
    INTERNAL_ERROR = "internal_error"
    RATELIMITED = "ratelimited"
    DELAY = "delay"


@dataclass(frozen=True)
class Order:
    """`taken` says whether Slack had done what it was asked before the fault; `seconds` is the delay or Retry-After."""

    fault: Fault
    taken: bool = False
    seconds: float = 1.0


class Faults:
    def __init__(self) -> None:
        self._orders: defaultdict[str, deque[Order]] = defaultdict(deque)

    def order(self, method: str, fault: Fault, *, taken: bool = False, seconds: float = 1.0, times: int = 1) -> None:
        """Spoil the next `times` calls of `method` (a Web API method, or `response_url`).

        DROP closes the connection without an answer. With `taken`, DROP, HTTP_500 and INTERNAL_ERROR strike after the
        call had its effect. RATELIMITED answers 429 with `seconds` as Retry-After; DELAY answers `seconds` later.
        """
        self._orders[method].extend([Order(fault, taken, seconds)] * times)

    def next(self, method: str) -> Order | None:
        waiting = self._orders[method]
        return waiting.popleft() if waiting else None
