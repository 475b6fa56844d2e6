"""`/cleanup next`: the next student to work on, one card at a time. *Fix* and *I'll take it* show
the card anew; after a fix that is the next student.

First come the fixes that give an adult to the most students without one, each on the card of the
student under which the list shows the contact, then the list in its order, without those students.
`next skip 12,15 grade 5` are the students skipped among the fixes, by id, and `next skip 12,15
after 44 grade 5` is behind them, after the student of the list who was skipped last.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.claims import claim_contact
from bot.cleanup_list.next_student import find_next, load_card
from bot.cleanup_list.query import StudentRow
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.filters.filter import Filter, describe
from bot.filters.parse import parse_filter
from bot.reachability.fix_details import FixDetails, load_details
from bot.reachability.fixes import load_plan
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Redraw, remember_view
from bot.slack.kit.private_metadata import read_ids
from bot.slack.list import helps_most, links, rows

COMMAND = "next"
TAKE = "next.take"
_CONTACTS = 5
# Their ids are in the values of buttons, which Slack bounds. After so many the list goes on in its order.
_MOST_SKIPPED = 100
_PLACE = re.compile(r"(?:skip (\d{1,18}(?:,\d{1,18})*)(?: |$))?(?:after (\d{1,18})(?: |$))?(.*)", re.DOTALL)


@dataclass(frozen=True)
class _Place:
    """Where a person is: the filter, the ids of the students skipped among the fixes, and of the
    one skipped last in the list.
    """

    filter: Filter
    skipped: tuple[int, ...] = ()
    after: int | None = None

    @property
    def is_in_list(self) -> bool:
        return self.after is not None or len(self.skipped) >= _MOST_SKIPPED

    @property
    def text(self) -> str:
        skip = f"skip {','.join(map(str, self.skipped))} " if self.skipped else ""
        after = f"after {self.after} " if self.after is not None else ""
        return f"{COMMAND} {skip}{after}{self.filter.text}"

    def skip(self, student_id: int, *, is_fix: bool) -> "_Place":
        return replace(self, skipped=(*self.skipped, student_id)) if is_fix else replace(self, after=student_id)


@dataclass(frozen=True)
class _Next:
    """The student of a card, None at the end, and the fix that the card is for, None in the list."""

    student_id: int | None
    fix: FixDetails | None = None


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    def take(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any], context: BoltContext) -> None:
        ack()
        ids, _, text = action["value"].partition(" ")
        (student_id,) = read_ids(ids, count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            rights.require_student(session, student_id, actor=actor)
            rights.require_editor(actor)
            student = load_card(session, Filter(), student_id, actor=actor)
            for contact_id in _unclaimed(student) if student else []:
                claim_contact(session, contact_id, actor=actor, now=ctx.now())
            list_id = remember_view(session, body, text, now=ctx.now())
        context[REDRAW] = Redraw(list_id)

    app.action(TAKE)(ack=take, lazy=[refresh])


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the card of the next student for what follows `next`.

    Raises:
        UserError: this person may not use the list.
    """
    skipped, after, text = _read_place(text)
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now()) if "@" in text else {}
    with ctx.viewing(client, body["user_id"]) as viewer:
        session, actor = viewer.session, viewer.actor
        vocabulary = load_vocabulary(session, actor, mentioned, roster=viewer.freshness.roster)
        parsed = parse_filter(text, vocabulary)
        place = _Place(replace(parsed.filter, page=1, number=None), skipped, after)
        found = _find_next(session, place, actor)
        student = load_card(session, place.filter, found.student_id, actor=actor) if found.student_id else None
    heading = f"Next to fix · {describe(place.filter)}" if place.filter.criteria else "Next to fix"
    number = ctx.our_number
    blocks = [b.header(heading), *helps_most.left_out(parsed)]
    if student is None:
        return b.card([*blocks, *_end(place)])
    has_schools = len(vocabulary.schools) > 1
    row = rows.draw([student], here=place.text, contacts=_CONTACTS, has_schools=has_schools, our_number=number)
    hint = helps_most.hint(found.fix) if found.fix else []
    following = place.skip(student.student_id, is_fix=found.fix is not None)
    return b.card([*blocks, *hint, *row, *_buttons(student, place, following, may_edit=actor.may_edit)])


def _read_place(text: str) -> tuple[tuple[int, ...], int | None, str]:
    """Return the skipped students, the last one skipped in the list, and the rest of the text,
    which is a filter.
    """
    match = _PLACE.fullmatch(text)
    skipped, after, rest = match.groups() if match else (None, None, text)
    return tuple(map(int, skipped.split(","))) if skipped else (), int(after) if after else None, rest


def _find_next(session: Session, place: _Place, actor: Actor) -> _Next:
    if not place.is_in_list:
        fixes = load_plan(session, place.filter, actor=actor).fixes
        fix = next((fix for fix in fixes if fix.student_id not in place.skipped), None)
        if fix and (details := load_details(session, [fix])):
            return _Next(fix.student_id, details[0])
    return _Next(find_next(session, place.filter, actor=actor, after=place.after, without=place.skipped))


def _unclaimed(student: StudentRow) -> list[int]:
    return [contact.contact_id for contact in student.listed if not contact.updated_at and not contact.claimed_by]


def _buttons(student: StudentRow, place: _Place, following: _Place, *, may_edit: bool) -> list[Block]:
    take = b.button("I'll take it", TAKE, f"{student.student_id} {place.text}", label=f"I take care of {student.name}")
    skip = b.button("Skip", f"{links.RUN_PREFIX}.0", following.text)
    return b.actions([*([take] if may_edit and _unclaimed(student) else []), skip, _list_button(place)])


def _list_button(place: _Place) -> Block:
    return b.button("Show the list", links.SHOW_ALL, place.filter.text)


def _end(place: _Place) -> list[Block]:
    if place != _Place(place.filter):
        again = b.button("Start again", f"{links.RUN_PREFIX}.0", _Place(place.filter).text)
        return [b.section("That was the last one of this list."), *b.actions([again, _list_button(place)])]
    sentence = "✅ Nothing is left to do here: each contact is fixed, waits for the family, or is a colleague's."
    return [b.section(sentence), *b.actions([_list_button(place)])]
