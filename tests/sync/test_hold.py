"""What stops a sync before it writes, what a sync that dies leaves behind, who waits for whom, and what a delta does not say."""

import os
import re
import signal
import threading
import time
from multiprocessing import get_context

import pytest
from sqlalchemy import text
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed, reasons

from bot.db.engine import build_engine
from bot.db.models.roster import last_sync_query
from bot.errors import UserError
from bot.sync.hold import SyncHeld


@pytest.fixture
def nights(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "bundle")


def with_families(nights, number):
    """As many more students, each with one parent and a place in 5A."""
    for each in range(number):
        nights.add(f"child{each}", "Kim", f"Child {each}", "student", agentSourcedIds=f"parent{each}")
        nights.add(f"parent{each}", "Pat", f"Parent {each}", "guardian", phone=f"312555{each:04d}")
        nights.tables["enrollments"].append(bundles.enrolled(f"child{each}"))
    nights.sync()


def everything(nights):
    tables = ("schools", "staff", "students", "contacts", "classes", "student_contacts", "class_students")
    return [nights.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


def test_more_than_a_share_of_the_students_leaving_at_once_stops_before_anything_is_written(nights):
    with_families(nights, 30)
    before = everything(nights)
    nights.leave(*(f"child{each}" for each in range(20)))
    with pytest.raises(SyncHeld, match=re.escape("20 of 32 students")) as stop:
        nights.sync()
    assert everything(nights) == before
    assert nights.rows("SELECT state, error, counts -> 'students' ->> 'inactive' FROM sync_runs ORDER BY id DESC")[
        0
    ] == (
        "braked",
        stop.value.sentence,
        "20",
    )
    assert nights.rows("SELECT max(id) FROM sync_runs") == [(stop.value.run_id,)]


def test_a_person_who_confirms_lets_the_same_bundle_in(nights):
    with_families(nights, 30)
    nights.leave(*(f"child{each}" for each in range(20)))
    with pytest.raises(SyncHeld):
        nights.sync()
    assert nights.sync(confirm=True).state == "done"
    assert len(nights.active("students")) == 12


@pytest.mark.parametrize(("families", "leaving", "percent"), [(30, 19, 5), (30, 20, 70), (30, 0, 0)])
def test_fewer_than_twenty_or_less_than_the_share_may_leave(nights, families, leaving, percent):
    with_families(nights, families)
    nights.leave(*(f"child{each}" for each in range(leaving)), *(f"parent{each}" for each in range(leaving)))
    nights.sync(brake_percent=percent)
    assert len(nights.active("students")) == families + 2 - leaving


def without_parents(nights):
    nights.leave(*(f"parent{each}" for each in range(30)))


def without_links(nights):
    for one in nights.tables["users"]:
        one["agentSourcedIds"] = ""


def without_numbers(nights):
    for one in nights.tables["users"]:
        one["phone"] = ""


def without_enrolments(nights):
    nights.tables["enrollments"] = nights.tables["enrollments"][:1]


@pytest.mark.parametrize(
    ("cut", "named"),
    [
        (without_parents, "30 of 32 contacts"),
        (without_links, "33 of 33 links between students and contacts"),
        (without_numbers, "31 of 32 contacts' numbers"),
        (without_enrolments, "32 of 33 enrolments"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_contacts_links_numbers_and_enrolments_brake_too(nights, cut, named):
    with_families(nights, 30)
    before = everything(nights)
    cut(nights)
    with pytest.raises(SyncHeld, match=re.escape(named)):
        nights.sync()
    assert everything(nights) == before


@pytest.mark.parametrize("left", ["", "\ufeff", "header"])
@pytest.mark.parametrize("name", ["users", "roles", "enrollments", "classes", "orgs"])
def test_a_file_without_a_row_stops_the_smallest_district_until_somebody_confirms(nights, name, left):
    nights.sync()
    before = everything(nights)
    files = bundles.write(nights.tables, nights.folder)
    (files / f"{name}.csv").write_text(bundles.COLUMNS[name] + "\r\n" if left == "header" else left, encoding="utf-8")
    with pytest.raises(SyncHeld, match=f"{name}.csv holds no row"):
        nights.read(files)
    assert everything(nights) == before
    assert nights.read(files, confirm=True).state == "done"


@pytest.mark.parametrize("left", ["", "header"])
@pytest.mark.parametrize("name", ["users", "roles", "orgs"])
def test_a_first_sync_of_a_file_without_a_row_says_so_and_waits_for_somebody(nights, name, left):
    files = bundles.write(nights.tables, nights.folder)
    (files / f"{name}.csv").write_text(bundles.COLUMNS[name] + "\r\n" if left == "header" else left)
    with pytest.raises(SyncHeld, match=f"{name}.csv holds no row"):
        nights.read(files)
    assert nights.rows("SELECT FROM staff") == nights.rows("SELECT FROM students") == []
    told = nights.read(files, confirm=True)
    assert (f"{name}.csv", None, None, "holds no row") in reasons(told)


def test_a_first_sync_of_a_bundle_of_headers_names_each_file(nights):
    nights.tables = {name: [] for name in nights.tables}
    with pytest.raises(SyncHeld, match=r"orgs\.csv holds no row; users\.csv holds no row; roles\.csv holds no row"):
        nights.sync()


def test_files_that_never_held_anything_stop_nothing(nights):
    nights.tables |= {"classes": [], "enrollments": [], "academicSessions": []}
    nights.sync()
    nights.leave("lea")
    assert changed(nights.sync())["students"] == (0, 0, 1)


class PulledPlugError(Exception):
    pass


STEPS = ("schools", "staff", "students", "contacts", "classes", "staff_roles", "student_schools", "student_contacts")


@pytest.mark.parametrize("last", ["users.csv", *STEPS, "class_teachers"])
def test_a_sync_that_dies_leaves_whole_tables_and_the_next_one_completes_it(nights, last):
    def die(step, _done, _total):
        if step == last:
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        nights.sync(progress=die)
    written = {table: len(nights.rows(f"SELECT FROM {table}")) for table in STEPS}
    whole = {
        "schools": 2,
        "staff": 3,
        "students": 2,
        "contacts": 2,
        "classes": 1,
        "staff_roles": 3,
        "student_schools": 2,
    }
    done = STEPS[: STEPS.index(last) + 1] if last in STEPS else STEPS if last == "class_teachers" else ()
    assert written == {table: (whole | {"student_contacts": 3})[table] if table in done else 0 for table in STEPS}
    nights.sync()
    assert nights.rows("SELECT state FROM sync_runs ORDER BY id") == [("failed",), ("done",)]
    assert changed(nights.sync()) == {}
    assert nights.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def sync_until_killed(url, folder, step):
    """What another process does; it has no time to say goodbye."""
    nights = Nights(build_engine(url), folder)
    nights.sync(progress=lambda reached, _done, _total: reached == step and os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.parametrize("step", ["enrollments.csv", "contacts"])
def test_a_process_that_is_killed_in_the_middle_leaves_nothing_in_the_way_of_the_next_sync(nights, step):
    url = nights.engine.url.render_as_string(hide_password=False)
    process = get_context("spawn").Process(target=sync_until_killed, args=(url, nights.folder, step))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    with nights.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('roster.sync', 0))"))
    assert nights.rows("SELECT state FROM sync_runs") == [("running",)]
    assert len(nights.rows("SELECT FROM contacts")) == (2 if step == "contacts" else 0)
    assert nights.sync().totals["contacts"] == 2
    assert nights.rows("SELECT state, error FROM sync_runs ORDER BY id") == [
        ("failed", "The sync was cut short."),
        ("done", None),
    ]
    assert nights.links() == {("sam", "maria"), ("sam", "joao"), ("lea", "joao")}


def test_of_two_syncs_at_once_the_second_says_so_and_leaves_the_first_alone(nights):
    refused = []

    def meanwhile(step, _done, _total):
        if step == "students":
            with pytest.raises(UserError, match="Another sync is running"):
                nights.read(nights.folder)
            refused.append(step)

    assert nights.sync(progress=meanwhile).state == "done"
    assert refused == ["students"]
    assert nights.rows("SELECT state FROM sync_runs") == [("done",)]


def test_a_sync_that_ended_lets_the_next_in_at_once(nights):
    for _ in range(20):
        nights.sync()
    assert nights.rows("SELECT count(*) FROM sync_runs WHERE state = 'done'") == [(20,)]


def test_between_two_tables_nobody_has_to_wait_for_a_contact(nights):
    waited = []

    def edit_meanwhile(_step, _done, _total):
        with nights.engine.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '1ms'"))
            waited.extend(other.execute(text("SELECT id FROM contacts FOR UPDATE")).all())

    nights.sync()
    nights.user("maria")["phone"] = "(312) 555-0199"
    nights.sync(progress=edit_meanwhile)
    assert waited


def test_a_sync_waits_for_the_person_who_is_saving_and_then_goes_on(nights):
    nights.sync()
    nights.user("maria")["phone"] = "(312) 555-0199"
    done = threading.Event()
    syncing = threading.Thread(target=lambda: (nights.sync(), done.set()))
    with nights.engine.begin() as person:
        person.execute(text("SELECT FROM contacts WHERE sourced_id = 'maria' FOR UPDATE"))
        syncing.start()
        until = time.monotonic() + 20
        while not person.execute(text("SELECT FROM pg_locks WHERE NOT granted")).all():
            assert time.monotonic() < until, "the sync never came to the contact that is held"
            time.sleep(0.01)
        assert not done.is_set()
    syncing.join(timeout=20)
    assert done.is_set()
    assert nights.phone("maria") == "+13125550199"


def test_a_delta_says_nothing_of_whom_it_does_not_name(nights):
    with_families(nights, 30)
    before = everything(nights)
    report = nights.sync_changes(users=[dict(nights.user("maria"), phone="(312) 555-0199")])
    assert changed(report) == {"contacts": (0, 1, 0)}
    assert report.files["users.csv"].mode == "delta"
    assert nights.phone("maria") == "+13125550199"
    nights.sync_changes(users=[dict(nights.user("maria"))])
    assert [len(rows) for rows in everything(nights)] == [len(rows) for rows in before]


def test_a_delta_takes_away_whom_it_names_as_deleted_and_brings_back_whom_it_names_again(nights):
    nights.sync()
    nights.sync_changes(users=[{"sourcedId": "maria", "status": "tobedeleted"}])
    assert (nights.active("contacts"), nights.links()) == ({"joao"}, {("sam", "joao"), ("lea", "joao")})
    nights.sync_changes(users=[dict(nights.user("maria"))], roles=[bundles.role("maria", "parent")])
    assert nights.active("contacts") == {"maria", "joao"}
    assert ("sam", "maria") in nights.links()


def test_a_delta_ends_an_enrolment_and_adds_another(nights):
    nights.sync()
    nights.sync_changes(
        enrollments=[
            bundles.enrolled("sam", status="tobedeleted"),
            bundles.enrolled("lea", sourcedId="E-again", beginDate="2026-11-01"),
        ]
    )
    assert nights.active("class_students") == {"E-5A-lea", "E-again"}
    assert nights.active("class_teachers") == {"E-5A-ana"}


def test_a_delta_of_a_student_replaces_the_students_own_links_and_leaves_what_contacts_say(nights):
    nights.sync()
    nights.sync_changes(users=[dict(nights.user("sam"), agentSourcedIds="")])
    assert nights.links() == {("sam", "maria"), ("lea", "joao")}, "Maria names Sam herself"


def test_a_delta_of_1_1_changes_roles_with_the_person(nights):
    nights.tables = bundles.a_district_in_1_1()
    nights.sync()
    nights.sync_changes(users=[dict(nights.user("ana"), orgSourcedIds="roosevelt")])
    assert nights.rows(
        "SELECT s.name FROM staff_roles r JOIN schools s ON s.id = r.school_id "
        "JOIN staff t ON t.id = r.staff_id WHERE t.sourced_id = 'ana'"
    ) == [("Roosevelt High",)]
    assert nights.active("students") == {"sam", "lea"}


def test_a_bundle_may_mix_whole_files_and_deltas(nights):
    nights.sync()
    joao = dict(nights.user("joao"), status="active", dateLastModified="2026-11-24T00:00:00.000Z", sms="312-555-0188")
    tables = nights.tables | {"users": [joao], "enrollments": nights.tables["enrollments"][:2]}
    report = nights.read(bundles.write(tables, nights.folder, delta=["users"]))
    assert changed(report) == {"contacts": (0, 1, 0), "class_students": (0, 0, 1)}
    assert nights.phone("joao") == "+13125550188"


def test_a_whole_file_that_the_manifest_calls_a_delta_is_whole(nights):
    nights.sync()
    nights.leave("lea")
    report = nights.read(bundles.write(nights.tables, nights.folder, delta=nights.tables))
    assert nights.active("students") == {"sam"}
    assert {one.mode for one in report.files.values()} == {"bulk"}


def test_last_sync_does_not_count_runs_that_did_not_end(nights, session):
    report = nights.sync()
    session.rollback()
    before = session.scalar(last_sync_query())
    session.rollback()
    with pytest.raises(UserError):
        nights.read(nights.folder / "nowhere")
    assert report.state == "done"
    assert session.scalar(last_sync_query()) == before
