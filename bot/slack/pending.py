"""`/cleanup pending`: what was changed here and the SIS does not have yet; and, for the roles that may, as a file.

A file holds whole numbers, so it goes only into the direct messages of whoever pressed, and each one is in the audit.
"""

import io
import logging
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import access, audit, sis_changes
from bot.access import Actor
from bot.audit import Subject
from bot.errors import UserError, traced
from bot.models import ContactMethod
from bot.sis_changes import Change, Counts, Waiting, Written
from bot.slack import blocks as b
from bot.slack import refusals, reply
from bot.slack.blocks import Block
from bot.slack.card import TEXT, Card
from bot.slack.desk import Desk
from bot.slack.list_rows import OPEN_STUDENT
from bot.wording import METHODS, count

logger = logging.getLogger(__name__)

SHEET, POWERSCHOOL = "changes.sheet", "changes.powerschool"
_HERE = "pending"
_SHOWN = 10


def register(app: App, desk: Desk) -> None:
    for action_id in _FILES:
        app.action(action_id)(ack=_asked(desk), lazy=[_sender(desk, action_id)])


def show(desk: Desk, client: WebClient, body: dict[str, Any]) -> Card:
    """What waits of the contacts this person may see."""
    with desk.acting(client, body["user_id"]) as (session, actor):
        students = access.students_for(actor)
        counts = sis_changes.counts(session, students)
        return _card(counts, sis_changes.newest(session, students, limit=_SHOWN), actor)


def _card(counts: Counts, newest: list[Waiting], actor: Actor) -> Card:
    head = "Not yet in the student information system"
    if not counts.total:
        nothing = "✅ Nobody waits: the student information system has every change of your students' contacts."
        return Card([b.header(head), b.section(nothing)], nothing)
    rows = [row(one, here=_HERE) for one in newest]
    more = [f"… and {counts.total - len(rows):,} more."] if counts.total > len(rows) else []
    blocks = [
        b.header(head),
        b.section(_facts(counts)),
        b.divider(),
        *rows,
        *([b.context(*more)] if more else []),
        *b.actions(_buttons(counts) if actor.may_export else []),
    ]
    return Card(blocks, b.cut("\n".join([head, _facts(counts), *map(_change, newest), *more]), TEXT))


def _facts(counts: Counts) -> str:
    kinds = [
        (counts.phone, "new number", "new numbers"),
        (counts.method, "new contact method", "new contact methods"),
        (counts.removed, "removed contact", "removed contacts"),
    ]
    said = ", ".join(count(number, one, many) for number, one, many in kinds if number)
    facts = [f"*{count(counts.total, 'change waits', 'changes wait')}*: {said}."]
    if counts.disputed:
        of = count(counts.disputed, "of them has", "of them have")
        facts.append(f"⚖️ *{of} another value there by now.* Open the student to choose.")
    return "\n".join(facts)


def row(one: Waiting, *, here: str) -> Block:
    """A change, and the button to its student; `here` is the text that shows the list again where the button stands."""
    named = f"Open {one.students[0]}"
    return b.section(_change(one), accessory=b.button("Open…", OPEN_STUDENT, f"{one.opens} {here}", label=named))


def _change(one: Waiting) -> str:
    students = b.escaped(b.cut(", ".join(one.students), 150))
    mark = "⚖️ " if one.disputed else ""
    return (
        f"{mark}*{b.escaped(f'{one.given_name} {one.family_name}')}* · {students}\n"
        f"{_said(one)} · {b.escaped(one.made_by)}, {b.date(one.made_at)}"
    )


def _said(one: Waiting) -> str:
    if one.change is Change.PHONE:
        return f"{b.masked(one.old)} → {b.masked(one.new)}"
    if one.change is Change.METHOD:
        return f"{_method(one.old)} → {_method(one.new)}"
    return f"removed: {b.escaped(b.cut(one.new or '', 150))}"


def _method(value: str | None) -> str:
    return METHODS[value or ContactMethod.TEXT]


def _buttons(counts: Counts) -> list[Block]:
    made = [b.button("Send me the change sheet", SHEET, "all")]
    return [*made, b.button("Send me PowerSchool's file", POWERSCHOOL, "all")] if counts.phone else made


def _asked(desk: Desk) -> Any:
    """Said at once, before the file is made: whether this person may have it."""

    def pressed(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]) as (_, actor):
            access.exporter(actor)

    return pressed


def _sender(desk: Desk, action_id: str) -> Any:
    """The lazy half: the file is made, the audit committed, and then it leaves."""

    def send(body: dict[str, Any], client: WebClient) -> None:
        try:
            _send(desk, client, body["user"]["id"], action_id)
            said = "I sent it to you in a direct message. It holds whole numbers: keep it where such lists belong."
        except UserError:
            return  # The first half of the listener has said why.
        except SlackApiError as problem:
            logger.warning("a file of changes was not sent: %s", refusals.word(problem))
            said = "Slack did not take the file. Please try again in a minute."
        except (OSError, HTTPException) as problem:
            logger.warning("a file of changes was not sent: %s", traced(problem))
            said = "Slack did not answer in time, so the file may be missing. Look at my direct messages before you try again."
        reply.send(body["response_url"], text=said, blocks=[b.section(said)], replace_original=False)

    return send


def _send(desk: Desk, client: WebClient, user_id: str, action_id: str) -> None:
    name, write = _FILES[action_id]
    now = desk.now()
    content = io.StringIO(newline="")
    with desk.acting(client, user_id) as (session, actor):
        access.exporter(actor)
        written = write(desk, session, actor, content)
        _record(session, actor, name, written, now)
    channel = client.conversations_open(users=user_id)["channel"]["id"]
    day = now.astimezone(desk.settings.zone).date()
    client.files_upload_v2(
        channel=channel,
        filename=f"{name}-{day}.csv",
        content=content.getvalue(),
        initial_comment=_comment(written),
    )


def _record(session: Session, actor: Actor, name: str, written: Written, now: datetime) -> None:
    subject = Subject("file", None)
    after = f"{name}: {count(written.changes, 'change')}"
    audit.record(session, subject, actor=actor.user_id, action="changes.exported", after=after, now=now)


def _comment(written: Written) -> str:
    left_out = [f"Left out {number:,}: {reason}." for reason, number in written.left_out.items()]
    return "\n".join([f"{count(written.changes, 'change')} in this file.", *left_out])


def _sheet(desk: Desk, session: Session, actor: Actor, to: io.StringIO) -> Written:
    changes = sis_changes.waiting(session, access.students_for(actor))
    return sis_changes.change_sheet(changes, to, zone=desk.settings.zone, region=desk.settings.phone_region)


def _powerschool(desk: Desk, session: Session, actor: Actor, to: io.StringIO) -> Written:
    changes = sis_changes.waiting(session, access.students_for(actor))
    return sis_changes.powerschool(changes, to, region=desk.settings.phone_region)


_FILES: dict[str, tuple[str, Callable[[Desk, Session, Actor, io.StringIO], Written]]] = {
    SHEET: ("contact-changes", _sheet),
    POWERSCHOOL: ("powerschool-contacts", _powerschool),
}
