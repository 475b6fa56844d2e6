import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.names import clean, fold, fold_full_name

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
def test_name_folds_to_what_people_type(written, folded):
    assert fold(written) == folded


@given(st.text())
def test_folding_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_and_unicode_paths_fold_alike(text):
    assert fold(text + " é") == f"{fold(text)} e".strip()


@given(st.text(), st.text())
@example("e\u0301", "\u0301e")
@example("", "\u0345")
def test_full_name_folds_as_its_parts_do(given_name, family_name):
    assert fold_full_name(given_name, family_name) == fold(f"{given_name} {family_name}")


def test_cleaning_drops_only_invisible_characters():
    assert clean("\ufeff Ana\u200b\t García\r\n") == "Ana García"
