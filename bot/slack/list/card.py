"""The cleanup list as somebody sees it: one card for the answer to `/cleanup`, for paging and menus, and for the Home tab."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk import WebClient

from bot.cleanup_list.freshness import Freshness
from bot.cleanup_list.name_search import similar_names
from bot.cleanup_list.namesakes import teacher_namesakes
from bot.cleanup_list.page import Page, load_page
from bot.cleanup_list.vocabulary import load_grades, load_vocabulary
from bot.domain.plural import plural
from bot.domain.sms_status import SEVERITY, meaning
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, parse_filter, suggest_commands
from bot.slack.help import COMMAND
from bot.slack.kit import blocks as b
from bot.slack.kit import mentions
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import TEXT, Card
from bot.slack.kit.context import AppContext, ListViewer
from bot.slack.list import empty as empty_list
from bot.slack.list import links as list_links
from bot.slack.list import rows as list_rows
from bot.slack.list.empty import EmptyList
from bot.sync import runs
from bot.wording import say

VIEW = "list.dialog"
STUDENTS_A_PAGE = 10


@dataclass(frozen=True)
class Scene:
    """Everything that one card is drawn from, and when; `schools` and `grades` are what its menus offer, `own_changes` how many of
    the reader's changes the SIS does not have yet.

    `nobody` says why, where nobody is meant. Where nobody has the name that was typed, `near` are lists of names like it, and the
    page is of the first; `commands` are perhaps what was meant instead; `namesakes` are one list for each of several teachers
    who were meant.
    """

    page: Page
    parsed: Parsed
    nobody: EmptyList | None
    near: Sequence[Filter]
    commands: Sequence[str]
    namesakes: Sequence[Filter]
    schools: tuple[str, ...]
    grades: tuple[str, ...]
    latest: Freshness
    own_changes: int
    now: datetime


@dataclass(frozen=True)
class _Detail:
    """How much of a page is drawn: what is left out where Slack would refuse the whole."""

    contacts_a_row: int
    has_schools: bool = True
    has_menus: bool = True


_DETAILS = (
    *(_Detail(4), _Detail(2), _Detail(4, has_schools=False), _Detail(2, has_schools=False)),
    *(_Detail(1, has_schools=False), _Detail(2, has_menus=False), _Detail(1, has_menus=False)),
)
"""A menu of a hundred schools takes as much as all the rest, and a school can be typed."""


def show(desk: AppContext, client: WebClient, user_id: str, text: str) -> Card:
    """What this person sees for a filter's text.

    Raises:
        UserError: the person may not use the list.
    """
    mentioned = mentions.emails(desk, client, text)
    with desk.looking(client, user_id) as look:
        return draw(_scene(look, text, mentioned, now=desk.now()))


def dialog(card: Card) -> Block:
    """The list in a dialog, for whoever came from nowhere in particular."""
    return b.modal("Contact Cleanup", card.blocks, callback_id=VIEW, metadata="{}")


def _scene(look: ListViewer, text: str, mentioned: Mapping[str, str], *, now: datetime) -> Scene:
    session, actor = look.session, look.actor
    vocabulary = load_vocabulary(session, actor, mentioned)
    parsed = parse_filter(text, vocabulary)
    page = load_page(session, parsed.filter, actor=actor, page_size=STUDENTS_A_PAGE)
    is_empty = not page.total_students
    nobody = empty_list.look(session, page.filter, vocabulary, look.latest, actor=actor) if is_empty else None
    has_name = not nobody or nobody.unlisted
    near = () if has_name else similar_names(session, parsed.filter, actor=actor)
    if near:
        page = load_page(session, near[0], actor=actor, page_size=STUDENTS_A_PAGE)
    return Scene(
        page,
        parsed,
        nobody,
        near,
        suggest_commands(parsed, unmatched_names=nobody is not None),
        teacher_namesakes(session, page.filter, actor=actor),
        vocabulary.schools,
        load_grades(session, page.filter, actor=actor),
        look.latest,
        look.own_changes,
        now,
    )


def draw(scene: Scene) -> Card:
    drawings = (_blocks(scene, detail) for detail in _DETAILS)
    drawn = next((one for one in drawings if b.size(one) <= b.MESSAGE_CHARACTERS), None)
    return Card(drawn or _bare(scene), _in_words(scene))


def _bare(scene: Scene) -> list[Block]:
    return [b.header(_title(scene.page)), *list_links.not_understood(scene.parsed)]


def _blocks(scene: Scene, detail: _Detail) -> list[Block]:
    page = scene.page
    return [
        b.header(_title(page)),
        *_counts(page),
        *list_links.not_understood(scene.parsed),
        *_instead_of_nobody(scene),
        *list_links.commands(scene.commands),
        *list_links.namesakes(scene.namesakes),
        *_menus(scene, detail),
        b.divider(),
        *(_rows(page, detail.contacts_a_row) or _nobody(scene)),
        *list_links.turning(page),
        b.context(*_only_listed(page), _footer(page, scene.latest, scene.now), *_own_changes(scene)),
    ]


def _title(page: Page) -> str:
    return describe(page.filter) if empty_list.narrows(page.filter) else "Cleanup list"


def _counts(page: Page) -> list[Block]:
    if not page.total_students:
        return []
    numbers = [(one, page.counts_by_status[one]) for one in SEVERITY if page.counts_by_status.get(one)]
    shown = "   ".join(f"{b.status(one)}\u00a0{number:,}" for one, number in numbers)
    head = f"*{say('count.student', page.total_students)}*, {say('count.contact', page.total_contacts)}"
    return [b.section("\n".join([head, shown, *_alone(page)]))]


def _alone(page: Page) -> list[str]:
    """The north star: whom nobody hears for, which is why they stand first; of those on the list only, as a forecast counts all."""
    if page.filter.no_adult:
        return [("Students without any contact on the list are not among them: `/cleanup forecast` names every one.")]
    if not page.alone:
        return []
    if page.total_students == 1:
        return ["⚠️ *This student has no adult who can be texted.*"]
    return [
        (
            f"⚠️ *Of these {page.total_students:,} students, {plural(page.alone, 'has', 'have')} no adult "
            "who can be texted.*"
        )
    ]


def _menus(scene: Scene, detail: _Detail) -> list[Block]:
    if not detail.has_menus:
        return []
    schools = scene.schools if detail.has_schools else ()
    return list_links.menus(scene.page.filter.with_page(1), schools=schools, grades=scene.grades)


def _rows(page: Page, contacts_a_row: int) -> list[Block]:
    here = list_links.filter_text(page.filter)
    return [list_rows.row(one, here=here, most=contacts_a_row) for one in page.students]


def _nobody(scene: Scene) -> list[Block]:
    return empty_list.blocks(scene.nobody) if scene.nobody else []


def _instead_of_nobody(scene: Scene) -> list[Block]:
    if not scene.near:
        return []
    typed, shown = (f"*{b.escaped(' '.join(one.names))}*" for one in (scene.parsed.filter, scene.page.filter))
    return [
        b.section(f"Nobody named {typed} is on your list. Shown instead: {shown}."),
        *list_links.near(scene.near[1:]),
    ]


def _footer(page: Page, latest: Freshness, now: datetime) -> str:
    return " · ".join([*_turned(page), _last_message(latest), _last_sync(latest, now)])


def _turned(page: Page) -> list[str]:
    return [f"Page {page.filter.page} of {page.pages}"] if page.pages > 1 else []


def _only_listed(page: Page) -> list[str]:
    """Whoever looks for one of several students of a name has to know that not all are here."""
    return (
        ["Only students on the list are shown, not others of that name."]
        if page.filter.names and page.total_students
        else []
    )


def _own_changes(scene: Scene) -> list[str]:
    return (
        [
            (
                f"✏️ {plural(scene.own_changes, 'change of yours is', 'changes of yours are')} not yet in the "
                "student information system: `/cleanup pending`"
            )
        ]
        if scene.own_changes
        else []
    )


def _last_message(latest: Freshness) -> str:
    if not latest.sent_at:
        return "no mass message yet"
    return f"after “{b.escaped(latest.title)}” of {b.date(latest.sent_at)}"


def _last_sync(latest: Freshness, now: datetime) -> str:
    if not latest.synced_at:
        return "student information never synced"
    synced = b.date(latest.synced_at, style="{date_short}, {time}")
    is_old = now - latest.synced_at > runs.FRESH
    return f"⚠️ more than a day old: student information of {synced}" if is_old else f"student information of {synced}"


def _in_words(scene: Scene) -> str:
    """The whole card as sentences, because a screen reader reads this and not the blocks."""
    page = scene.page
    counts = f"{say('count.student', page.total_students)}, {say('count.contact', page.total_contacts)}"
    head = " ".join([f"{_title(page)}: {counts}.", *_alone(page)])
    rows = [
        f"{row.name}: " + "; ".join(f"{meaning(one.status).label}, {one.name}" for one in row.listed) + "."
        for row in page.students
    ]
    why = empty_list.in_words(scene.nobody) if scene.nobody and not page.total_students else []
    return b.cut("\n".join([*(b.escaped(one) for one in (head, *_asked_back(scene), *rows)), *why]), TEXT)


def _asked_back(scene: Scene) -> list[str]:
    """What was not understood, and what the buttons offer in its place."""
    parsed, unknown = scene.parsed, list_links.unknown_words(scene.parsed)
    names = [" ".join(one.names) for one in (parsed.filter, scene.page.filter)]
    meant = [f"{COMMAND} {text}" for text in scene.commands]
    meant += [suggestion.label for one in parsed.unknown for suggestion in one.suggestions]
    meant += [describe(which) for which in (*scene.namesakes, *(scene.nobody.instead if scene.nobody else ()))]
    return [
        *([f"Not understood: {', '.join(unknown)}."] if unknown else []),
        *([f"Nobody named {names[0]} is on your list. Shown instead: {names[1]}."] if scene.near else []),
        *([f"Did you mean: {'; '.join(meant)}?"] if meant else []),
        *(f"{one}." for one in _turned(scene.page)),
    ]
