"""What the doctor makes of what it finds, where no installation of a test can be made to have it."""

from datetime import timedelta

import pytest
from support import people

from bot.cli import doctor


@pytest.mark.parametrize(
    ("off", "ok", "said"),
    [
        (timedelta(seconds=1), True, "agree."),
        (timedelta(minutes=4), False, "differ by 240 s;"),
        (timedelta(days=-2, seconds=-5), False, "differ by 172,805 s;"),
    ],
)
def test_clocks_that_differ_are_said_to_differ_by_all_of_it(off, ok, said):
    found = doctor.skew("clock and Slack", people.NOW + off, people.NOW)
    assert found.ok is ok
    assert said in found.said
