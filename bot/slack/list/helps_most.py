"""`/cleanup most`, *What helps most*: the few fixes that give an adult to the most students, with
*Fix* and *I'll take it*.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.access import rights
from bot.cleanup_list.claims import claim_contact
from bot.cleanup_list.empty_reasons import explain_empty
from bot.cleanup_list.page import load_page
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.domain import grade, phone
from bot.domain.display import plural
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter, command_text, describe
from bot.filters.parse import Parsed, parse_filter
from bot.filters.vocabulary import Vocabulary
from bot.reachability.fix_details import FixDetails, HelpedStudent, load_details
from bot.reachability.fixes import Remedy, load_plan
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext, Viewer
from bot.slack.kit.open_views import REDRAW, Redraw, remember_view
from bot.slack.kit.private_metadata import refusing_older_versions
from bot.slack.list import empty, links, rows

COMMAND = "most"
TITLE = "What helps most"
# Beside other buttons: short enough that a phone puts it into their line.
BUTTON = "Helps most"
TAKE = "fix.take"
_FIXES = 10
_MAX_NAME, _MAX_STUDENTS = 60, 5
_CHECK = "Check the number with the family, or ask for another one."
# Where the next step of the status is to wait, or to switch to calls.
_ASK = {
    SmsStatus.LANDLINE: "Ask for a mobile number.",
    SmsStatus.TURNED_OFF: _CHECK,
    SmsStatus.UNCONFIRMED: _CHECK,
}


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    def take(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext) -> None:
        ack()
        ids, _, text = action["value"].partition(" ")
        with refusing_older_versions():
            contact_ids = [int(contact_id) for contact_id in ids.split(",")]
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_editor(actor)
            for contact_id in contact_ids:
                claim_contact(session, contact_id, actor=actor, now=ctx.now())
            list_id = remember_view(session, body, text, now=ctx.now())
        context[REDRAW] = Redraw(list_id)

    app.action(TAKE)(ack=take, lazy=[refresh])


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the first fixes of the part of the list that the filter selects.

    Raises:
        UserError: this person may not use the list.
    """
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now()) if "@" in text else {}
    with ctx.viewing(client, body["user_id"]) as viewer:
        session, actor = viewer.session, viewer.actor
        vocabulary = load_vocabulary(session, actor, mentioned, roster=viewer.freshness.roster)
        parsed = parse_filter(text, vocabulary)
        which = replace(parsed.filter, page=1, number=None)
        plan = load_plan(session, which, actor=actor)
        details = load_details(session, list(islice(plan.fixes, _FIXES)))
        nothing = "" if details else _nothing(viewer, which, vocabulary)
    number = phone.describe_number(ctx.settings.opt_in_number, ctx.settings.phone_region)
    title = f"{TITLE} · {describe(which)}" if which.criteria else TITLE
    above = [b.header(title), *left_out(parsed)]
    if not details:
        return b.card([*above, b.section(nothing), *_buttons(which)])
    drawings = (
        [*above, *_fixes(details[:shown], plan.students, which, number, may_edit=actor.may_edit), *_buttons(which)]
        for shown in range(len(details), 0, -1)
    )
    return b.card(next((blocks for blocks in drawings if b.size(blocks) <= b.MESSAGE_CHARACTERS), above))


def left_out(parsed: Parsed) -> list[Block]:
    """Say which words of a filter were not understood or do not narrow this."""
    blocks = links.not_understood(parsed)
    if parsed.filter.number:
        blocks.append(b.context("The number was left out: type it after `/cleanup` alone to see who has it."))
    return blocks


def _nothing(viewer: Viewer, which: Filter, vocabulary: Vocabulary) -> str:
    """Say why there is no fix; a list without anyone is no good news by itself."""
    session, actor, freshness = viewer.session, viewer.actor, viewer.freshness
    page = load_page(session, which, actor=actor)
    if not page.total_students:
        reason = explain_empty(session, which, vocabulary, actor=actor, roster=freshness.roster, limit=1)
        return empty.explanation(reason, freshness)
    if not page.without_adult:
        return "✅ Each student of this list has an adult who can be texted."
    return (
        f"⚠️ *{plural(page.without_adult, 'student has', 'students have')} no adult who can be texted*, and there is nothing "
        "that you can do for them now: each contact is fixed and waits for the next message, is a colleague's, or opted "
        "out, which only the family can change."
    )


def _buttons(which: Filter) -> list[Block]:
    following = b.button("Next to fix", f"{links.RUN_PREFIX}.0", command_text("next", which))
    return b.actions([following, b.button("Show the list", links.SHOW_ALL, which.text)])


