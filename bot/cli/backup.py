"""Commands that back up the database and restore it."""

from pathlib import Path
from typing import Annotated

import typer


def backup(path: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Back up the database to a file, while everything runs."""
    from bot import settings
    from bot.cli.database import migration_url
    from bot.db.backup import back_up

    back_up(migration_url(settings.load()), path)
    typer.echo(f"Written to {path}. It holds names and numbers of families: store it encrypted.")


def restore(path: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")]) -> None:
    """Restore a backup into an empty database. Stop the other processes first."""
    from bot import settings
    from bot.cli.database import migration_url
    from bot.db import backup

    backup.restore(migration_url(settings.load()), path)
    typer.echo("Restored. Run cleanup-bot migrate if this program is newer, then start web and clock.")
