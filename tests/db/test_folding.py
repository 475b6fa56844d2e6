"""Names of contacts and staff are folded by the database, typed words by us: it must be the same."""

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

WRITTEN = ["O'Brien", "O\u2019Brien", "García Núñez", "Nguyễn Đức", "Weiß", "Smith - Jones", "  Ærø\u200b ", "李 小龍"]
WRITTEN += ["Γιώργος", "محمّد", "शर्मिला", "ガブリエラ", "ᏣᎳᎩ"]


def folded(session, names):
    """What the database makes of them."""
    each = text(
        "SELECT folded_name(name, '') FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS u (name, place) ORDER BY place"
    )
    return session.scalars(each, {"names": list(names)}).all()


@pytest.mark.parametrize("written", WRITTEN)
def test_the_database_folds_a_name_as_we_do(session, written):
    assert folded(session, [written]) == [fold(written)]


def test_the_database_folds_every_letter_and_every_sign_as_we_do(session):
    every = (chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) not in {"Cn", "Co", "Cs"})
    names = [f"a{one}b" for one in every if clean(one) == one]  # As a reader of the SIS hands them over.
    assert len(names) > 100_000
    assert [
        (name, by_it) for name, by_it in zip(names, folded(session, names), strict=True) if by_it != fold(name)
    ] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cn", "Co", "Cs"])).map(clean), min_size=20))
def test_the_database_folds_whatever_is_written_as_we_do(session, names):
    assert folded(session, names) == [fold(name) for name in names]


def test_names_that_an_older_version_folded_are_folded_anew(engine, session, database_url):
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
