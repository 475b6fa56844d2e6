"""Whom a change of one contact touches: its other students, and others with the same number. Names only of whom one may see."""

from collections.abc import Sequence

from bot.cleanup_list import Touches
from bot.slack import blocks as b
from bot.wording import count

_NAMED = 3


def siblings(touches: Touches) -> list[str]:
    if not touches.siblings and not touches.more_siblings:
        return []
    names = [sibling.name for sibling in touches.siblings]
    return [f"👪 Also a contact of {_listed(names, touches.more_siblings, 'student')}: changed for all of them."]


def sharing(touches: Touches, what_follows: str) -> list[str]:
    if not touches.sharing and not touches.more_sharing:
        return []
    return [f"☎️ The same number is used by {_listed(touches.sharing, touches.more_sharing, 'contact')}: {what_follows}"]


def _listed(names: Sequence[str], hidden: int, word: str) -> str:
    """The names this person may read, and how many others there are."""
    shown = [b.escaped(name) for name in names[:_NAMED]]
    rest = len(names) - len(shown) + hidden
    more = [count(rest, f"{'more' if shown else 'other'} {word}")] if rest else []
    *before, last = [*shown, *more]
    return f"{', '.join(before)} and {last}" if before else last
