"""Every statement that is sent meanwhile: those that SQLAlchemy executes, and those of `db.rows`, which it does not see."""

import logging
from contextlib import contextmanager

from sqlalchemy import Engine, event

_ROWS = logging.getLogger("bot.db.fast_rows")


class _Rows(logging.Handler):
    def __init__(self, then):
        super().__init__()
        self.then = then

    def emit(self, record):
        self.then(record.getMessage())


@contextmanager
def asked(then):
    """Calls `then` with the text of each, once it was answered."""

    def executed(_connection, _cursor, statement, *_rest):
        then(statement)

    handler, level = _Rows(then), _ROWS.level
    event.listen(Engine, "after_cursor_execute", executed)
    _ROWS.addHandler(handler)
    _ROWS.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _ROWS.setLevel(level)
        _ROWS.removeHandler(handler)
        event.remove(Engine, "after_cursor_execute", executed)
