"""Nightly syncs of one small district: change `tables` as the SIS would, then `sync`."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session
from support import people, saved_rows
from support import sis_bundles as bundles

from bot.sis.oneroster_csv import Export
from bot.sync.run import run_sync

ROSTER = (
    *("schools", "staff", "students", "contacts", "classes"),
    *("student_contacts", "class_students", "staff_roles", "class_teachers"),
)


class Nights:
    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = folder
        self.tables = bundles.a_district()
        self.now = people.NOW

    def user(self, sourced_id):
        return bundles.users_by_id(self.tables)[sourced_id]

    def add(self, sourced_id, given, family, role, **cells):
        self.tables["users"].append(bundles.person(sourced_id, given, family, **cells))
        self.tables["roles"].append(bundles.role(sourced_id, role))

    def add_families(self, count):
        """Add students `child0` ... in class 5A, each with the contact `parent0` ..., and sync."""
        for number in range(count):
            child, parent = f"child{number}", f"parent{number}"
            self.add(child, "Kim", f"Child {number}", "student", agentSourcedIds=parent)
            self.add(parent, "Pat", f"Parent {number}", "guardian", phone=f"312555{number:04d}")
            self.tables["enrollments"].append(bundles.enrolled(child))
        self.sync()

    def leave(self, *sourced_ids):
        """Remove people from all files; others may still name them."""
        self.tables["users"] = [user for user in self.tables["users"] if user["sourcedId"] not in sourced_ids]
        for name in ("roles", "enrollments"):
            self.tables[name] = [row for row in self.tables[name] if row["userSourcedId"] not in sourced_ids]

    def sync_first(self):
        """Sync a new `Nights`, whose tables are the same for every test."""
        source, self.now = bundles.write(self.tables, self.folder), self.now + timedelta(days=1)
        saved_rows.fill_once(self.engine, "first night", lambda: self._run(Export(source)))

    def sync(self, **options):
        """Sync the tables as a bulk export, a day after the last sync."""
        return self.read(bundles.write(self.tables, self.folder), **options)

    def sync_changes(self, **tables):
        """Sync a delta export of these rows."""
        for rows in tables.values():
            for row in rows:
                row.setdefault("status", "active")
                row.setdefault("dateLastModified", "2026-11-23T12:00:00.000Z")
        return self.read(bundles.write(tables, self.folder, delta=tables))

    def read(self, source, **options):
        """Sync a path, or another source."""
        self.now += timedelta(days=1)
        return self._run(Export(source) if isinstance(source, Path) else source, **options)

    def _run(self, source, **options):
        return run_sync(self.engine, source, **{"now": self.now, "region": "US", "hold_percent": 5, **options})

    def rows(self, select, **values):
        with Session(self.engine) as session:
            return [tuple(row) for row in session.execute(text(select), values)]

    def roster(self):
        return [self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ROSTER]

    def active(self, table):
        return {sourced_id for (sourced_id,) in self.rows(f"SELECT sourced_id FROM {table} WHERE active")}

    def links(self):
        return set(
            self.rows(
                "SELECT s.sourced_id, c.sourced_id FROM student_contacts l JOIN students s ON s.id = l.student_id "
                "JOIN contacts c ON c.id = l.contact_id WHERE l.active"
            )
        )

    def phone(self, sourced_id):
        [(phone,)] = self.rows("SELECT sis_phone FROM contacts WHERE sourced_id = :sourced_id", sourced_id=sourced_id)
        return phone


def changed(report):
    """Return {table: (added, changed, inactive)} of the tables that a sync changed."""
    counts = {table: (row.added, row.changed, row.inactive) for table, row in report.counts.items()}
    return {table: numbers for table, numbers in counts.items() if any(numbers)}


def reasons(report):
    return [(row.file, row.line, row.column_name, row.reason) for row in report.rejections]
