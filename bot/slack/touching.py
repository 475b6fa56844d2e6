"""Whom a change of one contact touches: its other students, and others with the same number. Names only of whom one may see."""

from collections.abc import Sequence

from bot.cleanup_list import Touches
from bot.slack import blocks as b
from bot.wording import say

_NAMED = 3


def siblings(touches: Touches) -> list[str]:
    if not touches.siblings and not touches.more_siblings:
        return []
    names = [sibling.name for sibling in touches.siblings]
    return [say("touching.siblings", names=_listed(names, touches.more_siblings, "student"))]


def sharing(touches: Touches, what_follows: str) -> list[str]:
    if not touches.sharing and not touches.more_sharing:
        return []
    names = _listed(touches.sharing, touches.more_sharing, "contact")
    return [say("touching.sharing", names=names, what_follows=what_follows)]


def _listed(names: Sequence[str], hidden: int, word: str) -> str:
    """The names this person may read, and how many others there are."""
    shown = [b.escaped(name) for name in names[:_NAMED]]
    rest = len(names) - len(shown) + hidden
    more = [say(f"touching.{'more' if shown else 'other'}.{word}", rest)] if rest else []
    *before, last = [*shown, *more]
    return say("touching.listed", before=", ".join(before), last=last) if before else last
