"""`/cleanup pending`: what was changed here and the SIS does not have yet; as a file, too, for the roles that may export.

A file holds full numbers, so it goes only to the direct messages of the person who asked, and each one is in the audit.
"""

import io
import logging
from collections.abc import Sequence
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy import Select

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.query import narrow_students
from bot.contact_edits.pending import ChangeKind, PendingChange
from bot.contact_edits.pending_export import NO_CONTACT_IDS, ExportFormat, PendingFile, export_pending
from bot.contact_edits.pending_page import PendingPage, load_pending_page
from bot.contact_edits.write_back import Writable, count_writable
from bot.db.models.edits import EditField
from bot.domain import display
from bot.domain.display import plural
from bot.errors import UserError
from bot.filters.filter import STUDENT_CRITERIA, Filter, command_text, describe
from bot.filters.parse import parse_filter
from bot.slack.kit import api_errors, files, respond, users
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.list import card as list_card
from bot.slack.list.scope import CommandScope, read_scope
from bot.slack.student import ids

logger = logging.getLogger(__name__)

SHEET, POWERSCHOOL, WRITE = "changes.sheet", "changes.powerschool", "changes.write"
_FORMATS = {SHEET: ExportFormat.SHEET, POWERSCHOOL: ExportFormat.POWERSCHOOL}
_FILE_NAMES = {ExportFormat.SHEET: "contact-changes", ExportFormat.POWERSCHOOL: "powerschool-contacts"}
_INSTRUCTIONS = {
    ExportFormat.SHEET: "Enter these changes in the student information system. The next sync closes what it finds there.",
    ExportFormat.POWERSCHOOL: (
        "Import it with PowerSchool's Data Import Manager, into Contacts. The next sync closes what it finds there."
    ),
}
_COMMAND = "pending"
_CHANGES_ON_A_PAGE = 10
_NOUNS = {
    ChangeKind.PHONE: "new number",
    ChangeKind.METHOD: "new contact method",
    ChangeKind.REMOVED: "removed contact",
}
_MAX_TEXT = 150
_NOTHING_WRITABLE = Writable(count=0, newest=0, approved=0)


