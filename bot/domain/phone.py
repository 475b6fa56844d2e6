"""Phone numbers: from any spelling to E.164, the only stored form, and to what people read.

A number that is possible but not valid by the numbering metadata is kept: districts hold numbers of new area codes, and
only a receipt proves a number dead.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from bot.domain.display import plural
from bot.errors import UserError

_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
# A note beside a number: `(mom)`, `cell`. The metadata would read it as more digits, as in 1-800-FLOWERS.
_NOTE = re.compile(r"\(?\b[^\W\d_]{2,}\b\)?")
_LONGEST_EXTENSION = 6
# The usual spellings of North America: `(312) 555-0142`, `1-312-555-0142`. The metadata would return the same digits.
_USUAL = re.compile(r"(?:\+?1[-. ]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[-. ]?)([2-9][0-9]{2})[-. ]?([0-9]{4})")
_USUAL_REGIONS = ("US", "CA")
_ASSIGNABLE = re.compile(r"\+1(?!.11)[2-9][0-9]{2}[2-9][0-9]{6}")
_US_DIGITS = 10
_US_DIGITS_WITHOUT_AREA = 7


@dataclass(frozen=True)
class Phone:
    """A textable number in E.164, and the extension that was written with it (which no text can use)."""

    e164: str
    extension: str | None = None


def parse(text: str, region: str) -> Phone:
    """Read what a person or an SIS wrote; `region` is a country code like `US`.

    Raises:
        UserError: what is wrong and how to write the number.
    """
    if e164 := parse_usual(text, region):
        return Phone(e164)
    cleaned = _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).strip()
    digits = re.sub(r"\D", "", cleaned)
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


def is_unassignable(e164: str) -> bool:
    """Return whether no phone in North America can have the number: its area code or exchange begins with 0 or 1, or
    its area code is a service code like 911.

    An SIS may hold such a number all the same; a person who types one can look again.
    """
    return e164.startswith("+1") and not _ASSIGNABLE.fullmatch(e164)


def _parse_possible(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
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


def describe_opt_in_number(e164: str | None, region: str) -> str:
    """Return the number to which a contact texts START, as part of a sentence; a district may not have set it."""
    return format_number(e164, region) if e164 else "the number our texts come from"
