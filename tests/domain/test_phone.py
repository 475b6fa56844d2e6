"""Numbers as people and student systems write them, to E.164 and back; and a hint that helps where that cannot be."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bot.domain import phone
from bot.domain.phone import Phone
from bot.errors import UserError

ONE_NUMBER = [
    "3125550142",
    "312-555-0142",
    "(312) 555-0142",
    "(312)5550142",
    "312.555.0142",
    "312 555 0142",
    "1-312-555-0142",
    "+1 312 555 0142",
    "+1 (312) 555-0142",
    "tel:+13125550142",
    "Cell: 312-555-0142",
    "mom 312-555-0142",
    "312-555-0142 (mom)",
    "(312)5550142 cell",
    "312-555-0142 Mamá",
    "  312-555-0142\r\n",
    "\ufeff312-555-0142",
    "312\u200b5550142",
    "312\u00a0555\u00a00142",
    "\u202a+1 (312) 555‑0142\u202c",
    "312–555–0142",
    "３１２５５５０１４２",
    "（３１２）５５５－０１４２",
    "٣١٢٥٥٥٠١٤٢",
    "\x00312-555-0142",
]


@pytest.mark.parametrize("written", ONE_NUMBER)
def test_a_number_is_read_however_it_is_written(written):
    assert phone.parse(written, "US") == Phone("+13125550142")


WITH_EXTENSION = {
    "312.555.0142 x12": "12",
    "(312) 555-0142 ext. 7": "7",
    "312-555-0142 Ext 1234": "1234",
    "312-555-0142 extension 9": "9",
    "312 555 0142 #12": "12",
    "+13125550142;ext=5": "5",
}


@pytest.mark.parametrize(("written", "extension"), WITH_EXTENSION.items())
def test_an_extension_stands_beside_the_number_and_is_not_dialled(written, extension):
    assert phone.parse(written, "US") == Phone("+13125550142", extension)


ABROAD = {
    "+52 55 1234 5678": "+525512345678",
    "011 52 55 1234 5678": "+525512345678",
    "+44 7911 123456": "+447911123456",
    "+39 06 1234 5678": "+390612345678",
}


@pytest.mark.parametrize(("written", "e164"), ABROAD.items())
def test_a_number_from_abroad_keeps_its_country(written, e164):
    assert phone.parse(written, "US").e164 == e164


def test_a_number_without_a_country_is_of_the_districts_own():
    assert phone.parse("55 1234 5678", "MX").e164 == "+525512345678"


@pytest.mark.parametrize("written", ["123-456-7890", "(999) 999-9999", "112-555-0142", "312-055-0142"])
def test_a_number_that_is_possible_though_not_assigned_is_kept(written):
    assert phone.parse(written, "US").e164 == "+1" + "".join(filter(str.isdecimal, written))


REFUSED = {
    "": "That is not a phone number",
    "N/A": "That is not a phone number",
    "none": "That is not a phone number",
    "call mom": "That is not a phone number",
    "+": "That is not a phone number",
    "-": "That is not a phone number",
    "555-0142": "The area code is missing",
    "1": "Too short: 1 digit.",
    "911": "Too short: 3 digits",
    "312 555 014": "Too short: 9 digits",
    "312-555-O142": "Too short: 9 digits",
    "31255501422": "11 digits do not make a US number",
    "+1312555014234567": "16 digits do not make a US number",
    "5" * 500: "500 digits do not make a US number",
    "000-000-0000": "Zeros alone do not make a US number",
    "(000) 000-0000": "Zeros alone do not make a US number",
    "0": "Zeros alone do not make a US number",
    "312-555-0142 / 312-555-0143": "two numbers",
    "312-555-0142 or 312-555-0143": "two numbers",
    "3125550142, 3125550143": "two numbers",
    "3125550142;3125550143": "two numbers",
    "1-312-555-0142\n1-312-555-0143": "two numbers",
    "mom 312-555-0142 dad 312-555-0143": "two numbers",
    "312-555-0142 x3125550143": "two numbers",
}


@pytest.mark.parametrize(("written", "told"), REFUSED.items())
def test_what_is_no_number_is_refused_with_what_to_do(written, told):
    with pytest.raises(UserError) as refused:
        phone.parse(written, "US")
    assert told in refused.value.sentence


def test_the_hint_for_another_country_does_not_speak_of_us_numbers():
    with pytest.raises(UserError) as refused:
        phone.parse("555 0142", "MX")
    assert "US" not in refused.value.sentence


@given(st.text())
@example("+" + "9" * 40)
@example("٠" * 10)
def test_anything_at_all_is_read_or_refused_with_a_sentence(written):
    assert read_or_refused(written)[-1] in ".0123456789"


def read_or_refused(written):
    """The number, or the sentence; every other error is a bug."""
    try:
        return phone.parse(written, "US").e164
    except UserError as refused:
        return refused.sentence


@given(st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_what_people_read_is_read_back_as_the_same_number(digits):
    e164 = f"+1{digits}"
    assert phone.parse(phone.format_number(e164, "US"), "US").e164 == e164
    assert phone.parse(phone.format_number(e164, "MX"), "MX").e164 == e164


ORDINARY = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "1", "+1", "1-", "1 ", "1.", "+1-", "+1 ", "+1."]),
        st.from_regex(r"\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ]?", fullmatch=True),
        st.from_regex(r"[2-9][0-9]{2}[-. ]?[0-9]{4}", fullmatch=True),
    ),
)


@given(ORDINARY, st.sampled_from(["US", "CA"]))
def test_a_number_written_in_an_ordinary_way_is_what_the_numbering_metadata_says(written, region):
    number = phonenumbers.parse(written, region)
    assert phonenumbers.is_possible_number(number)
    assert number.extension is None
    assert phone.to_ascii_digits(written, region) == phonenumbers.format_number(number, PhoneNumberFormat.E164)


@given(st.text(st.sampled_from("+1(2) 35-.x\n٣"), min_size=10, max_size=18) | ORDINARY, st.sampled_from(["US", "CA"]))
def test_what_is_taken_for_ordinary_is_nothing_else(written, region):
    if e164 := phone.to_ascii_digits(written, region):
        number = phonenumbers.parse(written, region)
        assert phonenumbers.format_number(number, PhoneNumberFormat.E164) == e164


@pytest.mark.parametrize("region", ["MX", "GB", "AG", "PR"])
def test_elsewhere_no_way_of_writing_is_the_ordinary_one(region):
    assert phone.to_ascii_digits("(312) 555-0142", region) is None


def test_a_number_is_written_as_at_home_and_with_its_country_from_abroad():
    assert phone.format_number("+13125550142", "US") == "(312) 555-0142"
    assert phone.format_number("+525512345678", "US") == "+52 55 1234 5678"
    assert phone.format_number("+13125550142", "MX") == "+1 312-555-0142"


def test_outside_the_edit_dialog_only_the_last_four_digits_are_read():
    assert phone.masked("+13125550142") == "••• 0142"
    assert phone.masked(None) == "no number"
