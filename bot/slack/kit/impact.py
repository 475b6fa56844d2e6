"""Whom a change of one contact touches: its other students, and others with the same number. Names only of whom one may see."""

from collections.abc import Sequence

from bot.cleanup_list.impact import Impact
from bot.slack.kit import blocks as b
from bot.wording import say

_NAMED = 3


def siblings(touches: Impact) -> list[str]:
    """That a change is one for the other students, too."""
    return [say("touching.siblings", names=names) for names in _students(touches)]


def untouched(touches: Impact) -> list[str]:
    """That the other students keep the contact."""
    return [say("touching.untouched", names=names) for names in _students(touches)]


def _students(touches: Impact) -> list[str]:
    if not touches.siblings and not touches.more_siblings:
        return []
    shown, rest = touches.siblings[:_NAMED], touches.siblings[_NAMED:]
    more = [say("touching.more.student", len(rest))] if rest else []
    hidden = [say("touching.hidden", touches.more_siblings)] if touches.more_siblings else []
    return [_listed([*(b.escaped(one.name) for one in shown), *more, *hidden])]


def sharing(touches: Impact, what_follows: str) -> list[str]:
    if not touches.sharing and not touches.more_sharing:
        return []
    rest, form = touches.more_sharing, "more" if touches.sharing else "other"
    more = [say(f"touching.{form}.contact", rest)] if rest else []
    names = _listed([*map(b.escaped, touches.sharing), *more])
    return [say("touching.sharing", names=names, what_follows=what_follows)]


def _listed(whom: Sequence[str]) -> str:
    *before, last = whom
    return say("touching.listed", before=", ".join(before), last=last) if before else last
