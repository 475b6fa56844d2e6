"""Whose e-mail counts: accounts of the workspace that installed the bot, and of its Enterprise Grid organisation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from bot.sandbox.slack.reading import text_of
from bot.slack.kit import users
from bot.slack.kit.users import HomeWorkspace

LONE = HomeWorkspace("T1", None)
IN_A_GRID = HomeWorkspace("T1", "E1")


@pytest.mark.parametrize(
    ("user", "home", "at_home"),
    [
        ({"team_id": "T1"}, LONE, True),
        ({"team_id": "T2"}, LONE, False),
        ({}, LONE, False),
        ({"team_id": "T2", "enterprise_user": {}}, LONE, False),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, LONE, False),
        ({"team_id": "T1", "enterprise_user": {"enterprise_id": "E1"}}, IN_A_GRID, True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, IN_A_GRID, True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, IN_A_GRID, False),
        ({"team_id": "T2"}, IN_A_GRID, False),
    ],
)
def test_an_account_is_at_home_in_our_workspace_and_in_our_organisation_only(user, home, at_home):
    assert users.is_own_workspace(user, home) is at_home


OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"


def test_nothing_waits_for_slack_in_a_transaction(office, session):
    session.rollback()
    held = office.slack.faults.hold("users.info")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.clara.command, "/cleanup", "help")
        assert held.come.wait(10)
        with office.engine.connect() as connection:
            assert connection.scalar(text(OPEN)) == 0
        held.let_go()
        assert answer.result(10).error is None


def test_what_slack_said_of_somebody_is_believed_for_ten_minutes(office):
    asked = []
    for minutes in (0, 9, 2):
        office.later(minutes=minutes)
        office.clara.command("/cleanup", "help")
        asked.append(sum(call.method == "users.info" for call in office.slack.calls))
    assert asked == [1, 1, 2]


@pytest.mark.parametrize("around", ["{}", " {} ", "\t{}\n", "\u00a0{}"])
def test_an_address_means_the_same_person_each_time_however_slack_writes_it(office, around):
    email = around.format(office.district.clara.email.upper())
    cara = office.slack.person(office.slack.add_user("Cara", user_id="UCARA", email=email).id)
    first, second = (text_of(cara.command("/cleanup", "help").message) for _ in range(2))
    assert first == second
    assert "The cleanup list holds" in first