def register(app: App, ctx: AppContext) -> None:
    def check_rights(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        """Refuse at once, before the file is made."""
        ack()
        with ctx.acting(client, body["user"]["id"]) as (_, actor):
            rights.require_exporter(actor)

    def send_file(body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        export_format, which = _FORMATS[action["action_id"]], parse_filter(action["value"]).filter
        problem = run_after_response("file of changes", lambda: _try_to_send(ctx, client, body, export_format, which))
        if problem:
            run_after_response("failed file of changes", lambda: _report(client, body, problem))

    for action_id in _FORMATS:
        app.action(action_id)(ack=check_rights, lazy=[send_file])


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the pending changes of the contacts this person may see, of the students that a filter selects."""
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now())
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, text, mentioned)
        students = students_of(actor, scope.filter)
        page = load_pending_page(
            session,
            students,
            page=scope.filter.page,
            page_size=_CHANGES_ON_A_PAGE,
            is_district=actor.level is AccessLevel.DISTRICT and not scope.filter.criteria & STUDENT_CRITERIA,
        )
        may_write = ctx.settings.sis_write_back and actor.may_export and actor.may_edit
        writable = count_writable(session, students) if may_write else _NOTHING_WRITABLE
    return _card(page, scope, scope.filter.with_page(page.page), actor, writable, sis=ctx.settings.write_back_name)


def students_of(actor: Actor, which: Filter) -> Select[int]:
    return narrow_students(rights.visible_students(actor), which, today=actor.today)


def _card(page: PendingPage, scope: CommandScope, which: Filter, actor: Actor, writable: Writable, *, sis: str) -> Card:
    ignored = "Changes can be narrowed by grade, school, and teacher. The rest of what you typed is left out."
    above = [
        b.header(scope.heading("Not yet in the student information system")),
        *scope.ignored_words(ignored),
        b.section(scope.unmet or _facts(page, which, writable, sis)),
    ]
    below = [
        *list_card.command_buttons(_COMMAND, which, pages=page.pages),
        *b.actions(
            _write_button(writable, which, sis) + _file_buttons(page, which)
            if page.changes and actor.may_export
            else []
        ),
    ]
    space = b.MESSAGE_CHARACTERS - b.size(above) - b.size(below)
    return b.card([*above, *_rows(page.changes, which, space=space), *below])


def _facts(page: PendingPage, which: Filter, writable: Writable, sis: str) -> str:
    if not page.total:
        students = "contact of these students" if which.criteria else "contact of your students"
        return f"✅ Nothing is pending: the student information system has every change of every {students}."
    kinds = [plural(page.counts[kind], noun) for kind, noun in _NOUNS.items() if kind in page.counts]
    facts = [f"*{plural(page.total, 'change is', 'changes are')} pending*: {', '.join(kinds)}."]
    if page.disputed:
        disputed = plural(page.disputed, "of them has", "of them have")
        facts.append(f"⚖️ *{disputed} another value there by now.* Open the student to choose.")
    if writable.approved:
        facts.append(f"✍️ {plural(writable.approved, 'of them is', 'of them are')} being written to {sis}.")
    if page.pages > 1:
        facts.append(f"Page {page.page} of {page.pages}.")
    return "\n".join(facts)


def _rows(changes: Sequence[PendingChange], which: Filter, *, space: int) -> list[Block]:
    """Draw each change with the way back to this list, or to the whole list where a long filter takes too much space."""
    if not changes:
        return []
    drawings = [
        [b.divider(), *(row(change, here=here) for change in changes)]
        for here in (command_text(_COMMAND, which), _COMMAND)
    ]
    return next((blocks for blocks in drawings if b.size(blocks) <= space), drawings[-1])


def row(change: PendingChange, *, here: str) -> Block:
    """Draw a change with the button to its student; `here` is the text of the command that shows this list again."""
    mark = "⚖️ " if change.disputed else ""
    contact = b.escaped(display.full_name(change.given_name, change.family_name))
    students = b.escaped(", ".join(change.students), _MAX_TEXT)
    lines = [
        f"{mark}*{contact}* · {students}",
        f"{_values(change)} · {b.escaped(change.made_by)}, {b.date(change.made_at)}",
    ]
    if change.left:
        lines.append("🕓 This contact is not in the SIS anymore. The change waits in case they come back.")
    button = b.button("Open…", ids.SHOW_STUDENT, f"{change.opens} {here}", label=f"Open {change.students[0]}")
    return b.section("\n".join(lines), accessory=button)


def _values(change: PendingChange) -> str:
    if change.kind is ChangeKind.REMOVED:
        return f"removed: {b.escaped(change.new or '', _MAX_TEXT)}"
    field = EditField(change.kind)
    old, new = b.display_value(field, change.old), b.display_value(field, change.new)
    return f"{old} → {new}" if old != new else f"{old} → a new number with the same last four digits"


def _write_button(writable: Writable, which: Filter, sis: str) -> list[Block]:
    if not writable.count:
        return []
    numbers = plural(writable.count, "new number")
    confirm = b.confirm(
        f"Write {numbers} to {sis}?",
        f"Each is checked there first. A number that someone changed in {sis} meanwhile is kept, and you choose.",
        yes=f"Write {numbers}",
    )
    value = f"{writable.newest} {which.with_page(1).text}"
    return [b.button(f"Write to {sis}", WRITE, value, style="primary") | {"confirm": confirm}]


def _file_buttons(page: PendingPage, which: Filter) -> list[Block]:
    value = which.with_page(1).text
    sheet = b.button("Send me the change sheet", SHEET, value)
    return (
        [sheet, b.button("Send me PowerSchool's file", POWERSCHOOL, value)]
        if ChangeKind.PHONE in page.counts
        else [sheet]
    )


def _try_to_send(
    ctx: AppContext, client: WebClient, body: dict[str, Any], export_format: ExportFormat, which: Filter
) -> None:
    """Send the file, and say where it is, or why there is none; nothing if the first half of the listener has refused it."""
    try:
        result = api_errors.call(lambda: _send_file(ctx, client, body["user"]["id"], export_format, which))
    except UserError as error:
        if error.code == NO_CONTACT_IDS:
            _report(client, body, error.sentence)
        return
    sentence = (
        "The file is in the direct messages from this app. It has full numbers: keep it as you keep student records."
    )
    if result.outcome is not Outcome.DONE:
        logger.warning("a file of changes was not sent: %s", result.error)
        sentence = f"Slack did not accept the file. {result.advice}"
    if result.may_have_arrived:
        sentence = (
            "Slack did not answer in time, so the file may be missing. Check the direct messages from this app before "
            "you try again."
        )
    _report(client, body, sentence)


def _report(client: WebClient, body: dict[str, Any], sentence: str) -> None:
    respond.answer(client, body, Card([b.section(sentence)], sentence))


def _send_file(ctx: AppContext, client: WebClient, user_id: str, export_format: ExportFormat, which: Filter) -> None:
    now = ctx.now()
    content = io.StringIO(newline="")
    with ctx.acting(client, user_id) as (session, actor):
        rights.require_exporter(actor)
        file = export_pending(
            session,
            students_of(actor, which),
            export_format,
            content,
            settings=ctx.settings,
            actor=actor.user_id,
            narrowed_to=str(which) or None,
            now=now,
        )
    channel_id = str(client.conversations_open(users=user_id)["channel"]["id"])
    name = f"{_FILE_NAMES[export_format]}-{now.astimezone(ctx.settings.zone):%Y-%m-%d}.csv"
    comment = _comment(export_format, file, which)
    files.send_file(ctx, client, channel_id, name, content.getvalue().encode(), comment=comment)


def _comment(export_format: ExportFormat, file: PendingFile, which: Filter) -> str:
    """Return the sentences beside the file: how many changes, of which students, what to do with them, and what is left out."""
    narrowed = f", of these students only: *{b.escaped(describe(which))}*" if which.criteria else ""
    lines = [f"{plural(file.changes, 'change')} in this file{narrowed}."]
    if file.changes:
        lines.append(_INSTRUCTIONS[export_format])
    lines += [f"Left out {number:,}: {reason}." for reason, number in file.left_out.items()]
    return "\n".join(lines)
