"""What leads from one list to another: menus, suggestions, Previous and Next, one's whole list.

The value of each is the text of the filter it leads to, so a list needs no memory: parse, ask, draw.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot import grade
from bot.cleanup_list import Page
from bot.filters import Filter, Parsed, describe
from bot.slack import blocks as b
from bot.slack.blocks import Block
from bot.sms_status import SEVERITY, Colour, meaning, of_colour

SHOW = re.compile(r"^list\.show(\.\w+)*$")
SHOW_PREVIOUS, SHOW_NEXT, SHOW_ALL = "list.show.previous", "list.show.next", "list.show.all"
SHOW_STATUS, SHOW_GRADE, SHOW_SCHOOL = "list.show.status", "list.show.grade", "list.show.school"
DOWNLOAD, BULK = "list.download", "list.bulk"
_RUN = "command.run"
RUN = re.compile(rf"^{re.escape(_RUN)}\.\d+$")
SHOW_MINE, SHOW_ALL_MINE = "list.show.mine", "list.show.all_mine"
SHOW_SUGGESTION, SHOW_NEAR, SHOW_TEACHER = "list.show.suggestion", "list.show.near", "list.show.teacher"

EVERYBODY = "all"
"""How the empty filter is written in a value, which Slack does not take empty."""

SEE_HELP = "Type `/cleanup help` to see what I understand."
_SUGGESTIONS = 5
_WORD = 60
_MENTION = re.compile(r"<@(?:[^|>]*\|)?([^>]+)>")


def filter_text(which: Filter) -> str:
    return str(which) or EVERYBODY


def menus(first: Filter, *, schools: Sequence[str], grades: Sequence[str]) -> list[Block]:
    """Menus whose options are whole filters, made from the one shown now: choosing one shows that list in place."""
    by_status = [("Any status", ()), ("All red", of_colour(Colour.RED)), ("All yellow", of_colour(Colour.YELLOW))]
    by_status += [(meaning(one).label, (one,)) for one in SEVERITY]
    by_grade = [("Any grade", ()), *((grade.title(level), (level,)) for level in grades)]
    by_school = [("Any school", None), *((name, name) for name in schools)]
    return b.actions(
        [
            *_menu("Status", SHOW_STATUS, [(said, replace(first, statuses=which)) for said, which in by_status], first),
            *_menu("Grade", SHOW_GRADE, [(said, replace(first, grades=which)) for said, which in by_grade], first),
            *_menu("School", SHOW_SCHOOL, [(said, replace(first, school=which)) for said, which in by_school], first),
        ]
    )


def _menu(placeholder: str, action_id: str, choices: Sequence[tuple[str, Filter]], now: Filter) -> list[Block]:
    """Nothing where there is nothing to choose: the first choice is `any`."""
    if len(choices) <= 2:  # noqa: PLR2004
        return []
    options = [b.option(said, filter_text(which)) for said, which in choices]
    return b.menu(placeholder, action_id, options, chosen=filter_text(now))


def not_understood(parsed: Parsed) -> list[Block]:
    """The words that mean nothing here, and what was perhaps meant."""
    if not parsed.unknown:
        return []
    suggestions = [suggestion for one in parsed.unknown for suggestion in one.suggestions][:_SUGGESTIONS]
    hint = " Did you mean:" if suggestions else f" {SEE_HELP}"
    buttons = [
        b.button(one.label, f"{SHOW_SUGGESTION}.{number}", one.text or EVERYBODY)
        for number, one in enumerate(suggestions)
    ]
    return [b.section(f"{unknown(parsed)}{hint}"), *b.actions(buttons)]


def commands(meant: Sequence[str]) -> list[Block]:
    """What to ask for in place of a list, where that was perhaps meant."""
    if not meant:
        return []
    buttons = [b.button(f"/cleanup {text}", f"{_RUN}.{number}", text) for number, text in enumerate(meant)]
    return [b.section("Perhaps you meant:"), *b.actions(buttons[:_SUGGESTIONS])]


def near(lists: Sequence[Filter]) -> list[Block]:
    """Other names that were perhaps meant."""
    return b.actions(_leading_to(lists, SHOW_NEAR))


def namesakes(lists: Sequence[Filter]) -> list[Block]:
    """One list for each of several teachers who have the name."""
    if not lists:
        return []
    return [
        b.section("Several teachers have that name. Whose students do you mean?"),
        *b.actions(_leading_to(lists, SHOW_TEACHER)),
    ]


def _leading_to(lists: Sequence[Filter], action_id: str) -> list[Block]:
    return [
        b.button(describe(which), f"{action_id}.{number}", filter_text(which))
        for number, which in enumerate(lists[:_SUGGESTIONS])
    ]


def unknown(parsed: Parsed) -> str:
    words = ", ".join(f"“{b.escaped(one)}”" for one in unknown_words(parsed))
    return f"I did not understand {words}."


def unknown_words(parsed: Parsed) -> list[str]:
    """As people typed them: a colleague who was mentioned arrived as an id with a name behind it."""
    return [b.cut(_MENTION.sub(r"@\1", one.word), _WORD) for one in parsed.unknown]


def whole_list() -> list[Block]:
    return b.actions([b.button("Show my whole list", SHOW_ALL, EVERYBODY)])


def turning(page: Page) -> list[Block]:
    now = page.filter.page
    back = [b.button("◀ Previous", SHOW_PREVIOUS, filter_text(page.filter.with_page(now - 1)))] if now > 1 else []
    on = [b.button("Next ▶", SHOW_NEXT, filter_text(page.filter.with_page(now + 1)))] if now < page.pages else []
    return b.actions([*back, *on, *_with_all(page)])


def _with_all(page: Page) -> list[Block]:
    """What is done with a list as a whole, where anybody is on it."""
    if not page.total_contacts:
        return []
    return [
        b.button("Several at once…", BULK, filter_text(page.filter)),
        b.button("Download…", DOWNLOAD, filter_text(page.filter.with_page(1))),
    ]
