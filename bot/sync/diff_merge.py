"""Find the rows in which a table differs from its target table, and write only those.

A row with a parent that this sync adds is a difference, too. So all are known before anything is
written. A row that is missing from the target becomes inactive, and is the same row again when it
returns; in tables with `deletes_missing` it is deleted.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from bot.sync.stage import execute


@dataclass(frozen=True)
class SyncScope:
    """The people a sync covers: everyone, or those in the temporary tables `changed_people` and
    `affected_people` (`bot.sync.read`).
    """

    is_whole: bool

    def covers(self, *columns: str, by_enrollment: bool = False) -> str:
        """Return the SQL condition that one of these sourced_id columns is a covered person."""
        if self.is_whole:
            return "true"
        people = "affected_people" if by_enrollment else "changed_people"
        return " OR ".join(f"{column} IN (SELECT person FROM {people})" for column in columns) or "false"


WHOLE_ROSTER = SyncScope(is_whole=True)


@dataclass(frozen=True)
class Parent:
    """A row in `table`: its sourced_id is in the target's column `name`, its id in our `{name}_id`."""

    name: str
    table: str
    is_nullable: bool = False

    @property
    def column(self) -> str:
        return f"{self.name}_id"


@dataclass(frozen=True)
class Table:
    """A table that the sync writes. Rows are identified by `key`.

    `extra_update` is one more assignment of an update (`t` is the old row, `c` the change).
    `people` are the target columns that identify people: a sync of some people compares their rows
    only, and leaves tables without such columns as they are. `by_enrollment`: it compares the rows of
    people whose enrollments changed, too.
    """

    name: str
    values: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    key: tuple[str, ...] = ("sourced_id",)
    deletes_missing: bool = False
    extra_update: str = ""
    people: tuple[str, ...] = ()
    by_enrollment: bool = False

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that do not refer to a parent."""
        parent_columns = {parent.column for parent in self.parents}
        return (*(column for column in self.key if column not in parent_columns), *self.values)


_SCHOOL, _STAFF = Parent("school", "schools"), Parent("staff", "staff")
_STUDENT, _CLASS = Parent("student", "students"), Parent("class", "classes")

# In the order in which they are merged: parents first.
TABLES = (
    Table("schools", values=("name",)),
    Table("staff", values=("given_name", "family_name", "email"), people=("sourced_id",)),
    Table("students", values=("given_name", "family_name", "search", "grade", "identifier"), people=("sourced_id",)),
    Table(
        "contacts",
        values=(
            *("given_name", "family_name", "email"),
            *("sis_phone", "sis_phone_written", "sis_phone_note", "sis_note_kind"),
            *("sis_contact_id", "is_powerschool_id"),
        ),
        extra_update="version = t.version + (t.sis_phone IS DISTINCT FROM c.sis_phone)::int",
        people=("sourced_id",),
    ),
    Table(
        "other_numbers",
        values=("position",),
        parents=(Parent("contact", "contacts"),),
        key=("contact_id", "phone"),
        deletes_missing=True,
        people=("contact",),
    ),
    Table("classes", values=("title", "homeroom"), parents=(_SCHOOL,)),
    Table(
        "staff_roles",
        parents=(_STAFF, Parent("school", "schools", is_nullable=True)),
        key=("staff_id", "school_id", "role"),
        deletes_missing=True,
        people=("staff",),
    ),
    Table(
        "student_schools",
        parents=(_STUDENT, _SCHOOL),
        key=("student_id", "school_id"),
        deletes_missing=True,
        people=("student",),
        by_enrollment=True,
    ),
    Table(
        "student_contacts",
        values=("relationship", "priority", "from_student", "from_contact"),
        parents=(_STUDENT, Parent("contact", "contacts")),
        key=("student_id", "contact_id"),
        people=("student", "contact"),
    ),
    Table(
        "class_teachers",
        values=("is_primary", "begins_on", "ends_on"),
        parents=(_CLASS, _STAFF),
        people=("staff",),
        by_enrollment=True,
    ),
    Table("class_students", ("begins_on", "ends_on"), (_CLASS, _STUDENT), people=("student",), by_enrollment=True),
)


@dataclass(frozen=True)
class TableChanges:
    """How many rows of a table differ: `counts` by kind (added, changed, inactive); `revived` are
    those of the changed ones that were inactive.

    `before` is the number of active rows before the merge.
    """

    before: int = 0
    revived: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def after(self) -> int:
        return self.before + self.revived + self.count("added") - self.count("inactive")

    def count(self, kind: str) -> int:
        return self.counts.get(kind, 0)


def compare(connection: Connection, table: Table, scope: SyncScope) -> TableChanges:
    """Write the differences to `change_{table}` and count them. The table itself is only read."""
    execute(connection, _difference(table, scope))
    execute(connection, f"ANALYZE change_{table.name}")
    with connection.begin():
        kinds = connection.exec_driver_sql(_KINDS.format(table=table.name)).all()
        active = "" if table.deletes_missing else "WHERE active"
        before = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name} {active}").scalar_one()
    return TableChanges(before, sum(row.revived for row in kinds), {row.kind: row.rows for row in kinds})


def apply(connection: Connection, table: Table) -> None:
    """Write the differences to the table, in the caller's transaction."""
    for statement in (_insert(table), _update(table), _retire(table)):
        connection.exec_driver_sql(statement)


