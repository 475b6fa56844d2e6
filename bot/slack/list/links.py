"""What leads from one list to another: menus, suggestions, Previous and Next, one's whole list.

The value of each is the text of the filter it leads to, so a list needs no memory: parse, ask, draw.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bot.cleanup_list.page import Page
from bot.domain import grade
from bot.domain.sms_status import SEVERITY, Color, meaning, statuses_with_color
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed
from bot.slack.help import COMMAND
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.wording import say

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

_SUGGESTIONS = 5
_WORD = 60
_MENTION = re.compile(r"<@(?:[^|>]*\|)?([^>]+)>")


def filter_text(which: Filter) -> str:
    return str(which) or EVERYBODY


def command_text(command: str, which: Filter) -> str:
    """A command with a filter after it, as one types it."""
    return f"{command} {which}".strip()


@lru_cache(256)
def menus(first: Filter, *, schools: tuple[str, ...], grades: tuple[str, ...]) -> list[Block]:
    """Menus whose options are whole filters, made from the one shown now: choosing one shows that list in place.

    They are most of a card, and the same for everybody who sees the same places: not to be changed by whoever gets them.
    """
    by_status = [
        ("Any status", ()),
        *((say(f"filters.all.{colour}"), statuses_with_color(colour)) for colour in (Color.RED, Color.YELLOW)),
        *((meaning(one).label, (one,)) for one in SEVERITY),
    ]
    by_grade = [("Any grade", ()), *((grade.title(level), (level,)) for level in grades)]
    by_school = [("Any school", None), *((name, name) for name in schools)]
    statuses = [(said, replace(first, statuses=which)) for said, which in by_status]
    levels = [(said, replace(first, grades=which)) for said, which in by_grade]
    named = [(said, replace(first, school=which)) for said, which in by_school]
    return b.actions(
        [
            *_menu("Status", SHOW_STATUS, statuses, first),
            *_menu("Grade", SHOW_GRADE, levels, first),
            *_menu("School", SHOW_SCHOOL, named, first),
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
    said = (
        f"I did not understand {quoted_unknown(parsed)}. Did you mean:"
        if suggestions
        else f"I did not understand {quoted_unknown(parsed)}. Type `/cleanup help` to see what I understand."
    )
    buttons = [
        b.button(one.label, f"{SHOW_SUGGESTION}.{number}", one.text or EVERYBODY)
        for number, one in enumerate(suggestions)
    ]
    return [b.section(said), *b.actions(buttons)]


def commands(meant: Sequence[str]) -> list[Block]:
    """What to ask for in place of a list, where that was perhaps meant."""
    if not meant:
        return []
    buttons = [b.button(f"{COMMAND} {text}", f"{_RUN}.{number}", text) for number, text in enumerate(meant)]
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


def quoted_unknown(parsed: Parsed) -> str:
    return ", ".join(f"“{b.escaped(one)}”" for one in unknown_words(parsed))


def unknown_words(parsed: Parsed) -> list[str]:
    """As people typed them: a colleague who was mentioned arrived as an id with a name behind it."""
    return [b.cut(_MENTION.sub(r"@\1", one.word), _WORD) for one in parsed.unknown]


def whole_list() -> list[Block]:
    return b.actions([b.button("Show my whole list", SHOW_ALL, EVERYBODY)])


def turning(page: Page) -> list[Block]:
    turns = _turns(page.filter, page.pages)
    return b.actions([*(b.button(said, turn, filter_text(there)) for said, turn, there in turns), *_with_all(page)])


def turning_command(command: str, now: Filter, *, pages: int) -> list[Block]:
    """*Previous* and *Next* of the answer to a command that a filter may follow."""
    turns = enumerate(_turns(now, pages))
    return b.actions(
        [b.button(said, f"{_RUN}.{place}", command_text(command, there)) for place, (said, _, there) in turns]
    )


def _turns(now: Filter, pages: int) -> Iterator[tuple[str, str, Filter]]:
    """What a button to another page says, its id in a list, and where it leads."""
    if now.page > 1:
        yield "◀ Previous", SHOW_PREVIOUS, now.with_page(now.page - 1)
    if now.page < pages:
        yield "Next ▶", SHOW_NEXT, now.with_page(now.page + 1)


def _with_all(page: Page) -> list[Block]:
    """What is done with a list as a whole, where anybody is on it."""
    if not page.total_contacts:
        return []
    return [
        b.button("Several at once…", BULK, filter_text(page.filter)),
        b.button("Download…", DOWNLOAD, filter_text(page.filter.with_page(1))),
    ]
