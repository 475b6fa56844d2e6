"""The difference between what a table holds and what it should hold, and applying it: only the rows that differ, each table
in one short transaction. What is missing becomes inactive and comes back as the same row when it returns.

Parents are named by the SIS's ids until a table is applied, so that the whole difference is known before anything is written.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from bot.sync.scope import SyncScope
from bot.sync.stage import execute


@dataclass(frozen=True)
class Parent:
    """A row of `table`, named in `wanted_…` by its sourced_id in `name` and held as `{name}_id`, which `may_be_null`."""

    name: str
    table: str
    may_be_null: bool = False

    @property
    def column(self) -> str:
        return f"{self.name}_id"


@dataclass(frozen=True)
class Table:
    """A table the sync writes. Rows are the same by sourced_id or, for links, by `key`: parents' columns and words.

    Links without `keeps_missing` say only where somebody is now: they are deleted when the SIS no longer says so.
    `also` are further assignments of an update (`t` is the row as it was, `c` the change). `about` and `moves` name the
    columns of `wanted_…` that hold people, touched or moved, whom a sync may be narrowed to; without any, it leaves the table.
    """

    name: str
    values: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    key: tuple[str, ...] = ("sourced_id",)
    keeps_missing: bool = True
    also: str = ""
    about: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()

    @property
    def plain(self) -> tuple[str, ...]:
        """The columns that hold no parent."""
        parents = {parent.column for parent in self.parents}
        return (*(column for column in self.key if column not in parents), *self.values)


_SCHOOL, _STAFF = Parent("school", "schools"), Parent("staff", "staff")
_STUDENT, _CLASS = Parent("student", "students"), Parent("class", "classes")

TABLES = (
    Table("schools", values=("name",)),
    Table("staff", values=("given_name", "family_name", "email"), about=("sourced_id",)),
    Table("students", values=("given_name", "family_name", "search", "grade"), about=("sourced_id",)),
    Table(
        "contacts",
        values=("given_name", "family_name", "email", "sis_phone", "sis_phone_written"),
        also="version = t.version + (t.sis_phone IS DISTINCT FROM c.sis_phone)::int",
        about=("sourced_id",),
    ),
    Table("classes", values=("title", "homeroom"), parents=(_SCHOOL,)),
    Table(
        "staff_roles",
        parents=(_STAFF, Parent("school", "schools", may_be_null=True)),
        key=("staff_id", "school_id", "role"),
        keeps_missing=False,
        about=("staff",),
    ),
    Table(
        "student_schools",
        parents=(_STUDENT, _SCHOOL),
        key=("student_id", "school_id"),
        keeps_missing=False,
        moves=("student",),
    ),
    Table(
        "student_contacts",
        values=("relationship", "priority", "from_student", "from_contact"),
        parents=(_STUDENT, Parent("contact", "contacts")),
        key=("student_id", "contact_id"),
        about=("student", "contact"),
    ),
    Table("class_teachers", values=("is_primary", "begins_on", "ends_on"), parents=(_CLASS, _STAFF), moves=("staff",)),
    Table("class_students", values=("begins_on", "ends_on"), parents=(_CLASS, _STUDENT), moves=("student",)),
)


@dataclass
class TableChanges:
    """How many rows of a table differ, by kind; `held` were active before, `revived` of those that changed were not."""

    held: int = 0
    revived: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def wanted(self) -> int:
        """How many rows there are for the SIS."""
        return self.held + self.revived + self.of("added") - self.of("inactive")

    def of(self, kind: str) -> int:
        return self.kinds.get(kind, 0)


def compare(connection: Connection, table: Table, scope: SyncScope) -> TableChanges:
    """Write the difference to `change_{table}` and count it. Nothing of the table itself is touched."""
    execute(connection, _difference(table, scope))
    execute(connection, f"ANALYZE change_{table.name}")
    with connection.begin():
        counted = connection.exec_driver_sql(_COUNTED.format(table=table.name)).all()
        active = "WHERE active" if table.keeps_missing else ""
        held = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name} {active}").scalar_one()
    return TableChanges(held, sum(row.revived for row in counted), {row.kind: row.rows for row in counted})


def apply(connection: Connection, table: Table) -> None:
    """Make the difference real, inside the caller's transaction."""
    for statement in (_insert(table), _update(table), _retire(table)):
        connection.exec_driver_sql(statement)


_COUNTED = """
SELECT kind, count(*) AS rows, count(*) FILTER (WHERE kind = 'changed' AND NOT was_active) AS revived
FROM change_{table} GROUP BY kind
"""


