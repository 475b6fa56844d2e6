"""`/cleanup pending`: what was changed here and the SIS does not have yet; and, for the roles that may, as a file.

A file holds whole numbers, so it goes only into the direct messages of whoever pressed, and each one is in the audit.
"""

import io
import logging
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Select

from bot import access
from bot.access import Actor
from bot.cleanup_list.student_filter import narrow_students
from bot.contact_edits.pending import PendingChange, PendingCounts, PendingPage, count_pending, newest_pending
from bot.contact_edits.pending_export import ExportFormat, export_pending
from bot.contact_edits.pending_files import PendingFile
from bot.db.models.edits import EditField
from bot.domain.plural import plural
from bot.errors import UserError, describe_error
from bot.filters.filter import Filter, describe, page_count
from bot.filters.parse import parse_filter
from bot.slack.kit import api_errors, mentions, respond
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import TEXT, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.list import links as list_links
from bot.slack.list import scope
from bot.slack.list.rows import OPEN_STUDENT
from bot.slack.list.scope import Asked
from bot.wording import say

logger = logging.getLogger(__name__)

SHEET, POWERSCHOOL = "changes.sheet", "changes.powerschool"
_COMMAND = "pending"
_SHOWN = 10


def register(app: App, desk: AppContext) -> None:
    for action_id in _FILES:
        app.action(action_id)(ack=_asked(desk), lazy=[_sender(desk, action_id)])


def show(desk: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """What waits of the contacts this person may see; of those students that a filter means, if one follows."""
    mentioned = mentions.emails(desk, client, text)
    with desk.acting(client, body["user_id"]) as (session, actor):
        asked = scope.read(session, actor, text, mentioned)
        students = _students(actor, asked.which)
        counts = count_pending(session, students)
        page = min(asked.which.page, _pages(counts))
        newest = newest_pending(session, students, limit=_SHOWN, skip=(page - 1) * _SHOWN)
    return _card(counts, newest, asked, asked.which.with_page(page), actor)


def _students(actor: Actor, which: Filter) -> Select[int]:
    return narrow_students(access.visible_students(actor), which, today=actor.today)


def _pages(counts: PendingCounts) -> int:
    return page_count(counts.total, _SHOWN)


def _card(counts: PendingCounts, newest: list[PendingPage], asked: Asked, which: Filter, actor: Actor) -> Card:
    head = asked.heading("Not yet in the student information system")
    facts = asked.unmet or _facts(counts, which)
    above = [
        b.header(head),
        *asked.asides(
            left_out="Changes are found by grade, school or teacher. The rest of what you typed is left out."
        ),
        b.section(facts),
    ]
    below = [
        *list_links.turning_command(_COMMAND, which, pages=_pages(counts)),
        *b.actions(_buttons(counts, which) if newest and actor.may_export else []),
    ]
    return Card(
        [*above, *_rows(newest, which, room=b.MESSAGE_CHARACTERS - b.size(above) - b.size(below)), *below],
        b.cut("\n".join([b.escaped(head), facts, *map(_change, newest)]), TEXT),
    )


def _rows(newest: list[PendingPage], which: Filter, *, room: int) -> list[Block]:
    """Each with the way back to this list; to the list of all, where there is no room to say a long filter so often."""
    if not newest:
        return []
    ways_back = (list_links.command_text(_COMMAND, which), _COMMAND)
    drawn = [[b.divider(), *(row(one, here=here) for one in newest)] for here in ways_back]
    return next((blocks for blocks in drawn if b.size(blocks) <= room), drawn[-1])


def _facts(counts: PendingCounts, which: Filter) -> str:
    if not counts.total:
        return (
            (
                "✅ Nothing is waiting of these students: the student information system has every change of "
                "their contacts."
            )
            if which.criteria
            else ("✅ Nothing is waiting: the student information system has every change of your students' contacts.")
        )
    kinds = {"phone": counts.phone, "method": counts.method, "removed": counts.removed}
    said = ", ".join(say(f"pending.kind.{kind}", number) for kind, number in kinds.items() if number)
    facts = [f"*{plural(counts.total, 'change waits', 'changes wait')}*: {said}."]
    if counts.disputed:
        facts.append(
            f"⚖️ *{plural(counts.disputed, 'of them has', 'of them have')} another value there by now.* "
            "Open the student to choose."
        )
    if _pages(counts) > 1:
        facts.append(f"{say('everywhere.page', page=which.page, pages=_pages(counts))}.")
    return "\n".join(facts)


def row(one: PendingPage, *, here: str) -> Block:
    """A change, and the button to its student; `here` is the text that shows the list again where the button stands."""
    aloud = f"Open {one.students[0]}"
    opened = b.button("Open…", OPEN_STUDENT, f"{one.opens} {here}", label=aloud)
    return b.section(_change(one), accessory=opened)


def _change(one: PendingPage) -> str:
    students = b.escaped(b.cut(", ".join(one.students), 150))
    mark = "⚖️ " if one.disputed else ""
    return (
        f"{mark}*{b.escaped(f'{one.given_name} {one.family_name}')}* · {students}\n"
        f"{_said(one)} · {b.escaped(one.made_by)}, {b.date(one.made_at)}"
    )


def _said(one: PendingPage) -> str:
    if one.change is PendingChange.PHONE:
        return f"{b.masked(one.old)} → {b.masked(one.new)}"
    if one.change is PendingChange.METHOD:
        return f"{b.value_of(EditField.METHOD, one.old)} → {b.value_of(EditField.METHOD, one.new)}"
    return f"removed: {b.escaped(b.cut(one.new or '', 150))}"


def _buttons(counts: PendingCounts, which: Filter) -> list[Block]:
    whose = list_links.filter_text(which.with_page(1))
    made = [b.button("Send me the change sheet", SHEET, whose)]
    return [*made, b.button("Send me PowerSchool's file", POWERSCHOOL, whose)] if counts.phone else made


def _asked(desk: AppContext) -> Any:
    """Said at once, before the file is made: whether this person may have it."""

    def pressed(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]) as (_, actor):
            access.require_exporter(actor)

    return pressed


