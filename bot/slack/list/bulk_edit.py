"""*Several at once…*: contacts of the page shown, taken, switched to autocalls or removed together. Each is changed or refused by itself, and
the answer names who stayed as they were, and says why.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list.claims import CLAIM_DURATION, claim_contact
from bot.cleanup_list.page import Page, load_page
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.contact_edits.change import switch_to_call
from bot.contact_edits.remove import remove_contact
from bot.domain.plural import plural
from bot.domain.sms_status import meaning
from bot.errors import UserError
from bot.filters.parse import parse_filter
from bot.slack import open_views
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.list.card import STUDENTS_A_PAGE
from bot.slack.list.links import BULK
from bot.slack.student.remove import REASONS
from bot.wording import say

DONE = "list.bulk_done"
WHO, WHAT = "who", "what"
_INPUT = "value"
_TAKE, _CALL, _REMOVE = "take", "call", "remove"
_MOST, _REFUSED, _NAMED = 100, 20, 30
"""Contacts in the dialog; sentences in the answer, and names under each: a section has room for some 35."""


@dataclass(frozen=True)
class Seen:
    """A contact as the dialog showed it: `name` with its student and status."""

    contact_id: int
    version: int
    name: str

    @classmethod
    def of(cls, option: Block) -> "Seen":
        contact_id, version = option["value"].split()
        return cls(int(contact_id), int(version), option["text"]["text"])


@dataclass(frozen=True)
class Chosen:
    """What somebody chose: the contacts, and what becomes of them; `reason` where they are removed.

    The contacts are in the order of their ids, whichever was ticked first: so two people on one page wait for each other, never both.
    """

    contacts: tuple[Seen, ...]
    what: str
    reason: str

    @classmethod
    def of(cls, view: dict[str, Any]) -> "Chosen":
        values = {name: one[_INPUT] for name, one in view["state"]["values"].items()}
        what, _, why = values[WHAT]["selected_option"]["value"].partition(" ")
        contacts = sorted(map(Seen.of, values[WHO]["selected_options"]), key=attrgetter("contact_id"))
        return cls(tuple(contacts), what, say(f"remove_dialog.reason.{why}") if why else "")


def register(app: App, desk: AppContext) -> None:
    @app.action(BULK)
    def open_dialog(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            parsed = parse_filter(action["value"], load_vocabulary(session, actor))
            page = load_page(session, parsed.filter, actor=actor, page_size=STUDENTS_A_PAGE)
            options = _options(page)
            view = (
                _view(options, open_views.remember(session, body, action["value"], now=desk.now())) if options else None
            )
        respond.open_dialog(
            client,
            body,
            view
            or _answer(
                [
                    b.section(
                        "✅ Nobody on this page is left to change: whoever stands here waits for the next mass message."
                    )
                ]
            ),
        )

    def done(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        chosen = Chosen.of(body["view"])
        with desk.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            refused = [
                (_name(session, one, actor), sentence)
                for one in chosen.contacts
                if (sentence := _refusal(session, chosen, one, actor=actor, now=desk.now()))
            ]
        if len(refused) < len(chosen.contacts):
            open_views.changed(context, int(body["view"]["private_metadata"]))
        ack(response_action="update", view=_told(chosen, refused))

    app.view(DONE)(ack=done, lazy=[open_views.refresher(desk)])


def _refusal(session: Session, chosen: Chosen, one: Seen, *, actor: Actor, now: datetime) -> str | None:
    """Change one contact, or say why not; what was done to others stands."""
    try:
        with session.begin_nested():
            _change(session, chosen, one, actor=actor, now=now)
    except UserError as no:
        return no.sentence
    return None


def _name(session: Session, one: Seen, actor: Actor) -> str | None:
    """As it was shown, unless the person may not see the contact any more."""
    try:
        access.require_contact(session, one.contact_id, actor=actor)
    except UserError:
        return None
    return one.name


def _change(session: Session, chosen: Chosen, one: Seen, *, actor: Actor, now: datetime) -> None:
    contact_id, version = one.contact_id, one.version
    if chosen.what == _TAKE:
        claim_contact(session, contact_id, actor=actor, now=now)
        return
    if chosen.what == _CALL:
        switch_to_call(session, contact_id, version=version, actor=actor, now=now)
        return
    reason = chosen.reason
    remove_contact(session, contact_id, student_id=None, version=version, reason=reason, actor=actor, now=now)


def _view(options: list[Block], list_id: int) -> Block:
    what = [
        b.option("I'll take these", _TAKE, description=f"Colleagues see it for {CLAIM_DURATION.days} days"),
        b.option("Switch to autocall", _CALL, description="The same number gets calls, and no texts"),
        *map(_removal, REASONS),
    ]
    blocks = [
        _input(WHO, "Contacts on this page", {"type": "multi_static_select", "options": options}),
        _input(WHAT, "What should happen to them?", {"type": "radio_buttons", "options": what}),
        b.context("Whoever is removed is removed from all their students, and each removal can be undone."),
    ]
    title, submit = "Several at once", "Change them"
    return b.modal(title, blocks, callback_id=DONE, metadata=str(list_id), submit=submit)


def _removal(why: str) -> Block:
    reason = say(f"remove_dialog.reason.{why}")
    return b.option(f"Remove: {reason[0].lower()}{reason[1:]}", f"{_REMOVE} {why}")


def _options(page: Page) -> list[Block]:
    """Each contact once, under its first student; those who wait for the next mass message are left alone."""
    named = {
        f"{one.contact_id} {one.version}": f"{one.name} ({student.name}), {meaning(one.status).label}"
        for student in reversed(page.students)
        for one in reversed(student.listed)
        if not one.updated_at
    }
    return [b.option(text, value) for value, text in reversed(named.items())][:_MOST]


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": b.plain(label), "element": element | {"action_id": _INPUT}}


def _told(chosen: Chosen, refused: Sequence[tuple[str | None, str]]) -> Block:
    changed = len(chosen.contacts) - len(refused)
    blocks = [b.section(say(f"bulk_dialog.became.{chosen.what}", changed))] if changed else []
    if refused:
        blocks.append(
            b.section(f"⚠️ *{plural(len(refused), 'contact stayed as it was', 'contacts stayed as they were')}:*")
        )
        who = defaultdict[str, list[str | None]](list)
        for name, sentence in refused:
            who[sentence].append(name)
        blocks += [_stayed(sentence, names) for sentence, names in list(who.items())[:_REFUSED]]
    return _answer(blocks)


def _answer(blocks: list[Block]) -> Block:
    return b.modal("Several at once", blocks, callback_id=DONE, metadata="{}")


def _stayed(why: str, names: Sequence[str | None]) -> Block:
    shown = [f"• {b.escaped(name)}" for name in names if name][:_NAMED]
    rest = len(names) - len(shown)
    more = [f"• {say('touching.more.contact' if shown else 'count.contact', rest)}"] if rest else []
    return b.section("\n".join([b.escaped(why), *shown, *more]))
