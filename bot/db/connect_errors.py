"""Why the database cannot be used, for the people who run it: one sentence per cause, with the fix.

A server that refuses a connection sends no code that our driver passes on, so its words are read. They are English unless its
`lc_messages` says otherwise; then the last sentence here quotes them.
"""

import re
from dataclasses import dataclass

from psycopg import errors
from sqlalchemy.exc import DBAPIError

from bot.errors import UserError


@dataclass(frozen=True)
class _Cause:
    """`words` are a pattern for what the server or the driver says; groups of it and `{setting}` go into the sentence."""

    code: str
    words: str
    sentence: str
    is_permanent: bool = True


_CAUSES = (
    _Cause(
        "unknown_option",
        r'invalid (?:URI query parameter: |connection option )"([^"]+)"',
        "{setting} has the option “{0}”, which PostgreSQL does not know. Remove it: it is meant for another program.",
    ),
    _Cause(
        "password",
        r"password authentication failed|no password supplied|authentication failed for user",
        "The server refuses the user and the password in {setting}. Check both; in a URL, special characters of a password are "
        "written with a percent sign, as %40 for @.",
    ),
    _Cause(
        "no_database",
        r'database "([^"]+)" does not exist',
        "The server has no database named “{0}”. Create it with: createdb {0}. Or correct {setting}.",
    ),
    _Cause(
        "no_role",
        r'role "([^"]+)" does not exist',
        "The server has no user named “{0}”. Correct {setting}, or create it.",
    ),
    _Cause(
        "tls_required",
        r"no pg_hba.conf entry.*no encryption|SSL(?:/TLS)? required|connection is insecure",
        "The server wants an encrypted connection. Add ?sslmode=require to {setting}.",
    ),
    _Cause(
        "not_let_in",
        r"no pg_hba.conf entry",
        "The server does not let this machine in. Add its address to pg_hba.conf, or to the addresses that your provider allows.",
    ),
    _Cause(
        "no_tls",
        r"server does not support SSL",
        "{setting} asks for an encrypted connection, which the server does not offer. Turn on `ssl` there, or remove sslmode.",
    ),
    _Cause(
        "certificate",
        r"certificate verify failed|root certificate|server certificate",
        "The server's certificate is not trusted. Name the file of its authority: sslrootcert=… in {setting}.",
    ),
    _Cause(
        "unknown_host",
        r"failed to resolve host '([^']+)'|could not translate host name \"([^\"]+)\"",
        "No server is known by the name “{0}”. Correct the host in {setting}.",
        is_permanent=False,
    ),
    _Cause(
        "too_many_connections",
        r"too many (?:connections|clients)|remaining connection slots",
        "The server has no free connection. Raise its max_connections, or run fewer processes.",
        is_permanent=False,
    ),
    _Cause(
        "starting",
        r"starting up|shutting down|recovery mode",
        "The server is starting or stopping.",
        is_permanent=False,
    ),
    _Cause(
        "refused",
        r"Connection refused|No such file or directory",
        "Nothing answers at the address in {setting}. Check the host and the port, and that PostgreSQL runs.",
        is_permanent=False,
    ),
)
# What a statement was refused for, by the server's code.
_STATEMENTS: tuple[tuple[type[Exception], str, str], ...] = (
    (
        errors.InsufficientPrivilege,
        "no_right",
        (
            "The user in {setting} may not create tables. Make it the owner of the database, or as the owner run: GRANT ALL ON SCHEMA "
            "public TO the user (since PostgreSQL 15 no one has that right by default)."
        ),
    ),
    (
        errors.ReadOnlySqlTransaction,
        "read_only",
        "The database is read-only, perhaps a standby. Set {setting} to the primary.",
    ),
    (errors.DiskFull, "full", "The database's disk is full. Free some space, then try again."),
)


def describe_refusal(problem: DBAPIError, *, setting: str = "DATABASE_URL") -> UserError | None:
    """Return why the server refused a statement of a migration, None for another failure of it."""
    for kind, code, sentence in _STATEMENTS:
        if isinstance(problem.orig, kind):
            return UserError(f"database.{code}", sentence.format(setting=setting))
    return None


def describe_problem(problem: DBAPIError, *, setting: str = "DATABASE_URL") -> UserError:
    """Return why there is no connection. `permanent` is True where waiting changes nothing."""
    if refused := describe_refusal(problem, setting=setting):
        return refused
    words = " ".join(str(problem.orig).split())
    for cause in _CAUSES:
        if found := re.search(cause.words, words, re.IGNORECASE):
            sentence = cause.sentence.format(*filter(None, found.groups()), setting=setting)
            return UserError(f"database.{cause.code}", sentence, permanent=cause.is_permanent)
    said = f" It says: {fatal[1]}" if (fatal := re.search(r"FATAL: +(.*)", words)) else ""
    sentence = f"The database does not answer. Check {setting} and that PostgreSQL runs.{said}"
    return UserError("database.silent", sentence, permanent=False)
