"""Writing to the SIS: the approval under `/cleanup pending`, and a direct message with the result to the person who approved.

Names are in the blocks only: a locked phone shows the text.
"""

from operator import attrgetter
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.contact_edits.pending import load_changes
from bot.contact_edits.write_back import BatchResult, approve_writes, claim_result, load_result, require_writer
from bot.db.models.sis_writes import BatchState, SisWriteBatch, WriteState
from bot.domain.display import plural
from bot.errors import UserError
from bot.filters.parse import parse_filter
from bot.sis.write_plan import Obstacle
from bot.slack import pending
from bot.slack.kit import blocks as b
from bot.slack.kit import direct_messages, respond
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext

_MAX_ROWS = 8
_COMMAND = "pending"
# What to do with an edit that was not written; `{sis}` is the name of the SIS.
_REASONS = {
    Obstacle.NOT_POWERSCHOOL: "The contact was not read from this {sis}.",
    Obstacle.NO_STUDENT_ID: "The student has no student ID of {sis} here.",
    Obstacle.GONE: "The contact is not active there or here anymore.",
    Obstacle.OTHER_NAME: "The contact has another name there. If it is the same person, the next sync brings the name.",
    Obstacle.AMBIGUOUS: "The student has several contacts of this name there.",
    Obstacle.LOCKED: "The contact is locked there.",
    Obstacle.NOTE: "Words stand beside the number there, and would be lost.",
    Obstacle.EXTENSION: "The number has an extension there.",
    Obstacle.OTHER_NUMBER: "The contact has other phones there, and would be read with one of those. Order or delete them.",
    Obstacle.UNREADABLE: "What stands in the field there cannot be read as a number, and would be lost.",
    Obstacle.FOREIGN: "{sis} holds only numbers of ten digits.",
    Obstacle.REFUSED: "{sis} did not take the change.",
    Obstacle.UNCLEAR: "{sis} did not confirm the change. Look whether it is there.",
    Obstacle.EXPIRED: "{sis} could not be reached within three days. Approve it again.",
}


def register(app: App, ctx: AppContext) -> None:
    @app.action(pending.WRITE)
    def approve(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        newest, _, which = action["value"].partition(" ")
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            require_writer(actor)
            if ctx.settings.sis_write_back is None:
                sentence = (
                    "Writing to the student information system is switched off now. Ask the people who run this app."
                )
                raise UserError("write_back.off", sentence)
            students = pending.students_of(actor, parse_filter(which).filter)
            count = approve_writes(session, students, newest=int(newest), actor=actor, now=ctx.now())
        sentence = (
            f"Writing {plural(count, 'new number')} to {ctx.settings.write_back_name}. You get a direct message with the result, "
            "usually within minutes."
        )
        respond.answer(client, body, Card([b.section(f"✍️ {sentence}")], sentence))


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every result that is due to the person who approved it; return the number sent."""

    def draw(session: Session, batch: SisWriteBatch, actor: Actor) -> Card:
        return _card(session, load_result(session, batch.id), actor, ctx.settings.write_back_name)

    reader = attrgetter("approved_by")
    return direct_messages.send_due(ctx, client, claim_result, draw, reader=reader, sent=BatchState.SENT)


def _card(session: Session, result: BatchResult, actor: Actor, sis: str) -> Card:
    done = result.counts.get(WriteState.DONE, 0)
    withdrawn = result.counts.get(WriteState.WITHDRAWN, 0)
    facts = [f"✅ In {sis} now: {plural(done, 'number')}."]
    if withdrawn:
        facts.append(f"↩️ Changed or undone here meanwhile: {plural(withdrawn, 'number')}.")
    blocks = [b.section("\n".join([f"*Numbers that you approved for {sis}*", *facts]))]
    if result.conflicts:
        sentence = (
            f"⚖️ *{plural(len(result.conflicts), 'contact has', 'contacts have')} a newer number in {sis}.* It was kept. "
            "Open the student to choose."
        )
        blocks += _group(session, actor, sentence, result.conflicts)
    for reason, edit_ids in result.blocked.items():
        sentence = (
            f"✋ *{plural(len(edit_ids), 'number')} for you to change in {sis}.* {_REASONS[reason].format(sis=sis)}"
        )
        blocks += _group(session, actor, sentence, edit_ids)
    return Card(blocks, " ".join(facts))


def _group(session: Session, actor: Actor, sentence: str, edit_ids: tuple[int, ...]) -> list[Block]:
    """Draw the edits that are still in force, of students the reader may see now."""
    changes = load_changes(session, rights.visible_students(actor), edit_ids=edit_ids, removal_ids=[])
    more = len(changes) - _MAX_ROWS
    return [
        b.divider(),
        b.section(sentence),
        *(pending.row(change, here=_COMMAND) for change in changes[:_MAX_ROWS]),
        *([b.context(f"… and {more:,} more. Open the students from `/cleanup pending`.")] if more > 0 else []),
    ]
