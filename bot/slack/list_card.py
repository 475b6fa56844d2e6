"""The cleanup list as somebody sees it: one card for the answer to `/cleanup`, for paging and menus, and for the Home tab.

A button's or menu's value is the text of the filter it leads to, so the card needs no memory: parse, ask, draw.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot import cleanup_list, filters, grade
from bot.access import Actor
from bot.cleanup_list import Latest, ListedContact, Page, StudentRow
from bot.filters import Filter, Parsed
from bot.slack import blocks as b
from bot.slack import reply
from bot.slack.blocks import Block
from bot.slack.desk import Desk
from bot.sms_status import SEVERITY, Colour, SmsStatus, meaning, of_colour

SHOW = re.compile(r"^list\.show(\.\w+)*$")
SHOW_PREVIOUS, SHOW_NEXT, SHOW_ALL = "list.show.previous", "list.show.next", "list.show.all"
SHOW_STATUS, SHOW_GRADE, SHOW_SCHOOL = "list.show.status", "list.show.grade", "list.show.school"
SHOW_SUGGESTION = "list.show.suggestion"
OPEN_STUDENT = "student.open"

EVERYBODY = "all"
"""How the empty filter is written in a value, which Slack does not take empty."""

STUDENTS_A_PAGE = 10
_SUGGESTIONS = 5
_NAME = 60


@dataclass(frozen=True)
class Sight:
    """Everything that one card is drawn from; `schools` and `grades` are what its menus offer."""

    page: Page
    parsed: Parsed
    schools: Sequence[str]
    grades: Sequence[str]
    latest: Latest


@dataclass(frozen=True)
class _Detail:
    """How much of a page is drawn: what is left out where Slack would refuse the whole."""

    contacts_a_row: int
    has_menus: bool = True


_DETAILS = (_Detail(4), _Detail(2), _Detail(1), _Detail(2, has_menus=False), _Detail(1, has_menus=False))


@dataclass(frozen=True)
class Card:
    """Blocks, and the same in words for screen readers. Only ever sent to one person."""

    blocks: list[Block]
    text: str


def register(app: App, desk: Desk) -> None:
    @app.action(SHOW)
    def show_list(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        text = action["selected_option"]["value"] if "selected_option" in action else action["value"]
        card = show(desk, client, body["user"]["id"], text)
        if "view" in body:
            client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": card.blocks})
        else:
            reply.send(body["response_url"], text=card.text, blocks=card.blocks, replace_original=True)


def show(desk: Desk, client: WebClient, user_id: str, text: str) -> Card:
    """What this person sees for a filter's text.

    Raises:
        UserError: the person may not use the list.
    """
    with desk.acting(client, user_id) as (session, actor):
        return of_actor(session, actor, text)


def of_actor(session: Session, actor: Actor, text: str) -> Card:
    """The card for somebody whose rights are known already."""
    vocabulary = cleanup_list.vocabulary(session, actor)
    parsed = filters.parse(text, vocabulary)
    page = cleanup_list.page(session, parsed.filter, actor=actor, page_size=STUDENTS_A_PAGE)
    return card(Sight(page, parsed, vocabulary.schools, cleanup_list.grades(session), cleanup_list.latest(session)))


def card(sight: Sight) -> Card:
    drawings = (_draw(sight, detail) for detail in _DETAILS)
    drawn = next((one for one in drawings if b.size(one) <= b.MESSAGE_CHARACTERS), [])
    return Card(drawn or [b.header(_title(sight.page)), *_not_understood(sight.parsed)], _in_words(sight))


def _draw(sight: Sight, detail: _Detail) -> list[Block]:
    page = sight.page
    return [
        b.header(_title(page)),
        *_counts(page),
        *_not_understood(sight.parsed),
        *(_menus(sight) if detail.has_menus else []),
        b.divider(),
        *(_rows(page, detail.contacts_a_row) or _nobody(page)),
        *_turning(page),
        b.context(_footer(page, sight.latest)),
    ]


def filter_text(which: Filter) -> str:
    return str(which) or EVERYBODY


def _title(page: Page) -> str:
    return filters.describe(page.filter) if filter_text(page.filter.with_page(1)) != EVERYBODY else "Cleanup list"


def _counts(page: Page) -> list[Block]:
    if not page.total_students:
        return []
    shown = "   ".join(
        f"{b.status(one)}\u00a0{page.counts_by_status[one]:,}" for one in SEVERITY if page.counts_by_status.get(one)
    )
    return [b.section(f"*{_many(page.total_students, 'student')}*, {_many(page.total_contacts, 'contact')}\n{shown}")]


def _many(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else word + 's'}"


def _not_understood(parsed: Parsed) -> list[Block]:
    if not parsed.unknown:
        return []
    words = ", ".join(f"“{b.escaped(b.cut(one.word, 60))}”" for one in parsed.unknown)
    suggestions = [suggestion for one in parsed.unknown for suggestion in one.suggestions][:_SUGGESTIONS]
    hint = " Did you mean:" if suggestions else " Type `/cleanup help` to see what I understand."
    buttons = [
        b.button(one.label, f"{SHOW_SUGGESTION}.{number}", one.text or EVERYBODY)
        for number, one in enumerate(suggestions)
    ]
    return [b.section(f"I did not understand {words}.{hint}"), *b.actions(buttons)]


def _menus(sight: Sight) -> list[Block]:
    """Menus whose options are whole filters: choosing one shows that list in place."""
    first = sight.page.filter.with_page(1)
    statuses = [("Any status", ()), ("All red", of_colour(Colour.RED)), ("All yellow", of_colour(Colour.YELLOW))]
    statuses += [(meaning(one).label, (one,)) for one in SEVERITY]
    grades = [("Any grade", ()), *((grade.title(level), (level,)) for level in sight.grades)]
    schools = [("Any school", None), *((name, name) for name in sight.schools)]
    return b.actions(
        [
            *_menu("Status", SHOW_STATUS, [(said, replace(first, statuses=which)) for said, which in statuses], first),
            *_menu("Grade", SHOW_GRADE, [(said, replace(first, grades=which)) for said, which in grades], first),
            *_menu("School", SHOW_SCHOOL, [(said, replace(first, school=which)) for said, which in schools], first),
        ]
    )


def _menu(placeholder: str, action_id: str, choices: Sequence[tuple[str, Filter]], now: Filter) -> list[Block]:
    """Nothing where there is nothing to choose: the first choice is `any`."""
    if len(choices) <= 2:  # noqa: PLR2004
        return []
    options = [b.option(said, filter_text(which)) for said, which in choices]
    return b.menu(placeholder, action_id, options, chosen=filter_text(now))


def _rows(page: Page, contacts_a_row: int) -> list[Block]:
    here = filter_text(page.filter)
    return [
        b.section(
            "\n".join([_student_line(row), *_alone(row), *_contact_lines(row.listed, contacts_a_row)]),
            accessory=b.button("Fix…", OPEN_STUDENT, f"{row.student_id} {here}", label=f"Fix contacts of {row.name}"),
        )
        for row in page.students
    ]


def _student_line(row: StudentRow) -> str:
    return " · ".join([f"*{b.escaped(b.cut(row.name, _NAME))}*", *_place(row)])


def _place(row: StudentRow) -> list[str]:
    level = [grade.label(row.grade)] if row.grade else []
    return [*level, *(b.escaped(b.cut(name, _NAME)) for name in (*row.teachers[:1], *row.schools[:1]))]


def _alone(row: StudentRow) -> list[str]:
    if row.textable:
        return []
    rest = "another can be called or e-mailed" if row.other_ways else "and nobody by call or e-mail either"
    return [f"⚠️ *No adult can be texted*, {rest}."]


def _contact_lines(listed: Sequence[ListedContact], most: int) -> list[str]:
    lines = [_contact_line(one) for one in listed[:most]]
    more = len(listed) - most
    return [*lines, *([f"… and {_many(more, 'more contact')}"] if more > 0 else []), *_next_steps(listed[:most])]


def _contact_line(one: ListedContact) -> str:
    relation = f" ({b.escaped(b.cut(one.relationship, _NAME))})" if one.relationship else ""
    who = f"{b.escaped(b.cut(one.name, _NAME))}{relation} · {b.masked(one.phone)}"
    head = f"{b.status(one.status)} · {who} · since {b.date(one.since)}"
    if one.updated_at:
        return f"{head}\n✏️ _Updated {b.date(one.updated_at)}, waiting for the next mass message._"
    return head


def _next_steps(listed: Sequence[ListedContact]) -> list[str]:
    """What to do, said once for contacts who share a status; nothing for those who only wait."""
    statuses = dict.fromkeys(one.status for one in listed if not one.updated_at)
    return [f"→ _{meaning(status).next_step}_" for status in statuses]


def _nobody(page: Page) -> list[Block]:
    if page.filter.names:
        who = b.escaped(" ".join(page.filter.names))
        return [
            b.section(f"Nobody named *{who}* is on your list."),
            *b.actions([b.button("Show my whole list", SHOW_ALL, EVERYBODY)]),
        ]
    if filter_text(page.filter) != EVERYBODY:
        return [
            b.section(
                "✅ Nobody here. Every contact that matches can be texted, as far as the last mass message showed."
            ),
            *b.actions([b.button("Show my whole list", SHOW_ALL, EVERYBODY)]),
        ]
    return [b.section("✅ Nobody on your list. Every text of the last mass message arrived.")]


def _turning(page: Page) -> list[Block]:
    now = page.filter.page
    back = [b.button("◀ Previous", SHOW_PREVIOUS, filter_text(page.filter.with_page(now - 1)))] if now > 1 else []
    on = [b.button("Next ▶", SHOW_NEXT, filter_text(page.filter.with_page(now + 1)))] if now < page.pages else []
    return b.actions([*back, *on])


def _footer(page: Page, latest: Latest) -> str:
    turned = [f"Page {page.filter.page} of {page.pages}"] if page.pages > 1 else []
    message = (
        [f"after “{b.escaped(latest.title)}” of {b.date(latest.sent_at)}"]
        if latest.sent_at
        else ["no mass message yet"]
    )
    synced = (
        f"student information of {b.date(latest.synced_at, style='{date_short_pretty} {time}')}"
        if latest.synced_at
        else ""
    )
    return " · ".join([*turned, *message, *([synced] if synced else ["student information never synced"])])


def _in_words(sight: Sight) -> str:
    """The whole card as sentences, because a screen reader reads this and not the blocks."""
    page, parsed = sight.page, sight.parsed
    head = f"{_title(page)}: {_many(page.total_students, 'student')}, {_many(page.total_contacts, 'contact')}."
    odd = [f"Not understood: {', '.join(b.cut(one.word, 60) for one in parsed.unknown)}."] if parsed.unknown else []
    rows = [
        f"{row.name}: " + "; ".join(f"{meaning(one.status).label}, {one.name}" for one in row.listed) + "."
        for row in page.students
    ]
    return b.cut(b.escaped("\n".join([head, *odd, *rows])), 3900)


def legend(statuses: Sequence[SmsStatus] = SEVERITY) -> list[str]:
    """Each status in words with its explanation, for the help."""
    return [f"{b.status(one)}: {meaning(one).explanation}" for one in statuses]
