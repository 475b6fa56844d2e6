"""The context that every listener needs, and the actor of a request: in a transaction, or without one for a list that is only read.

Rights are checked at each request. Users who were checked with Slack lately are found in the database; for any other, and before anyone is
refused, Slack is asked before a transaction begins, because nothing waits for the network inside one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from slack_sdk import WebClient
from sqlalchemy import Engine, select, true
from sqlalchemy.orm import Session

from bot.access import identity
from bot.access.identity import KNOWN_USER_QUERY, AccessRules
from bot.access.rights import Actor
from bot.cleanup_list.page import FRESHNESS_QUERY, Freshness, freshness_from_row, load_freshness
from bot.contact_edits.pending import OWN_PENDING_QUERY, count_own_pending
from bot.db.session import autocommit_session, fetch_rows, transaction
from bot.domain import phone
from bot.settings import Settings
from bot.slack.kit import users
from bot.slack.kit.newer_blocks import NewerBlocks
from bot.templates.loader import Templates


@dataclass(frozen=True)
class Viewer:
    """A person who looks at a list, how fresh the list is, and how many of their own changes the SIS does not have yet."""

    session: Session
    actor: Actor
    freshness: Freshness
    own_pending: int


# Every list needs the person, its freshness, and the own changes, so they are one statement.
_PERSON, _FRESHNESS, _PENDING = (query.subquery() for query in (KNOWN_USER_QUERY, FRESHNESS_QUERY, OWN_PENDING_QUERY))
_VIEWER = (
    select(_PERSON, _FRESHNESS, _PENDING)
    .join_from(_PERSON, _FRESHNESS, true())
    .join(_PENDING, true())
    .order_by(_PERSON.c.id)
)


@dataclass(frozen=True)
class AppContext:
    """The engine, the settings, the access rules, the templates, and the clock (UTC) of this process, and what its workspace refuses."""

    engine: Engine
    settings: Settings
    rules: AccessRules
    templates: Templates
    now: Callable[[], datetime]
    newer_blocks: NewerBlocks = field(default_factory=NewerBlocks)

    @property
    def our_number(self) -> str | None:
        """Return the number that our texts come from, as people write it, None if it is not set."""
        return phone.describe_number(self.settings.opt_in_number, self.settings.phone_region)

    def today(self) -> date:
        """Return the date in the district's time zone."""
        return self.now().astimezone(self.settings.zone).date()

    @contextmanager
    def acting(self, client: WebClient, user_id: str) -> Iterator[tuple[Session, Actor]]:
        """Yield a transaction and the person who acts in it.

        Raises:
            UserError: this person may not use the list; the sentence says who can help.
        """
        now = self.now()
        today = now.astimezone(self.settings.zone).date()
        params = {"user_id": user_id, "checked_since": now - users.CACHE_LIFETIME}
        with transaction(self.engine) as session:
            rows = fetch_rows(session, KNOWN_USER_QUERY, params)
            if actor := identity.actor_from_rows(user_id, rows, rules=self.rules, today=today):
                yield session, actor
                return
        person = users.fetch_user(self.engine, client, user_id, now=now)
        with transaction(self.engine) as session:
            yield session, identity.load_actor(session, person, rules=self.rules, today=today)

    @contextmanager
    def viewing(self, client: WebClient, user_id: str) -> Iterator[Viewer]:
        """Yield a person who only looks at a list, without a transaction.

        Raises:
            UserError: as for `acting`.
        """
        now = self.now()
        today = now.astimezone(self.settings.zone).date()
        params = {"user_id": user_id, "checked_since": now - users.CACHE_LIFETIME}
        with autocommit_session(self.engine) as session:
            rows = fetch_rows(session, _VIEWER, params)
            if actor := identity.actor_from_rows(user_id, rows, rules=self.rules, today=today):
                yield Viewer(session, actor, freshness_from_row(rows[0]), rows[0].changes)
                return
        person = users.fetch_user(self.engine, client, user_id, now=now)
        with autocommit_session(self.engine) as session:
            actor = identity.load_actor(session, person, rules=self.rules, today=today)
            yield Viewer(session, actor, load_freshness(session), count_own_pending(session, user_id))
