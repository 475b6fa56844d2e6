"""Writes approved edits to the SIS, one contact after another, never while a sync reads.

Each change: is it the same person there; what number has the SIS now; one call; what has it then. Between the first look and the
call are milliseconds in which another person could save there: neither PowerSchool's API nor Aeries' has a version to check.
A crash after a call leaves the row `writing`: the next round looks first, finds the value, and sends nothing.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import Engine

from bot.contact_edits import write_back
from bot.contact_edits.write_back import DueWrite
from bot.db.advisory_locks import SYNC_LOCK, advisory_lock
from bot.db.models.sis_writes import WriteState
from bot.db.session import transaction
from bot.errors import UserError
from bot.sis.answers import UnclearWrite
from bot.sis.contact_phones import ContactNumber
from bot.sis.write_plan import ContactWriter, Obstacle, Verdict, WritePlan

logger = logging.getLogger(__name__)

# A round holds the lock of the sync, and ends soon after a sync is due.
_WRITES_PER_ROUND = 50
# Longer than a call that we gave up on may take to arrive.
_LOOK_UP_AFTER = timedelta(minutes=2)
_POSTPONED = timedelta(minutes=5)
_MOST_ATTEMPTS = 5
# An approval is for now, not for when the write-back is switched on again.
_APPROVAL_LASTS = timedelta(days=3)

Now = Callable[[], datetime]
OpenWriter = Callable[[], AbstractContextManager[ContactWriter]]


def write_due(engine: Engine, open_writer: OpenWriter, *, now: Now) -> int:
    """Write the changes that are due, and return how many were settled. `engine` must not go through a pooler: it holds a lock.

    Raises:
        UserError: the SIS does not let us in, or is down; everything waits some minutes.
    """
    with transaction(engine) as session:
        due = write_back.due_ids(session, now=now(), limit=_WRITES_PER_ROUND)
    if not due:
        return 0
    with advisory_lock(engine, SYNC_LOCK) as connection:
        if connection is None:
            return 0
        with open_writer() as sis:
            this_round = Round(engine, sis, now)
            return sum(this_round.write(write_id) for write_id in due)


class Round:
    """One round of writes."""

    def __init__(self, engine: Engine, sis: ContactWriter, now: Now) -> None:
        self._engine = engine
        self._sis = sis
        self._now = now

    def write(self, write_id: int) -> bool:
        """Make one change as far as it can be made now, and return whether it is settled.

        Raises:
            UserError: the SIS does not let us in, or is down; everything waits some minutes.
        """
        with transaction(self._engine) as session:
            write = write_back.load_write(session, write_id)
            host = self._sis.roster_host
            is_ours = host is None or write_back.is_roster_of(session, host)
        try:
            return self._write(write, is_ours=is_ours)
        except UserError:
            with transaction(self._engine) as session:
                write_back.postpone(session, write_id, until=self._now() + _POSTPONED)
            raise

    def _write(self, write: DueWrite, *, is_ours: bool) -> bool:
        if obstacle := self._find_obstacle(write, is_ours=is_ours):
            return self._block(write, obstacle)
        plan = self._sis.load_plan(write.edit)
        if not write.in_force:
            return self._settle(write, plan.number)
        if plan.verdict is not Verdict.WRITE:
            return self._end(write, plan)
        if write.attempts >= _MOST_ATTEMPTS:
            return self._block(write, Obstacle.UNCLEAR)
        return self._send(write, plan)

    def _find_obstacle(self, write: DueWrite, *, is_ours: bool) -> Obstacle | None:
        if self._now() - write.approved_at > _APPROVAL_LASTS:
            return Obstacle.EXPIRED
        if not is_ours:
            return Obstacle.NOT_POWERSCHOOL
        return self._sis.find_obstacle(write.edit) if write.is_active else Obstacle.GONE

    def _send(self, write: DueWrite, plan: WritePlan) -> bool:
        assert plan.write is not None  # noqa: S101 - it is there with this verdict.
        with transaction(self._engine) as session:
            may_send = write_back.begin_call(session, write.id, now=self._now(), look_up_after=_LOOK_UP_AFTER)
        if not may_send:
            return self._settle(write, plan.number)
        try:
            was_taken = self._sis.send(write.edit, plan.write)
        except UnclearWrite:
            logger.warning(
                "write %s: %s did not say whether it took the change; it is looked up", write.id, self._sis.sis
            )
            return False
        after = self._sis.load_plan(write.edit)
        if after.verdict is not Verdict.WRITE:
            return self._end(write, after)
        # What was taken and cannot be seen yet is looked up later.
        return False if was_taken else self._block(write, Obstacle.REFUSED)

    def _end(self, write: DueWrite, plan: WritePlan) -> bool:
        return self._block(write, plan.obstacle) if plan.obstacle else self._settle(write, plan.number)

    def _settle(self, write: DueWrite, number: ContactNumber) -> bool:
        with transaction(self._engine) as session:
            state = write_back.settle(session, write.id, number, sis=self._sis.sis, now=self._now())
        logger.info("write %s to %s: %s", write.id, self._sis.sis, state)
        return state is not WriteState.APPROVED

    def _block(self, write: DueWrite, obstacle: Obstacle) -> bool:
        with transaction(self._engine) as session:
            write_back.block(session, write.id, obstacle, now=self._now())
        logger.info("write %s to %s: blocked, %s", write.id, self._sis.sis, obstacle)
        return True
