"""Empty databases on the tests' server, beside the one of the test run."""

from contextlib import contextmanager

from sqlalchemy import text


@contextmanager
def new_database(engine, database_url, name):
    """The URL of an empty database, dropped at the end."""
    admin = engine.execution_options(isolation_level="AUTOCOMMIT")
    name = f"{engine.url.database}_{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield database_url.replace(engine.url.database, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
