"""An id for each HTTP request, which stands in every line of the log that the request causes (LOG_FORMAT=json)."""

import secrets
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def start_request() -> str:
    """Return a new id, which is the current one until the request ends, also in the threads that work for it."""
    request_id = secrets.token_hex(8)
    _current.set(request_id)
    return request_id


def current_request_id() -> str | None:
    return _current.get()
