"""What every text of ours goes through."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.slack import blocks as b

LATE = datetime(2026, 11, 23, 20, 30, tzinfo=ZoneInfo("America/Chicago"))


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("{date_short}", "<!date^1795487400^{date_short}|Nov 24, 2026 (UTC)>"),
        ("{time} on {date_long}", "<!date^1795487400^{time} on {date_long}|Nov 24, 2026, 02:30 UTC>"),
    ],
)
def test_a_moment_is_read_in_the_readers_zone_and_by_old_clients_in_utc(style, written):
    assert b.date(LATE, style=style) == written
