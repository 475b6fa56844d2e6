"""The Home tab: one's own list whenever somebody looks, with what happened since they last did and the filter they left it with.

Whoever may not see the list reads a polite no.
"""

from datetime import datetime, timedelta
from typing import Any

from slack_bolt import App
from slack_sdk import WebClient
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import cleanup_list, filters
from bot.cleanup_list import News
from bot.errors import UserError
from bot.models import HomeTab
from bot.slack import blocks as b
from bot.slack import list_card, list_links
from bot.slack.desk import Desk
from bot.wording import count

_SAME_LOOK = timedelta(hours=1)
"""Coming back within it is still the same look, and tells the same news."""
_HELP = "`/cleanup help` says what I understand. This tab keeps the filter that you choose in it."


def register(app: App, desk: Desk) -> None:
    @app.event("app_home_opened")
    def open_home(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] == "home":
            publish(desk, client, event["user"])


def publish(desk: Desk, client: WebClient, user_id: str, *, chosen: str | None = None) -> None:
    """Draw somebody's Home tab, with the list of a filter's text that they `chose` there, or else of the one before."""
    client.views_publish(
        user_id=user_id, view={"type": "home", "blocks": _home(desk, client, user_id, chosen)[: b.VIEW_BLOCKS]}
    )


def _home(desk: Desk, client: WebClient, user_id: str, chosen: str | None) -> list[b.Block]:
    try:
        with desk.acting(client, user_id) as (session, actor):
            tab = _looked_at(session, user_id, chosen, now=desk.now())
            text = chosen or tab.filter_text
            since = tab.looked_at
            news = cleanup_list.news(session, since=since, actor=actor) if since else None
        listed = list_card.show(desk, client, user_id, text).blocks
    except UserError as no:
        return [b.header("Contact Cleanup"), b.section(no.sentence)]
    return [*(_news(news, since) if news and since else []), *listed, b.context(_HELP)]


def _looked_at(session: Session, user_id: str, chosen: str | None, *, now: datetime) -> HomeTab:
    """Note that somebody looks, and which filter they chose, without its page."""
    first = insert(HomeTab).values(user_id=user_id, filter_text=list_links.EVERYBODY, opened_at=now)
    session.execute(first.on_conflict_do_nothing())
    tab = session.get_one(HomeTab, user_id, with_for_update=True)
    if now - tab.opened_at > _SAME_LOOK:
        tab.looked_at, tab.opened_at = tab.opened_at, now
    if chosen:
        tab.filter_text = list_links.filter_text(filters.parse(chosen).filter.with_page(1))
    return tab


def _news(news: News, since: datetime) -> list[b.Block]:
    told = [
        *([f"{count(news.joined, 'contact')} joined your list"] if news.joined else []),
        *([f"{count(news.left, 'contact')} left it"] if news.left else []),
    ]
    if not told:
        return []
    fixed = f" 🎉 Of these, {news.fixed:,} got the text after a change of yours." if news.fixed else ""
    return [b.section(f"*Since you last looked* ({b.date(since)}): {' and '.join(told)}.{fixed}"), b.divider()]
