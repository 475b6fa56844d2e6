"""The message to a homeroom teacher about students with no adult who can be reached, and the dialogs of the answers.

Names are in the blocks only: a locked phone shows the title. The message has no number.
"""

import json
from operator import attrgetter
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.contact_edits.teacher_answers import answer_in_words, answer_number, require_question
from bot.contact_edits.teacher_questions import AskedStudent, claim_message, load_questions
from bot.db.models.teacher_questions import TeacherAnswer, TeacherMessage, TeacherQuestion, TeacherState
from bot.domain.display import plural
from bot.slack.kit import blocks as b
from bot.slack.kit import direct_messages, respond
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.private_metadata import read_ids, read_inputs, refusing_older_versions

HAVE_NUMBER, TRY_OTHER, NO_IDEA = "teacher.have_number", "teacher.try_other", "teacher.no_idea"
NUMBER_SENT, OTHER_SENT = "teacher.number_sent", "teacher.other_sent"
PHONE, NOTE = "phone", "note"
_MAX_NOTE = 300
_THANKS = {
    TeacherAnswer.NUMBER: "✅ Thank you. The office checks the number.",
    TeacherAnswer.TRY_OTHER: "✅ Thank you. The office reads what you wrote.",
    TeacherAnswer.NO_IDEA: "✅ Thank you.",
}


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every message that is due; return the number sent. A teacher who lost one of the students gets none."""

    def draw_message(session: Session, message: TeacherMessage, actor: Actor) -> Card | None:
        students = load_questions(session, message.id, actor=actor)
        return draw(students) if students else None

    reader = attrgetter("teacher")
    return direct_messages.send_due(ctx, client, claim_message, draw_message, reader=reader, sent=TeacherState.SENT)


def draw(students: tuple[AskedStudent, ...]) -> Card:
    """Draw the message: each student with buttons until it is answered."""
    title = f"{plural(len(students), 'student of yours has', 'students of yours have')} no adult we can text"
    why = (
        "The office has no number that works. Do you know one, or who might? What you write goes to the office, which checks it "
        "before anything changes."
    )
    rows = [block for student in students for block in _student(student)]
    return Card([b.section(f"*{title}*\n{why}"), *rows], f"{title}.")


def _student(student: AskedStudent) -> list[Block]:
    name, value = b.escaped(student.name), str(student.question_id)
    if student.answer:
        return [b.section(f"*{name}*\n{_THANKS[TeacherAnswer(student.answer)]}")]
    buttons = [
        b.button("I have a number", HAVE_NUMBER, value, label=f"I have a number for {student.name}"),
        b.button("Try someone else", TRY_OTHER, value, label=f"Try someone else for {student.name}"),
        b.button("No idea", NO_IDEA, value, label=f"No idea for {student.name}"),
    ]
    return [b.section(f"*{name}*"), *b.actions(buttons)]


def register(app: App, ctx: AppContext) -> None:
    @app.action(HAVE_NUMBER)
    @app.action(TRY_OTHER)
    def open_dialog(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (question_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            require_question(session, question_id, actor=actor)
        metadata = json.dumps(_place(question_id, body["container"]))
        draw_dialog = number_dialog if action["action_id"] == HAVE_NUMBER else other_dialog
        client.views_open(trigger_id=body["trigger_id"], view=draw_dialog(metadata, ctx.settings.phone_region))

    @app.action(NO_IDEA)
    def no_idea(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (question_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            answer_in_words(session, question_id, TeacherAnswer.NO_IDEA, note=None, actor=actor, now=ctx.now())
        _show_answered(ctx, client, body["user"]["id"], _place(question_id, body["container"]))

    def save(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        view, settings = body["view"], ctx.settings
        question_id, typed, note = _read(view)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            if view["callback_id"] == NUMBER_SENT:
                answer_number(
                    session,
                    question_id,
                    typed=typed,
                    note=note,
                    actor=actor,
                    region=settings.phone_region,
                    our_number=settings.opt_in_number,
                    now=ctx.now(),
                )
            else:
                other = TeacherAnswer.TRY_OTHER
                answer_in_words(session, question_id, other, note=note, actor=actor, now=ctx.now())
        ack()

    def show(body: dict[str, Any], client: WebClient) -> None:
        with refusing_older_versions():
            place = json.loads(body["view"]["private_metadata"])
        _show_answered(ctx, client, body["user"]["id"], place)

    for callback_id in (NUMBER_SENT, OTHER_SENT):
        app.view(callback_id)(ack=save, lazy=[show])


@refusing_older_versions()
def _read(view: dict[str, Any]) -> tuple[int, str, str | None]:
    """Return the question, the number as typed, and the note."""
    values = read_inputs(view)
    return int(json.loads(view["private_metadata"])["question"]), values.get(PHONE) or "", values[NOTE]


def _place(question_id: int, message: dict[str, Any]) -> dict[str, Any]:
    """Return a question and the message that it is in, as a dialog carries them."""
    return {"question": question_id, "channel": message["channel_id"], "ts": message["message_ts"]}


def _show_answered(ctx: AppContext, client: WebClient, user_id: str, place: dict[str, Any]) -> None:
    with ctx.acting(client, user_id) as (session, actor):
        question = session.get(TeacherQuestion, place["question"])
        students = load_questions(session, question.message_id, actor=actor) if question else ()
    if students:
        respond.update_message(client, place["channel"], place["ts"], draw(students))


def number_dialog(metadata: str, region: str) -> Block:
    placeholder = b.plain("(312) 555-0142" if region == "US" else "With area code, or + and the country")
    number = {"type": "plain_text_input", "max_length": 60, "placeholder": placeholder}
    blocks = [
        b.input_block(PHONE, "Phone number", number),
        _note("Whose number is it?", "For example: the aunt, who picks them up.", optional=True),
    ]
    return b.modal("I have a number", blocks, callback_id=NUMBER_SENT, metadata=metadata, submit="Send")


def other_dialog(metadata: str, _region: str) -> Block:
    blocks = [_note("Who could the office try?", "For example: the older brother is in grade 9.", optional=False)]
    return b.modal("Try someone else", blocks, callback_id=OTHER_SENT, metadata=metadata, submit="Send")


def _note(label: str, hint: str, *, optional: bool) -> Block:
    element = {"type": "plain_text_input", "multiline": True, "max_length": _MAX_NOTE}
    return b.input_block(NOTE, label, element, hint=hint, optional=optional)
