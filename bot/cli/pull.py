"""`cleanup-bot pull`: read the message log of a provider now."""

from datetime import UTC, datetime
from typing import Annotated

import typer


def pull(
    provider: Annotated[str, typer.Argument(help="The SMS provider: plivo, telnyx, twilio, or vonage.")],
    *,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
            help="From when to read, in the district's time zone. Without it, from where the last pull ended.",
        ),
    ] = None,
) -> None:
    """Pull mass messages, their results, and opt-outs from the provider's message log."""
    from bot.cli.database import open_database, open_direct
    from bot.mass_messages import pull as pulling
    from bot.providers.choose_log import choose_log

    config, engine = open_database()
    log, now = choose_log(config, provider.lower()), datetime.now(UTC)
    start = since.replace(tzinfo=config.zone) if since else None
    if start and start >= now:
        raise typer.BadParameter("--since is in the future")
    counts = pulling.pull(engine, log, settings=config, now=now, since=start, lock_engine=open_direct(config, engine))
    for line in counts.lines():
        typer.echo(line)
