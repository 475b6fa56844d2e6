"""What a source says, read as far as it has to be: all of it, or the lines that changed and what they bear on.

Afterwards the `wanted_…` tables hold what ours should say of those whom it is about, and `stage_rejections` what was not read.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot.sis import contacts_csv
from bot.sis.rows import LinedPart, Part, Source
from bot.sync import anomalies, line_diff, runs, stage
from bot.sync import scope as sync_scope
from bot.sync.carry_over import carry_over_unread
from bot.sync.contacts_overlay import is_overlaid, overlay_contacts
from bot.sync.fingerprint import LastSync, program
from bot.sync.row_labels import label_rows
from bot.sync.scope import WHOLE_ROSTER, SyncScope
from bot.sync.stage import Progress
from bot.sync.target_tables import build_target_tables


@dataclass(frozen=True)
class Run:
    """What every step of one sync has at hand."""

    connection: Connection
    source: str
    now: datetime
    began: float
    progress: Progress
    before: LastSync | None
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
    scope: SyncScope
    frame: str | None
    fingerprint: str | None = None


def read(this: Run, source: Source, contacts: Path | None, region: str) -> Read:
    """Everything the source says of those whom this sync is about, as the `wanted_…` tables."""
    stage.prepare(this.connection)
    marks = runs.marks(this.connection, source.name, now=this.now, whole_every=this.whole_every)
    with source.open(region=region, watermarks=marks) as files:
        parts = [*files, *([contacts_csv.open_part(contacts, region=region)] if contacts else [])]
        frame = line_diff.stage(this.connection, parts, program=program(region), progress=this.progress)
        scope = _narrowed(this, parts, frame) or WHOLE_ROSTER
        for part in parts:
            if scope.is_whole or part.kind not in line_diff.COMPARED:
                stage.fill(this.connection, part, progress=this.progress)
    carry_over_unread(this.connection, parts)
    stage.analyze(this.connection)
    overlay_contacts(this.connection, parts)
    build_target_tables(this.connection, today=this.now.date())
    anomalies.report(this.connection)
    label_rows(this.connection, parts)
    return Read(parts, scope, frame)


def _narrowed(this: Run, parts: Sequence[Part], frame: str | None) -> SyncScope | None:
    """Whom the lines that changed are about, and those lines staged; None where everything has to be read."""
    connection, before = this.connection, this.before
    if frame is None or before is None or before.frame != frame or is_overlaid(connection):
        return None
    if runs.is_whole_due(connection, None, now=this.now, whole_every=this.whole_every):
        return None
    if not line_diff.compare(connection, parts):
        return None
    scope = sync_scope.read(connection, parts)
    if scope is None:
        stage.empty(connection)
    return scope


def remember(this: Run, what: Read) -> str | None:
    """Keep the lines for the next sync to compare with; gives their frame, or None where it cannot."""
    people = [part for part in what.parts if isinstance(part, LinedPart) and part.kind in line_diff.COMPARED]
    if what.frame is None or what.fingerprint is None or not all(part.is_plain for part in people):
        line_diff.forget(this.connection)
        return None
    line_diff.remember(this.connection, all_read=what.scope.is_whole)
    return what.frame
