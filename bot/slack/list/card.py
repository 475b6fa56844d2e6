"""The card of the cleanup list: the answer to `/cleanup`, paging and menus, the list in a dialog, and the list on the Home tab."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.cleanup_list import page as list_page
from bot.cleanup_list.number_search import MAX_STUDENTS, NumberOwner, NumberSearch
from bot.cleanup_list.page import MAX_UNLISTED, ListView, Page
from bot.cleanup_list.query import StudentRow
from bot.domain.display import plural
from bot.filters.filter import Filter, describe, link_text
from bot.slack.kit import blocks as b
from bot.slack.kit import respond, users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import empty, headline, links, next_student, rows
from bot.sync.runs import STALE_AFTER

VIEW = "list.dialog"
_MAX_NAME = 60


@dataclass(frozen=True)
class _Detail:
    """How much is drawn; less where Slack would refuse the whole."""

    contacts: int
    has_teachers: bool = True
    has_schools: bool = True
    has_menus: bool = True


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
        listed = _empty(view)
    is_questionable = view.parsed.unknown or view.similar or view.commands or view.namesakes
    schools = view.schools if detail.has_schools else ()
    teachers = view.teachers if detail.has_teachers else ()
    menus = headline.menus(view, schools=schools, teachers=teachers) if detail.has_menus else []
    shows_schools = any(menu["action_id"] == links.SHOW_SCHOOL for row in menus for menu in row["elements"])
    hidden_schools = () if shows_schools or page.filter.school else view.schools
    return [
        b.header(describe(page.filter) if page.filter.criteria else "Cleanup list"),
        *(_owners(view.number) if view.number else []),
        *headline.counts(page),
        *(links.questions(view) if is_questionable else []),
        *menus,
        b.divider(),
        *listed,
        *(_unlisted(view.unlisted, page.filter) if view.unlisted else []),
        *list_buttons(page, letters=view.letters if detail.has_menus else ()),
        *([_own_changes(own_pending)] if own_pending else []),
        b.context(*_footer(view, hidden_schools, now)),
    ]


def _empty(view: ListView) -> list[Block]:
    reason = view.empty
    if reason is None:
        return []
    whole_list = links.whole_list() if reason.which.criteria and not reason.without_students else []
    if not reason.unlisted:
        similar = (
            [b.section("Did you mean:"), *links.buttons_to_lists(reason.alternatives, links.SHOW_NEAR)]
            if reason.alternatives
            else []
        )
        explanation = b.section(empty.explanation(reason, view.freshness))
        return [explanation, *similar, *links.instead_of(reason), *whole_list]
    return [*_unlisted(reason.unlisted, view.page.filter), *whole_list]


def _unlisted(students: Sequence[StudentRow], which: Filter) -> list[Block]:
    limit = MAX_STUDENTS if which.student_ids else MAX_UNLISTED
    shown = [rows.unlisted(student, here=which.text) for student in students[:limit]]
    more = [b.context("… and more students: type more of the name.")] if len(students) > limit else []
    return [*shown, *more]


def _owners(search: NumberSearch) -> list[Block]:
    """Say which contacts have the number that was typed."""
    if not search.student_ids:
        return []
    lines = [_owner(owner, search.number) for owner in search.owners]
    if search.has_more:
        lines.append(f"These are the first {MAX_STUDENTS} students found. Type the whole number to find one.")
    return [b.section("\n".join(lines))] if lines else []


def _owner(owner: NumberOwner, number: str) -> str:
    """Return `☎️ ••• 0142: *Colleen O'Connor* (parent) of Finn O'Connor, Nora O'Connor`, with the number now if it is another."""
    relationship = f" ({b.escaped(owner.relationship, _MAX_NAME)})" if owner.relationship else ""
    students = ", ".join(b.escaped(name, _MAX_NAME) for name in owner.students)
    has_other = not (owner.phone or "").endswith(number)
    now = f" · now {b.masked(owner.phone)}" if has_other else ""
    return f"☎️ {b.masked(number)}: *{b.escaped(owner.name, _MAX_NAME)}*{relationship} of {students}{now}"


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
    buttons += headline.letter_menu(page.filter, letters) if letters else []
    if page.total_contacts > page.fixed:
        following = links.command_text(next_student.COMMAND, page.filter.with_page(1))
        buttons.append(b.button("Next to fix", f"{links.RUN_PREFIX}.0", following))
    if page.total_contacts:
        buttons.append(b.button("Bulk edit…", links.BULK, link_text(page.filter)))
        buttons.append(b.button("Download…", links.DOWNLOAD, link_text(page.filter)))
    return b.actions(buttons)


def command_buttons(command: str, which: Filter, *, pages: int) -> list[Block]:
    """Return *Previous* and *Next* below the answer to a command that takes a filter."""
    return b.actions(
        [
            b.button(label, f"{links.RUN_PREFIX}.{number}", links.command_text(command, target))
            for number, (label, _, target) in enumerate(_turns(which, pages))
        ]
    )


def _turns(which: Filter, pages: int) -> Iterator[tuple[str, str, Filter]]:
    """Yield label, action id, and filter of the buttons to other pages."""
    if which.page > 1:
        yield "◀ Previous", links.SHOW_PREVIOUS, which.with_page(which.page - 1)
    if which.page < pages:
        yield "Next ▶", links.SHOW_NEXT, which.with_page(which.page + 1)
