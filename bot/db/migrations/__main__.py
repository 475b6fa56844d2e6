"""`python -m bot.db.migrations "What changes"` writes the next revision: the difference between the models and a fresh database."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from bot.db.embedded import embedded_url
from bot.db.migrations.upgrade import VERSIONS, alembic_config, upgrade_database

with tempfile.TemporaryDirectory() as folder:
    url = embedded_url(Path(folder))
    upgrade_database(url)
    number = len(list(VERSIONS.glob("*.py"))) + 1
    command.revision(alembic_config(url), message=sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
