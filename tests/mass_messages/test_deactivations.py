"""A carriers' file of deactivated numbers: known numbers are parked once, and what staff verified since stays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people
from support.errors import refused
from support.people import NOW

from bot.db.models.edits import Audit
from bot.db.models.messages import PhoneNumber
from bot.mass_messages.deactivations import DeactivationCounts, import_deactivations
from bot.mass_messages.wrong_person import release_number

NUMBER = "+13125550142"
DAY = date(2026, 11, 20)


@pytest.fixture
def maria(session):
    district = people.create_district(session)
    return people.contact(session, people.student(session, at=district.lincoln), phone=NUMBER)


@pytest.fixture
def load(session, tmp_path):
    def load(content, *, day=None, now=NOW):
        path = tmp_path / "deactivations.csv"
        path.write_bytes(content.encode())
        counts = import_deactivations(session, path, day=day, region="US", zone=UTC, now=now)
        session.flush()
        return counts

    return load


def counts(**changed):
    values = {"parked": 0, "already": 0, "verified": 0, "strangers": 0, "rejected": 0, "examples": ()}
    return DeactivationCounts(**(values | changed))


@pytest.mark.parametrize(
    "content",
    [
        f"{NUMBER},2026-11-20",
        "phone;date\r\n(312) 555-0142;20261120\r\n",
        f'\ufeff"{NUMBER}"\t2026-11-20T04:00:00Z\n\n',
    ],
)
def test_number_of_a_contact_is_parked_and_audited(session, maria, load, content):
    assert load(content) == counts(parked=1)
    assert messages.the_list(session) == {maria.id: "wrong_person"}
    (row,) = session.scalars(select(Audit))
    assert (row.subject_id, row.actor, row.action) == (maria.id, "deactivations", "wrong_person.reported")
    assert row.after == "••• 0142"


def test_numbers_of_strangers_are_not_stored(session, maria, load):
    assert load("+13125550177\n+13125550178", day=DAY) == counts(strangers=2)
    assert session.scalars(select(PhoneNumber)).all() == []


def test_same_file_again_changes_nothing(session, maria, load):
    load(NUMBER, day=DAY)
    assert load(NUMBER, day=DAY) == counts(already=1)
    assert len(session.scalars(select(Audit)).all()) == 1


def test_number_that_staff_verified_since_stays(session, maria, load):
    load(NUMBER, day=DAY)
    release_number(session, NUMBER, now=NOW)
    assert load(NUMBER, day=DAY) == counts(verified=1)
    assert messages.the_list(session) == {}
    assert load(NUMBER, day=NOW.date() + timedelta(days=1), now=NOW + timedelta(days=2)) == counts(parked=1)


def test_bad_lines_are_named(session, maria, load):
    result = load(f"{NUMBER},2026-11-20\n12,2026-11-20\n+13125550177\n+13125550178,2026-13-45\n")
    assert (result.parked, result.rejected) == (1, 3)
    assert [line for line, _ in result.examples] == [2, 3, 4]


def test_file_without_numbers_is_refused(session, load):
    with refused("deactivations.empty"):
        load("phone,date\n")


def test_delivered_text_after_the_file_changes_nothing(session, maria, load):
    load(NUMBER, day=DAY)
    messages.send(session, {maria: "delivered"}, now=datetime(2026, 11, 24, tzinfo=UTC))
    assert messages.the_list(session) == {maria.id: "wrong_person"}
