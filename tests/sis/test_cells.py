from datetime import date

import pytest

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


@pytest.mark.parametrize(
    "cell", ["312-555-0142 / 312-555-0199", "312-555-0142; 312-555-0199", "312-555 / 312-555-0142"]
)
def test_of_two_numbers_in_a_cell_the_first_that_can_be_read_is_kept_and_that_is_said(cell):
    number = cells.number(cell, "US")
    assert number.e164 == "+13125550142"
    assert "more than one" in number.problem


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
    assert cells.day(cell, "US") == day


def test_a_date_that_fits_both_ways_is_read_as_the_region_writes_it():
    assert cells.day("8/7/2026", "GB") == date(2026, 7, 8)


@pytest.mark.parametrize("cell", ["soon", "2026-13-01", "31/31/2026", "0000-01-01"])
def test_what_is_no_date_is_refused(cell):
    with pytest.raises(ValueError):  # noqa: PT011 (Nobody reads its words.)
        cells.day(cell, "US")


def test_roles_of_either_version_are_known_in_any_case():
    assert [cells.role(word) for word in ("Site Administrator", "PARENT", "ext:guardian", "janitor")] == [
        "siteAdministrator",
        "parent",
        "guardian",
        None,
    ]
