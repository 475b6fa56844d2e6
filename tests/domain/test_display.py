from datetime import UTC, datetime

import pytest

from bot.domain import display


def test_masked_number_shows_four_digits():
    assert display.masked("+13125550142") == "••• 0142"
    assert display.masked(None) == "no number"


@pytest.mark.parametrize(
    ("hour", "minute", "shown"), [(17, 36, "5:36 PM"), (0, 5, "12:05 AM"), (12, 0, "12:00 PM"), (9, 30, "9:30 AM")]
)
def test_time_is_shown_as_us_offices_write_it(hour, minute, shown):
    assert display.day_and_time(datetime(2026, 11, 9, hour, minute, tzinfo=UTC)) == f"Nov 9, 2026, {shown}"
