import subprocess
import sys

import pytest
from support.command_line import is_one_readable_line

import bot


def test_version_is_printed(run):
    assert run("--version").stdout == f"cleanup-bot {bot.__version__}\n"


def test_help_names_every_command_and_imports_no_library_of_theirs():
    script = """
import sys
from bot.cli.app import cli
try:
    cli(["--help"])
except SystemExit as end:
    assert end.code == 0
assert not {"sqlalchemy", "slack_sdk", "slack_bolt", "pydantic", "starlette", "httpx", "phonenumbers", "yaml"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commands = "web clock socket sandbox migrate sync import-results undo-results import-deactivations export-edits explain doctor manifest"
    assert set(commands.split()) <= set(done.stdout.split())


@pytest.mark.parametrize("arguments", [["nonsense"], ["sync"], ["clock", "--twice"], ["sandbox", "--port", "x"]])
def test_misuse_is_one_line_that_points_to_the_help(run, arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_one_readable_line(done.stderr), done.stderr
    assert "cleanup-bot --help" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        (["sync", "nowhere"], {}, "nowhere"),
        (["sync", "nowhere"], {"DATABASE_URL": "mysql://host/db"}, "PostgreSQL"),
        (["sync", "nowhere"], {"TIMEZONE": "Chicago"}, "TIMEZONE"),
        (["web"], {}, "SLACK_BOT_TOKEN"),
        (["clock", "--once"], {}, "SLACK_BOT_TOKEN"),
        (["socket"], {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
    ],
)
def test_what_is_missing_is_named_in_one_line(run, arguments, settings, named):
    done = run(*arguments, **settings)
    assert done.returncode == 1
    assert is_one_readable_line(done.stderr), done.stderr
    assert named in done.stderr
