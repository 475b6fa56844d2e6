"""Phone numbers: from any spelling to E.164, the only stored form, and to what people read.

A number that is possible but not valid by the numbering metadata is kept: districts hold numbers of new area codes, and
only a receipt proves a number dead.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from bot.domain.display import plural
from bot.errors import UserError

_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
# A note beside a number: `(mom)`, `cell`.
_NOTE = re.compile(r"\(?\b[^\W\d_]{2,}\b\)?")
_LONGEST_EXTENSION = 6
# The usual spellings of North America: `(312) 555-0142`, `1-312-555-0142`. The metadata would return the same digits.
_USUAL = re.compile(r"(?:\+?1[-. ]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[-. ]?)([2-9][0-9]{2})[-. ]?([0-9]{4})")
_USUAL_REGIONS = ("US", "CA")
# Ten digits after a plus sign: a US number whose 1 is missing, or one of another country.
_PLUS_AND_TEN = re.compile(r"\+ ?(\(?)([0-9]{3})\)?[-. ]*([0-9]{3})[-. ]*([0-9]{4})")
# Area codes with a 9 in the middle are reserved, and those that end in 11 are service codes like 911.
_ASSIGNABLE = re.compile(r"\+1(?!.11|.9)[2-9][0-9]{2}[2-9][0-9]{6}")
_PLACEHOLDER = re.compile(r"\+1(?:555[0-9]{7}|([0-9])\1{9}|1234567890|9876543210|0123456789)")
_TOLL_FREE = re.compile(r"\+18(?:00|22|33|44|55|66|77|88)[0-9]{7}")
_MEXICO = 52
# What Mexico dropped in 2019: the 1 of mobile numbers after +52, and 044 and 045 before them within the country.
_OLD_MEXICAN = re.compile(r"(?:1|01|044|045)([0-9]{10})")
_US_DIGITS = 10
_US_DIGITS_WITHOUT_AREA = 7


@dataclass(frozen=True)
class Phone:
    """A textable number in E.164, and the extension that was written with it (which no text can use)."""

    e164: str
    extension: str | None = None


class Doubt(StrEnum):
    """Why a North American number can hardly be a family's: it was made up, no phone can have it, or companies have it."""

    PLACEHOLDER = "placeholder"
    UNASSIGNABLE = "unassignable"
    TOLL_FREE = "toll_free"


def parse(text: str, region: str) -> Phone:
    """Read what a person or an SIS wrote; `region` is a country code like `US`. Letters are never read as digits.

    Raises:
        UserError: what is wrong and how to write the number.
    """
    if e164 := parse_usual(text, region):
        return Phone(e164)
    cleaned = _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).strip()
    digits = re.sub(r"\D", "", cleaned)
    if e164 := _parse_plus_and_ten(cleaned, region):
        return Phone(e164)
    number = _parse_possible(cleaned, region) or _parse_possible(_NOTE.sub(" ", cleaned), region)
    if number is None or not digits.strip("0"):
        raise _invalid(digits, region)
    bare = PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    bare.italian_leading_zero = number.italian_leading_zero
    bare.number_of_leading_zeros = number.number_of_leading_zeros
    return Phone(phonenumbers.format_number(bare, PhoneNumberFormat.E164), number.extension)


def parse_usual(text: str, region: str) -> str | None:
    """Return E.164 of a number in a usual spelling, as `parse` reads it but twenty times as fast; None for any other text."""
    match = _USUAL.fullmatch(text) if region in _USUAL_REGIONS else None
    return "+1" + "".join(filter(None, match.groups())) if match else None


def parse_exact(text: str) -> str | None:
    """Return a number of another country than North America that a system wrote as E.164; None for any other text."""
    if not re.fullmatch(r"\+[2-9][0-9]{6,14}", text):
        return None
    number = _parse_possible(text, "ZZ")
    return canonical(text) if number and phonenumbers.is_valid_number(number) else None


def canonical(e164: str) -> str:
    """Return the one E.164 form of a number: +52 1 and ten digits, which providers still report, is +52 and ten digits."""
    match = _OLD_MEXICAN.fullmatch(e164[3:]) if e164.startswith(f"+{_MEXICO}") else None
    return f"+{_MEXICO}{match[1]}" if match else e164


