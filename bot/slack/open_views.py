"""A list that somebody has on their screen, and their Home tab, are brought up to date after each change they make in a dialog.

Slack gives no other way back to a private message than its response_url (five uses, 30 minutes), which is too personal
for a dialog's metadata; so the row's id travels there and the url stays with us.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from slack_bolt import BoltContext
from slack_sdk import WebClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.db.models.slack import OpenView
from bot.db.session import transaction
from bot.slack import commands, home
from bot.slack.kit import redraws, respond
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.list import card as list_card
from bot.slack.list import links as list_links

logger = logging.getLogger(__name__)

CHANGED = "changed_list"
_LIFE = timedelta(minutes=30)
_NOBODY_WAITS = 10


def remember(session: Session, body: dict[str, Any], filter_text: str, *, now: datetime) -> int:
    """Note where the button stood that opened a dialog; gives the id that the dialog carries.

    `filter_text` is what was typed for that list: a filter, or a command that only shows something.
    """
    view = body.get("view")
    row = OpenView(
        user_id=body["user"]["id"],
        response_url=None if view else body["response_url"],
        view_id=view["id"] if view and view["type"] == "modal" else None,
        filter_text=filter_text or list_links.EVERYBODY,
        opened_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def changed(context: BoltContext, list_id: int) -> None:
    """Say, after the commit, that this list is to be drawn again once the answer has gone out."""
    context[CHANGED] = list_id


def refresher(desk: AppContext) -> Any:
    """The lazy half of a listener: draws the changed list and the Home tab again, after the person has their answer."""

    def refresh_list(context: BoltContext, client: WebClient) -> None:
        if CHANGED in context:
            run_after_response(f"list {context[CHANGED]}", lambda: _bring_up_to_date(desk, client, context))

    return refresh_list


def _bring_up_to_date(desk: AppContext, client: WebClient, context: BoltContext) -> None:
    """Where the list behind the dialog is gone, or is the Home tab, only that."""
    with transaction(desk.engine) as session:
        row = session.get(OpenView, context[CHANGED])
    if row is None or _is_home(row):
        home.redraw(desk, client, str(context.user_id), chosen=row.filter_text if row else None)
        return
    typed = {"user_id": row.user_id, "text": row.filter_text}
    run_after_response(
        f"list {row.id}",
        lambda: redraws.show_latest(
            *(desk.engine, OpenView, row.id),
            lambda: commands.answer(desk, client, typed),
            lambda card: _put_up(client, row, card),
        ),
    )
    home.redraw(desk, client, row.user_id)


def _is_home(row: OpenView) -> bool:
    return row.view_id is None and row.response_url is None


def _put_up(client: WebClient, row: OpenView, card: Card) -> None:
    if row.response_url is None:
        client.views_update(view_id=row.view_id, view=list_card.dialog(card))
        return
    taken = respond.send_response(
        row.response_url, timeout=_NOBODY_WAITS, text=card.text, blocks=card.blocks, replace_original=True
    )
    if taken.status_code != 200:  # noqa: PLR2004
        logger.info("list %s could not be refreshed: Slack answered %s", row.id, taken.status_code)


def sweep(session: Session, *, now: datetime) -> int:
    """Forget lists whose response_url Slack no longer takes; gives how many."""
    gone = session.execute(delete(OpenView).where(OpenView.opened_at < now - _LIFE).returning(OpenView.id))
    return len(gone.all())
