"""Captures the SQL statements that are executed, by SQLAlchemy and by `bot.db.session.fetch_rows`, which SQLAlchemy does not see."""

import logging
from contextlib import contextmanager

from sqlalchemy import Engine, event

_FETCH_ROWS = logging.getLogger("bot.db.session")


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

    collector, level = _StatementCollector(statements), _FETCH_ROWS.level
    event.listen(Engine, "after_cursor_execute", executed)
    _FETCH_ROWS.addHandler(collector)
    _FETCH_ROWS.setLevel(logging.DEBUG)
    try:
        yield statements
    finally:
        _FETCH_ROWS.setLevel(level)
        _FETCH_ROWS.removeHandler(collector)
        event.remove(Engine, "after_cursor_execute", executed)
