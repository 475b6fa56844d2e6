"""Nights that hold a sync because of what changes, and nights of a school year that must not."""

import re
from copy import deepcopy

import pytest
from sqlalchemy import text
from support import sis_bundles as bundles
from support.sis_nights import Nights, changed

from bot.sync.hold import SyncHeld

FAMILIES = 130
GRADES = ("KG", *(f"{grade:02}" for grade in range(1, 13)))


def child(number):
    return f"S{number}"


def mother(number):
    return f"M{number}"


def add_family(tables, number, *, grade, school="lincoln"):
    name = f"Family{number}"
    tables["users"] += [
        bundles.person(child(number), f"Kim{number}", name, grades=grade, agentSourcedIds=mother(number)),
        bundles.person(
            mother(number), f"Pat{number}", name, phone=f"312556{number:04}", email=f"pat{number}@home.example"
        ),
    ]
    tables["roles"] += [
        bundles.role(child(number), "student", school),
        bundles.role(mother(number), "guardian", school),
    ]


def add_teacher(tables, number, school="lincoln"):
    tables["users"].append(
        bundles.person(f"T{number}", f"Tea{number}", f"Cher{number}", email=f"t{number}@district.example")
    )
    tables["roles"].append(bundles.role(f"T{number}", "teacher", school))
    tables["enrollments"].append(bundles.enrolled(f"T{number}", "teacher", f"C{number}"))


def add_class(tables, number, term="Y27"):
    tables["classes"].append(
        {"sourcedId": f"C{number}", "title": f"Class {number}", "schoolSourcedId": "lincoln", "termSourcedIds": term}
    )


@pytest.fixture
def first_year(empty_database, tmp_path):
    """A district of thirteen grades with ten families each; each student has two of thirteen classes."""
    nights = Nights(empty_database, tmp_path / "export")
    for number in range(13):
        add_class(nights.tables, number)
        add_teacher(nights.tables, number)
    for number in range(FAMILIES):
        add_family(nights.tables, number, grade=GRADES[number % 13])
        nights.tables["enrollments"] += enrollments(number)
    return nights


def enrollments(number, key="E27"):
    return [
        bundles.enrolled(child(number), in_class=f"C{index % 13}", sourcedId=f"{key}-{index}-{number}")
        for index in (number, number + 1)
    ]


@pytest.fixture
def nights(first_year):
    first_year.sync()
    return first_year


def mothers(nights, count=FAMILIES):
    users = bundles.users_by_id(nights.tables)
    return [users[mother(number)] for number in range(count)]


def rotate(people, *columns, by=1):
    values = [[person.get(column, "") for column in columns] for person in people]
    for person, row in zip(people, values[by:] + values[:by], strict=True):
        person.update(zip(columns, row, strict=True))


def shift_numbers(nights):
    rotate(mothers(nights, 12), "phone")


def shift_names(nights):
    rotate(mothers(nights, 12), "givenName", "familyName")


def shift_links(nights):
    """The mothers' rows name the next child, while the children's rows still name their mothers."""
    for number, contact in enumerate(mothers(nights, 25)):
        contact["agentSourcedIds"] = child(number + 1)


def change_numbers(nights):
    for number, contact in enumerate(mothers(nights, 20)):
        contact["phone"] = f"312557{number:04}"


def fill_down_one_number(nights):
    for contact in mothers(nights, 11):
        contact["phone"] = "312 557 0000"


def drop_school(nights):
    nights.tables["orgs"] = [org for org in nights.tables["orgs"] if org["sourcedId"] != "roosevelt"]


def add_small_school(nights):
    for number in range(200, 204):
        add_family(nights.tables, number, grade="09", school="roosevelt")


def drop_small_school_with_its_people(nights):
    drop_school(nights)
    nights.leave(*(name(number) for number in range(200, 204) for name in (child, mother)))


def drop_staff(nights):
    nights.leave(*(f"T{number}" for number in range(10)))


def blank_grades(nights):
    for user in nights.tables["users"]:
        user["grades"] = ""


def drop_classes_of_some(nights):
    gone = {child(number) for number in range(20)}
    nights.tables["enrollments"] = [row for row in nights.tables["enrollments"] if row["userSourcedId"] not in gone]


