"""Whom a change of one contact touches: its other students, and others with the same number. Names only of whom one may see."""

from collections.abc import Sequence

from bot.cleanup_list.impact import Impact
from bot.domain.plural import plural
from bot.slack.kit import blocks as b
from bot.wording import say

_NAMED = 3


def siblings(touches: Impact) -> list[str]:
    """That a change is one for the other students, too."""
    return [f"👪 Also a contact of {names}: changed for all of them." for names in _students(touches)]


def untouched(touches: Impact) -> list[str]:
    """That the other students keep the contact."""
    return [f"👪 Also a contact of {names}: nothing changes there." for names in _students(touches)]


def _students(touches: Impact) -> list[str]:
    if not touches.siblings and not touches.more_siblings:
        return []
    shown, rest = touches.siblings[:_NAMED], touches.siblings[_NAMED:]
    more = [plural(len(rest), "more student")] if rest else []
    hidden = (
        [plural(touches.more_siblings, "student of another class or school", "students of other classes or schools")]
        if touches.more_siblings
        else []
    )
    return [_listed([*(b.escaped(one.name) for one in shown), *more, *hidden])]


def sharing(touches: Impact, what_follows: str) -> list[str]:
    if not touches.sharing and not touches.more_sharing:
        return []
    rest, form = touches.more_sharing, "more" if touches.sharing else "other"
    more = [say(f"touching.{form}.contact", rest)] if rest else []
    names = _listed([*map(b.escaped, touches.sharing), *more])
    return [f"☎️ The same number is used by {names}: {what_follows}"]


def _listed(whom: Sequence[str]) -> str:
    *before, last = whom
    return f"{', '.join(before)} and {last}" if before else last
