"""The card of the cleanup list: the answer to `/cleanup`, the list in a dialog, and the list on the Home tab.

Above the rows are the counts and the menus, each leading to a list of its own; below them paging, and what is done with all of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.cleanup_list import page as list_page
from bot.cleanup_list.page import ListView, Page
from bot.domain import grade
from bot.domain.display import plural
from bot.domain.sms_status import COLOR_WORDS, MEANINGS, SEVERITY, STATUSES_BY_COLOR, Color, SmsStatus
from bot.filters.filter import EVERYONE, FLAGS, Filter, command_text, describe, link_text
from bot.slack.kit import blocks as b
from bot.slack.kit import respond, users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import empty, helps_most, links, next_student, rows
from bot.sync.runs import STALE_AFTER

VIEW = "list.dialog"
_MAX_NAME, _FEW_FOUND = 60, 5


@dataclass(frozen=True)
class _Detail:
    """How much is drawn; less where Slack would refuse the whole."""

    contacts: int
    has_teachers: bool = True
    has_schools: bool = True
    has_menus: bool = True


# Label, statuses, and what they mean.
_STATUS_CHOICES: Sequence[tuple[str, tuple[SmsStatus, ...], str]] = (
    *((f"All {color}", STATUSES_BY_COLOR[color], COLOR_WORDS[color]) for color in (Color.RED, Color.YELLOW)),
    *((MEANINGS[status].label, (status,), "") for status in SEVERITY),
)
# A menu of a hundred teachers or schools takes as much as all the rest, and a name can be typed.
_DETAILS = (
    *(_Detail(2), _Detail(2, has_teachers=False), _Detail(2, has_teachers=False, has_schools=False)),
    *(_Detail(1, has_teachers=False, has_schools=False), _Detail(2, has_menus=False), _Detail(1, has_menus=False)),
)


def register(app: App, ctx: AppContext, *, show_home: Callable[[WebClient, str, str], None]) -> None:
    """Register the listener that shows another list in place of this one.

    `show_home(client, user_id, text)` draws the Home tab, which is above this package.
    """

    @app.action(links.SHOW)
    def show_list(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        text = action["selected_option"]["value"] if "selected_option" in action else action["value"]
        user_id, view = body["user"]["id"], body.get("view")
        if view and view["type"] == "home":
            show_home(client, user_id, text)
            return
        card = show(ctx, client, user_id, text)
        if view:
            client.views_update(view_id=view["id"], view=dialog(card))
        else:
            respond.answer(client, body, card, replace_original=True)


def show(ctx: AppContext, client: WebClient, user_id: str, text: str, *, has_own_changes: bool = True) -> Card:
    """Return what this person sees for the text of a filter; `has_own_changes` leads to their pending changes below the list.

    Raises:
        UserError: this person may not use the list.
    """
    now = ctx.now()
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=now) if "@" in text else {}
    with ctx.viewing(client, user_id) as viewer:
        view = list_page.load(viewer.session, text, actor=viewer.actor, freshness=viewer.freshness, mentioned=mentioned)
    own_pending = viewer.own_pending if has_own_changes else 0
    drawings = (_blocks(view, detail, own_pending, ctx.our_number, now) for detail in _DETAILS)
    blocks = next((blocks for blocks in drawings if b.size(blocks) <= b.MESSAGE_CHARACTERS), None)
    return b.card(blocks or [b.header("Cleanup list"), *links.questions(view)])


def dialog(card: Card) -> Block:
    """Return a card as a dialog, where Slack takes neither charts nor folds."""
    return b.modal("Contact Cleanup", b.plainer(card.blocks), callback_id=VIEW, metadata="{}")


def _blocks(view: ListView, detail: _Detail, own_pending: int, our_number: str | None, now: datetime) -> list[Block]:
    page = view.page
    here = page.filter.text
    if page.students:
        listed = rows.draw(
            page.students,
            here=here,
            contacts=detail.contacts,
            has_schools=len(view.schools) > 1,
            our_number=our_number,
        )
    else:
        listed = empty.blocks_instead(view)
    is_questionable = view.parsed.unknown or view.similar or view.commands or view.namesakes
    schools = view.schools if detail.has_schools else ()
    teachers = view.teachers if detail.has_teachers else ()
    menus = _menus(view, schools=schools, teachers=teachers) if detail.has_menus else []
    shows_schools = any(menu["action_id"] == links.SHOW_SCHOOL for row in menus for menu in row["elements"])
    hidden_schools = () if shows_schools or page.filter.school or _is_found(page) else view.schools
    return [
        b.header(describe(page.filter) if page.filter.criteria else "Cleanup list"),
        *(empty.owners(view.number) if view.number else []),
        *_counts(page),
        *(links.questions(view) if is_questionable else []),
        *menus,
        b.divider(),
        *listed,
        *(empty.unlisted(view.unlisted, page.filter) if view.unlisted else []),
        *list_buttons(page, letters=view.letters if detail.has_menus else ()),
        *([_own_changes(own_pending)] if own_pending else []),
        b.context(*_footer(view, hidden_schools, now)),
    ]


def _own_changes(number: int) -> Block:
    changes = plural(number, "change of yours is", "changes of yours are")
    button = b.button("Show", f"{links.RUN_PREFIX}.0", "pending", label="Show changes of yours")
    return b.section(f"✏️ {changes} not yet in the student information system.", accessory=button)


def _footer(view: ListView, hidden_schools: Sequence[str], now: datetime) -> list[str]:
    """Say how current the list is, what it leaves out, and how to see one of the schools that no menu shows."""
    page, freshness = view.page, view.freshness
    facts = [f"Page {page.filter.page} of {page.pages}"] if page.pages > 1 else []
    if freshness.sent_at:
        facts.append(f"after “{b.escaped(freshness.title)}” of {b.date(freshness.sent_at)}")
    else:
        facts.append("no mass message yet")
    if freshness.synced_at:
        synced = f"student information of {b.date(freshness.synced_at, style='{date_short}, {time}')}"
        is_old = now - freshness.synced_at > STALE_AFTER
        facts.append(f"⚠️ more than a day old: {synced}" if is_old else synced)
    else:
        facts.append("student information never synced")
    lines = [" · ".join(facts)]
    if page.filter.names and page.students:
        lines.insert(0, "Only students on the list are shown, not others of that name.")
    if len(hidden_schools) > 1:
        example = b.escaped(hidden_schools[0], _MAX_NAME)
        lines.append(f"For one of your {len(hidden_schools):,} schools type its name: `/cleanup school {example}`")
    return lines


def list_buttons(page: Page, *, letters: Sequence[str] = ()) -> list[Block]:
    """Return the buttons below a list: other pages, places to jump to, and what is done with the list as a whole."""
    buttons = [b.button(label, action_id, which.text) for label, action_id, which in _turns(page.filter, page.pages)]
    if letters:
        initials = [(f"Last name {letter}…", letter) for letter in letters]
        buttons += _menu("Last name", links.SHOW_LETTER, page.filter.with_page(1), "letter", initials)
    if page.total_contacts > page.fixed:
        following = command_text(next_student.COMMAND, page.filter.with_page(1))
        buttons.append(b.button("Next to fix", f"{links.RUN_PREFIX}.0", following))
    if page.total_contacts:
        buttons.append(b.button("Bulk edit…", links.BULK, link_text(page.filter)))
        buttons.append(b.button("Download…", links.DOWNLOAD, link_text(page.filter)))
    return b.actions(buttons)


def command_buttons(command: str, which: Filter, *, pages: int) -> list[Block]:
    """Return *Previous* and *Next* below the answer to a command that takes a filter."""
    return b.actions(
        [
            b.button(label, f"{links.RUN_PREFIX}.{number}", command_text(command, target))
            for number, (label, _, target) in enumerate(_turns(which, pages))
        ]
    )


def _turns(which: Filter, pages: int) -> Iterator[tuple[str, str, Filter]]:
    """Yield label, action id, and filter of the buttons to other pages."""
    if which.page > 1:
        yield "◀ Previous", links.SHOW_PREVIOUS, which.with_page(which.page - 1)
    if which.page < pages:
        yield "Next ▶", links.SHOW_NEXT, which.with_page(which.page + 1)


def _counts(page: Page) -> list[Block]:
    """Return the numbers of the whole list, with buttons to the contacts that were fixed and to the students without an adult."""
    if not page.total_students:
        return []
    which, without_adult = page.filter, page.without_adult
    numbers = f"*{plural(page.total_contacts, 'contact')}*, {plural(page.total_students, 'student')}"
    fixed = []
    if page.fixed:
        numbers += f" · {page.fixed:,} of them fixed, waiting for the next message"
        fixed = [] if which.waiting else [b.button("Show fixed", links.SHOW_FIXED, link_text(which, waiting=True))]
    blocks = [b.section(numbers, accessory=next(iter(fixed), None)), *b.actions(_parts(page))]
    if which.no_adult:
        sentence = "Students without any contact on the list are not among them. A forecast names every one."
        button = b.button(
            "Forecast", f"{links.RUN_PREFIX}.0", command_text("forecast", which.student_part().with_page(1))
        )
        return [*blocks, b.section(sentence, accessory=button)]
    if without_adult == page.total_students == 1:
        blocks.append(b.section("⚠️ *This student has no adult we can text.*"))
    elif without_adult == page.total_students:
        blocks.append(b.section(f"⚠️ *None of these {without_adult:,} students has an adult we can text.*"))
    elif without_adult:
        sentence = (
            f"⚠️ *{without_adult:,} of these students {'has' if without_adult == 1 else 'have'} no adult we can text.*"
        )
        button = b.button("Show them", links.SHOW_WITHOUT_ADULT, link_text(which, no_adult=True))
        blocks.append(b.section(sentence, accessory=button))
    return blocks


def _parts(page: Page) -> list[Block]:
    """Return buttons to parts of the list: each color where it has both, the fixes that give students an adult, and all landlines.
    A single landline, or student, is a row's work.
    """
    if _is_found(page):
        return []
    buttons = []
    by_color = {color: _count(page, STATUSES_BY_COLOR[color]) for color in (Color.RED, Color.YELLOW)}
    if all(by_color.values()):
        for color, number in by_color.items():
            label = f"{b.COLOR_DOTS[color]} {COLOR_WORDS[color]}: {number:,}"
            chosen = link_text(page.filter, statuses=STATUSES_BY_COLOR[color])
            buttons.append(b.button(label, f"{links.SHOW_COLOR}.{color}", chosen))
    if page.without_adult and page.total_students > 1 and page.fixed != page.total_contacts:
        most = command_text(helps_most.COMMAND, page.filter.with_page(1).storable())
        buttons.append(b.button(helps_most.BUTTON, f"{links.RUN_PREFIX}.1", most, label=helps_most.TITLE))
    if page.landlines > 1:  # The longest button, last: on a phone it takes a line of its own.
        landlines = link_text(page.filter, statuses=(SmsStatus.LANDLINE,))
        which = "both" if page.landlines == 2 else f"all {page.landlines:,}"  # noqa: PLR2004
        buttons.append(b.button(f"Switch {which} landlines to autocalls…", links.BULK_CALLS, landlines))
    return buttons


def _is_found(page: Page) -> bool:
    """Return whether a few students were looked up: they come at once, without menus that would push them off a phone's screen."""
    return page.filter.names_students and 0 < page.total_students <= _FEW_FOUND


