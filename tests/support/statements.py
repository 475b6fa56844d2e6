"""Captures the SQL statements that are executed, by SQLAlchemy and by `bot.db.fast_rows`, which SQLAlchemy does not see."""

import logging
from contextlib import contextmanager

from sqlalchemy import Engine, event

_FAST_ROWS = logging.getLogger("bot.db.fast_rows")


class _StatementCollector(logging.Handler):
    def __init__(self, statements):
        super().__init__()
        self.statements = statements

    def emit(self, record):
        self.statements.append(record.getMessage())


@contextmanager
def captured_statements():
    """Yield the list of statements, each appended after it was executed."""
    statements = []

    def executed(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    collector, level = _StatementCollector(statements), _FAST_ROWS.level
    event.listen(Engine, "after_cursor_execute", executed)
    _FAST_ROWS.addHandler(collector)
    _FAST_ROWS.setLevel(logging.DEBUG)
    try:
        yield statements
    finally:
        _FAST_ROWS.setLevel(level)
        _FAST_ROWS.removeHandler(collector)
        event.remove(Engine, "after_cursor_execute", executed)
