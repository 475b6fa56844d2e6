"""Whose e-mail counts: accounts of the workspace that installed the bot, and of its Enterprise Grid organisation."""

import pytest

from bot.slack.who import Home, is_at_home

LONE = Home("T1", None)
IN_A_GRID = Home("T1", "E1")


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
    assert is_at_home(user, home) is at_home
