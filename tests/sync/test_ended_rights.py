"""Rights that ended in the SIS end although the sync is held, and nothing else is written."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from support import sis_bundles as bundles

from bot.access import identity, rights
from bot.access.identity import AccessRules, SlackIdentity
from bot.errors import UserError
from bot.sync.hold import Approval, SyncHeld

FAMILIES = 30


@pytest.fixture
def nights(nights):
    """Enough children that the next sync can be held."""
    nights.add_families(FAMILIES)
    return nights


def hold(nights):
    """Sync without the families, which holds the sync, and return its sentence."""
    nights.leave(*(f"child{number}" for number in range(FAMILIES)))
    with pytest.raises(SyncHeld) as held:
        nights.sync()
    assert len(nights.active("students")) == FAMILIES + 2
    return held.value.sentence


def students_of(nights, email):
    """Return how many students the person with an email sees; None where they are refused."""
    person = SlackIdentity("U1", email, full_member=True)
    with Session(nights.engine) as session:
        try:
            actor = identity.load_actor(session, person, rules=AccessRules(), today=nights.now.date())
        except UserError:
            return None
        return len(session.scalars(rights.visible_students(actor)).all())


def rows_of(nights, table, person):
    return [row for row in nights.tables[table] if row["userSourcedId"] == person]


def leave(nights):
    nights.leave("clara")


def disable(nights):
    nights.user("clara")["enabledUser"] = "false"


def lose_role(nights):
    nights.tables["roles"].remove(rows_of(nights, "roles", "clara")[0])


def end_role(nights):
    rows_of(nights, "roles", "clara")[0]["endDate"] = nights.now.date().isoformat()


def lose_email(nights):
    nights.user("clara")["email"] = ""


def lose_email_to_another(nights):
    nights.user("clara")["email"] = "clara.new@district.example"


@pytest.mark.parametrize("change", [leave, disable, lose_role, end_role, lose_email, lose_email_to_another])
def test_clerk_who_lost_the_right_is_refused_at_once(nights, change):
    email = "clara.clerk@district.example"
    assert students_of(nights, email) == FAMILIES + 2
    change(nights)
    assert "1 staff member" in hold(nights)
    assert students_of(nights, email) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda nights: nights.tables["enrollments"].remove(rows_of(nights, "enrollments", "ana")[0]),
        lambda nights: rows_of(nights, "enrollments", "ana")[0].update(status="tobedeleted"),
        lambda nights: rows_of(nights, "enrollments", "ana")[0].update(endDate="2026-11-24"),
        lambda nights: rows_of(nights, "enrollments", "ana")[0].update(userSourcedId="dana"),
    ],
)
def test_teacher_who_lost_a_class_does_not_see_it(nights, change):
    assert students_of(nights, "ana.garcia@district.example") == FAMILIES + 2
    change(nights)
    hold(nights)
    assert students_of(nights, "ana.garcia@district.example") == 0


def test_school_role_that_became_a_class_role_shows_no_school(nights):
    rows_of(nights, "roles", "clara")[0]["role"] = "teacher"
    hold(nights)
    assert not students_of(nights, "clara.clerk@district.example")


def test_new_rights_wait_for_the_sync(nights):
    rows_of(nights, "roles", "ana")[0].update(role="principal", orgSourcedId="roosevelt")
    nights.add("nora", "Nora", "New", "principal", email="nora.new@district.example")
    hold(nights)
    assert not students_of(nights, "ana.garcia@district.example")
    assert students_of(nights, "nora.new@district.example") is None


def test_new_sourced_ids_end_nothing(nights):
    for table in ("roles", "enrollments"):
        for row in rows_of(nights, table, "ana"):
            row.update(userSourcedId="ana2", sourcedId=f"{row['sourcedId']}-2")
    nights.user("ana")["sourcedId"] = "ana2"
    sentence = hold(nights)
    assert students_of(nights, "ana.garcia@district.example") == FAMILIES + 2
    assert "staff member" not in sentence


def test_record_of_one_school_ends_though_the_other_stays(nights):
    nights.tables["users"].append(bundles.person("clara2", "Clara", "Clerk", email="clara.clerk@district.example"))
    nights.tables["roles"].append(bundles.role("clara2", "siteAdministrator", "roosevelt"))
    nights.sync()
    nights.leave("clara")
    hold(nights)
    assert students_of(nights, "clara.clerk@district.example") == 0


def test_damaged_export_ends_only_people_it_marks(nights):
    for number in range(40):
        nights.add(f"aide{number}", "Al", f"Aide {number}", "principal", email=f"aide{number}@district.example")
    nights.sync()
    nights.leave(*(f"aide{number}" for number in range(30)))
    disable(nights)
    nights.user("aide39")["status"] = "tobedeleted"
    assert "2 staff members" in hold(nights)
    assert students_of(nights, "aide0@district.example") == FAMILIES + 2
    assert students_of(nights, "aide39@district.example") is None
    assert students_of(nights, "clara.clerk@district.example") is None


def test_right_that_a_damaged_export_took_returns_with_the_next_sync(nights):
    before = {name: [dict(row) for row in rows] for name, rows in nights.tables.items()}
    roster = nights.roster()
    for change in (leave, lambda nights: nights.tables["enrollments"].remove(rows_of(nights, "enrollments", "ana")[0])):
        change(nights)
    hold(nights)
    nights.tables = before
    nights.now += timedelta(days=1)
    nights.sync()
    clara, ana = "clara.clerk@district.example", "ana.garcia@district.example"
    assert students_of(nights, clara) == students_of(nights, ana) == FAMILIES + 2
    assert [len(rows) for rows in nights.roster()] == [len(rows) for rows in roster]


def test_held_sync_that_is_confirmed_needs_no_second_confirmation(nights):
    leave(nights)
    hold(nights)
    [(fingerprint, counts)] = nights.rows("SELECT fingerprint, counts FROM sync_runs ORDER BY id DESC LIMIT 1")
    assert nights.sync(approval=Approval(fingerprint, counts)).state == "done"
