"""Whose email counts: accounts of the workspace that installed the bot, and of its Enterprise Grid organization."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person
from bot.slack.kit import users
from bot.slack.kit.users import HomeWorkspace

SINGLE = HomeWorkspace("T1", None)
GRID = HomeWorkspace("T1", "E1")
IDLE_TRANSACTIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
"""


@pytest.mark.parametrize(
    ("user", "home", "is_own"),
    [
        ({"team_id": "T1"}, SINGLE, True),
        ({"team_id": "T2"}, SINGLE, False),
        ({}, SINGLE, False),
        ({"team_id": "T2", "enterprise_user": {}}, SINGLE, False),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, SINGLE, False),
        ({"team_id": "T1", "enterprise_user": {"enterprise_id": "E1"}}, GRID, True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, GRID, True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, GRID, False),
        ({"team_id": "T2"}, GRID, False),
    ],
)
def test_account_of_own_workspace_or_organization_is_own(user, home, is_own):
    assert users.is_own_workspace(user, home) is is_own


def test_no_transaction_waits_for_slack(office, session):
    session.rollback()
    held = office.slack.faults.hold("users.info")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.clara.command, "/cleanup", "help")
        assert held.arrived.wait(10)
        with office.engine.connect() as connection:
            assert connection.scalar(text(IDLE_TRANSACTIONS)) == 0
        held.release()
        assert answer.result(10).error is None


def test_slack_is_asked_about_a_user_every_ten_minutes(office):
    lookups = []
    for minutes in (0, 9, 2):
        office.advance(minutes=minutes)
        office.clara.command("/cleanup", "help")
        lookups.append(sum(call.method == "users.info" for call in office.slack.calls))
    assert lookups == [1, 1, 2]


@pytest.mark.parametrize("format_", ["{}", " {} ", "\t{}\n", "\u00a0{}"])
def test_email_identifies_a_person_in_any_case_and_spacing(office, format_):
    email = format_.format(office.district.clara.email.upper())
    cara = Person(office.slack, office.slack.add_user("Cara", user_id="UCARA", email=email).id)
    first, second = (text_of(cara.command("/cleanup", "help").message) for _ in range(2))
    assert first == second
    assert "/cleanup grade 5 blocked" in first


@pytest.mark.parametrize(
    "traits", [{"email": None}, {"email": "nobody@district.example"}, {"email_confirmed": False}, {"guest": True}]
)
def test_person_refused_a_moment_ago_is_let_in_once_slack_is_right(office, traits):
    cara = office.slack.add_user("Cara", user_id="UCARA", **{"email": office.district.clara.email, **traits})
    person = Person(office.slack, cara.id)
    refusal = text_of(person.command("/cleanup").message)
    office.slack.update_user(cara.id, email=office.district.clara.email, email_confirmed=True, guest=False)
    assert text_of(person.command("/cleanup").message) == text_of(office.clara.command("/cleanup").message) != refusal


@pytest.mark.parametrize("command", ["", "help"])
def test_person_without_an_email_reads_exactly_that(office, command):
    lee = Person(office.slack, office.slack.add_user("Lee", user_id="ULEE").id)
    assert "no email address" in text_of(lee.command("/cleanup", command).message)


def test_unconfirmed_email_of_a_colleague_is_no_mention(office):
    office.slack.add_user("Ana", user_id="UEVE", email=office.district.ana.email, email_confirmed=False)
    assert "UEVE" not in str(users.mentioned_emails(office.engine, office.client, "<@UEVE>", now=office.now()))
