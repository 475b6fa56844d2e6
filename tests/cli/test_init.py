"""`cleanup-bot init` asks, checks each answer, and writes a file that only its owner may read."""

import subprocess

import pytest
from support.command_line import COMMAND, is_one_readable_line

from bot.cli import init
from bot.settings import Settings


@pytest.fixture
def answer(environment, tmp_path, slack):
    """Run `init` with these answers, one a line."""
    without_database = {name: value for name, value in environment.items() if name != "DATABASE_URL"}

    def answer(*lines):
        return subprocess.run(
            [*COMMAND, "init"],
            env=without_database | {"SLACK_API_URL": slack["SLACK_API_URL"]},
            cwd=tmp_path,
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return answer


def test_answers_that_work_are_written_with_comments(answer, slack, database_url, export, tmp_path):
    token, secret = slack["SLACK_BOT_TOKEN"], slack["SLACK_SIGNING_SECRET"]
    done = answer(database_url, token, secret, export, "America/Denver", "it@district.example", "", "Twilio", "t" * 32)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert token not in done.stdout
    path = tmp_path / ".env"
    assert path.stat().st_mode & 0o077 == 0
    written = Settings(_env_file=path)
    assert (written.timezone, written.admin_emails) == ("America/Denver", ("it@district.example",))
    assert written.secret("slack_bot_token") == token
    assert written.secret("twilio_auth_token") == "t" * 32
    assert len(written.secret("ingest_token")) == 64
    assert path.read_text().count("\n# ") >= 7
    again = answer()
    assert (again.returncode, is_one_readable_line(again.stderr)) == (1, True)


def test_answer_that_does_not_work_says_why_and_is_asked_again(answer, slack, database_url, tmp_path):
    wrong = database_url.replace("/test_", "/nowhere_")
    done = answer(wrong, "n", database_url, "xoxb-wrong", "y", "", "", "Chicago", "n", "", "", "", "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗ database cannot be used. The server has no database named" in done.stdout
    assert "✗ Slack token was refused (invalid_auth)" in done.stdout
    assert "✗ TIMEZONE is not an IANA time zone" in done.stdout
    assert Settings(_env_file=tmp_path / ".env").secret("slack_bot_token") == "xoxb-wrong"


def test_end_of_the_input_writes_nothing(answer, tmp_path):
    assert answer("").returncode != 0
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("value", ["a blank #1", "it's", "ends\\", r"\\server\share", r"a\'b", "p${HOME}x", "p$1"])
def test_settings_are_read_as_they_were_answered(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    init.write({"SIS_NAME": value, "INGEST_TOKEN": "a" * 64})
    settings = Settings()
    assert (settings.sis_name, settings.secret("ingest_token")) == (value, "a" * 64)