def _fixes(
    details: Sequence[FixDetails], students: int, which: Filter, our_number: str | None, *, may_edit: bool
) -> list[Block]:
    here = command_text(COMMAND, which)
    blocks = [b.section(sum_sentence(details, students))]
    for position, each in enumerate(details, start=1):
        take = _take(each, here) if may_edit else []
        fix = _fix_button(each, here)
        text = describe_fix(each, our_number, position=position)
        blocks += [b.section(text), *b.actions([fix, *take], block_id=f"fix.{each.fix.contact_ids[0]}")]
    return blocks


def sum_sentence(details: Sequence[FixDetails], students: int) -> str:
    """Return `*These 10 fixes give 31 students an adult.*`, and how many of all `students` are
    left.
    """
    helped = sum(len(each.fix.students) for each in details)
    fixes = "This fix gives" if len(details) == 1 else f"These {len(details)} fixes give"
    sentence = f"*{fixes} {plural(helped, 'student')} an adult.*"
    left = students - helped
    return (
        f"{sentence} {plural(left, 'more student follows', 'more students follow')} after them." if left else sentence
    )


def compact(details: Sequence[FixDetails], *, here: str, our_number: str | None) -> list[Block]:
    """Return one block a fix, without *I'll take it*; `here` is the text of the card around it."""
    return [b.section(describe_fix(each, our_number), accessory=_fix_button(each, here)) for each in details]


def describe_fix(details: FixDetails, our_number: str | None, *, position: int | None = None) -> str:
    """Return two lines: the adult with status and number, and what to do for which students."""
    relationship = f" ({b.escaped(details.relationship, _MAX_NAME)})" if details.relationship else ""
    records = f" · {len(details.fix.contact_ids)} records" if len(details.fix.contact_ids) > 1 else ""
    claim = f" · 🙋\u00a0<@{details.claimed_by}>" if details.claimed_by else ""
    place = f"{position}. " if position else ""
    name = f"*{place}{b.escaped(details.name, _MAX_NAME)}*{relationship}"
    number = f" · {b.masked(details.phone)}" if details.phone else ""
    what = f"{name} · {b.status(details.fix.status)}{number}{records}{claim}"
    return f"{what}\n{_remedy(details, our_number)} {_helped(details)}"


def hint(details: FixDetails) -> list[Block]:
    """Return what the row of a student does not say: that one press is enough, that several students
    are helped, or what to do now where the row says to wait for the next message.
    """
    is_to_check = _ASK.get(details.fix.status) == _CHECK
    needs_number = details.fix.remedy is Remedy.NEW_NUMBER and not is_to_check
    if needs_number and len(details.students) == 1:
        return []
    remedy = "" if needs_number else f"{_remedy(details, None)} "
    return [b.section(f"🎯 *{b.escaped(details.name, _MAX_NAME)}* · {remedy}{_helped(details)}")]


def _remedy(details: FixDetails, our_number: str | None) -> str:
    match details.fix.remedy:
        case Remedy.SETTLE_CONFLICT:
            return "Take the number that the student information system has now: one press."
        case Remedy.USE_NUMBER:
            return "Use their other number: one press."
        case Remedy.SWITCH_TO_CALLS:
            return "Switch to autocalls, or ask for a mobile number."
        case Remedy.NEW_NUMBER:
            return _ASK.get(details.fix.status) or b.next_step(details.fix.status, our_number)


def _helped(details: FixDetails) -> str:
    """Return `*3 students* get an adult: Finn O'Connor (Gr 2), Nora (Gr 4), and 1 more`."""
    students = details.students
    named = [_student(student, students[0]) for student in students[:_MAX_STUDENTS]]
    more = [f"{len(students) - _MAX_STUDENTS} more"] if len(students) > _MAX_STUDENTS else []
    gets = plural(len(students), "student gets", "students get")
    reached = "an adult" if details.fix.are_unreachable else "an adult who can be texted"
    return f"*{gets} {reached}:* {', '.join([*named, *more])}"


def _student(student: HelpedStudent, first: HelpedStudent) -> str:
    """Return `Nora (Gr 4)`; a family name is repeated only where it is another one."""
    is_repeated = student is not first and student.family_name == first.family_name
    name = student.name.removesuffix(f" {student.family_name}") if is_repeated else student.name
    level = f"\u00a0({grade.short(student.grade)})" if student.grade else ""
    return f"{b.escaped(name, _MAX_NAME)}{level}"


def _fix_button(details: FixDetails, here: str) -> Block:
    value = f"{details.fix.student_id} {here}"
    return b.button("Fix", rows.OPEN_STUDENT, value, label=f"Fix contact {details.name}")


def _take(details: FixDetails, here: str) -> list[Block]:
    if details.claimed_by:
        return []
    ids = ",".join(map(str, details.fix.contact_ids))
    return [b.button("I'll take it", TAKE, f"{ids} {here}", label=f"I take care of {details.name}")]
