"""Whether a read is worth to be called a sync: every file that the roster needs could be read, and there is a student.

A sync that read less must not look like one: it fails, nothing is written, and the roster stays as old as it is.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from bot.errors import UserError
from bot.sis.rows import Kind, Part
from bot.sync.diff_merge import TableChanges

# Terms only date the classes; without them, those keep the dates that they have.
_OPTIONAL = {Kind.SESSIONS}
_REASON = text("SELECT column_name, reason FROM stage_rejections WHERE file = :file ORDER BY line NULLS FIRST LIMIT 1")
_STAYS = "Nothing was changed: the roster stays as of the last complete sync."


def require_files(connection: Connection, parts: Sequence[Part]) -> None:
    """Check that every file that is needed was one.

    Raises:
        UserError: the first that was not, and why.
    """
    unreadable = next((part for part in parts if not part.is_readable and part.kind not in _OPTIONAL), None)
    if unreadable is None:
        return
    with connection.begin():
        row = connection.execute(_REASON, {"file": unreadable.name}).one_or_none()
    problem = " ".join(filter(None, row)) if row else "cannot be read"
    raise UserError("sync.unreadable_file", f"{unreadable.name} {problem}. {_STAYS}")


def require_students(changes: Mapping[str, TableChanges], parts: Sequence[Part]) -> None:
    """Check that there is a student before or after the sync.

    Raises:
        UserError: there is none.
    """
    students = changes["students"]
    if not students.before and not students.after:
        empty = "".join(f" {part.name} holds no row." for part in parts if not part.rows_read)
        sentence = f"No student was found in the export.{empty} Check that it has users with the role student."
        raise UserError("sync.no_students", f"{sentence} Nothing was changed.")
