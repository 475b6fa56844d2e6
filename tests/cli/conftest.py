"""The command line as people and machines use it: in its own process, on a real database, with a local Slack."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.command_line import COMMAND

from bot.cli import manifest
from bot.sandbox.district.maplewood import write_export
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(empty_database, database_url):
    """The environment of this process, with an empty migrated database and no other setting of the product."""
    ours = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name not in ours}
    return {**others, "DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


@pytest.fixture
def slack():
    """The settings of an app in a local Slack."""
    workspace = Workspace(manifest.read())
    with serve(workspace) as url:
        yield {
            "SLACK_API_URL": url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
        }


@pytest.fixture
def run(environment, tmp_path):
    """Run `cleanup-bot` to its end, in an empty folder."""

    def run(*arguments, **settings):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env={**environment, **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def export(tmp_path):
    """The made-up district's OneRoster export, in the folder `sis` where commands run."""
    folder = tmp_path / "sis"
    write_export(folder, datetime.now(UTC).date())
    return folder
