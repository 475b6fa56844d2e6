"""`/cleanup next`: the next student to work on, one card at a time. *Fix* and *I'll take it* show the card anew; after a fix that is
the next student.

The card goes on from the student who was skipped last: `next skip 12 grade 5`, where 12 is an id.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.access import rights
from bot.cleanup_list.claims import claim_contact
from bot.cleanup_list.next_student import find_next
from bot.cleanup_list.page import Page, load_page
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.filters.filter import Filter, describe
from bot.filters.parse import Parsed, parse_filter
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Redraw, remember_view
from bot.slack.kit.private_metadata import read_ids
from bot.slack.list import links, rows

COMMAND = "next"
TAKE = "next.take"
_SKIP = "skip"
_CONTACTS = 5


@dataclass(frozen=True)
class _Place:
    """Where a person is in a list: the filter, and the id of the student who was skipped last."""

    filter: Filter
    skipped: int | None

    @property
    def text(self) -> str:
        skip = f"{_SKIP} {self.skipped} " if self.skipped else ""
        return f"{COMMAND} {skip}{self.filter.text}"


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    def take(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext) -> None:
        ack()
        student, _, text = action["value"].partition(" ")
        (student_id,) = read_ids(student, count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_student(session, student_id, actor=actor)
            rights.require_editor(actor)
            for contact_id in _unclaimed(load_page(session, Filter(student_ids=(student_id,)), actor=actor)):
                claim_contact(session, contact_id, actor=actor, now=ctx.now())
            list_id = remember_view(session, body, text, now=ctx.now())
        context[REDRAW] = Redraw(list_id)

    app.action(TAKE)(ack=take, lazy=[refresh])


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the card of the next student for what follows `next`.

    Raises:
        UserError: this person may not use the list.
    """
    skipped, text = _read_skipped(text)
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now()) if "@" in text else {}
    with ctx.viewing(client, body["user_id"]) as viewer:
        session, actor = viewer.session, viewer.actor
        vocabulary = load_vocabulary(session, actor, mentioned, roster=viewer.freshness.roster)
        parsed = parse_filter(text, vocabulary)
        place = _Place(replace(parsed.filter, page=1, number=None), skipped)
        student_id = find_next(session, place.filter, actor=actor, after=skipped)
        chosen = replace(place.filter, student_ids=(student_id,)) if student_id else None
        page = load_page(session, chosen, actor=actor) if chosen else None
    heading = f"Next to fix · {describe(place.filter)}" if place.filter.criteria else "Next to fix"
    number = ctx.our_number
    blocks = [b.header(heading), *_left_out(parsed)]
    if page is None or not page.students:
        return b.card([*blocks, *_end(place)])
    has_schools = len(vocabulary.schools) > 1
    row = rows.draw(page.students, here=place.text, contacts=_CONTACTS, has_schools=has_schools, our_number=number)
    return b.card([*blocks, *row, *_buttons(page, place, may_edit=actor.may_edit)])


def _read_skipped(text: str) -> tuple[int | None, str]:
    words = text.split()
    if words[:1] == [_SKIP] and words[1:2] and words[1].isdecimal():
        return int(words[1][:18]), " ".join(words[2:])
    return None, text


def _left_out(parsed: Parsed) -> list[Block]:
    blocks = links.not_understood(parsed)
    if parsed.filter.number:
        blocks.append(b.context("The number was left out: type it after `/cleanup` alone to see who has it."))
    return blocks


def _unclaimed(page: Page) -> list[int]:
    contacts = (contact for student in page.students for contact in student.listed)
    return [contact.contact_id for contact in contacts if not contact.updated_at and not contact.claimed_by]


def _buttons(page: Page, place: _Place, *, may_edit: bool) -> list[Block]:
    student = page.students[0]
    take = b.button("I'll take it", TAKE, f"{student.student_id} {place.text}", label=f"I take care of {student.name}")
    skip = b.button("Skip", f"{links.RUN_PREFIX}.0", replace(place, skipped=student.student_id).text)
    return b.actions([*([take] if may_edit and _unclaimed(page) else []), skip, _list_button(place)])


def _list_button(place: _Place) -> Block:
    return b.button("Show the list", links.SHOW_ALL, place.filter.text)


def _end(place: _Place) -> list[Block]:
    if place.skipped:
        again = b.button("Start again", f"{links.RUN_PREFIX}.0", replace(place, skipped=None).text)
        return [b.section("That was the last one of this list."), *b.actions([again, _list_button(place)])]
    sentence = "✅ Nothing is left to do here: each contact is fixed, waits for the family, or is a colleague's."
    return [b.section(sentence), *b.actions([_list_button(place)])]
