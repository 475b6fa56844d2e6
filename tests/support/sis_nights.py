"""The nightly syncs of one small district into one database: change `tables` as the SIS would, then `sync`."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session
from support import people
from support import sis_bundles as bundles

from bot.sis.oneroster_csv import Export
from bot.sync.run import run_sync


class Nights:
    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = folder
        self.tables = bundles.a_district()
        self.now = people.NOW

    def user(self, who):
        return bundles.users_by_id(self.tables)[who]

    def add(self, who, given, family, role, **cells):
        self.tables["users"].append(bundles.person(who, given, family, **cells))
        self.tables["roles"].append(bundles.role(who, role))

    def leave(self, *who):
        """They are in no file any more; others may still point at them."""
        self.tables["users"] = [one for one in self.tables["users"] if one["sourcedId"] not in who]
        for name in ("roles", "enrollments"):
            self.tables[name] = [one for one in self.tables[name] if one["userSourcedId"] not in who]

    def sync(self, **options):
        """Read everything, a day after the last sync."""
        return self.read(bundles.write(self.tables, self.folder), **options)

    def sync_changes(self, **tables):
        """Read a delta bundle that holds these rows only."""
        for rows in tables.values():
            for row in rows:
                row.setdefault("status", "active")
                row.setdefault("dateLastModified", "2026-11-23T12:00:00.000Z")
        return self.read(bundles.write(tables, self.folder, delta=tables))

    def read(self, source, **options):
        self.now += timedelta(days=1)
        return run_sync(
            self.engine, _source(source), **{"now": self.now, "region": "US", "brake_percent": 5, **options}
        )

    def rows(self, select, **values):
        """What the database holds: plain tuples."""
        with Session(self.engine) as session:
            return [tuple(row) for row in session.execute(text(select), values)]

    def active(self, table):
        return {one for (one,) in self.rows(f"SELECT sourced_id FROM {table} WHERE active")}

    def links(self):
        return set(
            self.rows(
                "SELECT s.sourced_id, c.sourced_id FROM student_contacts l JOIN students s ON s.id = l.student_id "
                "JOIN contacts c ON c.id = l.contact_id WHERE l.active"
            )
        )

    def phone(self, who):
        [(phone,)] = self.rows("SELECT sis_phone FROM contacts WHERE sourced_id = :who", who=who)
        return phone


def _source(told):
    """Where to read: a path, or a source of another kind."""
    return Export(told) if isinstance(told, Path) else told


def changed(report):
    """Everything a sync did to the tables: {table: (added, changed, inactive)}, without those it left alone."""
    done = {name: (one.added, one.changed, one.inactive) for name, one in report.counts.items()}
    return {name: numbers for name, numbers in done.items() if any(numbers)}


def reasons(report):
    return [(one.file, one.line, one.column_name, one.reason) for one in report.rejections]
