"""Above the rows: how many contacts and students a list has, and menus to other lists. Each number leads to its own list."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from bot.cleanup_list.page import ListView, Page
from bot.domain import grade
from bot.domain.display import plural
from bot.domain.sms_status import COLOR_WORDS, MEANINGS, SEVERITY, STATUSES_BY_COLOR, Color, SmsStatus
from bot.filters.filter import EVERYONE, FLAGS, Filter, link_text
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.list import helps_most, links

_SHOW_ALONE = "Show them"
# Label, statuses, and what they mean.
_STATUS_CHOICES: Sequence[tuple[str, tuple[SmsStatus, ...], str]] = (
    *((f"All {color}", STATUSES_BY_COLOR[color], COLOR_WORDS[color]) for color in (Color.RED, Color.YELLOW)),
    *((MEANINGS[status].label, (status,), "") for status in SEVERITY),
)


def counts(page: Page) -> list[Block]:
    """Return the numbers of the whole list, with buttons to the contacts that were fixed and to the students without an adult."""
    if not page.total_students:
        return []
    which, alone = page.filter, page.alone
    numbers = f"*{plural(page.total_contacts, 'contact')}*, {plural(page.total_students, 'student')}"
    fixed = []
    if page.fixed:
        numbers += f" · {page.fixed:,} of them fixed, waiting for the next message"
        fixed = [] if which.waiting else [b.button("Show fixed", links.SHOW_FIXED, link_text(which, waiting=True))]
    blocks = [b.section(numbers, accessory=next(iter(fixed), None)), *b.actions(_parts(page))]
    if which.no_adult:
        sentence = "Students without any contact on the list are not among them. A forecast names every one."
        button = b.button(
            "Forecast", f"{links.RUN_PREFIX}.0", links.command_text("forecast", which.student_part().with_page(1))
        )
        return [*blocks, b.section(sentence, accessory=button)]
    if alone == page.total_students == 1:
        blocks.append(b.section("⚠️ *This student has no adult we can text.*"))
    elif alone == page.total_students:
        blocks.append(b.section(f"⚠️ *None of these {alone:,} students has an adult we can text.*"))
    elif alone:
        sentence = f"⚠️ *{alone:,} of these students {'has' if alone == 1 else 'have'} no adult we can text.*"
        button = b.button(_SHOW_ALONE, links.SHOW_ALONE, link_text(which, no_adult=True))
        blocks.append(b.section(sentence, accessory=button))
    return blocks


def _parts(page: Page) -> list[Block]:
    """Return buttons to parts of the list: each color where it has both, all landlines, and the fixes that give students an adult.
    A single landline, or student, is a row's work.
    """
    buttons = []
    by_color = {color: _count(page, STATUSES_BY_COLOR[color]) for color in (Color.RED, Color.YELLOW)}
    if all(by_color.values()):
        for color, number in by_color.items():
            label = f"{b.COLOR_DOTS[color]} {COLOR_WORDS[color]}: {number:,}"
            chosen = link_text(page.filter, statuses=STATUSES_BY_COLOR[color])
            buttons.append(b.button(label, f"{links.SHOW_COLOR}.{color}", chosen))
    if page.landlines > 1:
        landlines = link_text(page.filter, statuses=(SmsStatus.LANDLINE,))
        buttons.append(b.button(f"Switch all {page.landlines:,} landlines to calls…", links.BULK_CALLS, landlines))
    if page.alone and page.total_students > 1 and page.fixed != page.total_contacts:
        most = links.command_text(helps_most.COMMAND, page.filter.with_page(1).storable())
        buttons.append(b.button(helps_most.TITLE, f"{links.RUN_PREFIX}.1", most))
    return buttons


def menus(view: ListView, *, schools: Sequence[str], teachers: Sequence[str]) -> list[Block]:
    """Return menus whose options are whole filters derived from the one shown; choosing one shows that list in place."""
    which = view.page.filter.with_page(1)
    clear = [b.button("Clear", links.SHOW_CLEAR, EVERYONE)] if which.criteria else []
    places = _places(which, tuple(schools), tuple(teachers), view.grades)
    return b.actions([*_statuses(view.page), *places, *_who(view.page), *clear])


def _statuses(page: Page) -> list[Block]:
    which = page.filter
    options = [b.option("Any status", link_text(which, statuses=()))]
    for label, statuses, words in _STATUS_CHOICES:
        number = _count(page, statuses)
        # A list of some statuses does not count the others.
        counted = plural(number, "contact") if number or not which.statuses else ""
        description = " · ".join(filter(None, (words, counted)))
        options.append(b.option(label, link_text(which, statuses=statuses), description=description))
    return b.menu("Status", links.SHOW_STATUS, options, chosen=link_text(which))


def _count(page: Page, statuses: Sequence[SmsStatus]) -> int:
    return sum(page.counts_by_status.get(status, 0) for status in statuses)


def _who(page: Page) -> list[Block]:
    which = page.filter
    is_narrowed = which.no_adult or which.waiting or which.mine
    options = []
    for label, flag, number in (
        ("Everyone", None, None),
        ("Students with no one", "no_adult", plural(page.alone, "student")),
        ("Claimed by me", "mine", None),
        ("Waiting", "waiting", plural(page.fixed, "fixed contact")),
    ):
        chosen = link_text(which, **{name: name == flag for name in FLAGS})
        options.append(b.option(label, chosen, description=None if is_narrowed else number))
    return b.menu("Who", links.SHOW_WHO, options, chosen=link_text(which))


@lru_cache(256)  # The largest part of a card, and the same for everyone who sees the same places. Not to be modified.
def _places(which: Filter, schools: tuple[str, ...], teachers: tuple[str, ...], grades: tuple[str, ...]) -> list[Block]:
    levels = [("Any grade", ()), *((grade.title(level), (level,)) for level in grades)]
    at_schools = [("Any school", None), *((name, name) for name in schools)]
    taught_by = [("Any teacher", None), *((name, name) for name in teachers)]
    return [
        *_menu("Grade", links.SHOW_GRADE, [(name, replace(which, grades=chosen)) for name, chosen in levels], which),
        *_menu(
            "School", links.SHOW_SCHOOL, [(name, replace(which, school=chosen)) for name, chosen in at_schools], which
        ),
        *_menu(
            "Teacher", links.SHOW_TAUGHT, [(name, replace(which, teacher=chosen)) for name, chosen in taught_by], which
        ),
    ]


def letter_menu(which: Filter, letters: Sequence[str]) -> list[Block]:
    """Return the menu of a long list that jumps to last names by their first letter."""
    which = which.with_page(1)
    choices = [("Any last name", None), *((f"Last name {letter}…", letter) for letter in letters)]
    return _menu(
        "Last name", links.SHOW_LETTER, [(name, replace(which, letter=chosen)) for name, chosen in choices], which
    )


def _menu(placeholder: str, action_id: str, choices: Sequence[tuple[str, Filter]], shown: Filter) -> list[Block]:
    """Return nothing where there is nothing to choose: the first choice is `any`."""
    if len(choices) <= 2:  # noqa: PLR2004
        return []
    options = [b.option(name, which.text) for name, which in choices]
    return b.menu(placeholder, action_id, options, chosen=shown.text)