HELD = {
    shift_numbers: ("12 of 136 phone numbers would move to other people", "contact M0 gets the number of contact M1"),
    shift_names: (
        "12 of 136 contacts would become people of another name",
        "contact M0 would be a person of another name",
    ),
    shift_links: (
        "25 links would be added between students and contacts of other students",
        "student S1 gets contact M0",
    ),
    change_numbers: ("20 of 136 phone numbers would change", "contact M0 gets another number"),
    fill_down_one_number: (
        "1 of 136 phone numbers would be at 10 or more other adults",
        "one number at 11 more adults, for example contact M0",
    ),
    drop_small_school_with_its_people: (
        "1 of 2 schools would lose most of their students",
        "school roosevelt loses 4 of 4 students",
    ),
    drop_school: ("1 of 2 schools would lose most of their students", "school roosevelt loses 4 of 4 students"),
    drop_staff: ("1 of 2 schools would lose most of their staff", "school lincoln loses 10 of 15 staff"),
    blank_grades: ("136 of 136 students would have no grade", "student S0 would have no grade, before K"),
    drop_classes_of_some: ("20 of 136 students would lose most of their classes", "student S0 loses 2 of 2 classes"),
}


@pytest.mark.parametrize("damage", HELD, ids=lambda damage: damage.__name__)
def test_change_of_no_school_day_is_held(nights, damage):
    add_small_school(nights)
    nights.sync()
    before = nights.roster()
    damage(nights)
    clause, example = HELD[damage]
    dry = nights.sync(dry_run=True)
    assert dry.state == "held"
    [reason] = [reason for reason in dry.hold_reasons if reason.clause.startswith(clause)]
    assert reason.advice
    assert example in reason.examples
    with pytest.raises(SyncHeld, match=re.escape(clause)):
        nights.sync()
    assert nights.roster() == before
    assert nights.sync(confirm=True).state == "done"


def test_shifted_links_among_people_of_one_name_are_held(nights):
    for contact in mothers(nights, 25):
        contact["givenName"], contact["familyName"] = "Ma", "Lee"
    nights.sync(confirm=True)
    shift_links(nights)
    with pytest.raises(SyncHeld, match="25 links would be added"):
        nights.sync()


def test_hold_keeps_ten_examples_of_all_reasons(nights):
    shift_numbers(nights)
    blank_grades(nights)
    with pytest.raises(SyncHeld):
        nights.sync()
    [(reasons,)] = nights.rows("SELECT hold_reasons FROM sync_runs ORDER BY id DESC LIMIT 1")
    assert [len(reason["examples"]) for reason in reasons] == [5, 5]


def test_staff_of_a_held_sync_keep_their_rights_if_most_disappear(nights):
    drop_staff(nights)
    with pytest.raises(SyncHeld):
        nights.sync()
    assert {f"T{number}" for number in range(10)} <= nights.active("staff")


def new_year(nights):
    """Graduates leave, a kindergarten comes, everyone else is a grade higher, in new classes of a new term."""
    tables, users = nights.tables, bundles.users_by_id(nights.tables)
    graduates = {number for number in range(FAMILIES) if number % 13 == 12}
    for number in set(range(FAMILIES)) - graduates:
        users[child(number)]["grades"] = GRADES[number % 13 + 1]
    tables["academicSessions"] = [
        {"sourcedId": "Y28", "title": "2027-28", "type": "term", "startDate": "2027-08-16", "endDate": "2028-06-03"}
    ]
    tables["classes"] = [
        row | {"sourcedId": f"N{row['sourcedId']}", "termSourcedIds": "Y28"} for row in tables["classes"]
    ]
    tables["enrollments"] = [
        row | {"sourcedId": f"N{row['sourcedId']}", "classSourcedId": f"N{row['classSourcedId']}"}
        for row in tables["enrollments"]
    ]
    nights.leave(*(child(number) for number in graduates), *(mother(number) for number in graduates))
    for number in range(300, 310):
        add_family(tables, number, grade="KG")
    return graduates


def new_semester(nights):
    nights.tables["academicSessions"] = [
        {"sourcedId": "S2", "title": "Spring", "type": "term", "startDate": "2026-11-20", "endDate": "2027-06-05"}
    ]
    for row in nights.tables["classes"]:
        row |= {"sourcedId": f"S2{row['sourcedId']}", "termSourcedIds": "S2"}
    for row in nights.tables["enrollments"]:
        row |= {"sourcedId": f"S2{row['sourcedId']}", "classSourcedId": f"S2{row['classSourcedId']}"}


def rekey_enrollments(nights):
    for row in nights.tables["enrollments"]:
        row["sourcedId"] = f"new-{row['sourcedId']}"


