"""*Bulk edit…* and *Switch all landlines to autocalls…*: claim, switch to autocalls, or remove contacts of a whole list together.

The dialog carries the id of a draft, which has the contacts and their versions. A small change is done before the response; of
a large one the first batch is, and the rest afterwards (`bulk_worker`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from bot.access import rights
from bot.cleanup_list.bulk_preview import load_preview
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.contact_edits import bulk
from bot.contact_edits.remove import RemovalReason
from bot.db.models.bulk import BulkAction, BulkChange
from bot.errors import UserError
from bot.filters.filter import Filter
from bot.filters.parse import parse_filter
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.open_views import REDRAW, Redraw, remember_view
from bot.slack.kit.private_metadata import read_ids, read_inputs, refusing_older_versions
from bot.slack.list import bulk_cards as cards
from bot.slack.list import bulk_worker
from bot.slack.list.bulk_cards import ALL, SOME
from bot.slack.list.links import BULK, BULK_CALLS

_WORK = "bulk_work"  # Where a listener leaves its `_Work` for its lazy half.
DrawDialog = Callable[..., Block]


@dataclass(frozen=True)
class _Choice:
    """`only` are the ids of the chosen contacts, None for all."""

    action: BulkAction
    reason: RemovalReason | None = None
    only: frozenset[int] | None = None


@dataclass(frozen=True)
class _Work:
    """A change that this process has leased. `is_shown`: the response has its answer, sent at `answered_at` (monotonic)."""

    change: BulkChange
    answered_at: float = 0.0
    is_shown: bool = False


def register(app: App, ctx: AppContext, *, refresh: Callable[..., None]) -> None:
    _register_dialogs(app, ctx)

    def start_chosen(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        ack(response_action="update", view=_start(ctx, body, client, context, _read_choice(body["view"])))

    def start_calls(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        ack(response_action="update", view=_start(ctx, body, client, context, _Choice(BulkAction.CALL)))

    def undo(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext, action: dict[str, Any]) -> None:
        ack()
        (bulk_id,) = read_ids(action["value"], count=1)
        view_id = body.get("view", {}).get("id")
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            change = bulk.start_undo(session, bulk_id, view_id=view_id, actor=actor, now=ctx.now())
        context[_WORK] = _Work(change)

    def finish(context: BoltContext, client: WebClient) -> None:
        work: _Work | None = context.get(_WORK)
        if work is None:  # The first half failed, or the change was started before.
            return
        do_rest = partial(bulk_worker.finish, answered_at=work.answered_at, is_shown=work.is_shown)
        run_after_response("a bulk change", partial(do_rest, ctx, client, work.change))
        context[REDRAW] = Redraw(work.change.list_id)
        refresh(context, client)

    app.view(cards.START)(ack=start_chosen, lazy=[finish])
    app.view(cards.START_CALLS)(ack=start_calls, lazy=[finish])
    app.action(cards.UNDO)(ack=undo, lazy=[finish])


def _register_dialogs(app: App, ctx: AppContext) -> None:
    @app.action(BULK)
    def open_bulk_edit(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        respond.open_dialog(client, body, _prepare_dialog(ctx, client, body, action["value"], cards.choice_dialog))

    @app.action(BULK_CALLS)
    def open_calls(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        respond.open_dialog(client, body, _prepare_dialog(ctx, client, body, action["value"], cards.calls_dialog))

    @app.action(cards.WHO_STAYED)
    def show_who_stayed(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        (bulk_id,) = read_ids(action["value"], count=1)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            change = bulk.load_change(session, bulk_id, actor=actor)
            view = cards.who_stayed(bulk.load_result(session, change, actor=actor))
        respond.open_dialog(client, body, view)


def _prepare_dialog(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str, draw: DrawDialog) -> Block:
    """Store a draft with the contacts of the whole list, whatever page it shows, and return its dialog."""
    now = ctx.now()
    with ctx.acting(client, body["user"]["id"]) as (session, actor):
        rights.require_editor(actor)
        which: Filter = parse_filter(text, load_vocabulary(session, actor)).filter.with_page(1)
        preview = load_preview(session, which, actor=actor)
        if not preview.contacts:
            return cards.nothing_to_do(preview)
        list_id = remember_view(session, body, text, now=now)
        versions = {contact.contact_id: contact.version for contact in preview.contacts}
        bulk_id = bulk.create_draft(session, versions, list_id=list_id, actor=actor, now=now)
        return draw(which, preview, metadata=f"{bulk_id} {list_id}")


def _start(ctx: AppContext, body: dict[str, Any], client: WebClient, context: BoltContext, choice: _Choice) -> Block:
    """Do the first batch, and return the answer, or the progress; a dialog that was sent twice is answered twice."""
    user_id, view_id = body["user"]["id"], body["view"]["id"]
    bulk_id, _ = read_ids(body["view"]["private_metadata"], count=2)
    with ctx.acting(client, user_id) as (session, actor):
        arguments = (session, bulk_id, choice.action, choice.reason)
        change = bulk.start_change(*arguments, only=choice.only, view_id=view_id, actor=actor, now=ctx.now())
    has_more = change is not None and bulk_worker.run_batch(ctx, client, change)
    if change is not None:
        context[_WORK] = _Work(change, time.monotonic(), is_shown=not has_more)
    with ctx.acting(client, user_id) as (session, actor):
        shown = change or bulk.load_change(session, bulk_id, actor=actor)
        if has_more:
            return cards.progress(shown, *bulk.count_done(session, shown))
        return cards.answer(shown, bulk.load_result(session, shown, actor=actor), now=ctx.now())


def _read_choice(view: dict[str, Any]) -> _Choice:
    action, reason, which, chosen = _read_values(view)
    if which == ALL and chosen:
        sentence = "You chose contacts here, and all of the list above. Clear this, or choose “Only those chosen here”."
        raise UserError("bulk.ambiguous", sentence, field=cards.CONTACTS)
    if which == SOME and not chosen:
        raise UserError("bulk.none_chosen", "Choose at least one contact.", field=cards.CONTACTS)
    return _Choice(action, reason, None if which == ALL else chosen)


@refusing_older_versions()
def _read_values(view: dict[str, Any]) -> tuple[BulkAction, RemovalReason | None, str, frozenset[int]]:
    values = read_inputs(view)
    action, _, reason = (values[cards.ACTION] or "").partition(" ")
    which = values[cards.WHICH]
    if which not in {ALL, SOME} or (action == BulkAction.REMOVE) is not bool(reason):
        raise ValueError(which)
    ids = frozenset(map(int, values.get(cards.CONTACTS, ())))
    return BulkAction(action), RemovalReason(reason) if reason else None, which, ids
