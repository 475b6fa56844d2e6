"""*Several at once…*: claim, switch to autocalls, or remove contacts of a page together.

Each contact is changed or refused by itself, and the answer says who stayed as they were, and why.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
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
from bot.contact_edits.remove import RemovalReason, remove_contact
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS
from bot.errors import UserError
from bot.filters.parse import parse_filter
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Redraw, remember_view
from bot.slack.kit.private_metadata import read_ids, refusing_older_versions
from bot.slack.list.links import BULK

SAVE = "list.bulk_done"
CONTACTS, ACTION = "who", "what"
_CLAIM, _CALL, _REMOVE = "take", "call", "remove"
# Contacts in the dialog; reasons in the answer, and names under each: a section has space for some 35.
_MAX_CONTACTS, _MAX_REASONS, _MAX_NAMES = 100, 20, 30


@dataclass(frozen=True)
class _Contact:
    """A contact as the dialog showed it: `name` with student and status."""

    contact_id: int
    version: int
    name: str


@dataclass(frozen=True)
class _Choice:
    """The chosen contacts, ordered by id so that two people on one page never wait for each other, and what becomes of them."""

    contacts: tuple[_Contact, ...]
    action: str
    reason: RemovalReason | None


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    @app.action(BULK)
    def open_dialog(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        text = action["value"]
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            which = parse_filter(text, load_vocabulary(session, actor)).filter
            page = load_page(session, which, actor=actor)
            contacts = _contact_options(page)
            view = _view(contacts, remember_view(session, body, text, now=ctx.now())) if contacts else None
        nothing_to_do = (
            "✅ Everyone on this page has been updated already." if page.students else "This list is empty now."
        )
        respond.open_dialog(client, body, view or _answer([b.section(nothing_to_do)]))

    def save(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        choice, (list_id,) = _read_choice(body["view"]), read_ids(body["view"]["private_metadata"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            access.require_editor(actor)
            refused = [
                (_visible_name(session, contact, actor), problem)
                for contact in choice.contacts
                if (problem := _apply(session, choice, contact, actor=actor, now=ctx.now()))
            ]
        if len(refused) < len(choice.contacts):
            context[REDRAW] = Redraw(list_id)
        ack(response_action="update", view=_result(choice, refused))

    app.view(SAVE)(ack=save, lazy=[refresh])


@refusing_older_versions()
def _read_choice(view: dict[str, Any]) -> _Choice:
    values = {block_id: inputs[b.VALUE] for block_id, inputs in view["state"]["values"].items()}
    action, _, reason = values[ACTION]["selected_option"]["value"].partition(" ")
    contacts = []
    for option in values[CONTACTS]["selected_options"]:
        contact_id, version = option["value"].split()
        contacts.append(_Contact(int(contact_id), int(version), option["text"]["text"]))
    if action not in {_CLAIM, _CALL, _REMOVE}:
        raise ValueError(action)
    return _Choice(
        tuple(sorted(contacts, key=attrgetter("contact_id"))), action, RemovalReason(reason) if reason else None
    )


def _apply(session: Session, choice: _Choice, contact: _Contact, *, actor: Actor, now: datetime) -> str | None:
    """Change one contact, or return why not; the changes to others stay."""
    contact_id, version = contact.contact_id, contact.version
    try:
        with session.begin_nested():
            if choice.action == _CLAIM:
                claim_contact(session, contact_id, actor=actor, now=now)
            elif choice.reason is None:
                switch_to_call(session, contact_id, version=version, actor=actor, now=now)
            else:
                reason = choice.reason
                remove_contact(
                    session, contact_id, student_id=None, version=version, reason=reason, actor=actor, now=now
                )
    except UserError as problem:
        return problem.sentence
    return None


def _visible_name(session: Session, contact: _Contact, actor: Actor) -> str | None:
    """Return the name as shown, unless the person may not see the contact anymore."""
    try:
        access.require_contact(session, contact.contact_id, actor=actor)
    except UserError:
        return None
    return contact.name


def _contact_options(page: Page) -> list[Block]:
    """Return each contact once, under its first student; those who wait for the next mass message are left out."""
    names: dict[str, str] = {}
    for student in page.students:
        for contact in student.listed:
            if not contact.updated_at:
                value = f"{contact.contact_id} {contact.version}"
                names.setdefault(value, f"{contact.name} ({student.name}), {MEANINGS[contact.status].label}")
    return [b.option(name, value) for value, name in names.items()][:_MAX_CONTACTS]


def _view(contacts: list[Block], list_id: int) -> Block:
    actions = [
        b.option("I'll take these", _CLAIM, description=f"Colleagues see it for {CLAIM_DURATION.days} days"),
        b.option("Switch to autocall", _CALL, description="The same number gets calls, and no texts"),
        *(
            b.option(
                f"Remove from all students: {reason.sentence[0].lower()}{reason.sentence[1:]}", f"{_REMOVE} {reason}"
            )
            for reason in RemovalReason
        ),
    ]
    blocks = [
        b.input_block(CONTACTS, "Contacts on this page", {"type": "multi_static_select", "options": contacts}),
        b.input_block(ACTION, "What should happen to them?", b.radio_buttons(actions)),
        b.context(
            "*Remove* here takes a contact away from all of their students; in the dialog of a student, it can be that student "
            "only. Each removal can be undone."
        ),
    ]
    return b.modal("Several at once", blocks, callback_id=SAVE, metadata=str(list_id), submit="Apply")


def _result(choice: _Choice, refused: Sequence[tuple[str | None, str]]) -> Block:
    changed = len(choice.contacts) - len(refused)
    sentences = {
        _CLAIM: plural(changed, "contact is yours now", "contacts are yours now"),
        _CALL: plural(changed, "contact gets autocalls from now on", "contacts get autocalls from now on"),
        _REMOVE: f"{plural(changed, 'contact was removed', 'contacts were removed')} from all of their students",
    }
    blocks = [b.section(f"✅ {sentences[choice.action]}.")] if changed else []
    if refused:
        stayed = plural(len(refused), "contact stayed as it was", "contacts stayed as they were")
        blocks.append(b.section(f"⚠️ *{stayed}:*"))
        names_by_reason = defaultdict[str, list[str | None]](list)
        for name, reason in refused:
            names_by_reason[reason].append(name)
        blocks += [_refusal(reason, names) for reason, names in list(names_by_reason.items())[:_MAX_REASONS]]
    return _answer(blocks)


def _refusal(reason: str, names: Sequence[str | None]) -> Block:
    shown = [f"• {b.escaped(name)}" for name in names if name][:_MAX_NAMES]
    rest = len(names) - len(shown)
    more = [f"• {plural(rest, 'more contact' if shown else 'contact')}"] if rest else []
    return b.section("\n".join([b.escaped(reason), *shown, *more]))


def _answer(blocks: list[Block]) -> Block:
    return b.modal("Several at once", blocks, callback_id=SAVE, metadata="{}")
