"""The card of the cleanup list: the answer to `/cleanup`, paging and menus, the list in a dialog, and the list on the Home tab."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.cleanup_list import calls
from bot.cleanup_list import page as list_page
from bot.cleanup_list.page import MAX_UNLISTED, ListView, Page
from bot.cleanup_list.query import ListedContact, StudentRow
from bot.db.models.base import ContactMethod
from bot.domain import grade
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS, SEVERITY
from bot.filters.filter import Filter, describe
from bot.slack.kit import blocks as b
from bot.slack.kit import respond, users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import empty, links
from bot.sync.runs import STALE_AFTER

VIEW = "list.dialog"
OPEN_STUDENT = "student.open"
_MAX_NAME = 60


@dataclass(frozen=True)
class _Detail:
    """How much is drawn; less where Slack would refuse the whole."""

    contacts_per_row: int
    has_schools: bool = True
    has_menus: bool = True


# A menu of a hundred schools takes as much as all the rest, and a school can be typed.
_DETAILS = (
    *(_Detail(4), _Detail(2), _Detail(4, has_schools=False), _Detail(2, has_schools=False)),
    *(_Detail(1, has_schools=False), _Detail(2, has_menus=False), _Detail(1, has_menus=False)),
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


def show(ctx: AppContext, client: WebClient, user_id: str, text: str) -> Card:
    """Return what this person sees for the text of a filter.

    Raises:
        UserError: this person may not use the list.
    """
    now = ctx.now()
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=now) if "@" in text else {}
    with ctx.viewing(client, user_id) as viewer:
        view = list_page.load(viewer.session, text, actor=viewer.actor, freshness=viewer.freshness, mentioned=mentioned)
    drawings = (_blocks(view, detail, viewer.own_pending, now) for detail in _DETAILS)
    blocks = next((blocks for blocks in drawings if b.size(blocks) <= b.MESSAGE_CHARACTERS), None)
    return b.card(blocks or [b.header("Cleanup list"), *links.questions(view)])


def dialog(card: Card) -> Block:
    return b.modal("Contact Cleanup", card.blocks, callback_id=VIEW, metadata="{}")


def _blocks(view: ListView, detail: _Detail, own_pending: int, now: datetime) -> list[Block]:
    page = view.page
    here = page.filter.text
    if page.students:
        rows = [student_row(student, here=here, limit=detail.contacts_per_row) for student in page.students]
    else:
        rows = _empty(view, here)
    is_questionable = view.parsed.unknown or view.similar or view.commands or view.namesakes
    schools = view.schools if detail.has_schools else ()
    menus = links.menus(page.filter.with_page(1), schools=schools, grades=view.grades) if detail.has_menus else []
    hidden_schools = () if links.SHOW_SCHOOL in str(menus) or page.filter.school else view.schools
    return [
        b.header(describe(page.filter) if page.filter.criteria else "Cleanup list"),
        *_counts(page),
        *(links.questions(view) if is_questionable else []),
        *menus,
        b.divider(),
        *rows,
        *list_buttons(page),
        b.context(*_footer(view, hidden_schools, own_pending, now)),
    ]


def _counts(page: Page) -> list[Block]:
    if not page.total_students:
        return []
    counts = [(status, page.counts_by_status[status]) for status in SEVERITY if status in page.counts_by_status]
    lines = [
        f"*{plural(page.total_students, 'student')}*, {plural(page.total_contacts, 'contact')}",
        "   ".join(f"{b.status(status)}\u00a0{number:,}" for status, number in counts),
    ]
    if page.filter.no_adult:
        lines.append(
            "Students without any contact on the list are not among them: `/cleanup forecast` names every one."
        )
    elif page.alone and page.total_students == 1:
        lines.append("⚠️ *This student has no adult who can be texted.*")
    elif page.alone:
        verb = "has" if page.alone == 1 else "have"
        lines.append(f"⚠️ *{page.alone:,} of these {page.total_students:,} students {verb} no adult who can be texted.*")
    return [b.section("\n".join(lines))]


def _empty(view: ListView, here: str) -> list[Block]:
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
        return [b.section(empty.explanation(reason, view.freshness)), *similar, *whole_list]
    rows = [_unlisted_row(student, here=here) for student in reason.unlisted[:MAX_UNLISTED]]
    more = [b.context("… and more students: type more of the name.")] if len(reason.unlisted) > MAX_UNLISTED else []
    return [*rows, *more, *whole_list]


def student_row(student: StudentRow, *, here: str, limit: int) -> Block:
    """Draw a student with at most `limit` contacts. The button carries the student's id and `here`, the text of this list."""
    lines = [" · ".join([f"*{b.escaped(student.name, _MAX_NAME)}*", *_place(student)])]
    if not student.textable and student.other_ways:
        lines.append("⚠️ *No adult can be texted*, but an adult can be called or emailed.")
    elif not student.textable:
        lines.append("⚠️ *No adult can be texted*, and none gets calls or email.")
    shown = student.listed[:limit]
    lines += [line for contact in shown for line in _contact_lines(contact)]
    if (more := len(student.listed) - limit) > 0:
        lines.append(f"… and {plural(more, 'more contact')}")
    # What to do, once per status; nothing for contacts who only wait.
    statuses = dict.fromkeys(contact.status for contact in shown if not contact.updated_at)
    lines += [f"→ _{MEANINGS[status].next_step}_" for status in statuses]
    button = b.button("Fix…", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Fix contacts of {student.name}")
    return b.section("\n".join(lines), accessory=button)


def _unlisted_row(student: StudentRow, *, here: str) -> Block:
    """Draw a student without a contact on the list, opened by the same button."""
    name = f"*{b.escaped(student.name, _MAX_NAME)}*"
    if student.textable:
        sentence = f"{name} is not on the list: their contacts can be texted, as far as we know."
    elif student.other_ways:
        sentence = f"{name} is not on the list: no adult gets texts, but one can be called or emailed."
    else:
        sentence = f"{name} is not on the list, and no adult can be texted now."
    place = " · ".join(_place(student))
    button = b.button("Open…", OPEN_STUDENT, f"{student.student_id} {here}", label=f"Open {student.name}")
    return b.section(f"{sentence}\n{place}" if place else sentence, accessory=button)


def _place(student: StudentRow) -> list[str]:
    level = [grade.label(student.grade)] if student.grade else []
    return [*level, *(b.escaped(name, _MAX_NAME) for name in (*student.teachers[:1], *student.schools[:1]))]


def _contact_lines(contact: ListedContact) -> list[str]:
    """The status is shown beside the number it belongs to; a number entered since is named as the new one."""
    relationship = f" ({b.escaped(contact.relationship, _MAX_NAME)})" if contact.relationship else ""
    number = b.masked(contact.listed_phone if contact.updated_at else contact.phone)
    since = f"since\u00a0{b.date(contact.since)}"
    lines = [f"{b.status(contact.status)} · {b.escaped(contact.name, _MAX_NAME)}{relationship} · {number} · {since}"]
    if contact.updated_at:
        updated = f"Updated {b.date(contact.updated_at)}, waiting for the next mass message."
        if contact.method is not ContactMethod.TEXT:
            means = "calls" if contact.method is ContactMethod.CALL else "email"
            updated = f"Gets {means} now, no texts. {updated}"
        elif contact.phone != contact.listed_phone:
            number = b.masked(contact.phone)
            if number == b.masked(contact.listed_phone):
                updated = f"The number is new; its last four digits are the same. {updated}"
            else:
                updated = f"The number is {number} now. {updated}"
        lines.append(f"✏️ _{updated}_")
    else:
        lines += _work(contact)
    return lines


def _work(contact: ListedContact) -> list[str]:
    """Say who works on a contact: the last call, or else the claim."""
    if call := contact.call:
        return [f"📞 {calls.describe(call, who=b.mention(call.by) or 'A colleague')}."]
    return [f"🙋 <@{contact.claimed_by}> takes care of it."] if contact.claimed_by else []


def _footer(view: ListView, hidden_schools: Sequence[str], own_pending: int, now: datetime) -> list[str]:
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
    if own_pending:
        changes = plural(own_pending, "change of yours is", "changes of yours are")
        lines.append(f"✏️ {changes} not yet in the student information system: `/cleanup pending`")
    if len(hidden_schools) > 1:
        example = b.escaped(hidden_schools[0], _MAX_NAME)
        lines.append(f"For one of your {len(hidden_schools):,} schools type its name: `/cleanup school {example}`")
    return lines


def list_buttons(page: Page) -> list[Block]:
    """Return the buttons below a list: other pages, and what is done with the list as a whole."""
    buttons = [b.button(label, action_id, which.text) for label, action_id, which in _turns(page.filter, page.pages)]
    if page.total_contacts:
        buttons.append(b.button("Several at once…", links.BULK, page.filter.text))
        buttons.append(b.button("Download…", links.DOWNLOAD, page.filter.with_page(1).text))
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
