import pytest

from bot.cleanup_list.impact import Impact
from bot.cleanup_list.student import Sibling
from bot.slack.student.contact_dialog import other_students


@pytest.mark.parametrize(
    ("names", "hidden", "listed"),
    [
        (["Lea"], 0, "Lea"),
        (["Lea", "Kim"], 0, "Lea and Kim"),
        (["Lea"], 1, "Lea and 1 student of another class or school"),
        (["Lea", "Kim", "Ada", "Eva"], 2, "Lea, Kim, Ada, 1 more student and 2 students of other classes or schools"),
        ([], 2, "2 students of other classes or schools"),
    ],
)
def test_affected_siblings_are_named_and_hidden_ones_counted(names, hidden, listed):
    siblings = tuple(Sibling(1, name) for name in names)
    affected = Impact(siblings=siblings, more_siblings=hidden, sharing=(), more_sharing=0)
    assert other_students(affected, "changed there, too.") == [f"👪 Also a contact of {listed}: changed there, too."]


def test_change_without_siblings_has_no_line():
    unaffected = Impact(siblings=(), more_siblings=0, sharing=(), more_sharing=0)
    assert other_students(unaffected, "changed there, too.") == []
