"""Lines that say what else a change to a contact affects. Names only of people the reader may see."""

from collections.abc import Sequence

from bot.cleanup_list.impact import Impact
from bot.domain.display import plural
from bot.slack.kit import blocks as b

_MAX_NAMED = 3


def other_students(impact: Impact, consequence: str) -> list[str]:
    if not impact.siblings and not impact.more_siblings:
        return []
    shown, rest = impact.siblings[:_MAX_NAMED], impact.siblings[_MAX_NAMED:]
    more = [plural(len(rest), "more student")] if rest else []
    if hidden := impact.more_siblings:
        one, many = "student of another class or school", "students of other classes or schools"
        more.append(plural(hidden, one, many))
    names = _enumerate([*(b.escaped(sibling.name) for sibling in shown), *more])
    return [f"👪 Also a contact of {names}: {consequence}"]


def sharing_number(impact: Impact, consequence: str) -> list[str]:
    if not impact.sharing and not impact.more_sharing:
        return []
    noun = "more contact" if impact.sharing else "other contact"
    more = [plural(impact.more_sharing, noun)] if impact.more_sharing else []
    names = _enumerate([*map(b.escaped, impact.sharing), *more])
    return [f"☎️ The same number is used by {names}: {consequence}"]


def _enumerate(names: Sequence[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last
