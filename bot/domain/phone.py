"""Anything written as a phone number, to E.164, to what people read. E.164 is the only stored form.

A number that is possible though not valid by the numbering metadata is kept: districts hold numbers of new area codes,
and only a receipt says that a number is dead.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from bot.domain.plural import plural
from bot.errors import UserError

_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
# What people write behind a number: `(mom)`, `cell`. The metadata would read it as more digits, as in 1-800-FLOWERS.
_NOTE = re.compile(r"\(?\b[^\W\d_]{2,}\b\)?")
_LONGEST_EXTENSION = 6
# The ordinary ways of North America, of which the metadata could only say what is seen: `(312) 555-0142`, `1-312-555-0142`.
_ORDINARY = re.compile(r"(?:\+?1[-. ]?)?(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})[-. ]?)([2-9][0-9]{2})[-. ]?([0-9]{4})")
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")
_ORDINARY_REGIONS = ("US", "CA")


@dataclass(frozen=True)
class Phone:
    """A textable number in E.164 and, beside it, the extension that was written with it (which no text can use)."""

    e164: str
    extension: str | None = None


def parse(text: str, region: str) -> Phone:
    """Read what a person or an SIS wrote, for a country code like `US`.

    Raises:
        UserError: with a sentence that says what is wrong and how to write it.
    """
    if e164 := to_ascii_digits(text, region):
        return Phone(e164)
    cleaned = _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).strip()
    digits = re.sub(r"\D", "", cleaned)
    if not digits:
        raise UserError(
            "phone.no_digits", "That is not a phone number. Write it with its area code, like (312) 555-0142."
        )
    number = _possible(cleaned, region) or _possible(_NOTE.sub(" ", cleaned), region)
    if number is None or not digits.strip("0"):
        raise UserError("phone.invalid", _hint(digits, region))
    bare = PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    bare.italian_leading_zero, bare.number_of_leading_zeros = (
        number.italian_leading_zero,
        number.number_of_leading_zeros,
    )
    return Phone(phonenumbers.format_number(bare, PhoneNumberFormat.E164), number.extension)


def is_misdialled(e164: str) -> bool:
    """Whether nobody in North America can have it: an area code, or the exchange after it, that begins with 0 or 1. An SIS may
    hold such a number all the same; who writes one down now can look again.
    """
    return e164.startswith("+1") and not _NORTH_AMERICAN.fullmatch(e164)


def to_ascii_digits(text: str, region: str) -> str | None:
    """E.164 of a number written in an ordinary way, as `parse` reads it, twenty times as fast; None says nothing of it."""
    found = _ORDINARY.fullmatch(text) if region in _ORDINARY_REGIONS else None
    return "+1" + "".join(filter(None, found.groups())) if found else None


def _possible(text: str, region: str) -> PhoneNumber | None:
    """The number, if it can be one; an "extension" as long as a number is a second number, and nobody knows which is meant."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if len(number.extension or "") > _LONGEST_EXTENSION:
        return None
    is_possible = phonenumbers.is_possible_number_with_reason(number) is ValidationResult.IS_POSSIBLE
    return number if is_possible else None


def _hint(digits: str, region: str) -> str:
    if region != "US":
        return (
            "One digit does not make a number. Write it with its area code, or start with + and the country."
            if len(digits) == 1
            else (
                f"{len(digits)} digits do not make a number here. Write it with its area code, or start with + "
                "and the country."
            )
        )
    length = len(digits)
    if not digits.strip("0"):
        return "Zeros alone do not make a US number. Write 10 digits, like (312) 555-0142."
    if length in (20, 21, 22):
        return "That looks like two numbers. Write only one."
    if length == 7:  # noqa: PLR2004
        return "The area code is missing. A US number has 10 digits, like (312) 555-0142."
    if length < 10:  # noqa: PLR2004
        return f"Too short: {plural(length, 'digit')}. A US number has 10 digits, like (312) 555-0142."
    return f"{length} digits do not make a US number. Write 10 digits, or start with + and the country."


def format_number(e164: str, region: str) -> str:
    """How people of `region` write it: national form at home, international form from abroad."""
    number = phonenumbers.parse(e164)
    home = phonenumbers.country_code_for_region(region) == number.country_code
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL)


def our_number(e164: str | None, region: str) -> str:
    """Where START is texted to, in a sentence for people of `region`; not every district tells us."""
    return format_number(e164, region) if e164 else "the number our texts come from"


def masked(e164: str | None) -> str:
    """The last four digits: the only form outside the edit dialog, *Show number* and the files of those who may export."""
    return f"••• {e164[-4:]}" if e164 else "no number"