def analyze_if_grown(connection: Connection, table: Table, changes: TableChanges) -> None:
    """Give the planner statistics of a table that more than doubled, as on a first sync.

    With those of a table that was empty or nearly so, it pairs every student with every contact
    before it looks for links.
    """
    if changes.count("added") > changes.before:
        execute(connection, f"ANALYZE {table.name}")


_KINDS = """
SELECT kind, count(*) AS rows, count(*) FILTER (WHERE kind = 'changed' AND NOT was_active) AS revived
FROM change_{table} GROUP BY kind
"""


def _difference(table: Table, scope: SyncScope) -> str:
    # Parents are compared by id: 0 is no parent, -1 one that this sync adds.
    parent_ids = "".join(
        f", coalesce({p.name}_row.id, CASE WHEN t.{p.name} IS NULL THEN 0 ELSE -1 END) AS {p.column}"
        for p in table.parents
    )
    target = ", ".join(f"t.{column}" for column in (*table.own_columns, *(parent.name for parent in table.parents)))
    live = ", ".join((*table.own_columns, *(f"coalesce({p.column}, 0) AS {p.column}" for p in table.parents)))
    live_keys = ", ".join(f"live.{column} AS live_{column}" for column in table.key)
    same_key = " AND ".join(f"live.{column} = target.{column}" for column in table.key)
    compared = (*table.values, *(p.column for p in table.parents if p.column not in table.key))
    differs = " OR ".join(["NOT live.active", *(f"live.{name} IS DISTINCT FROM target.{name}" for name in compared)])
    return f"""
        CREATE TEMP TABLE change_{table.name} AS
        SELECT CASE WHEN live.active IS NULL THEN 'added' WHEN target.found IS NULL THEN 'inactive' ELSE 'changed' END AS kind,
               target.*, {live_keys}, live.active AS was_active
        FROM (
            SELECT true AS found, {target}{parent_ids}
            FROM target_{table.name} t {_join_parents(table, "t")}
            WHERE {scope.covers(*(f"t.{column}" for column in table.people), by_enrollment=table.by_enrollment)}
        ) target
        FULL JOIN (
            SELECT {"true AS active" if table.deletes_missing else "active"}, {live}
            FROM {table.name} WHERE {_covers_live_row(table, scope)}
        ) live ON {same_key}
        WHERE live.active IS NULL OR (target.found IS NULL AND live.active) OR (target.found AND ({differs}))
    """


def _covers_live_row(table: Table, scope: SyncScope) -> str:
    if scope.is_whole or "sourced_id" in table.people:
        return scope.covers(*table.people)
    people = scope.covers("sourced_id", by_enrollment=table.by_enrollment)
    parents = [parent for parent in table.parents if parent.name in table.people]
    return " OR ".join(f"{p.column} IN (SELECT id FROM {p.table} WHERE {people})" for p in parents) or "false"


def _insert(table: Table) -> str:
    columns = ", ".join((*table.own_columns, *(parent.column for parent in table.parents)))
    parent_ids = ", ".join(f"{parent.name}_row.id" for parent in table.parents)
    values = ", ".join((*(f"c.{column}" for column in table.own_columns), *filter(None, [parent_ids])))
    # In the order of the primary key and of the parents that foreign keys look up, many rows take half the time.
    order = f"ORDER BY {parent_ids}" if "sourced_id" not in table.key else ""
    return f"""
        INSERT INTO {table.name} ({columns})
        SELECT {values} FROM change_{table.name} c {_join_parents(table, "c")} WHERE c.kind = 'added' {order}
    """


def _update(table: Table) -> str:
    assignments = [f"{column} = c.{column}" for column in table.values]
    assignments += [f"{p.column} = {p.name}_row.id" for p in table.parents if p.column not in table.key]
    assignments += [] if table.deletes_missing else ["active = true"]
    assignments += [table.extra_update] if table.extra_update else []
    if not assignments:
        return "SELECT"
    return f"""
        UPDATE {table.name} t SET {", ".join(assignments)}
        FROM change_{table.name} c {_join_parents(table, "c")}
        WHERE c.kind = 'changed' AND {_is_live_row(table)}
    """


def _retire(table: Table) -> str:
    if table.deletes_missing:
        return f"DELETE FROM {table.name} t USING change_{table.name} c WHERE c.kind = 'inactive' AND {_is_live_row(table)}"
    return f"""
        UPDATE {table.name} t SET active = false
        FROM change_{table.name} c WHERE c.kind = 'inactive' AND {_is_live_row(table)}
    """


def _is_live_row(table: Table) -> str:
    nullable = {parent.column for parent in table.parents if parent.is_nullable}
    return " AND ".join(
        f"coalesce(t.{column}, 0) = c.live_{column}" if column in nullable else f"t.{column} = c.live_{column}"
        for column in table.key
    )


def _join_parents(table: Table, alias: str) -> str:
    return " ".join(
        f"LEFT JOIN {p.table} {p.name}_row ON {p.name}_row.sourced_id = {alias}.{p.name}" for p in table.parents
    )
