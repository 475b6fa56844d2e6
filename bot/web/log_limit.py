"""A limit on log lines that strangers can cause, so that they cannot fill the disk."""

import logging
import time

_SECONDS = 60.0


class OnceAMinute(logging.Filter):
    """Passes each message once a minute. The next one says how many were left out.

    Messages are the same if the first line of their text is, before its arguments are filled in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message, now = str(record.msg).partition("\n")[0], time.monotonic()
        if now - self._last.get(message, -_SECONDS) < _SECONDS:
            self._left_out[message] = self._left_out.get(message, 0) + 1
            return False
        self._last[message] = now
        if left_out := self._left_out.pop(message, 0):
            record.msg = f"{record.msg} ({left_out:,} more since the last such line)"
        return True


def limit_server_log() -> None:
    """Limit what the HTTP server logs of bad requests, and the event loop of connections that it cannot accept."""
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(OnceAMinute())
