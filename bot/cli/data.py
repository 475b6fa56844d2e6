"""Commands that bring data in or out, and the explanation of a provider's code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer


def migrate() -> None:
    """Upgrade the database to the tables of this version."""
    from bot import settings
    from bot.cli.database import migration_url
    from bot.db.engine import build_engine
    from bot.db.migrations.upgrade import TablesState, describe_newer, upgrade_database

    url = migration_url(settings.load())
    if upgrade_database(url) is TablesState.NEWER:
        typer.echo(f"{describe_newer(build_engine(url))} It was left as it is: install the newer version.")
    else:
        typer.echo("The database has the tables of this version.")


def import_results(
    path: Annotated[Path, typer.Argument(help="A CSV or XLSX with a number and a result in each row.")],
    *,
    message_id: Annotated[
        str | None,
        typer.Option(
            "--message", "--id", help="The id of the mass message; with --title and --sent-at, it may be a new one."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The title of a message that is not registered.")] = None,
    sent_at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="When it was sent, in the district's time zone."
        ),
    ] = None,
    messenger: Annotated[
        str | None, typer.Option(help="The messenger that wrote the report, if it is not recognized.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="The provider whose codes are in the file, such as twilio.")
    ] = None,
    word: Annotated[
        list[str] | None, typer.Option(help="What a word means, such as Invalid=landline. It is remembered.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="The title of a column, such as result=State. It is remembered.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what the report would do.")] = False,
) -> None:
    """Import the results of a mass message from a messenger's report, where the sender cannot report them."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.domain.display import plural
    from bot.mass_messages import report_choices, report_import
    from bot.mass_messages.report_preview import ReportFile

    config, engine = open_database()
    file = ReportFile(path.name, _read(path), messenger, provider and provider.lower())
    words, columns = report_choices.parse_words(word or []), report_choices.parse_columns(column or [])
    at = sent_at.replace(tzinfo=config.zone) if sent_at else None
    with transaction(engine) as session:
        message = None if preview else report_import.find_message(session, message_id, title, at)
        result = report_import.import_file(
            session,
            file,
            message,
            words=words,
            columns=columns,
            actor="cleanup-bot",
            now=datetime.now(UTC),
            settle_after=config.settle_after,
            region=config.phone_region,
        )
    if result.done:
        done = result.done
        typer.echo(f"{plural(done.read, 'row')}: {done.added:,} new deliveries, {done.already:,} already known.")
    for fact in result.preview.facts():
        typer.echo(fact)
    for problem in result.preview.problems:
        typer.echo(f"{path.name}:{problem.line}: {problem.reason}")
    if result.done:
        typer.echo(f"To undo this: cleanup-bot undo-results {result.done.id}")


def _read(path: Path) -> bytes:
    from bot.errors import UserError
    from bot.mass_messages.report_file import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise UserError("results.unreadable", f"{path} cannot be read: {problem.strerror}.") from problem


def undo_results(
    import_id: Annotated[int, typer.Argument(help="The number that import-results or PUT /results answered.")],
) -> None:
    """Undo an import of results, as long as no other mass message has become final since."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.mass_messages.report_undo import undo_import

    _, engine = open_database()
    with transaction(engine) as session:
        undo_import(session, import_id, actor="cleanup-bot", now=datetime.now(UTC))
    typer.echo(f"Import {import_id} is undone.")


def import_deactivations(
    path: Annotated[Path, typer.Argument(help="A file with a number in each line, and a date after it.")],
    *,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The date of the file, where its lines have none."),
    ] = None,
) -> None:
    """Import numbers that carriers deactivated or reassigned: families who have them are listed as Wrong person."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.domain.display import plural
    from bot.mass_messages import deactivations

    config, engine = open_database()
    with transaction(engine) as session:
        counts = deactivations.import_deactivations(
            session,
            path,
            day=day.date() if day else None,
            region=config.phone_region,
            zone=config.zone,
            now=datetime.now(UTC),
        )
    typer.echo(
        f"{plural(counts.parked, 'number')} recorded as Wrong person, {counts.already:,} already recorded, "
        f"{counts.verified:,} verified by staff since, {counts.strangers:,} of no contact, "
        f"{plural(counts.rejected, 'line')} not read."
    )
    for line, reason in counts.examples:
        typer.echo(f"{path.name}:{line}: {reason}")


def export_edits(
    path: Annotated[Path, typer.Argument(help="The CSV to write. An existing file is not overwritten.")],
    *,
    form: Annotated[
        Literal["sheet", "powerschool"],
        typer.Option("--format", help="A change sheet to read, or PowerSchool's contacts import."),
    ] = "sheet",
) -> None:
    """Export the edits made in Slack that the student information system does not have yet."""
    from bot.cli.database import open_database
    from bot.contact_edits.pending_export import ExportFormat, export_to_path
    from bot.db.session import transaction
    from bot.domain.display import plural

    config, engine = open_database()
    with transaction(engine) as session:
        result = export_to_path(session, path, ExportFormat(form), settings=config, now=datetime.now(UTC))
    typer.echo(f"{plural(result.changes, 'change')} in {path}.")
    for reason, count in result.left_out.items():
        typer.echo(f"Left out {count:,}: {reason}.")


def explain(
    provider: Annotated[str, typer.Argument(help="The SMS provider, such as twilio.")],
    code: Annotated[str, typer.Argument(help="The code or status word of its delivery receipt, such as 30003.")],
) -> None:
    """Explain the code of a delivery receipt, and what to do about it."""
    from bot.providers.explain import explain

    for line in explain(provider, code).lines():
        typer.echo(line)