def _sender(desk: AppContext, action_id: str) -> Any:
    """The lazy half: the file is made, the audit committed, and then it leaves."""

    def send(body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        whose = parse_filter(action["value"]).filter
        said = run_after_response(
            "a file of changes", lambda: _sent(desk, client, body["user"]["id"], action_id, whose)
        )
        if said:
            run_after_response("what became of a file of changes", lambda: _tell(body["response_url"], said))

    return send


def _sent(desk: AppContext, client: WebClient, user_id: str, action_id: str, whose: Filter) -> str | None:
    """What became of the file; nothing to say where the first half of the listener has said why there is none."""
    try:
        _send(desk, client, user_id, action_id, whose)
    except UserError:
        return None
    except SlackApiError as problem:
        logger.warning("a file of changes was not sent: %s", api_errors.error_code(problem))
        return "Slack did not take the file. Please try again in a minute."
    except (OSError, HTTPException) as problem:
        logger.warning("a file of changes was not sent: %s", describe_error(problem))
        return (
            "Slack did not answer in time, so the file may be missing. Look at my direct messages before you try again."
        )
    return "I sent it to you in a direct message. It holds whole numbers: keep it where such lists belong."


def _tell(response_url: str, said: str) -> None:
    respond.send_response(response_url, text=said, blocks=[b.section(said)], replace_original=False)


def _send(desk: AppContext, client: WebClient, user_id: str, action_id: str, whose: Filter) -> None:
    name, form = _FILES[action_id]
    now = desk.now()
    content = io.StringIO(newline="")
    with desk.acting(client, user_id) as (session, actor):
        access.require_exporter(actor)
        written = export_pending(
            session,
            _students(actor, whose),
            form,
            content,
            settings=desk.settings,
            actor=actor.user_id,
            narrowed_to=str(whose) or None,
            now=now,
        )
    channel = client.conversations_open(users=user_id)["channel"]["id"]
    day = now.astimezone(desk.settings.zone).date()
    client.files_upload_v2(
        channel=channel,
        filename=f"{name}-{day}.csv",
        content=content.getvalue(),
        initial_comment=_comment(form, written, whose),
    )


def _comment(form: ExportFormat, written: PendingFile, whose: Filter) -> str:
    """How many changes it holds, of whom, what to do with them, and what it does not hold."""
    left_out = [f"Left out {number:,}: {reason}." for reason, number in written.left_out.items()]
    what_next = [say(f"pending.next_step.{form}")] if written.changes else []
    held = f"{plural(written.changes, 'change')} in this file."
    if whose.criteria:
        held = (
            f"{plural(written.changes, 'change')} in this file, of these students only: *{b.escaped(describe(whose))}*."
        )
    return "\n".join([held, *what_next, *left_out])


_FILES = {
    SHEET: ("contact-changes", ExportFormat.SHEET),
    POWERSCHOOL: ("powerschool-contacts", ExportFormat.POWERSCHOOL),
}
"""What the file is called that a button asks for, and its form."""
