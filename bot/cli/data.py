"""Commands that bring data in or out, and the explanation of a provider's code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer


def migrate() -> None:
    """Upgrade the database to the tables of this version."""
    from bot import settings
    from bot.cli.database import migration_url
    from bot.db.migrations.upgrade import TablesState, upgrade_database

    if upgrade_database(migration_url(settings.load())) is TablesState.NEWER:
        typer.echo("The database is newer than this program. It was left as it is.")
    else:
        typer.echo("The database has the tables of this version.")


def import_results(
    path: Annotated[Path, typer.Argument(help="A CSV with a number and a result in each row.")],
    *,
    message_id: Annotated[str, typer.Option("--id", help="The sender's own id of the mass message.")],
    title: Annotated[str, typer.Option(help="The title of the mass message.")],
    sent_at: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="When it was sent, in the district's time zone."
        ),
    ],
    provider: Annotated[
        str | None, typer.Option(help="The provider whose codes are in the file, such as twilio.")
    ] = None,
) -> None:
    """Import the results of a mass message from a CSV, where the sender cannot report them."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.domain.display import plural
    from bot.mass_messages import results_file
    from bot.mass_messages.results_file import ResultsMessage

    config, engine = open_database()
    message = ResultsMessage(message_id, title, sent_at.replace(tzinfo=config.zone), provider and provider.lower())
    with transaction(engine) as session:
        result = results_file.import_results(
            session,
            path,
            message,
            now=datetime.now(UTC),
            settle_after=config.settle_after,
            region=config.phone_region,
        )
    typer.echo(f"{plural(result.read, 'row')}: {result.added:,} new deliveries, {result.already:,} already known.")
    for line, reason in result.rejected:
        typer.echo(f"{path.name}:{line}: {reason}")


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
