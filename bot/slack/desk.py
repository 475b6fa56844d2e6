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

from bot import access, cleanup_list, db, sis_changes
from bot.access import Actor
from bot.cleanup_list import Latest
from bot.settings import Settings
from bot.slack import who
from bot.templates import Templates


@dataclass(frozen=True)
class Look:
    """Somebody looks at a list: who, how fresh it is, and how many of their own changes the SIS does not have yet."""

    session: Session
    actor: Actor
    latest: Latest
    own_changes: int


def _look() -> Select[*tuple[Any, ...]]:
    person, state, own = access.KNOWN.subquery(), cleanup_list.LATEST.subquery(), sis_changes.MADE_BY.subquery()
    everything = select(person, state, own).join_from(person, state, true()).join(own, true())
    return everything.order_by(person.c.id)


_LOOK = _look()


@dataclass(frozen=True)
class Desk:
    """`now` is the clock of the house, in UTC."""

    engine: Engine
    settings: Settings
    templates: Templates
    now: Callable[[], datetime]

    @property
    def rules(self) -> access.Rules:
        here = self.settings
        return access.Rules(here.admin_emails, here.editor_roles, here.export_roles)

    @contextmanager
    def acting(self, client: WebClient, user_id: str) -> Iterator[tuple[Session, Actor]]:
        """A transaction and whoever acts in it.

        Raises:
            UserError: this person may not use the list; the sentence names whom to ask.
        """
        now = self.now()
        told_after, today = now - who.FRESH, self._day(now)
        with db.transaction(self.engine) as session:
            if actor := access.known_actor(session, user_id, told_after=told_after, rules=self.rules, today=today):
                yield session, actor
                return
        person = who.ask(self.engine, client, user_id, now=now)
        with db.transaction(self.engine) as session:
            yield session, access.actor(session, person, rules=self.rules, today=today)

    @contextmanager
    def looking(self, client: WebClient, user_id: str) -> Iterator[Look]:
        """The same for whoever only looks at a list. No transaction begins, and it is one statement: there is nothing that is asked
        as often.

        Raises:
            UserError: as for `acting`.
        """
        now = self.now()
        today = self._day(now)
        with db.autocommit(self.engine) as session:
            if rows := db.rows(session, _LOOK, {"user_id": user_id, "told_after": now - who.FRESH}):
                actor = access.actor_of(user_id, rows, rules=self.rules, today=today)
                yield Look(session, actor, cleanup_list.latest_of(session, rows[0]), rows[0].changes)
                return
        person = who.ask(self.engine, client, user_id, now=now)
        with db.autocommit(self.engine) as session:
            actor = access.actor(session, person, rules=self.rules, today=today)
            yield Look(session, actor, cleanup_list.latest(session), sis_changes.made_by(session, user_id))

    def _day(self, now: datetime) -> date:
        return now.astimezone(self.settings.zone).date()
