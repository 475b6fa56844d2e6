"""`PUT /results`: a report as its file, with the token of the district's own systems."""

from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import func, select
from support import people

from bot.db.models.messages import Delivery, MassMessage
from bot.sandbox.slack.server import serve_app
from bot.settings import Settings
from bot.web import server

TOKEN = {"Authorization": "Bearer ingest-secret"}
SNOW = [("title", "Snow day"), ("sent_at", "2026-11-20T15:04:05Z")]
REPORT = b"Phone,Status\n312-555-0142,Delivered\n312-555-0143,Invalid\n12,Delivered\n"


@pytest.fixture
def bot(session, empty_database):
    sam = people.student(session)
    for digit in "23":
        people.contact(session, sam, phone=f"+1312555014{digit}")
    session.commit()
    bolt = App(authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"))
    settings = Settings(_env_file=None, ingest_token=SecretStr("ingest-secret"))
    with serve_app(server.create_web_app(settings, empty_database, bolt)) as url, httpx.Client(base_url=url) as client:
        yield client


def put(bot, *query, content=REPORT, headers=TOKEN):
    return bot.put(f"/results?{urlencode([*SNOW, *query])}", content=content, headers=headers)


def rows_in(session, table):
    return session.scalar(select(func.count()).select_from(table))


def test_report_is_imported_and_told_row_by_row(bot, session):
    answer = put(bot).json()
    assert (answer["read"], answer["added"], answer["delivered"], answer["not_delivered"]) == (3, 1, 1, 0)
    assert answer["unknown_words"] == {"Invalid": 1}
    assert [row["line"] for row in answer["unclear"]] == [3, 4]
    assert rows_in(session, Delivery) == 1


def test_preview_counts_nothing(bot, session):
    answer = bot.put("/results?preview=true", content=REPORT, headers=TOKEN).json()
    assert answer["delivered"] == 1
    assert "import" not in answer
    assert rows_in(session, MassMessage) == 0


def test_word_that_was_explained_counts_and_is_remembered(bot):
    assert put(bot, ("word", "Invalid=landline")).json()["not_delivered"] == 1
    assert put(bot).json()["not_delivered"] == 1


def test_same_report_again_adds_nothing_and_undo_takes_it_back(bot, session):
    first, again = put(bot).json(), put(bot).json()
    assert (again["added"], again["already"]) == (0, 1)
    assert bot.delete(f"/results/{first['import']}", headers=TOKEN).status_code == 204
    for unknown in (999, 10**30):
        assert bot.delete(f"/results/{unknown}", headers=TOKEN).status_code == 422
    assert rows_in(session, MassMessage) == 0


def test_results_need_the_token(bot, session):
    assert put(bot, headers={}).status_code == 401
    assert bot.delete("/results/1").status_code == 401
    assert rows_in(session, MassMessage) == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("title=Snow", "sent_at"),
        ("sent_at=2026-11-20T15:04:05Z", "title"),
        ("message=unknown", "sent_at"),
        ("title=Snow&sent_at=yesterday", "sent_at"),
        ("title=%00&sent_at=2026-11-20T15:04:05Z", "title"),
        ("message=%00", "message"),
        ("preview=1&messenger=pigeon", "messenger"),
        ("preview=1&word=Invalid", "word"),
        ("preview=1&column=age=Age", "column"),
    ],
)
def test_wrong_parameter_is_named(bot, query, field):
    answer = bot.put(f"/results?{query}", content=REPORT, headers=TOKEN)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"to\n", b"\x00\xff\xfe\x00"])
def test_body_that_is_no_report_is_refused(bot, content):
    assert put(bot, content=content).status_code == 422


def test_too_large_report_is_refused(bot):
    assert put(bot, content=b"x" * 10_000_001).status_code == 413
