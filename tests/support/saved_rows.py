"""Rows of a slow step of setting up, such as a first sync: computed once in each worker, then copied into the emptied tables."""

from psycopg import sql
from sqlalchemy import Engine, text

from bot.db.models.all_tables import METADATA

_FILLED = text(" UNION ALL ".join(f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in METADATA.tables))
_IDS = text("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
_saved: dict[str, tuple[dict[str, bytes], list[tuple[str, int]]]] = {}


def fill_once(engine: Engine, name: str, fill) -> None:
    """Call `fill` on empty tables, or restore what it wrote when it was called under this name."""
    if name in _saved:
        _restore(engine, *_saved[name])
    else:
        fill()
        _saved[name] = _read(engine)


def _read(engine):
    """Return the rows of each table in PostgreSQL's binary form, and the last value of each sequence."""
    rows = {}
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for table in connection.scalars(_FILLED):
            with cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))) as copy:
                rows[table] = b"".join(copy)
        return rows, [tuple(row) for row in connection.execute(_IDS)]


def _restore(engine, rows, ids):
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # No triggers, and so no foreign keys.
        cursor = connection.connection.cursor()
        for table, content in rows.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))) as copy:
                copy.write(content)
        for sequence, last_value in ids:
            connection.execute(text("SELECT setval(:name, :value)"), {"name": sequence, "value": last_value})
