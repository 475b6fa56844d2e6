"""What every listener has at hand, and the door each one goes through: who is acting, in one transaction.

Rights are asked again at each click. Whom Slack told us of lately is found in the transaction itself; anybody else is asked
about after it has ended and before the next one begins, because nothing waits for the network inside one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from slack_sdk import WebClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot import access, db
from bot.access import Actor
from bot.settings import Settings
from bot.slack import who
from bot.templates import Templates

Drawn = TypeVar("Drawn")

_Opened = Callable[[Engine], AbstractContextManager[Session]]
_Door = AbstractContextManager[tuple[Session, Actor]]


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

    def until_it_stands(self, draw: Callable[[], Drawn], show: Callable[[Drawn], None]) -> None:
        """Show what `draw` gives, and once more where it is another by now: of two changes at once, the answer to the first may
        reach Slack after that to the second. Not more often, as Slack takes five answers to one message.
        """
        before = db.snapshot(self.engine)
        drawn = draw()
        show(drawn)
        if db.snapshot(self.engine) != before and (again := draw()) != drawn:
            show(again)

    def acting(self, client: WebClient, user_id: str) -> _Door:
        """A transaction and whoever acts in it.

        Raises:
            UserError: this person may not use the list; the sentence names whom to ask.
        """
        return self._door(db.transaction, client, user_id)

    def looking(self, client: WebClient, user_id: str) -> _Door:
        """The same for whoever only looks: what is asked is no transaction."""
        return self._door(db.autocommit, client, user_id)

    @contextmanager
    def _door(self, opened: _Opened, client: WebClient, user_id: str) -> Iterator[tuple[Session, Actor]]:
        now, rules = self.now(), self.rules
        today = now.astimezone(self.settings.zone).date()
        with opened(self.engine) as session:
            if actor := access.known_actor(session, user_id, told_after=now - who.FRESH, rules=rules, today=today):
                yield session, actor
                return
        person = who.ask(self.engine, client, user_id, now=now)
        with opened(self.engine) as session:
            yield session, access.actor(session, person, rules=rules, today=today)
