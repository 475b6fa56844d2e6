"""What a source says, read as far as it has to be: all of it, or the lines that changed and what they bear on.

Afterwards the `wanted_…` tables hold what ours should say of those whom it is about, and `stage_rejections` what was not read.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot.roster import doubts, known_lines, places, runs, same, seed, side_file, staging, touched, wanted
from bot.roster.staging import Progress
from bot.roster.touched import EVERYBODY, Scope
from bot.sis import LinedPart, Part, Source, contacts_csv


@dataclass(frozen=True)
class Run:
    """What every step of one sync has at hand."""

    connection: Connection
    source: str
    now: datetime
    began: float
    progress: Progress
    before: same.Before | None
    whole_every: timedelta

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def finished_at(self) -> datetime:
        return self.now.astimezone(UTC) + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Read:
    """What was read of the source: whom it is about, and what the next sync may compare it with."""

    parts: Sequence[Part]
    scope: Scope
    frame: str | None
    fingerprint: str | None = None


def read(this: Run, source: Source, contacts: Path | None, region: str) -> Read:
    """Everything the source says of those whom this sync is about, as the `wanted_…` tables."""
    staging.prepare(this.connection)
    marks = runs.marks(this.connection, source.name, now=this.now, whole_every=this.whole_every)
    with source.opened(region=region, marks=marks) as files:
        parts = [*files, *([contacts_csv.opened(contacts, region=region)] if contacts else [])]
        frame = known_lines.stage(this.connection, parts, program=same.program(region), progress=this.progress)
        scope = _narrowed(this, parts, frame) or EVERYBODY
        for part in parts:
            if scope.is_whole or part.kind not in known_lines.COMPARED:
                staging.fill(this.connection, part, progress=this.progress)
    seed.fill_gaps(this.connection, parts)
    staging.analyze(this.connection)
    side_file.work_in(this.connection, parts)
    wanted.work_out(this.connection, today=this.now.date())
    doubts.report(this.connection)
    places.name(this.connection, parts)
    return Read(parts, scope, frame)


def _narrowed(this: Run, parts: Sequence[Part], frame: str | None) -> Scope | None:
    """Whom the lines that changed are about, and those lines staged; None where everything has to be read."""
    connection, before = this.connection, this.before
    if frame is None or before is None or before.frame != frame or side_file.is_held(connection):
        return None
    if runs.is_whole_due(connection, None, now=this.now, whole_every=this.whole_every):
        return None
    if not known_lines.compare(connection, parts):
        return None
    scope = touched.read(connection, parts)
    if scope is None:
        staging.empty(connection)
    return scope


def remember(this: Run, what: Read) -> str | None:
    """Keep the lines for the next sync to compare with; gives their frame, or None where it cannot."""
    people = [part for part in what.parts if isinstance(part, LinedPart) and part.kind in known_lines.COMPARED]
    if what.frame is None or what.fingerprint is None or not all(part.is_plain for part in people):
        known_lines.forget(this.connection)
        return None
    known_lines.remember(this.connection, all_read=what.scope.is_whole)
    return what.frame
