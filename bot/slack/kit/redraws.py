"""Redrawing a view after a change, so that it ends up showing the latest change whatever the order Slack receives the answers in."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import InstrumentedAttribute

from bot.db.models.slack import HomeTab, OpenView
from bot.db.session import transaction

Drawn = TypeVar("Drawn")


def show_latest(
    engine: Engine,
    table: type[HomeTab | OpenView],
    key: str | int,
    draw: Callable[[], Drawn],
    show: Callable[[Drawn], None],
) -> None:
    """Draw a view and show it; do so once more if another redraw of the same view started meanwhile.

    Of two changes at once, the answer to the first may reach Slack after the answer to the second. Not more often than twice,
    as Slack accepts five answers to one message.
    """
    started = _start(engine, table, key)
    show(draw())
    if _redraws(engine, table, key) != started:
        _start(engine, table, key)
        show(draw())


def _start(engine: Engine, table: type[HomeTab | OpenView], key: str | int) -> int | None:
    counted = update(table).where(_key(table) == key).values(redraws=table.redraws + 1).returning(table.redraws)
    with transaction(engine) as session:
        return session.scalar(counted)


def _redraws(engine: Engine, table: type[HomeTab | OpenView], key: str | int) -> int | None:
    with transaction(engine) as session:
        return session.scalar(select(table.redraws).where(_key(table) == key))


def _key(table: type[HomeTab | OpenView]) -> InstrumentedAttribute[Any]:
    return HomeTab.user_id if table is HomeTab else OpenView.id
