"""Lists that people have on screen, so that a change can redraw them.

Slack offers no other way back to a private message than its response_url (five uses, 30 minutes), which is too private for a
dialog's metadata; so the dialog carries the id of a row, and the URL stays with us.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from bot.db.models.slack import HomeTab, OpenView
from bot.db.session import transaction
from bot.filters.filter import EVERYONE

_LIFETIME = timedelta(minutes=30)
REDRAW = "redraw"  # Where a listener leaves its `Redraw` in the BoltContext for its lazy half, after the commit.

Drawing = TypeVar("Drawing")


@dataclass(frozen=True)
class Notice:
    """What was done, for the line above a redrawn list or student.

    `undo` is the action id of the button that takes it back, with the id that it takes back. `copy` are the ids of a contact and a
    student whose new number has to be entered elsewhere, and `leads_to_pending` offers the list of such changes.
    """

    sentence: str
    undo: tuple[str, int] | None = None
    copy: tuple[int, int] | None = None
    leads_to_pending: bool = False


@dataclass(frozen=True)
class OpenDialog:
    """A student dialog on screen."""

    view_id: str
    student_id: int


@dataclass(frozen=True)
class Redraw:
    """The views to redraw after a change, besides the Home tab: the list behind, and the student dialog.

    The dialog shows the notice, or the list where no dialog is open.
    """

    list_id: int
    dialog: OpenDialog | None = None
    notice: Notice | None = None


def remember_view(session: Session, body: dict[str, Any], text: str, *, now: datetime) -> int:
    """Store the place of the button that opened a dialog, and return the id for the dialog.

    `text` is what was typed for that list: a filter, or a command that only shows something.
    """
    view = body.get("view")
    row = OpenView(
        user_id=body["user"]["id"],
        response_url=None if view else body["response_url"],
        view_id=view["id"] if view and view["type"] == "modal" else None,
        filter_text=text or EVERYONE,
        opened_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def show_latest(
    engine: Engine,
    table: type[HomeTab | OpenView],
    key: str | int,
    draw: Callable[[], Drawing],
    show: Callable[[Drawing], None],
) -> None:
    """Draw a view and show it; do so once more if another redraw of the same view started meanwhile.

    Of two changes at once, the answer to the first may reach Slack after the answer to the second. At most twice, as Slack accepts
    five answers to one message.
    """
    is_view = (HomeTab.user_id if table is HomeTab else OpenView.id) == key
    count = update(table).where(is_view).values(redraws=table.redraws + 1).returning(table.redraws)
    with transaction(engine) as session:
        started = session.scalar(count)
    show(draw())
    with transaction(engine) as session:
        if session.scalar(select(table.redraws).where(is_view)) == started:
            return
        session.execute(count)
    show(draw())


def delete_expired_views(session: Session, *, now: datetime) -> int:
    """Delete views whose response_url Slack no longer accepts, and return how many."""
    expired = delete(OpenView).where(OpenView.opened_at < now - _LIFETIME).returning(OpenView.id)
    return len(session.execute(expired).all())