def doubt_about(e164: str) -> Doubt | None:
    """Return why a person who types this number should look again, None for most; an SIS may hold such a number all the same."""
    if not e164.startswith("+1"):
        return None
    if _PLACEHOLDER.fullmatch(e164):
        return Doubt.PLACEHOLDER
    if _TOLL_FREE.fullmatch(e164):
        return Doubt.TOLL_FREE
    return None if _ASSIGNABLE.fullmatch(e164) else Doubt.UNASSIGNABLE


def _parse_plus_and_ten(text: str, region: str) -> str | None:
    """Return the US number of a text like `+(516) 555-0142`, None for other texts.

    Raises:
        UserError: another country has such a number, too.
    """
    match = _PLUS_AND_TEN.fullmatch(_NOTE.sub(" ", text).strip()) if region in _USUAL_REGIONS else None
    national = "".join(match.groups()[1:]) if match else ""
    if match is None or not _ASSIGNABLE.fullmatch(f"+1{national}"):
        return None
    abroad = _parse_possible(f"+{national}", region)
    if match[1] or abroad is None or not phonenumbers.is_valid_number(abroad):
        return f"+1{national}"
    here = format_number(f"+1{national}", region)
    there = f"011 {abroad.country_code} {phonenumbers.national_significant_number(abroad)}"
    sentence = f"Is that a US number, or one of the country +{abroad.country_code}? Write {here}, or {there}."
    raise UserError("phone.country_unclear", sentence)


def _parse_possible(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    national = phonenumbers.national_significant_number(number)
    # The metadata reads letters as digits, as in 1-800-FLOWERS, so that `346-2142 mom` would be 346-214-2666.
    if len(national) > sum(map(str.isdecimal, text)):
        return None
    if number.country_code == _MEXICO and (old := _OLD_MEXICAN.fullmatch(national)):
        number = PhoneNumber(country_code=_MEXICO, national_number=int(old[1]), extension=number.extension)
    # An "extension" as long as a number is a second number, and either may be meant.
    if len(number.extension or "") > _LONGEST_EXTENSION:
        return None
    is_possible = phonenumbers.is_possible_number_with_reason(number) is ValidationResult.IS_POSSIBLE
    return number if is_possible else None


def _invalid(digits: str, region: str) -> UserError:
    count = len(digits)
    if not digits:
        code, sentence = "no_digits", "That is not a phone number. Write it with its area code, like (312) 555-0142."
    elif region != "US":
        code, sentence = "invalid", f"A number with {plural(count, 'digit')} does not work here."
        sentence += " Write the area code too, or start with + and the country code."
    elif not digits.strip("0"):
        code, sentence = "zeros", "Zeros alone do not make a US number. Write 10 digits, like (312) 555-0142."
    elif 2 * _US_DIGITS <= count <= 2 * _US_DIGITS + 2:  # Each may begin with a 1.
        code, sentence = "two_numbers", "That looks like two numbers. Write only one."
    elif count == _US_DIGITS_WITHOUT_AREA:
        code = "no_area_code"
        sentence = "The area code is missing. A US number has 10 digits, like (312) 555-0142."
    elif count < _US_DIGITS:
        code = "too_short"
        sentence = f"Too short: {plural(count, 'digit')}. A US number has 10 digits, like (312) 555-0142."
    else:
        code = "too_long"
        sentence = f"{count} digits do not make a US number. Write 10 digits, or start with + and the country code."
    return UserError(f"phone.{code}", sentence)


def format_number(e164: str, region: str) -> str:
    """Return the national form for a number of `region`, else the international one."""
    number = phonenumbers.parse(e164)
    is_national = phonenumbers.country_code_for_region(region) == number.country_code
    return phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if is_national else PhoneNumberFormat.INTERNATIONAL
    )


@cache  # Only our own number, for every list.
def describe_number(e164: str | None, region: str) -> str | None:
    """Return the number our texts come from as people write it; None where the district has not set it."""
    return format_number(e164, region) if e164 else None


def describe_opt_in_number(e164: str | None, region: str) -> str:
    """Return the number to which a contact texts START, as part of a sentence; a district may not have set it."""
    return format_number(e164, region) if e164 else "the number our texts come from"
