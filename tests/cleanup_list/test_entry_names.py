"""Names by which an entry of the list is found: the current ones of the contact and of all its students."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha512

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import people
from support.lock_waits import wait_for_blocked_connections
from support.sis_nights import Nights

from bot.access.rights import AccessLevel
from bot.cleanup_list.membership import refresh_entry_names
from bot.cleanup_list.name_search import similar_names
from bot.cleanup_list.page import load_page
from bot.db.models.messages import ListEntry
from bot.db.models.name_words import NameWord
from bot.db.models.roster import Contact
from bot.filters.filter import Filter
from bot.mass_messages.opt_outs import apply_opt_out


@pytest.fixture
def nights(empty_database, tmp_path):
    """Maria Rivera, mother of Sam Rivera, is on the list."""
    nights = Nights(empty_database, tmp_path / "bundle")
    nights.sync()
    with Session(empty_database) as session, session.begin():
        people.list_contact(session, session.scalars(select(Contact).where(Contact.sourced_id == "maria")).one())
    return nights


def found(engine, *names):
    """Return how many students the district's list shows for these names."""
    with Session(engine) as session, session.begin():
        dana = people.actor_of(people.staff(session), level=AccessLevel.DISTRICT)
        return load_page(session, Filter(names=names), actor=dana, page_size=10).total_students


def similar(engine, *names):
    with Session(engine) as session, session.begin():
        dana = people.actor_of(people.staff(session), level=AccessLevel.DISTRICT)
        return [" ".join(which.names) for which in similar_names(session, Filter(names=names), actor=dana, roster=None)]


@pytest.mark.parametrize("who", ["maria", "sam"])
def test_renamed_person_is_found_after_the_sync(nights, who):
    assert not found(nights.engine, "Oyelaran")
    nights.user(who)["familyName"] = "Oyelaran-Smith"
    nights.sync()
    assert found(nights.engine, "Oyelaran")
    assert similar(nights.engine, "Oyelarran") == ["Oyelaran"]
    assert similar(nights.engine, "Smyth") == ["Smith"]


@pytest.mark.parametrize(("who", "table"), [("sam", "students"), ("maria", "contacts")])
def test_killed_sync_leaves_no_entry_with_old_names(nights, who, table):
    nights.user(who)["familyName"] = "Oyelaran"

    def kill(step, *_):
        if step == table and nights.rows(f"SELECT FROM {table} WHERE family_name = 'Oyelaran'"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nights.sync(progress=kill)
    assert found(nights.engine, "Oyelaran")


def test_sync_after_a_killed_one_completes_the_names(nights):
    """Nothing differs any more, but the names beside the list are still the old ones."""
    with nights.engine.begin() as connection:
        connection.execute(text("UPDATE sync_runs SET state = 'failed'"))
        connection.execute(text("UPDATE cleanup_list SET names = 'old'"))
    nights.sync()
    assert found(nights.engine, "Rivera")


@pytest.mark.parametrize("who", ["maria", "sam"])
def test_very_long_name_is_found_by_its_beginning(nights, who):
    letters = sha512(who.encode()).hexdigest()
    nights.user(who)["familyName"] = "".join(sha512(f"{letters}{n}".encode()).hexdigest() for n in range(50))
    assert nights.sync().state == "done"
    name = nights.user(who)["familyName"]
    assert found(nights.engine, name[:100])


def test_new_entry_is_found_by_all_its_students(session):
    both = [people.student(session, given, "Peña-Lopez") for given in ("Ines", "Omar")]
    maria = people.contact(session, *both, given="María", family="O'Brien")
    with session.begin_nested():
        apply_opt_out(session, maria.sis_phone, by="twilio", now=people.NOW)
    names = session.scalars(select(ListEntry.names)).one()
    assert names == "maria obrien ines penalopez ines pena lopez omar penalopez omar pena lopez"


def test_names_are_written_in_the_lock_order_of_contacts(session, engine):
    """A transaction that locks the first of two entries and then the second causes no deadlock."""
    sam = people.student(session)
    first, second = (people.list_contact(session, people.contact(session, sam)).id for _ in range(2))
    sam.search, sam.family_name = "sam oyelaran", "Oyelaran"
    session.get(ListEntry, first).claimed_by = "UCLARA"  # Its row is behind the second on disk now.
    session.commit()
    lock = text("SELECT FROM cleanup_list WHERE contact_id = :id FOR UPDATE")
    with engine.connect() as other, ThreadPoolExecutor() as pool:
        other.execute(lock, {"id": first})
        refreshed = pool.submit(_refresh, engine)
        wait_for_blocked_connections(engine)
        other.execute(lock, {"id": second})
        other.commit()
        refreshed.result(timeout=20)
    assert found(engine, "Oyelaran")


def _refresh(engine):
    with engine.begin() as connection:
        refresh_entry_names(connection)


def test_unchanged_names_are_not_written_again(session):
    sam = people.student(session)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    version = text("SELECT xmin::text FROM cleanup_list")
    before = session.scalar(version)
    refresh_entry_names(session.connection())
    session.commit()
    assert session.scalar(version) == before


def test_every_word_of_a_name_is_stored_and_stays(session):
    sam = people.student(session, "Sam", "Núñez-Ortiz")
    people.contact(session, sam, given="Ana", family="de la Cruz")
    session.commit()
    words = select(NameWord.word)
    assert set(session.scalars(words)) == {"sam", "nunezortiz", "nunez", "ortiz", "ana", "de", "la", "cruz"}
    sam.given_name, sam.search = "Ömer", "omer nunezortiz"
    session.commit()
    assert {"omer", "sam"} <= set(session.scalars(words))


def test_words_of_a_new_search_text_are_stored(session):
    sam = people.student(session)
    session.commit()
    sam.search = "samuel"
    session.commit()
    assert "samuel" in session.scalars(select(NameWord.word)).all()


def test_change_without_a_new_name_stores_no_words(session):
    sam = people.student(session)
    session.commit()
    session.execute(text("DELETE FROM name_words"))
    sam.grade = "6"
    session.commit()
    assert not session.scalars(select(NameWord)).all()
