"""What every listener has at hand, and the door each one goes through: who is acting, in one transaction, or who looks, in none.

Rights are asked again at each click. Whom Slack told us of lately is found at once; anybody else is asked about after the
transaction has ended and before the next one begins, because nothing waits for the network inside one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import Engine, Select, select, true
from sqlalchemy.orm import Session

from bot import access
from bot.access import KNOWN_USER_QUERY, Actor, Rules
from bot.cleanup_list.freshness import FRESHNESS_QUERY, Freshness, freshness_from_row, load_freshness
from bot.contact_edits.pending import OWN_PENDING_QUERY, count_own_pending
from bot.db.fast_rows import fetch_rows
from bot.db.session import autocommit_session, transaction
from bot.settings import Settings
from bot.slack.kit import users
from bot.templates.loader import Templates


@dataclass(frozen=True)
class ListViewer:
    """Somebody looks at a list: who, how fresh it is, and how many of their own changes the SIS does not have yet."""

    session: Session
    actor: Actor
    latest: Freshness
    own_changes: int


def _look() -> Select[*tuple[Any, ...]]:
    person, state, own = KNOWN_USER_QUERY.subquery(), FRESHNESS_QUERY.subquery(), OWN_PENDING_QUERY.subquery()
    everything = select(person, state, own).join_from(person, state, true()).join(own, true())
    return everything.order_by(person.c.id)


_LOOK = _look()


@dataclass(frozen=True)
class AppContext:
    """`now` is the clock of the house, in UTC."""

    engine: Engine
    settings: Settings
    templates: Templates
    now: Callable[[], datetime]

    @property
    def rules(self) -> Rules:
        here = self.settings
        return Rules(here.admin_emails, here.editor_roles, here.export_roles)

    @contextmanager
    def acting(self, client: WebClient, user_id: str) -> Iterator[tuple[Session, Actor]]:
        """A transaction and whoever acts in it.

        Raises:
            UserError: this person may not use the list; the sentence names whom to ask.
        """
        now = self.now()
        told_after, today = now - users.CACHE_LIFETIME, self._day(now)
        with transaction(self.engine) as session:
            if actor := access.find_known_actor(session, user_id, told_after=told_after, rules=self.rules, today=today):
                yield session, actor
                return
        person = users.fetch_user(self.engine, client, user_id, now=now)
        with transaction(self.engine) as session:
            yield session, access.load_actor(session, person, rules=self.rules, today=today)

    @contextmanager
    def looking(self, client: WebClient, user_id: str) -> Iterator[ListViewer]:
        """The same for whoever only looks at a list. No transaction begins, and it is one statement: there is nothing that is asked
        as often.

        Raises:
            UserError: as for `acting`.
        """
        now = self.now()
        today = self._day(now)
        with autocommit_session(self.engine) as session:
            if rows := fetch_rows(session, _LOOK, {"user_id": user_id, "told_after": now - users.CACHE_LIFETIME}):
                actor = access.actor_from_rows(user_id, rows, rules=self.rules, today=today)
                yield ListViewer(session, actor, freshness_from_row(session, rows[0]), rows[0].changes)
                return
        person = users.fetch_user(self.engine, client, user_id, now=now)
        with autocommit_session(self.engine) as session:
            actor = access.load_actor(session, person, rules=self.rules, today=today)
            yield ListViewer(session, actor, load_freshness(session), count_own_pending(session, user_id))

    def _day(self, now: datetime) -> date:
        return now.astimezone(self.settings.zone).date()