def number_enrollments_by_line(nights):
    nights.tables["enrollments"].reverse()
    for line, row in enumerate(nights.tables["enrollments"]):
        row["sourcedId"] = f"line-{line}"


def open_school(nights):
    nights.tables["orgs"].append({"sourcedId": "oak", "name": "Oak", "type": "school", "parentSourcedId": "district"})
    for number in range(400, 440):
        add_family(nights.tables, number, grade="06", school="oak")
    for number in range(40, 50):
        add_class(nights.tables, number)
        add_teacher(nights.tables, number, school="oak")


def move_students_to_another_school(nights):
    nights.tables["orgs"].append({"sourcedId": "oak", "name": "Oak", "type": "school", "parentSourcedId": "district"})
    drop_school(nights)
    for row in nights.tables["roles"]:
        row["orgSourcedId"] = row["orgSourcedId"].replace("roosevelt", "oak")


def trade_numbers_of_parents(nights):
    """The phones of the two parents of thirty students were in each other's row."""
    for number in range(500, 506):
        father = f"F{number}"
        add_family(nights.tables, number, grade="04")
        nights.add(
            father, f"Max{number}", "Family", "guardian", phone=f"312558{number:04}", agentSourcedIds=child(number)
        )
    nights.sync()
    for number in range(500, 506):
        rotate([nights.user(mother(number)), nights.user(f"F{number}")], "phone")


def merge_records_of_one_mother(nights):
    """Each of 26 mothers has a record for each of two children; now the first record has both."""
    users = bundles.users_by_id(nights.tables)
    for number in range(0, 52, 2):
        users[mother(number + 1)] |= {"givenName": f"Pat{number}", "familyName": f"Family{number}"}
    nights.sync(confirm=True)
    for number in range(0, 52, 2):
        users[child(number + 1)]["agentSourcedIds"] = f"{mother(number)},{mother(number + 1)}"


@pytest.mark.parametrize(
    "night",
    [
        new_semester,
        rekey_enrollments,
        number_enrollments_by_line,
        open_school,
        move_students_to_another_school,
        trade_numbers_of_parents,
        merge_records_of_one_mother,
    ],
    ids=lambda night: night.__name__,
)
def test_night_of_a_school_year_is_not_held(nights, night):
    add_small_school(nights)
    nights.sync()
    night(nights)
    assert nights.sync(dry_run=True).hold_reasons == ()
    assert nights.sync().state == "done"


@pytest.mark.parametrize("has_classes", [True, False])
def test_new_school_year_asks_only_about_leavers(nights, has_classes):
    graduates = new_year(nights)
    assert len(graduates) == 10
    for number in range(600, 612):
        add_family(nights.tables, number, grade="05")
    if not has_classes:
        nights.tables["classes"], nights.tables["enrollments"] = nights.tables["classes"][:1], []
    if has_classes:
        assert nights.sync(dry_run=True).hold_reasons == ()
    nights.leave(*(child(number) for number in range(13, 24)), *(mother(number) for number in range(13, 24)))
    reasons = nights.sync(dry_run=True).hold_reasons
    clauses = [reason.clause for reason in reasons if "holds no row" not in reason.clause]
    assert clauses == ["21 of 132 students would disappear"]


def test_first_sync_is_not_held(first_year):
    for contact in mothers(first_year):
        contact["phone"] = "312 557 0000"
    assert first_year.sync(dry_run=True).hold_reasons == ()
    assert first_year.sync().state == "done"


def test_numbers_that_the_sis_took_from_staff_do_not_hold(nights):
    change_numbers(nights)
    with nights.engine.begin() as connection:
        for contact in mothers(nights, 20):
            connection.execute(
                text(
                    "INSERT INTO edits (contact_id, field, base, value, made_by, made_at, state)"
                    " SELECT id, 'phone', sis_phone, :value, 'U1', now(), 'pending' FROM contacts WHERE sourced_id = :id"
                ),
                {"value": f"+1{contact['phone']}", "id": contact["sourcedId"]},
            )
    assert changed(nights.sync())["contacts"] == (0, 20, 0)


def test_percent_of_one_hundred_turns_the_hold_off(nights):
    shift_numbers(nights)
    blank_grades(nights)
    assert nights.sync(hold_percent=100).state == "done"


def test_hold_of_an_unchanged_export_is_no_reason_tomorrow(nights):
    kept = deepcopy(nights.tables)
    shift_links(nights)
    with pytest.raises(SyncHeld):
        nights.sync()
    nights.tables = kept
    assert changed(nights.sync()) == {}