def _difference(table: Table, scope: SyncScope) -> str:
    """Ids of parents are compared as 0 where there is none and as -1 where the parent is itself only about to be added."""
    said = ", ".join(f"w.{column}" for column in (*table.plain, *(parent.name for parent in table.parents)))
    resolved = "".join(
        f", coalesce({p.name}_row.id, CASE WHEN w.{p.name} IS NULL THEN 0 ELSE -1 END) AS {p.column}"
        for p in table.parents
    )
    joins = " ".join(f"LEFT JOIN {p.table} {p.name}_row ON {p.name}_row.sourced_id = w.{p.name}" for p in table.parents)
    held = ", ".join((*table.plain, *(f"coalesce({p.column}, 0) AS {p.column}" for p in table.parents)))
    same = " AND ".join(f"live.{column} = said.{column}" for column in table.key)
    keys = ", ".join(f"live.{column} AS live_{column}" for column in table.key)
    compared = (*table.values, *(p.column for p in table.parents if p.column not in table.key))
    differs = " OR ".join(["NOT live.active", *(f"live.{name} IS DISTINCT FROM said.{name}" for name in compared)])
    return f"""
        CREATE TEMP TABLE change_{table.name} AS
        SELECT CASE WHEN live.active IS NULL THEN 'added' WHEN said.here IS NULL THEN 'inactive' ELSE 'changed' END AS kind,
               said.*, {keys}, live.active AS was_active
        FROM (
            SELECT true AS here, {said}{resolved} FROM wanted_{table.name} w {joins}
            WHERE {_is_wanted_in(scope, table)}
        ) said
        FULL JOIN (
            SELECT {"active" if table.keeps_missing else "true AS active"}, {held} FROM {table.name}
            WHERE {_is_held_in(scope, table)}
        ) live ON {same}
        WHERE live.active IS NULL OR (said.here IS NULL AND live.active) OR (said.here AND ({differs}))
    """


def _is_wanted_in(scope: SyncScope, table: Table) -> str:
    columns = [f"w.{column}" for column in (*table.about, *table.moves)]
    return scope.holds(*columns, moved=bool(table.moves))


def _is_held_in(scope: SyncScope, table: Table) -> str:
    if scope.is_whole or "sourced_id" in table.about:
        return scope.holds(*table.about)
    people = scope.holds("sourced_id", moved=bool(table.moves))
    parents = [parent for parent in table.parents if parent.name in (*table.about, *table.moves)]
    return " OR ".join(f"{one.column} IN (SELECT id FROM {one.table} WHERE {people})" for one in parents) or "false"


def _insert(table: Table) -> str:
    columns = ", ".join((*table.plain, *(parent.column for parent in table.parents)))
    values = ", ".join((*(f"c.{column}" for column in table.plain), *(f"{p.name}_row.id" for p in table.parents)))
    return f"""
        INSERT INTO {table.name} ({columns})
        SELECT {values} FROM change_{table.name} c {_parents_of_change(table)} WHERE c.kind = 'added'
    """


def _update(table: Table) -> str:
    set_parents = [f"{p.column} = {p.name}_row.id" for p in table.parents if p.column not in table.key]
    assignments = [*(f"{column} = c.{column}" for column in table.values), *set_parents]
    assignments += ["active = true"] if table.keeps_missing else []
    assignments += [table.also] if table.also else []
    if not assignments:
        return "SELECT"
    return f"""
        UPDATE {table.name} t SET {", ".join(assignments)}
        FROM change_{table.name} c {_parents_of_change(table)}
        WHERE c.kind = 'changed' AND {_is_live(table)}
    """


def _retire(table: Table) -> str:
    if table.keeps_missing:
        return f"UPDATE {table.name} t SET active = false FROM change_{table.name} c WHERE c.kind = 'inactive' AND {_is_live(table)}"
    return f"DELETE FROM {table.name} t USING change_{table.name} c WHERE c.kind = 'inactive' AND {_is_live(table)}"


def _is_live(table: Table) -> str:
    nullable = {parent.column for parent in table.parents if parent.may_be_null}
    return " AND ".join(
        f"coalesce(t.{column}, 0) = c.live_{column}" if column in nullable else f"t.{column} = c.live_{column}"
        for column in table.key
    )


def _parents_of_change(table: Table) -> str:
    return " ".join(f"LEFT JOIN {p.table} {p.name}_row ON {p.name}_row.sourced_id = c.{p.name}" for p in table.parents)
