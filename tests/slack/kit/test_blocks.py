"""What every text of ours goes through."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.cleanup_list.cards import Sibling
from bot.cleanup_list.impact import Impact
from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b
from bot.slack.kit import impact

LATE = datetime(2026, 11, 23, 20, 30, tzinfo=ZoneInfo("America/Chicago"))


def test_the_dot_of_a_status_is_never_parted_from_its_word():
    assert b.status(SmsStatus.TURNED_OFF) == "🟡\u00a0*Turned Off*"


@pytest.mark.parametrize(
    ("named", "hidden", "said"),
    [
        (["Lea"], 0, "Lea"),
        (["Lea", "Kim"], 0, "Lea and Kim"),
        (["Lea"], 1, "Lea and 1 student of another class or school"),
        (["Lea", "Kim", "Ada", "Eva"], 2, "Lea, Kim, Ada, 1 more student and 2 students of other classes or schools"),
        ([], 2, "2 students of other classes or schools"),
    ],
)
def test_students_whom_a_change_touches_are_listed_as_people_say_it(named, hidden, said):
    touches = Impact(
        siblings=tuple(Sibling(1, name) for name in named), more_siblings=hidden, sharing=(), more_sharing=0
    )
    assert impact.siblings(touches) == [f"👪 Also a contact of {said}: changed for all of them."]


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("{date_short}", "<!date^1795487400^{date_short}|Nov 24, 2026 (UTC)>"),
        ("{time} on {date_long}", "<!date^1795487400^{time} on {date_long}|Nov 24, 2026, 02:30 UTC>"),
    ],
)
def test_a_moment_is_read_in_the_readers_zone_and_by_old_clients_in_utc(style, written):
    assert b.date(LATE, style=style) == written
