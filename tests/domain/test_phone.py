"""Phone numbers in every spelling of people and student information systems, to E.164 and back."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bot.domain import phone
from bot.domain.phone import Doubt, Phone
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
def test_every_spelling_of_a_number_is_parsed(written):
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
def test_extension_is_not_part_of_e164(written, extension):
    assert phone.parse(written, "US") == Phone("+13125550142", extension)


ABROAD = {
    "+52 55 1234 5678": "+525512345678",
    "011 52 55 1234 5678": "+525512345678",
    "+44 7911 123456": "+447911123456",
    "+39 06 1234 5678": "+390612345678",
}


@pytest.mark.parametrize(("written", "e164"), ABROAD.items())
def test_foreign_number_keeps_its_country(written, e164):
    assert phone.parse(written, "US").e164 == e164


def test_number_without_a_country_code_belongs_to_the_region():
    assert phone.parse("55 1234 5678", "MX").e164 == "+525512345678"


@pytest.mark.parametrize("written", ["123-456-7890", "(999) 999-9999", "112-555-0142", "312-055-0142"])
def test_possible_number_that_is_not_assigned_is_kept(written):
    assert phone.parse(written, "US").e164 == "+1" + "".join(filter(str.isdecimal, written))


REFUSED = {
    "": "no_digits",
    "N/A": "no_digits",
    "none": "no_digits",
    "call mom": "no_digits",
    "+": "no_digits",
    "-": "no_digits",
    "555-0142": "no_area_code",
    "1": "too_short",
    "911": "too_short",
    "312 555 014": "too_short",
    "312-555-O142": "too_short",
    "31255501422": "too_long",
    "+1312555014234567": "too_long",
    "5" * 500: "too_long",
    "000-000-0000": "zeros",
    "(000) 000-0000": "zeros",
    "0": "zeros",
    "312-555-0142 / 312-555-0143": "two_numbers",
    "312-555-0142 or 312-555-0143": "two_numbers",
    "3125550142, 3125550143": "two_numbers",
    "3125550142;3125550143": "two_numbers",
    "1-312-555-0142\n1-312-555-0143": "two_numbers",
    "mom 312-555-0142 dad 312-555-0143": "two_numbers",
    "312-555-0142 x3125550143": "two_numbers",
}


@pytest.mark.parametrize(("written", "problem"), REFUSED.items())
def test_text_that_is_not_a_number_is_refused_with_its_problem(written, problem):
    with pytest.raises(UserError) as refused:
        phone.parse(written, "US")
    assert refused.value.code == f"phone.{problem}"


@pytest.mark.parametrize(("written", "count"), [("1", "1 digit."), ("911", "3 digits."), ("5" * 500, "500 digits ")])
def test_refusal_counts_the_digits(written, count):
    with pytest.raises(UserError) as refused:
        phone.parse(written, "US")
    assert count in refused.value.sentence


def test_refusal_in_another_country_does_not_mention_us_numbers():
    with pytest.raises(UserError) as refused:
        phone.parse("555 0142", "MX")
    assert refused.value.code == "phone.invalid"
    assert "US" not in refused.value.sentence


@given(st.text())
@example("+" + "9" * 40)
@example("٠" * 10)
def test_any_text_is_parsed_or_refused_with_a_sentence(written):
    assert number_or_sentence(written)[-1] in ".0123456789"


def number_or_sentence(written):
    try:
        return phone.parse(written, "US").e164
    except UserError as refused:
        return refused.sentence


@given(st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_formatted_number_parses_to_the_same_number(digits):
    e164 = f"+1{digits}"
    assert phone.parse(phone.format_number(e164, "US"), "US").e164 == e164
    assert phone.parse(phone.format_number(e164, "MX"), "MX").e164 == e164


USUAL = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "1", "+1", "1-", "1 ", "1.", "+1-", "+1 ", "+1."]),
        st.from_regex(r"\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ]?", fullmatch=True),
        st.from_regex(r"[2-9][0-9]{2}[-. ]?[0-9]{4}", fullmatch=True),
    ),
)


@given(USUAL, st.sampled_from(["US", "CA"]))
def test_usual_spelling_agrees_with_the_numbering_metadata(written, region):
    number = phonenumbers.parse(written, region)
    assert phonenumbers.is_possible_number(number)
    assert number.extension is None
    assert phone.parse_usual(written, region) == phonenumbers.format_number(number, PhoneNumberFormat.E164)


@given(st.text(st.sampled_from("+1(2) 35-.x\n٣"), min_size=10, max_size=18) | USUAL, st.sampled_from(["US", "CA"]))
def test_text_parsed_as_usual_spelling_is_that_number(written, region):
    if e164 := phone.parse_usual(written, region):
        number = phonenumbers.parse(written, region)
        assert phonenumbers.format_number(number, PhoneNumberFormat.E164) == e164


@pytest.mark.parametrize("region", ["MX", "GB", "AG", "PR"])
def test_other_regions_have_no_usual_spelling(region):
    assert phone.parse_usual("(312) 555-0142", region) is None


def test_number_is_formatted_nationally_or_internationally():
    assert phone.format_number("+13125550142", "US") == "(312) 555-0142"
    assert phone.format_number("+525512345678", "US") == "+52 55 1234 5678"
    assert phone.format_number("+13125550142", "MX") == "+1 312-555-0142"


MEXICAN = ["+5215512345678", "+52 1 55 1234 5678", "+52 55 1234 5678", "011 52 1 55 1234 5678"]


@pytest.mark.parametrize("written", MEXICAN)
def test_mexican_number_has_one_form(written):
    assert phone.parse(written, "US").e164 == "+525512345678"
    assert phone.canonical("+5215512345678") == phone.canonical("+525512345678") == "+525512345678"


@pytest.mark.parametrize("written", ["55 1234 5678", "1 55 1234 5678", "044 55 1234 5678", "+52 1 55 1234 5678"])
def test_mexican_number_has_one_form_in_mexico(written):
    assert phone.parse(written, "MX").e164 == "+525512345678"


def test_argentine_mobile_and_landline_stay_two_numbers():
    assert phone.parse("+54 11 15 1234 5678", "US").e164 == phone.parse("+54 9 11 1234 5678", "US").e164
    assert phone.parse("+54 11 1234 5678", "US").e164 == "+541112345678"


@pytest.mark.parametrize("written", ["346-2142 mom", "mom 346-2142", "346-2142 CELL", "1-800-FLOWERS", "312-555-MOMS"])
def test_letters_are_never_read_as_digits(written):
    with pytest.raises(UserError):
        phone.parse(written, "US")


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("+(516) 555-0142", "+15165550142"),
        ("+3125550142", "+13125550142"),
        ("+312-555-0142", "+13125550142"),
        ("+312 555 0142 (mom)", "+13125550142"),
        ("+47 98765432", "+4798765432"),
        ("011 47 98765432", "+4798765432"),
        ("+51 1 6555014", "+5116555014"),
    ],
)
def test_plus_sign_before_ten_digits_is_a_us_number_unless_written_otherwise(written, e164):
    assert phone.parse(written, "US").e164 == e164


@pytest.mark.parametrize("written", ["+5165550142", "+4798765432", "+507 234 5678"])
def test_number_that_two_countries_have_is_a_question(written):
    with pytest.raises(UserError) as refused:
        phone.parse(written, "US")
    assert refused.value.code == "phone.country_unclear"


def test_system_that_writes_e164_is_not_asked():
    assert phone.parse_exact("+4798765432") == "+4798765432"
    assert phone.parse_exact("+5215512345678") == "+525512345678"
    assert phone.parse_exact("+3125550142") is None
    assert phone.parse_exact("+13125550142") is None


@pytest.mark.parametrize(
    ("e164", "doubt"),
    [
        ("+15555555555", Doubt.PLACEHOLDER),
        ("+19999999999", Doubt.PLACEHOLDER),
        ("+11234567890", Doubt.PLACEHOLDER),
        ("+15553460142", Doubt.PLACEHOLDER),
        ("+19113460142", Doubt.UNASSIGNABLE),
        ("+14113460142", Doubt.UNASSIGNABLE),
        ("+13120550142", Doubt.UNASSIGNABLE),
        ("+12993460142", Doubt.UNASSIGNABLE),
        ("+18005550142", Doubt.TOLL_FREE),
        ("+18335550142", Doubt.TOLL_FREE),
        ("+13125550142", None),
        ("+525512345678", None),
    ],
)
def test_number_that_can_hardly_be_a_familys_is_doubted(e164, doubt):
    assert phone.doubt_about(e164) is doubt
