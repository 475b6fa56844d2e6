"""The made-up district is believable, always the same, and has in it what a newcomer will ask for first."""

import csv
from collections import Counter
from datetime import date

import pytest

from bot.domain import phone
from bot.domain.grade import LEVELS
from bot.errors import UserError
from bot.sandbox import district
from bot.sandbox.district import bundle, staff, workspace
from bot.sandbox.district.families import Household
from bot.sandbox.district.numbers import Fate

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def made():
    return district.make()


@pytest.fixture
def sis(tmp_path):
    district.write(tmp_path / "sis", TODAY)
    return tmp_path / "sis"


def rows(folder, table):
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def children_of(made, grade):
    return [(child, family) for family in made.families for child in family.children if child.grade == grade]


def fates_of(made, family):
    return [made.fate(adult.number) for adult in family.adults if adult.number]


def test_there_are_600_students_in_every_grade_of_three_schools(made):
    grades = Counter(child.grade for family in made.families for child in family.children)

    assert grades.total() == 600
    assert set(grades) == {"K", *map(str, range(1, 13))} <= set(LEVELS)
    assert len(staff.SCHOOLS) == 3


def test_two_writings_of_the_district_are_the_same_to_the_letter(tmp_path):
    district.write(tmp_path / "one", TODAY)
    district.make.cache_clear()
    district.write(tmp_path / "two", TODAY)

    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_every_reference_of_the_bundle_leads_somewhere(sis):
    users, classes, orgs = ({row["sourcedId"] for row in rows(sis, name)} for name in ("users", "classes", "orgs"))
    courses, sessions = ({row["sourcedId"] for row in rows(sis, name)} for name in ("courses", "academicSessions"))

    assert {row["userSourcedId"] for row in rows(sis, "roles")} == users
    assert {row["orgSourcedId"] for row in rows(sis, "roles")} <= orgs
    assert {row["classSourcedId"] for row in rows(sis, "enrollments")} == classes
    assert {row["userSourcedId"] for row in rows(sis, "enrollments")} <= users
    assert {row["courseSourcedId"] for row in rows(sis, "classes")} == courses
    assert {term for row in rows(sis, "classes") for term in row["termSourcedIds"].split(",")} <= sessions
    assert {agent for row in rows(sis, "users") for agent in row["agentSourcedIds"].split(",") if agent} <= users


def test_no_two_rows_of_a_file_have_one_sourced_id(sis):
    for table in ("users", "roles", "enrollments", "classes", "courses", "orgs", "academicSessions"):
        ids = Counter(row["sourcedId"] for row in rows(sis, table))
        assert ids.most_common(1)[0][1] == 1, table


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2027, 6, 30), date(2027, 7, 1), date(2028, 2, 29)])
def test_school_is_in_session_whatever_the_day(tmp_path, today):
    district.write(tmp_path, today)

    year, *terms = rows(tmp_path, "academicSessions")
    assert year["startDate"] <= today.isoformat() < year["endDate"]
    assert sum(term["startDate"] <= today.isoformat() < term["endDate"] for term in terms) == 1


def test_every_number_is_possible_and_reserved_for_fiction(made):
    for number in made.fates:
        assert phone.parse(number, "US").e164 == number
        assert number[5:10] == "55501"


def test_what_stands_in_the_sis_reads_as_the_number_it_is(made):
    for family in made.families:
        for adult in family.adults:
            if adult.number:
                assert phone.parse(adult.sms or adult.phone, "US").e164 == adult.number


def test_some_cells_hold_what_no_phone_can_dial(made):
    odd = [adult.phone for family in made.families for adult in family.adults if adult.phone and not adult.number]

    assert odd
    for cell in odd:
        with pytest.raises(UserError):
            phone.parse(cell, "US")


def test_about_nine_in_ten_numbers_can_be_texted_and_every_fate_occurs(made):
    fates = Counter(made.fates.values())

    assert 0.88 < fates[Fate.FINE] / fates.total() < 0.96
    assert set(fates) == set(Fate)


