"""What a failure of the database means to the person who waits: one sentence per cause, with what to do."""

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.db.session import CommitUnknownError
from bot.errors import UserError

_BUSY = UserError("database.busy", "Too many people are using this right now. Please try again in a minute.")
_COMMIT_UNKNOWN = UserError(
    "database.commit_unknown",
    "The connection to the database was lost. If you were saving something, it may or may not have been saved: check before "
    "you try again.",
)
_UNREACHABLE = UserError(
    "database.unreachable",
    "The database does not answer right now. Please try again in a few minutes. If that does not help, tell your administrator.",
)
# The first that fits counts. PostgreSQL's own classes, by SQLSTATE.
_BY_TYPE: list[tuple[tuple[type[psycopg.Error], ...], UserError]] = [
    (
        (errors.QueryCanceled,),
        UserError(
            "database.slow",
            "This took too long, so it was stopped. Please try again in a minute, or ask for less at once, such as one grade.",
        ),
    ),
    (
        (errors.LockNotAvailable, errors.DeadlockDetected),
        UserError("database.locked", "The same contacts are being updated right now. Please try again in a minute."),
    ),
    (
        (errors.DiskFull,),
        UserError(
            "database.full", "Nothing can be saved: the database's disk is full. Please tell your administrator."
        ),
    ),
    (
        (errors.ReadOnlySqlTransaction,),
        UserError("database.read_only", "The database accepts no changes right now. Please tell your administrator."),
    ),
    (
        (errors.UndefinedTable, errors.UndefinedColumn),
        UserError(
            "database.old_tables",
            "The database's tables do not match this version. Please tell your administrator to run: cleanup-bot migrate",
        ),
    ),
    ((errors.TooManyConnections,), _BUSY),
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), _UNREACHABLE),
    ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow), _UNREACHABLE),
]


def explain(error: BaseException) -> UserError | None:
    """Return the sentence for a failure of the database, or None if it is another error, such as a bug of ours."""
    if isinstance(error, CommitUnknownError):
        return _COMMIT_UNKNOWN
    if isinstance(error, PoolTimeoutError):
        return _BUSY
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    for types, sentence in _BY_TYPE:
        if isinstance(cause, types):
            return sentence
    # An operational error without a code is not the server's: it did not answer.
    is_lost = isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
    return _UNREACHABLE if is_lost or error.connection_invalidated else None
