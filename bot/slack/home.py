"""The Home tab: one's own list with the filter they left it with, what happened since they last looked, and their own changes that
wait for the SIS. Whoever may not see the list reads a polite no.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor, Reach
from bot.cleanup_list.activity import load_activity
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.contact_edits.pending import newest_pending
from bot.db.models.slack import HomeTab
from bot.db.session import transaction
from bot.domain.plural import plural
from bot.errors import UserError
from bot.filters.filter import Filter
from bot.filters.parse import parse_filter
from bot.slack import help as help_card
from bot.slack import pending
from bot.slack.kit import blocks as b
from bot.slack.kit import redraws, respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links as list_links

_SAME_LOOK = timedelta(hours=1)
"""Coming back within it is still the same look, and tells the same news."""
_SHOWN, _SCHOOLS = 5, 3
HELP = "home.help"


def register(app: App, desk: AppContext) -> None:
    @app.event("app_home_opened")
    def open_home(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] == "home":
            publish(desk, client, event["user"])

    @app.action(HELP)
    def help_dialog(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with desk.acting(client, body["user"]["id"]):
            view = help_card.dialog(desk.templates)
        respond.open_dialog(client, body, view)


def publish(desk: AppContext, client: WebClient, user_id: str, *, chosen: str | None = None) -> None:
    """Draw somebody's Home tab, with the list of a filter's text that they `chose` there, or else of the one before."""
    _put_up(client, user_id, _home(desk, client, user_id, chosen, is_look=True))


def redraw(desk: AppContext, client: WebClient, user_id: str, *, chosen: str | None = None) -> None:
    """Bring the tab of whoever has one up to date after a change of theirs."""
    with transaction(desk.engine) as session:
        tab = session.get(HomeTab, user_id)
    if tab is None:
        return
    redraws.show_latest(
        *(desk.engine, HomeTab, user_id),
        lambda: _home(desk, client, user_id, chosen, is_look=False),
        lambda drawn: _put_up(client, user_id, drawn),
    )


def _put_up(client: WebClient, user_id: str, blocks: list[Block]) -> None:
    client.views_publish(user_id=user_id, view={"type": "home", "blocks": blocks[: b.VIEW_BLOCKS]})


def _home(desk: AppContext, client: WebClient, user_id: str, chosen: str | None, *, is_look: bool) -> list[Block]:
    try:
        with desk.acting(client, user_id) as (session, actor):
            now = desk.now()
            tab = _looked_at(session, user_id, chosen, now=now) if is_look else session.get_one(HomeTab, user_id)
            text = chosen or tab.filter_text
            first = [*_whose(session, actor), *_news(session, tab.looked_at, actor)]
            last = _own_changes(session, actor, here=text)
        heading, *listed = list_card.show(desk, client, user_id, text).blocks
    except UserError as no:
        return [b.header("Contact Cleanup"), b.section(no.sentence)]
    help_button = b.actions([b.button("Help", HELP, "all")])
    return [
        heading,
        *first,
        *listed,
        *last,
        *help_button,
        b.context("This tab keeps the filter that you choose in it."),
    ]


def _whose(session: Session, actor: Actor) -> list[Block]:
    """Whose students these are; whoever teaches and sees a whole school, too, may look at their own alone."""
    known = load_vocabulary(session, actor)
    if actor.reach is Reach.CLASSES:
        return [b.context("Students of your own classes.")]
    whom = "Every student of the district." if actor.reach is Reach.DISTRICT else _of_schools(known.schools)
    teaches = actor.name in known.teachers and actor.staff_ids
    own = list_links.filter_text(Filter(teacher=actor.name))
    buttons = [
        b.button("My own classes", list_links.SHOW_MINE, own),
        b.button("All", list_links.SHOW_ALL_MINE, "all"),
    ]
    return [b.context(whom), *b.actions(buttons if teaches else [])]


def _of_schools(schools: Sequence[str]) -> str:
    more = len(schools) - _SCHOOLS
    named = ", ".join(b.escaped(name) for name in schools[:_SCHOOLS])
    if more > 0:
        return f"Students of {named} and {plural(more, 'more school')}."
    return f"Students of {named}." if named else "Students of your school."


def _own_changes(session: Session, actor: Actor, *, here: str) -> list[Block]:
    """What this person changed and the SIS does not have yet."""
    waiting = newest_pending(session, access.visible_students(actor), limit=_SHOWN + 1, made_by=actor.user_id)
    if not waiting:
        return []
    more = ["… and more: `/cleanup pending`"] if len(waiting) > _SHOWN else []
    head = b.section("*Your changes that the student information system does not have yet*")
    return [b.divider(), head, *(pending.row(one, here=here) for one in waiting[:_SHOWN]), *map(b.context, more)]


def _looked_at(session: Session, user_id: str, chosen: str | None, *, now: datetime) -> HomeTab:
    """Note that somebody looks, and which filter they chose, without its page."""
    first = insert(HomeTab).values(user_id=user_id, filter_text=list_links.EVERYBODY, opened_at=now)
    session.execute(first.on_conflict_do_nothing())
    tab = session.get_one(HomeTab, user_id, with_for_update=True)
    if now - tab.opened_at > _SAME_LOOK:
        tab.looked_at, tab.opened_at = tab.opened_at, now
    if chosen:
        tab.filter_text = list_links.filter_text(parse_filter(chosen).filter.with_page(1))
    return tab


def _news(session: Session, since: datetime | None, actor: Actor) -> list[Block]:
    if since is None:
        return []
    news = load_activity(session, since=since, actor=actor)
    joined = f"{plural(news.joined, 'contact')} joined your list" if news.joined else ""
    left = f"{plural(news.left, 'contact')} left it" if news.left else ""
    if not joined and not left:
        return []
    moved = f"{joined} and {left}" if joined and left else joined or left
    fixed = [f"🎉 Of these, {news.fixed:,} got the text after a change of yours."] if news.fixed else []
    return [b.section(" ".join([f"*Since you last looked* ({b.date(since)}): {moved}.", *fixed])), b.divider()]
