"""Where a rejected row stands, for a source without lines: at an endpoint, under its sourcedId (`users/G17`).

While rows are staged they are told apart by line; only what people read later is named anew.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.sis.rows import Kind, Part
from bot.sync.stage import execute

_STAGED = {
    Kind.ORGS: (Kind.ORGS, "stage_orgs"),
    Kind.SESSIONS: (Kind.SESSIONS, "stage_terms"),
    Kind.CLASSES: (Kind.CLASSES, "stage_classes"),
    Kind.USERS: (Kind.USERS, "stage_users"),
    Kind.ROLES: (Kind.USERS, "stage_users"),
    Kind.ENROLLMENTS: (Kind.ENROLLMENTS, "stage_enrollments"),
}
"""Whose endpoint it is, and where its rows are staged; a role stands on the line of its person."""

_WITH_ID = """
UPDATE stage_rejections j SET file = '{endpoint}/' || x.sourced_id, line = NULL
FROM (SELECT line, sourced_id FROM {table}
      UNION SELECT line, sourced_id FROM stage_unread WHERE kind = '{kind}' AND sourced_id <> '') x
WHERE j.file = '{kind}.csv' AND j.line = x.line
"""
_WITHOUT = "UPDATE stage_rejections SET file = '{endpoint}', line = NULL WHERE file = '{kind}.csv'"


def label_rows(connection: Connection, parts: Sequence[Part]) -> None:
    """Give the rejections of parts without lines the names of their rows."""
    for part in parts:
        if not part.has_lines:
            endpoint, table = _STAGED[part.kind]
            for statement in (_WITH_ID, _WITHOUT):
                execute(connection, statement.format(kind=part.kind, endpoint=endpoint, table=table))
