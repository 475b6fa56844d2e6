"""The database folds stored names and Python folds typed words: both must give the same."""

import unicodedata

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from support import people

from bot.db.migrations.upgrade import alembic_config
from bot.db.models.name_words import NameWord
from bot.db.models.roster import Contact, Student
from bot.domain.names import clean, fold

NAMES = ["O'Brien", "O\u2019Brien", "García Núñez", "Nguyễn Đức", "Weiß", "Smith - Jones", "  Ærø\u200b ", "李 小龍"]
NAMES += ["Γιώργος", "محمّد", "शर्मिला", "ガブリエラ", "ᏣᎳᎩ"]


def folded(session, names):
    """Return the names as the database folds them."""
    query = text(
        "SELECT folded_name(name, '') FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS u (name, position) ORDER BY position"
    )
    return session.scalars(query, {"names": list(names)}).all()


@pytest.mark.parametrize("name", NAMES)
def test_database_folds_a_name_as_python_does(session, name):
    assert folded(session, [name]) == [fold(name)]


def test_database_folds_every_character_as_python_does(session):
    characters = map(chr, range(1, 0x110000))
    assigned = (character for character in characters if unicodedata.category(character) not in {"Cn", "Co", "Cs"})
    names = [
        f"a{character}b" for character in assigned if clean(character) == character
    ]  # As a SIS reader returns them.
    assert len(names) > 100_000
    by_database = zip(names, folded(session, names), strict=True)
    assert [(name, result) for name, result in by_database if result != fold(name)] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cn", "Co", "Cs"])).map(clean), min_size=20))
def test_database_folds_any_text_as_python_does(session, names):
    assert folded(session, names) == [fold(name) for name in names]


def test_migration_folds_names_of_an_older_version_again(engine, session, database_url):
    older = "CREATE OR REPLACE FUNCTION folded_name(given text, family text) RETURNS text LANGUAGE sql IMMUTABLE"
    session.execute(text(f"{older} RETURN lower(given || ' ' || family)"))
    sam = people.student(session)
    people.contact(session, sam, given="Γιώργος", family="Núñez")
    session.execute(text("UPDATE students SET search = 'as it was'"))
    newest = session.scalar(text("SELECT version_num FROM alembic_version"))
    session.execute(text("UPDATE alembic_version SET version_num = '0019'"))
    session.commit()
    command.upgrade(alembic_config(database_url), "0020")
    session.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
    session.commit()
    assert session.scalar(select(Contact.search)) == fold("Γιώργος Núñez")
    assert session.scalar(select(Student.search)) == "sam rivera"
    words = session.scalars(select(NameWord.word)).all()
    assert set(fold("Γιώργος Núñez").split()) <= set(words)
