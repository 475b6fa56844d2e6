"""The made-up district is plausible, reproducible, and contains what a newcomer asks for first."""

import csv
from collections import Counter
from datetime import date

import pytest

from bot.domain import phone
from bot.domain.grade import LEVELS
from bot.errors import UserError
from bot.sandbox.district import maplewood, schools, sis_export, slack_workspace
from bot.sandbox.district.families import Household
from bot.sandbox.district.numbers import TextResult

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def district():
    return maplewood.generate()


@pytest.fixture
def sis(tmp_path):
    maplewood.write_export(tmp_path / "sis", TODAY)
    return tmp_path / "sis"


@pytest.fixture
def slack(district):
    urls = {"app_url": "http://app.example", "web_api_url": "http://slack.example"}
    return slack_workspace.create(district, {}, **urls, time_zone="America/Chicago")


def rows(folder, table):
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def ids(folder, table):
    return {row["sourcedId"] for row in rows(folder, table)}


def students(district, grade=None):
    return [student for family in district.families for student in family.students if grade in {None, student.grade}]


def contacts(district):
    return [contact for family in district.families for contact in family.contacts]


def families_of_grade_5(district):
    return [family for family in district.families if any(student.grade == "5" for student in family.students)]


def results_of(district, family):
    return {district.text_result(contact.number) for contact in family.contacts if contact.number}


def test_three_schools_have_600_students_in_every_grade(district):
    grades = Counter(student.grade for student in students(district))

    assert grades.total() == 600
    assert set(grades) == {"K", *map(str, range(1, 13))} <= set(LEVELS)
    assert len(schools.SCHOOLS) == 3


def test_two_exports_are_identical(tmp_path):
    maplewood.write_export(tmp_path / "first", TODAY)
    maplewood.generate.cache_clear()
    maplewood.write_export(tmp_path / "second", TODAY)

    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


def test_every_reference_in_the_export_exists(sis):
    users, classes, orgs = ids(sis, "users"), ids(sis, "classes"), ids(sis, "orgs")

    assert {row["userSourcedId"] for row in rows(sis, "roles")} == users
    assert {row["orgSourcedId"] for row in rows(sis, "roles")} <= orgs
    assert {row["classSourcedId"] for row in rows(sis, "enrollments")} == classes
    assert {row["userSourcedId"] for row in rows(sis, "enrollments")} <= users
    assert {row["courseSourcedId"] for row in rows(sis, "classes")} == ids(sis, "courses")
    terms = {term for row in rows(sis, "classes") for term in row["termSourcedIds"].split(",")}
    assert terms <= ids(sis, "academicSessions")
    assert {agent for row in rows(sis, "users") for agent in row["agentSourcedIds"].split(",") if agent} <= users


def test_sourced_ids_are_unique_in_each_file(sis):
    for table in ("users", "roles", "enrollments", "classes", "courses", "orgs", "academicSessions"):
        assert len(ids(sis, table)) == len(rows(sis, table)), table


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2027, 6, 30), date(2027, 7, 1), date(2028, 2, 29)])
def test_every_day_is_in_one_school_year_and_term(tmp_path, today):
    maplewood.write_export(tmp_path, today)

    year, *terms = rows(tmp_path, "academicSessions")
    assert year["startDate"] <= today.isoformat() < year["endDate"]
    assert sum(term["startDate"] <= today.isoformat() < term["endDate"] for term in terms) == 1


def test_every_number_is_valid_and_reserved_for_fiction(district):
    for number in district.text_results:
        assert phone.parse(number, "US").e164 == number
        assert number[5:10] == "55501"


def test_typed_numbers_parse_to_their_e164_form(district):
    for contact in contacts(district):
        if contact.number:
            assert phone.parse(contact.sms or contact.phone, "US").e164 == contact.number


def test_some_phone_cells_are_no_number(district):
    cells = [contact.phone for contact in contacts(district) if contact.phone and not contact.number]

    assert cells
    for cell in cells:
        with pytest.raises(UserError):
            phone.parse(cell, "US")


def test_most_numbers_receive_texts_and_every_fate_occurs(district):
    text_results = Counter(district.text_results.values())

    assert 0.88 < text_results[TextResult.DELIVERED] / text_results.total() < 0.96
    assert set(text_results) == set(TextResult)


