"""Commands about people: what a staff member may see; a family's record for a parent who asks, and erasing it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

_STUDENT = typer.Option("--student", help="The student number or sourced_id.")


def who(
    email: Annotated[str, typer.Argument(help="The address in Slack and in the student information system.")],
) -> None:
    """Say what a person may see and why, or why not."""
    from bot.cli.who import explain_person

    for line in explain_person(email):
        typer.echo(line)


def export_record(
    path: Annotated[Path, typer.Argument(help="The JSON file to write. An existing file is not overwritten.")],
    *,
    student: Annotated[str, _STUDENT],
) -> None:
    """Export everything that is held about one student and their contacts."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.errors import UserError
    from bot.operations import family_record

    _, engine = open_database()
    with transaction(engine) as session:
        held = family_record.load_record(session, family_record.find_student(session, student))
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(held, file, ensure_ascii=False, indent=2, default=str)
    except OSError as problem:
        raise UserError("record.not_written", f"{path} cannot be written: {problem.strerror}.") from problem
    path.chmod(0o600)
    typer.echo(f"Written to {path}. It holds names and numbers: delete it when it was handed over.")


def forget(
    *,
    student: Annotated[str, _STUDENT],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
) -> None:
    """Erase a student who left, and contacts who have no other student. This cannot be undone."""
    from bot.cli.database import open_database, open_direct
    from bot.db import audit
    from bot.db.advisory_locks import SYNC_LOCK, advisory_lock
    from bot.db.session import transaction
    from bot.domain.display import plural
    from bot.errors import UserError
    from bot.operations import family_record

    config, engine = open_database()
    with advisory_lock(open_direct(config, engine), SYNC_LOCK) as lock, transaction(engine) as session:
        if lock is None:
            raise UserError("record.sync_runs", "A sync is running. Try again when it has ended. Nothing was erased.")
        savepoint = session.begin_nested()
        erased = family_record.forget_student(session, family_record.find_student(session, student))
        rows = ", ".join(f"{count:,} {kind}" for kind, count in erased.rows.items())
        subject = audit.Subject("student", None)
        audit.record(session, subject, actor="cli", action="student.forgotten", after=rows, now=datetime.now(UTC))
        if dry_run:
            savepoint.rollback()
    typer.echo(f"{'Would be erased' if dry_run else 'Erased'}: {rows}.")
    if erased.kept_contacts:
        stay = plural(erased.kept_contacts, "contact has", "contacts have")
        typer.echo(f"{stay} another student here and stay{'s' if erased.kept_contacts == 1 else ''}.")
