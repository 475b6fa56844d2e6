"""The forecast: whom a mass message would reach and miss now, and which students have no adult who would get it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from support import family_changes, people

from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.forecast import load_forecast
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter


@pytest.fixture
def lincoln(session, district):
    """Sam has Maria, who gets texts, and Otto, who gets calls; Eva has Pablo, blocked, and Nora without a number; Kim has no one."""
    sam, eva, kim = (
        people.student(session, given, "Rivera", grade=grade, at=district.lincoln)
        for given, grade in (("Sam", "5"), ("Eva", "2"), ("Kim", "1"))
    )
    people.contact(session, sam, given="Maria")
    people.contact(session, sam, given="Otto", method="call")
    blocked = people.contact(session, eva, given="Pablo")
    session.add(PhoneNumber(phone=blocked.sis_phone, status="blocked", since=people.NOW))
    people.contact(session, eva, given="Nora", phone=None)
    session.flush()
    return sam, eva, kim


EVERYONE = Filter()


def forecast(session, actor, which=EVERYONE, page_size=10):
    return load_forecast(session, which, actor=actor, page_size=page_size)


def test_every_contact_is_counted_once(session, dana, lincoln):
    result = forecast(session, dana)
    assert (result.delivered, result.not_texted) == (1, 1)
    assert result.missed == {SmsStatus.BLOCKED: 1, SmsStatus.NO_NUMBER: 1}


def test_students_without_any_way_to_reach_come_first(session, dana, lincoln):
    session.scalars(select(Contact).where(Contact.given_name == "Maria")).one().active = False
    session.flush()
    result = forecast(session, dana)
    assert [row.name for row in result.students] == ["Kim Rivera", "Eva Rivera", "Sam Rivera"]
    assert [row.other_ways for row in result.students] == [False, False, True]


def test_count_of_students_includes_those_not_on_the_page(session, dana, lincoln):
    result = forecast(session, dana, page_size=1)
    assert (result.without_adult, len(result.students)) == (2, 1)


def test_contact_of_two_students_counts_once(session, dana, lincoln):
    sam, _eva, kim = lincoln
    people.contact(session, sam, kim, given="Ana")
    assert forecast(session, dana).delivered == 2


def test_teacher_gets_a_forecast_of_own_classes(session, district, lincoln):
    _sam, eva, _kim = lincoln
    people.school_class(session, district.ana, district.lincoln, eva)
    result = forecast(session, people.actor_of(district.ana, level=AccessLevel.CLASSES))
    assert (result.delivered, result.without_adult, [row.name for row in result.students]) == (0, 1, ["Eva Rivera"])


def test_filter_narrows_the_forecast_to_a_grade(session, dana, lincoln):
    result = forecast(session, dana, Filter(grades=("2",)))
    assert (result.delivered, result.without_adult) == (0, 1)
    assert result.missed == {SmsStatus.BLOCKED: 1, SmsStatus.NO_NUMBER: 1}


def test_teacher_without_students_gets_an_empty_forecast(session, district, lincoln):
    result = forecast(session, people.actor_of(district.tom, level=AccessLevel.CLASSES))
    assert (result.delivered, result.missed, result.without_adult, result.students) == (0, {}, 0, ())


def test_forecast_names_no_student_who_has_an_adult(session, district, dana):
    people.contact(session, people.student(session, at=district.lincoln))
    result = forecast(session, dana)
    assert (result.delivered, result.missed, result.without_adult, result.students) == (1, {}, 0, ())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(transactions=st.lists(family_changes.transaction, max_size=8))
def test_forecast_of_a_district_is_that_of_all_its_schools(empty_database, transactions):
    """A district is counted in another way than the students of its schools."""
    family_changes.start(empty_database)
    dana = Actor("UDANA", (), "Dana", "dana@district.example", AccessLevel.DISTRICT, (), True, people.TODAY)
    principal = replace(dana, level=AccessLevel.SCHOOLS, school_ids=(1,))
    for changes in [[], *transactions]:
        family_changes.apply(empty_database, changes)
        with Session(empty_database) as session:
            assert forecast(session, dana) == forecast(session, principal)