def test_failures_are_too_few_to_look_like_the_senders_fault(district):
    texted = [contact.number for contact in contacts(district) if contact.number]
    text_results = Counter(district.text_result(number) for number in texted)

    assert max(
        count for text_result, count in text_results.items() if text_result is not TextResult.DELIVERED
    ) < 0.05 * len(texted)


def test_both_homerooms_of_grade_5_have_blocked_numbers(district):
    blocked = {
        student
        for family in families_of_grade_5(district)
        if TextResult.BLOCKED in results_of(district, family)
        for student in family.students
        if student.grade == "5"
    }
    homerooms = [school_class for school_class in district.classes if school_class.grade == "5"]

    assert 4 <= len(blocked) <= 12
    assert all(blocked & set(homeroom.students) for homeroom in homerooms)


def test_one_family_of_grade_5_has_only_blocked_numbers(district):
    assert any(results_of(district, family) == {TextResult.BLOCKED} for family in families_of_grade_5(district))


def test_siblings_have_different_given_names(district):
    with_siblings = [family for family in district.families if len(family.students) > 1]

    assert len(with_siblings) > 100
    assert all(len({student.given for student in family.students}) == len(family.students) for family in with_siblings)


def test_some_households_share_one_number(district):
    one_phone = [family for family in district.families if family.household is Household.ONE_PHONE]
    shared = [family for family in one_phone if family.contacts[0].number]

    assert shared
    assert all(len({contact.number for contact in family.contacts}) == 1 for family in shared)


def test_names_have_apostrophes_accents_and_particles(district):
    names = {contact.family for contact in contacts(district)}

    assert {"O'Brien", "García", "Nguyễn", "van der Berg"} <= names


def test_elementary_students_have_one_teacher_and_high_school_students_five(district):
    teachers = Counter(student for school_class in district.classes for student in school_class.students)

    assert {teachers[student] for student in students(district) if student.grade in schools.LINCOLN.grades} == {1}
    assert {teachers[student] for student in students(district) if student.grade in schools.ROOSEVELT.grades} == {5}


def test_number_typed_into_the_sis_is_stored(sis):
    contact = sis_export.find_contacts(sis, "obrien")[0]

    sis_export.set_phone(sis, contact.sourced_id, "(312) 555-0142")

    phones = [row.phone for row in sis_export.contacts(sis) if row.sourced_id == contact.sourced_id]
    assert phones == ["(312) 555-0142"]
    assert len(rows(sis, "users")) == len(ids(sis, "users"))


def test_number_can_be_removed_from_the_sis(sis):
    contact = next(contact for contact in sis_export.contacts(sis) if contact.phone)

    sis_export.set_phone(sis, contact.sourced_id, "")

    assert not next(row for row in sis_export.contacts(sis) if row.sourced_id == contact.sourced_id).phone


def test_student_id_is_no_contact_of_the_sis(sis):
    with pytest.raises(KeyError):
        sis_export.set_phone(sis, "S1001", "(312) 555-0142")


def test_contacts_are_found_by_their_or_a_students_name(district, sis):
    family = next(family for family in district.families if family.students[0].family == "Nguyễn")
    found = {contact.sourced_id for contact in sis_export.find_contacts(sis, f"NGUYEN {family.students[0].given}")}

    assert {contact.sourced_id for contact in family.contacts} <= found
    assert not sis_export.find_contacts(sis, "Xyzzy")


def test_slack_emails_are_in_the_sis_except_outsiders(slack, sis):
    emails = {row["email"] for row in rows(sis, "users") if row["email"]}
    people = [user for user in slack.users.values() if not user.bot]

    assert people[0].id == slack_workspace.CLERK
    assert all((user.email in emails) is not (user.guest or user.stranger) for user in people)
    assert {user.id for user in people if user.guest or user.stranger} == {
        slack_workspace.GUEST,
        slack_workspace.STRANGER,
    }


def test_channels_differ_in_app_privacy_and_outsiders(slack):
    channels = {channel.name: channel for channel in slack.channels.values() if channel.name}

    assert slack.bot_user_id in channels["family-texts"].members
    assert slack.bot_user_id not in channels["general"].members
    assert channels["lincoln-office"].private
    with_stranger = [name for name, channel in channels.items() if slack_workspace.STRANGER in channel.members]
    assert with_stranger == ["partners"]
    assert channels["partners"].shared
