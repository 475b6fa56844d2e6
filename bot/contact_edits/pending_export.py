"""Changes leave as a file, and the audit says whose, who took them, and how many there were."""

from datetime import datetime
from enum import StrEnum
from typing import TextIO

from sqlalchemy import Select
from sqlalchemy.orm import Session

from bot import audit
from bot.audit import Subject
from bot.contact_edits.pending import load_pending
from bot.contact_edits.pending_files import PendingFile, change_sheet, powerschool_file
from bot.settings import Settings
from bot.wording import say


class ExportFormat(StrEnum):
    """A change sheet to read, or the contacts import of PowerSchool."""

    SHEET = "sheet"
    POWERSCHOOL = "powerschool"


def export_pending(
    session: Session,
    students: Select[int],
    form: ExportFormat,
    to: TextIO,
    *,
    settings: Settings,
    actor: str,
    narrowed_to: str | None = None,
    now: datetime,
) -> PendingFile:
    """Write every change that waits of the contacts of `students` (a query of ids); `narrowed_to` is the text of the filter that
    chose them, if one did.
    """
    changes = load_pending(session, students)
    if form is ExportFormat.SHEET:
        written = change_sheet(changes, to, zone=settings.zone, region=settings.phone_region)
    else:
        written = powerschool_file(changes, to, region=settings.phone_region)
    audit.record(
        session,
        Subject("file", None),
        actor=actor,
        action="changes.exported",
        after=f"{form}: {say('count.change', written.changes)}",
        reason=narrowed_to,
        now=now,
    )
    return written