def test_refusals_are_too_few_to_look_like_our_own_fault(made):
    reached = [adult.number for family in made.families for adult in family.adults if adult.number]
    refused = Counter(made.fate(number) for number in reached)

    assert max(count for fate, count in refused.items() if fate is not Fate.FINE) < 0.05 * len(reached)


def test_grade_5_has_several_students_with_a_blocked_number_in_both_homerooms(made):
    blocked = {child.sourced_id for child, family in children_of(made, "5") if Fate.BLOCKED in fates_of(made, family)}
    rooms = [one for one in made.classes if one.grade == "5"]

    assert 4 <= len(blocked) <= 12
    assert all(blocked & {child.sourced_id for child in room.students} for room in rooms)


def test_a_student_of_grade_5_has_nobody_but_blocked_numbers(made):
    assert any(set(fates_of(made, family)) == {Fate.BLOCKED} for _, family in children_of(made, "5"))


def test_brothers_and_sisters_have_the_same_contacts_and_different_names(made):
    several = [family for family in made.families if len(family.children) > 1]

    assert len(several) > 100
    assert all(len({child.given for child in family.children}) == len(family.children) for family in several)


def test_some_households_share_a_number(made):
    shared = [family for family in made.families if family.household is Household.ONE_PHONE and family.adults[0].number]

    assert shared
    assert all(len({adult.number for adult in family.adults}) == 1 for family in shared)


def test_names_have_apostrophes_accents_and_particles(made):
    names = {adult.family for family in made.families for adult in family.adults}

    assert {"O'Brien", "García", "Nguyễn", "van der Berg"} <= names


def test_a_child_in_elementary_school_has_one_teacher_and_later_one_for_each_subject(made):
    taught = Counter(child.sourced_id for one in made.classes for child in one.students)
    grades = {child.sourced_id: child.grade for family in made.families for child in family.children}

    assert {taught[child] for child, grade in grades.items() if grade in staff.LINCOLN.grades} == {1}
    assert {taught[child] for child, grade in grades.items() if grade in staff.ROOSEVELT.grades} == {5}


def test_another_number_typed_into_the_sis_is_what_it_holds_from_then_on(sis):
    contact = bundle.find(sis, "obrien")[0]

    bundle.set_phone(sis, contact.sourced_id, "(312) 555-0142")

    assert [one.phone for one in bundle.contacts(sis) if one.sourced_id == contact.sourced_id] == ["(312) 555-0142"]
    assert len(rows(sis, "users")) == len({row["sourcedId"] for row in rows(sis, "users")})


def test_a_number_can_be_taken_out_of_the_sis(sis):
    contact = next(one for one in bundle.contacts(sis) if one.phone)

    bundle.set_phone(sis, contact.sourced_id, "")

    assert not next(one for one in bundle.contacts(sis) if one.sourced_id == contact.sourced_id).phone


def test_the_sis_knows_no_contact_by_the_id_of_a_student(sis):
    with pytest.raises(KeyError):
        bundle.set_phone(sis, "S1001", "(312) 555-0142")


def test_a_contact_is_found_by_their_own_name_or_a_childs_however_typed(made, sis):
    family = next(one for one in made.families if one.children[0].family == "Nguyễn")
    found = {one.sourced_id for one in bundle.find(sis, f"NGUYEN {family.children[0].given}")}

    assert {adult.sourced_id for adult in family.adults} <= found
    assert not bundle.find(sis, "Xyzzy")


def test_slack_knows_the_staff_by_the_mail_the_sis_has(made, sis):
    mails = {row["email"] for row in rows(sis, "users") if row["email"]}
    people = district.slack_people(made)

    assert people[0].user_id == workspace.CLERK
    assert all((one.email in mails) is not (one.guest or one.stranger) for one in people)
    assert len({one.user_id for one in people}) == len(people)


def test_the_bot_is_in_family_texts_but_not_in_general_and_strangers_only_in_the_shared_channel(made):
    channels = {one.name: one for one in district.slack_channels(made)}
    strangers = {one.user_id for one in district.slack_people(made) if one.stranger}

    assert channels["family-texts"].with_bot
    assert not channels["general"].with_bot
    assert channels["lincoln-office"].private
    assert [name for name, one in channels.items() if strangers & set(one.members)] == ["partners"]
    assert channels["partners"].shared
