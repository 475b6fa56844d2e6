import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.names import clean, fold, whole

FOLDED = {
    "O'Brien": "obrien",
    "O\u2019Brien": "obrien",
    "García Núñez": "garcia nunez",
    "Smith-Jones": "smithjones",
    "Nguyễn Đức": "nguyen duc",
    "van der Berg": "van der berg",
    "Søren Ærø": "soren aero",
    "Łukasz": "lukasz",
    "Weiß": "weiss",
    "  Mary\u00a0 Ann\u200b ": "mary ann",
    "García, Ana": "garcia ana",
    "Jr.": "jr",
    "İpek": "ipek",
    "李 小龍": "李 小龍",
}


@pytest.mark.parametrize(("written", "folded"), FOLDED.items())
def test_a_name_folds_to_what_people_type(written, folded):
    assert fold(written) == folded


@given(st.text())
def test_folding_what_is_folded_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_a_name_without_accents_folds_as_it_does_beside_one_with_them(text):
    assert fold(text + " é") == f"{fold(text)} e".strip()


@given(st.text(), st.text())
@example("e\u0301", "\u0301e")
@example("", "\u0345")
def test_a_whole_name_folds_as_its_parts_do(given_name, family_name):
    assert whole(given_name, family_name) == fold(f"{given_name} {family_name}")


def test_cleaning_keeps_the_writing_and_drops_what_nobody_sees():
    assert clean("\ufeff Ana\u200b\t García\r\n") == "Ana García"
