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
def test_a_number_is_read_however_an_export_writes_it(cell, e164):
    assert cells.number(cell, "US") == (e164, None)


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
def test_what_is_no_number_says_why_and_nothing_of_the_cell(cell, why):
    number = cells.number(cell, "US")
    assert number.e164 is None
    assert why in number.problem
    assert cell not in number.problem


TWO = (
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


@pytest.mark.parametrize("cell", TWO)
def test_of_two_numbers_in_a_cell_the_first_that_can_be_read_is_kept_and_that_is_said(cell):
    number = cells.number(cell, "US")
    assert number.e164 == "+13125550142"
    assert "more than one" in number.problem


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
def test_an_extension_in_any_shape_is_left_off(extension, between):
    assert cells.number(f"(312) 555-0142{between}{extension}", "US") == ("+13125550142", None)


@pytest.mark.parametrize("cell", ["52 312 555 0142", "312-555-0142-12", "312 555 01421", "31255501423125550199"])
def test_digits_that_may_be_of_another_number_make_none(cell):
    assert cells.number(cell, "US").e164 is None


def test_of_two_numbers_abroad_the_first_is_kept_too():
    assert cells.number("020 7946 0958 / 020 7946 0959", "GB").e164 == "+442079460958"
    assert cells.number("+44 207 946 0958 312-555-0142", "US").e164 is None


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
def test_a_date_is_read_however_an_export_writes_it(cell, day):
    assert cells.day(cell, month_first=True) == day


def test_a_date_that_fits_both_ways_is_read_as_it_is_said():
    assert cells.day("8/7/2026", month_first=False) == date(2026, 7, 8)


@pytest.mark.parametrize("cell", ["soon", "2026-13-01", "31/31/2026", "0000-01-01"])
def test_what_is_no_date_is_refused(cell):
    with pytest.raises(ValueError):  # noqa: PT011 (Nobody reads its words.)
        cells.day(cell, month_first=True)


def test_roles_of_either_version_are_known_in_any_case():
    assert [cells.role(word) for word in ("Site Administrator", "PARENT", "ext:guardian", "janitor")] == [
        "siteAdministrator",
        "parent",
        "guardian",
        None,
    ]


@given(st.lists(st.text(st.sampled_from('a |="\u00e9\u200b\t0')), max_size=4))
def test_a_row_is_tidied_as_its_cells_are(row):
    assert cells.all_tidy(tuple(row)) == tuple(map(cells.tidy, row))
