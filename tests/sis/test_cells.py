from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sis import cells

NUMBERS = {
    "(312) 555-0142": "+13125550142",
    "312.555.0142": "+13125550142",
    "1-312-555-0142": "+13125550142",
    "+1 (312) 555\u20110142": "+13125550142",
    "312-555-0142 ext. 12": "+13125550142",
    "312-555-0142 x12": "+13125550142",
    "3125550142.0": "+13125550142",
    "3.125550142E+09": "+13125550142",
    "+44 20 7946 0958": "+442079460958",
    "(950) 342 7522": "+19503427522",
}


@pytest.mark.parametrize(("cell", "e164"), NUMBERS.items())
def test_every_spelling_of_a_number_is_parsed(cell, e164):
    assert cells.parse_phone(cell, "US")[:2] == (e164, None)


UNREADABLE = {
    "N/A": "not a phone number",
    "#N/A": "not a phone number",
    "none": "not a phone number",
    "5.1E9": "last digits are lost",
    "5.10799E+09": "last digits are lost",
    "000-000-0000": "cannot be read",
    "867-5309": "area code is missing",
    "unlisted": "not a phone number",
    "٣١٢": "Too short",
}


@pytest.mark.parametrize(("cell", "why"), UNREADABLE.items())
def test_problem_says_why_without_the_cell(cell, why):
    phone = cells.parse_phone(cell, "US")
    assert phone.e164 is None
    assert why in phone.problem
    assert cell not in phone.problem


SEVERAL = (
    "312-555-0142 (cell) 312-555-0199 (work)",
    "cell 312-555-0142 work 312-555-0199",
    "C: 312-555-0142 H: 312-555-0199",
    "312-555-0142 (mom), 312-555-0199 (dad)",
    "home 312-555-0142;cell: 312-555-0199",
    "312-555-0142 / 312-555-0199",
    "312-555-0142/312-555-0199",
    "312-555-0142\\312-555-0199",
    "312-555-0142; 312-555-0199",
    "312-555-0142, 312-555-0199",
    "312-555-0142 | 312-555-0199",
    "312-555-0142 & 312-555-0199",
    "312-555-0142 or 312-555-0199",
    "312-555-0142 and 312-555-0199",
    "312-555-0142 or 0199",
    "312-555-0142 - 312-555-0199",
    "312-555-0142 – 312-555-0199",
    "312-555-0142-312-555-0199",
    "312-555-0142 312-555-0199",
    "312-555-0142 • 312-555-0199",
    "312-555-0142 x5 312-555-0199 x6",
    "(312) 555-0142 (312) 555-0199",
    "(312)555-0142(312)555-0199",
    "312.555.0142 312.555.0199",
    "312 555 0142 312 555 0199",
    "3125550142 3125550199",
    "1-312-555-0142 1-312-555-0199",
    "+1 312 555 0142 +1 312 555 0199",
    "312-555 / 312-555-0142",
    "5550199 312-555-0142",
)


@pytest.mark.parametrize("cell", SEVERAL)
def test_first_readable_number_of_several_is_kept_and_reported(cell):
    phone = cells.parse_phone(cell, "US")
    assert phone.e164 == "+13125550142"
    assert "more than one" in phone.problem


EXTENSIONS = (
    "x12",
    "X 12",
    "ext 12",
    "ext. 12",
    "Ext.12",
    "EXT: 12",
    "extn 12",
    "xtn. 12",
    "extension 12",
    "Extension: 12",
    "#12",
    ",12",
    ",,12",
    ";ext=12",
    "(ext 12)",
    "(x12)",
    "/12",
    "*12",
    "e12",
    "p12",
    "w12",
    "option 2",
    "press 2",
    "room 12",
    "Ext # 12",
)


@pytest.mark.parametrize("between", ["", " "])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_extension_in_any_form_is_left_off(extension, between):
    assert cells.parse_phone(f"(312) 555-0142{between}{extension}", "US")[:2] == ("+13125550142", None)


@pytest.mark.parametrize("cell", ["52 312 555 0142", "312-555-0142-12", "312 555 01421", "31255501423125550199"])
def test_number_with_digits_beside_it_is_not_guessed(cell):
    assert cells.parse_phone(cell, "US").e164 is None


@pytest.mark.parametrize(
    ("cell", "e164", "why"),
    [
        ("555-555-5555", None, "is a placeholder"),
        ("(999) 999-9999", None, "is a placeholder"),
        ("123-456-7890", None, "is a placeholder"),
        ("911-346-0142", "+19113460142", "no US phone can have"),
        ("(800) 555-0142", "+18005550142", "toll-free"),
        ("+5165550142", None, "Is that a US number"),
        ("346-2142 mom", None, "area code is missing"),
        ("+(516) 555-0142", "+15165550142", None),
        ("+52 1 55 1234 5678", "+525512345678", None),
    ],
)
def test_number_that_can_hardly_be_a_familys_is_reported(cell, e164, why):
    number, problem = cells.parse_phone(cell, "US")[:2]
    assert number == e164
    assert (problem is None) if why is None else (why in problem)


def test_placeholder_beside_a_number_is_skipped():
    assert cells.parse_phone("555-555-5555 / 312-555-0142", "US").e164 == "+13125550142"


def test_first_of_two_foreign_numbers_is_kept():
    assert cells.parse_phone("020 7946 0958 / 020 7946 0959", "GB").e164 == "+442079460958"
    assert cells.parse_phone("+44 207 946 0958 312-555-0142", "US").e164 is None


DATES = {
    "2026-08-17": date(2026, 8, 17),
    "2026-08-17 00:00:00": date(2026, 8, 17),
    "2026-08-17T00:00:00Z": date(2026, 8, 17),
    "8/17/2026": date(2026, 8, 17),
    "17/8/2026": date(2026, 8, 17),
    "8/7/26": date(2026, 8, 7),
    "": None,
}


@pytest.mark.parametrize(("cell", "day"), DATES.items())
def test_every_spelling_of_a_date_is_parsed(cell, day):
    assert cells.parse_date(cell, month_first=True) == day


def test_ambiguous_date_is_read_in_the_given_order():
    assert cells.parse_date("8/7/2026", month_first=False) == date(2026, 7, 8)


@pytest.mark.parametrize("cell", ["soon", "2026-13-01", "31/31/2026", "0000-01-01"])
def test_text_that_is_not_a_date_raises(cell):
    with pytest.raises(ValueError):  # noqa: PT011 (It has no message.)
        cells.parse_date(cell, month_first=True)


def test_roles_of_both_versions_are_parsed_in_any_case():
    assert [cells.parse_role(word) for word in ("Site Administrator", "PARENT", "ext:guardian", "janitor")] == [
        "siteAdministrator",
        "parent",
        "guardian",
        None,
    ]


@given(st.lists(st.text(st.sampled_from('a |="\u00e9\u200b\t0')), max_size=4))
def test_column_is_tidied_like_its_cells(column):
    assert cells.tidy_all(tuple(column)) == tuple(map(cells.tidy, column))