def _menus(view: ListView, *, schools: Sequence[str], teachers: Sequence[str]) -> list[Block]:
    """Return menus whose options are whole filters derived from the one shown; choosing one shows that list in place."""
    which = view.page.filter.with_page(1)
    clear = [b.button("Clear", links.SHOW_CLEAR, EVERYONE)] if which.criteria else []
    if _is_found(view.page):
        return b.actions(clear)
    places = _places(which, tuple(schools), tuple(teachers), view.grades)
    return b.actions([*_statuses(view.page), *places, *_who(view.page), *clear])


def _statuses(page: Page) -> list[Block]:
    which = page.filter
    choices = [("Any status", link_text(which, statuses=()), "")]
    for label, statuses, words in _STATUS_CHOICES:
        number = _count(page, statuses)
        # A list of some statuses does not count the others.
        counted = plural(number, "contact") if number or not which.statuses else ""
        description = " · ".join(filter(None, (words, counted)))
        choices.append((label, link_text(which, statuses=statuses), description))
    return b.menu("Status", links.SHOW_STATUS, choices, chosen=link_text(which))


def _count(page: Page, statuses: Sequence[SmsStatus]) -> int:
    return sum(page.counts_by_status.get(status, 0) for status in statuses)


def _who(page: Page) -> list[Block]:
    which = page.filter
    is_narrowed = which.no_adult or which.waiting or which.mine
    choices = []
    for label, flag, number in (
        ("Everyone", None, ""),
        ("Students with no one", "no_adult", plural(page.without_adult, "student")),
        ("Claimed by me", "mine", ""),
        ("Waiting", "waiting", plural(page.fixed, "fixed contact")),
    ):
        narrowed = link_text(which, **{name: name == flag for name in FLAGS})
        choices.append((label, narrowed, "" if is_narrowed else number))
    return b.menu("Who", links.SHOW_WHO, choices, chosen=link_text(which))


@lru_cache(256)  # The largest part of a card, and the same for everyone who sees the same places. Not to be modified.
def _places(which: Filter, schools: tuple[str, ...], teachers: tuple[str, ...], grades: tuple[str, ...]) -> list[Block]:
    return [
        *_menu("Grade", links.SHOW_GRADE, which, "grades", [(grade.title(level), (level,)) for level in grades]),
        *_menu("School", links.SHOW_SCHOOL, which, "school", [(name, name) for name in schools]),
        *_menu("Teacher", links.SHOW_TAUGHT, which, "teacher", [(name, name) for name in teachers]),
    ]


def _menu(noun: str, action_id: str, which: Filter, field: str, choices: Sequence[tuple[str, Any]]) -> list[Block]:
    """Return the menu of one field of a filter, with `any` first; nothing where there is nothing to choose."""
    if len(choices) <= 1:
        return []
    whole: tuple[str, Any] = (f"Any {noun.lower()}", () if field == "grades" else None)
    filters = [(name, replace(which, **{field: value}).text, "") for name, value in (whole, *choices)]
    return b.menu(noun, action_id, filters, chosen=which.text)
