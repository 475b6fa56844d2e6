"""`unverified` with an age and a filter, as people type it."""

import pytest

from bot.filters.unverified import Unverified, read_unverified

TYPED = {
    "unverified": Unverified(""),
    "grade 5 unverified": Unverified("grade 5"),
    "unverified grade 5 6 months": Unverified("grade 5", 6),
    "6 months grade 5 unverified": Unverified("grade 5", 6),
    "Not verified for 12 months": Unverified("", 12),
    "never verified Maria": Unverified("Maria"),
    "not verified in the last year, grade 3-5": Unverified(", grade 3-5", 12),
    "unverified for half a year": Unverified("", 6),
    "unverified for over a year": Unverified("", 12),
    "unverified six months": Unverified("", 6),
    "sin verificar desde hace seis meses en quinto": Unverified("en quinto", 6),
    "quinto no verificados en el último año": Unverified("quinto", 12),
    "sin verificar medio año": Unverified("", 6),
    "unverified teacher Mo": Unverified("teacher Mo"),
    "unverified 5": Unverified("5"),
    "unverified -3 months": Unverified("", 0),
    "unverified 0 months": Unverified("", 0),
    "unverified 1.5 years": Unverified("", 18),
    "unverified 2.5 months": Unverified("", 0),
    "unverified 90 days": Unverified("", 0),
    f"unverified {'9' * 400} months": Unverified("", 0),
    "unverified ６ months": Unverified("", 6),
    "verified": None,
    "grade 5 for 6 months": None,
}


@pytest.mark.parametrize("text", TYPED)
def test_what_was_typed(text):
    assert read_unverified(text) == TYPED[text]


@pytest.mark.parametrize(
    ("months", "command"),
    [(None, "unverified"), (12, "unverified"), (1, "unverified 1 month"), (6, "unverified 6 months")],
)
def test_command_reads_as_itself(months, command):
    assert Unverified("grade 5", months).command == command
    assert read_unverified(f"{command} grade 5").months in {months, None if months == 12 else months}
