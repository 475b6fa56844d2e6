"""The embedded PostgreSQL starts after what happens on a developer's machine."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.db.embedded import embedded_url
from bot.errors import UserError

# As it is the last process with this server, the server stops when it ends.
START_AND_ASK = """
import sys
from pathlib import Path
from bot.db.embedded import embedded_url
from bot.db.engine import build_engine
print(build_engine(embedded_url(Path(sys.argv[1]))).connect().exec_driver_sql("SELECT 41 + 1").scalar())
"""


def start_and_ask(folder):
    command = [sys.executable, "-c", START_AND_ASK, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def stopped():
    """The folder of a server that has run and was stopped, where the user that PostgreSQL runs as may go."""
    Path(".sandbox").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="embedded_", dir=".sandbox")).resolve()
    assert start_and_ask(folder) == "42"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_server_whose_recovery_takes_long_is_waited_for(stopped):
    """The first file that it recovers takes longer to read than the package waits."""
    once = stopped / "once"
    with (stopped / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'test -e {once} || (touch {once}; sleep 12); false'\nhot_standby = off\n")
    (stopped / "recovery.signal").touch()
    assert start_and_ask(stopped) == "42"


def test_server_that_cannot_start_names_its_log(stopped):
    with (stopped / "postgresql.auto.conf").open("a") as settings:
        settings.write("max_connections = 'many'\n")
    with pytest.raises(UserError) as error:
        embedded_url(stopped)
    assert error.value.code == "database.not_started"
    assert str(stopped / "log") in error.value.sentence
