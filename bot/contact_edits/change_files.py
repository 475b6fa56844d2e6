"""What the SIS does not know yet, as a file on this machine, for whoever runs the installation."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.contact_edits.pending_export import ExportFormat, export_pending
from bot.contact_edits.pending_files import PendingFile
from bot.db.models.roster import Student
from bot.errors import UserError
from bot.settings import Settings


def write_new_file(
    session: Session, path: Path, form: ExportFormat, *, settings: Settings, now: datetime
) -> PendingFile:
    """Write the changes of all students' contacts to a new file that only its owner can read, and audit that.

    Raises:
        UserError: something is there already, or nothing can be written there.
    """
    everybody = select(Student.id).where(Student.active)
    with _new_private(path) as file:
        return export_pending(session, everybody, form, file, settings=settings, actor="cli", now=now)


@contextmanager
def _new_private(path: Path) -> Iterator[TextIO]:
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError("export.exists", f"{path} is there already. Choose another name, or delete it first.") from None
    except OSError as problem:
        raise UserError("export.not_writable", f"{path} cannot be written: {problem.strerror}.") from problem
    try:
        with os.fdopen(made, "w", newline="", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink()
        raise
