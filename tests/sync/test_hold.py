"""When a sync is held."""

import re

import pytest
from support import sis_bundles as bundles
from support.sis_nights import changed, reasons
from support.sis_server import serving

from bot.errors import UserError
from bot.sync.hold import Approval, SyncHeld


def test_sync_is_held_if_too_many_students_leave(nights):
    nights.add_families(30)
    before = nights.roster()
    nights.leave(*(f"child{number}" for number in range(20)))
    with pytest.raises(SyncHeld, match=re.escape("20 of 32 students")) as held:
        nights.sync()
    assert nights.roster() == before
    assert nights.rows("SELECT state, error, counts -> 'students' ->> 'inactive' FROM sync_runs ORDER BY id DESC")[
        0
    ] == (
        "held",
        held.value.sentence,
        "20",
    )
    assert nights.rows("SELECT max(id) FROM sync_runs") == [(held.value.run_id,)]


def test_confirmed_sync_is_not_held(nights):
    nights.add_families(30)
    nights.leave(*(f"child{number}" for number in range(20)))
    with pytest.raises(SyncHeld):
        nights.sync()
    assert nights.sync(confirm=True).state == "done"
    assert len(nights.active("students")) == 12


def hold_and_approve(nights, source=None):
    """Sync, which is held, and return a person's approval of it."""
    with pytest.raises(SyncHeld):
        nights.read(source) if source else nights.sync()
    [values] = nights.rows("SELECT fingerprint, counts FROM sync_runs ORDER BY id DESC LIMIT 1")
    return Approval(*values)


def test_approval_covers_the_export_that_was_held(nights):
    nights.add_families(30)
    nights.leave(*(f"child{number}" for number in range(25)))
    assert nights.sync(approval=hold_and_approve(nights)).state == "done"
    assert len(nights.active("students")) == 7


def test_approval_does_not_cover_another_export_with_smaller_counts(nights):
    nights.add_families(50)
    families = {name: list(rows) for name, rows in nights.tables.items()}
    nights.leave(*(f"child{number}" for number in range(25)))
    approval = hold_and_approve(nights)
    nights.tables = families
    nights.leave(*(f"child{number}" for number in range(29, 50)))
    with pytest.raises(SyncHeld, match=r"^The export is not the one that was approved before.*21 of 52 students"):
        nights.sync(approval=approval)
    assert len(nights.active("students")) == 52


def test_export_that_is_no_reason_to_hold_needs_no_approval(nights):
    nights.add_families(30)
    families = {name: list(rows) for name, rows in nights.tables.items()}
    nights.leave(*(f"child{number}" for number in range(25)))
    approval = hold_and_approve(nights)
    nights.tables = families
    nights.leave("child0")
    assert nights.sync(approval=approval).state == "done"


def test_approval_of_a_server_covers_the_rows_that_were_held(nights):
    nights.add_families(50)
    families = {name: list(rows) for name, rows in nights.tables.items()}
    nights.leave(*(f"child{number}" for number in range(25)))
    with serving(nights.tables, 2) as sis:
        approval = hold_and_approve(nights, sis.source())
    nights.tables = dict(families)
    nights.leave(*(f"child{number}" for number in range(29, 50)))
    with serving(nights.tables, 2) as sis, pytest.raises(SyncHeld, match="not the one that was approved"):
        nights.read(sis.source(), approval=approval)
    nights.tables = families
    nights.leave(*(f"child{number}" for number in range(25)))
    with serving(nights.tables, 2) as sis:
        assert nights.read(sis.source(), approval=approval).state == "done"


def test_hold_names_emptied_phones_apart_from_changed_contacts(nights):
    nights.add_families(30)
    nights.leave(*(f"child{number}" for number in range(25)))
    for number in range(26, 29):
        nights.user(f"parent{number}")["phone"] = ""
    with pytest.raises(SyncHeld, match=re.escape("3 contacts would have no phone number anymore")):
        nights.sync()


@pytest.mark.parametrize(("families", "leaving", "percent"), [(30, 19, 5), (30, 20, 70), (30, 0, 0)])
def test_few_people_may_leave(nights, families, leaving, percent):
    nights.add_families(families)
    nights.leave(*(f"child{number}" for number in range(leaving)), *(f"parent{number}" for number in range(leaving)))
    nights.sync(hold_percent=percent)
    assert len(nights.active("students")) == families + 2 - leaving


def without_parents(nights):
    nights.leave(*(f"parent{number}" for number in range(30)))


def without_links(nights):
    for user in nights.tables["users"]:
        user["agentSourcedIds"] = ""


def without_numbers(nights):
    for user in nights.tables["users"]:
        user["phone"] = ""


def without_enrollments(nights):
    nights.tables["enrollments"] = nights.tables["enrollments"][:1]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (without_parents, "30 of 32 contacts"),
        (without_links, "33 of 33 links between students and contacts"),
        (without_numbers, "31 of 32 phone numbers of contacts"),
        (without_enrollments, "32 of 32 students would lose most of their classes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_disappearing_contacts_links_numbers_and_enrollments_hold(nights, damage, named):
    nights.add_families(30)
    before = nights.roster()
    damage(nights)
    with pytest.raises(SyncHeld, match=re.escape(named)):
        nights.sync()
    assert nights.roster() == before


@pytest.mark.parametrize("left", ["", "\ufeff", "header"])
@pytest.mark.parametrize("name", ["users", "roles", "enrollments", "classes", "orgs"])
def test_empty_file_holds_even_a_small_district(nights, name, left):
    before = nights.roster()
    files = bundles.write(nights.tables, nights.folder)
    (files / f"{name}.csv").write_text(bundles.COLUMNS[name] + "\r\n" if left == "header" else left, encoding="utf-8")
    with pytest.raises(SyncHeld, match=f"{name}.csv holds no row"):
        nights.read(files)
    assert nights.roster() == before
    assert nights.read(files, confirm=True).state == "done"


@pytest.mark.parametrize("left", ["", "header"])
def test_first_sync_without_an_organization_is_held(first_night, left):
    files = bundles.write(first_night.tables, first_night.folder)
    (files / "orgs.csv").write_text(bundles.COLUMNS["orgs"] + "\r\n" if left == "header" else left)
    with pytest.raises(SyncHeld, match=r"orgs\.csv holds no row"):
        first_night.read(files)
    assert first_night.rows("SELECT FROM staff") == first_night.rows("SELECT FROM students") == []
    report = first_night.read(files, confirm=True)
    assert ("orgs.csv", None, None, "holds no row") in reasons(report)


@pytest.mark.parametrize("left", ["", "header"])
@pytest.mark.parametrize("name", ["users", "roles"])
def test_first_sync_without_people_fails_and_names_the_file(first_night, name, left):
    files = bundles.write(first_night.tables, first_night.folder)
    (files / f"{name}.csv").write_text(bundles.COLUMNS[name] + "\r\n" if left == "header" else left)
    with pytest.raises(UserError, match=rf"{name}\.csv holds no row") as failure:
        first_night.read(files, confirm=True)
    assert failure.value.code == "sync.no_students"
    assert first_night.rows("SELECT FROM staff") == first_night.rows("SELECT FROM students") == []


def test_files_that_were_always_empty_do_not_hold(first_night):
    first_night.tables |= {"classes": [], "enrollments": [], "academicSessions": []}
    first_night.sync()
    first_night.leave("lea")
    assert changed(first_night.sync())["students"] == (0, 0, 1)
