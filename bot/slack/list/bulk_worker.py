"""Does bulk changes, batch by batch, and shows the progress in the dialog and the answer in it and in a direct message.

The process that got the dialog goes on after its response; what it left after a crash, the clock takes over.
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from bot.contact_edits import bulk
from bot.contact_edits.bulk import LeaseLost
from bot.db import outbox
from bot.db.models.bulk import BulkChange, BulkState
from bot.db.session import transaction
from bot.errors import UserError, describe_error
from bot.slack.kit import direct_messages, outbox_worker, respond
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import bulk_cards

logger = logging.getLogger(__name__)

_RETRY = timedelta(minutes=1)
_SECONDS_BETWEEN_UPDATES = 1


def work_due(ctx: AppContext, client: WebClient) -> int:
    """Finish every change that another process left; return the number of answers sent."""
    return outbox_worker.send_each(ctx, (bulk.claim_change, lambda change: finish(ctx, client, change)))


@dataclass
class DialogProgress:
    """The dialog of a change, updated at most once a second. `updated_at` is monotonic: Slack shows our response to the dialog a
    moment after we sent it, and an update that came before would be lost.
    """

    client: WebClient
    change: BulkChange
    updated_at: float = 0.0

    def show(self, view: Block) -> None:
        if self.change.view_id:
            self.updated_at = time.monotonic()
            respond.update_dialog(self.client, self.change.view_id, view)

    @property
    def seconds_to_wait(self) -> float:
        return max(0.0, self.updated_at + _SECONDS_BETWEEN_UPDATES - time.monotonic())


def run_batch(ctx: AppContext, client: WebClient, change: BulkChange) -> bool:
    """Do the next batch in a transaction of its own, with the person's rights of this moment; return whether there may be more.

    Raises:
        LeaseLost: another process goes on with it.
    """
    now = ctx.now()
    try:
        with ctx.acting(client, change.user_id) as (session, actor):
            return bulk.run_batch(session, change, actor=actor, now=now)
    except UserError as problem:
        with transaction(ctx.engine) as session:
            bulk.give_up(session, change, problem.sentence, now=now)
        return False


def finish(
    ctx: AppContext,
    client: WebClient,
    change: BulkChange,
    *,
    answered_at: float = 0.0,
    is_shown: bool = False,
) -> Result[Any] | None:
    """Do all that is left, and send the answer. `answered_at`: when the dialog was (monotonic); `is_shown`: with the answer."""
    progress = DialogProgress(client, change, answered_at)
    try:
        while run_batch(ctx, client, change):
            if not progress.seconds_to_wait:
                progress.show(_progress_view(ctx, change))
        return _send_answer(ctx, client, change, None if is_shown else progress)
    except LeaseLost:
        return None
    except Exception as error:  # noqa: BLE001 - one change that fails must not hold up the others; the next round tries again.
        logger.error("bulk change %s: %s", change.id, describe_error(error))  # noqa: TRY400 - a traceback may hold a name.
        if change.attempts < bulk.MAX_ATTEMPTS:
            outbox_worker.retry(ctx, change, _RETRY)
        else:
            outbox_worker.fail(ctx, change)
        return None


def _progress_view(ctx: AppContext, change: BulkChange) -> Block:
    with transaction(ctx.engine) as session:
        return bulk_cards.progress(change, *bulk.count_done(session, change))


def _send_answer(
    ctx: AppContext, client: WebClient, change: BulkChange, progress: DialogProgress | None
) -> Result[Any] | None:
    try:
        with ctx.acting(client, change.user_id) as (session, actor):
            result = bulk.load_result(session, change, actor=actor)
    except UserError:
        outbox_worker.fail(ctx, change)
        return None
    if progress and change.view_id:
        time.sleep(progress.seconds_to_wait)
        progress.show(bulk_cards.answer(change, result, now=ctx.now()))
    return _send_message(ctx, client, change, bulk_cards.message(change, result))


def _send_message(ctx: AppContext, client: WebClient, change: BulkChange, card: Card) -> Result[Any] | None:
    """Send the answer as a direct message, or change the one that was sent before the undo."""
    if change.channel_id and change.ts:
        respond.update_message(client, change.channel_id, change.ts, card)
        outbox_worker.store(ctx, outbox.complete, change, BulkState.DONE)
        return None
    prepared = change.user_id, card
    result = direct_messages.send_once(ctx, client, change, lambda: prepared, sent=BulkState.DONE)
    if result and result.answer:
        place = {"channel_id": str(result.answer["channel"]), "ts": str(result.answer["ts"])}
        outbox_worker.store(ctx, outbox.complete, change, BulkState.DONE, from_states=(BulkState.DONE,), **place)
    return result
