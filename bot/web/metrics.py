"""How much waits, is listed and is out of date, for a machine that asks every few seconds: counts only, by words of ours."""

from sqlalchemy import Engine, text

from bot.db.session import autocommit_engine

# Each is one query on an index or a small table.
_COUNTS = {
    "contact_cleanup_listed": "SELECT status, count(*) FROM cleanup_list GROUP BY 1 ORDER BY 1",
    "contact_cleanup_edits": "SELECT state, count(*) FROM edits GROUP BY 1 ORDER BY 1",
    "contact_cleanup_digest_posts": "SELECT state, count(*) FROM digest_posts WHERE kind = 'digest' GROUP BY 1 ORDER BY 1",
    "contact_cleanup_mass_messages_open": "SELECT NULL, count(*) FROM mass_messages WHERE settled_at IS NULL",
    "contact_cleanup_receipts_waiting": "SELECT NULL, count(*) FROM receipts WHERE applied_at IS NULL",
    "contact_cleanup_sync_age_seconds": "SELECT NULL, extract(epoch FROM now() - max(finished_at))::bigint"
    " FROM sync_runs WHERE state = 'done'",
}


def render_metrics(engine: Engine) -> str:
    """Every count in Prometheus' text format."""
    said = []
    with autocommit_engine(engine).connect() as connection:
        for name, query in _COUNTS.items():
            said.append(f"# TYPE {name} gauge")
            for label, value in connection.execute(text(query)):
                labels = f'{{of="{label}"}}' if label else ""
                said += [f"{name}{labels} {value}"] if value is not None else []
    return "\n".join(said) + "\n"
