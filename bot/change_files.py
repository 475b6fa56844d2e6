"""What the SIS does not know yet, as a file on this machine, for whoever runs the installation."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import audit, sis_changes
from bot.audit import Subject
from bot.errors import UserError
from bot.models import Student
from bot.settings import Settings
from bot.sis_changes import Written
from bot.wording import say


class Form(StrEnum):
    """A change sheet to read, or the contacts import of PowerSchool."""

    SHEET = "sheet"
    POWERSCHOOL = "powerschool"


def write(session: Session, path: Path, form: Form, *, settings: Settings, now: datetime) -> Written:
    """Write the changes of all students' contacts to a new file that only its owner can read, and audit that.

    Raises:
        UserError: something is there already, or nothing can be written there.
    """
    changes = sis_changes.waiting(session, select(Student.id).where(Student.active))
    with _new_private(path) as file:
        if form is Form.SHEET:
            written = sis_changes.change_sheet(changes, file, zone=settings.zone, region=settings.phone_region)
        else:
            written = sis_changes.powerschool(changes, file, region=settings.phone_region)
    after = f"{form}: {say('count.change', written.changes)}"
    audit.record(session, Subject("file", None), actor="cli", action="changes.exported", after=after, now=now)
    return written


@contextmanager
def _new_private(path: Path) -> Iterator[TextIO]:
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(say("change_files.exists", path=path)) from None
    except OSError as problem:
        raise UserError(say("change_files.not_writable", path=path, why=problem.strerror)) from problem
    try:
        with os.fdopen(made, "w", newline="", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink()
        raise
