"""`python -m bot.migrations "What changes"`: write the next step from the difference between the models and a fresh database."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from bot import db, migrations

with tempfile.TemporaryDirectory() as folder:
    url = db.embedded_url(Path(folder))
    migrations.upgrade(url)
    number = len(list((Path(__file__).parent / "versions").glob("*.py"))) + 1
    command.revision(migrations.config(url), message=sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
