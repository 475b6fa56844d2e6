"""Before a mass message goes out: whom it would reach, miss, and which students nobody would hear for."""

import pytest
from sqlalchemy import select
from support import people

from bot.access import Reach
from bot.cleanup_list.forecast import load_forecast
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter


@pytest.fixture
def lincoln(session, district):
    """Sam has Maria, who gets texts, and Otto, who turned to calls. Eva has Pablo, blocked, and Nora without a number; Kim has nobody."""
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


EVERYBODY = Filter()


def forecast(session, actor, which=EVERYBODY, students=10):
    return load_forecast(session, which, actor=actor, students=students)


def test_every_contact_has_one_fate(session, dana, lincoln):
    told = forecast(session, dana)
    assert (told.reached, told.not_texted) == (1, 1)
    assert told.missed == {SmsStatus.BLOCKED: 1, SmsStatus.NO_NUMBER: 1}


def test_students_nobody_would_hear_for_are_named_those_without_another_way_first(session, dana, lincoln):
    session.scalars(select(Contact).where(Contact.given_name == "Maria")).one().active = False
    session.flush()
    told = forecast(session, dana)
    assert [row.name for row in told.students] == ["Kim Rivera", "Eva Rivera", "Sam Rivera"]
    assert [row.other_ways for row in told.students] == [False, False, True]


def test_the_number_of_students_is_of_all_however_many_are_named(session, dana, lincoln):
    told = forecast(session, dana, students=1)
    assert (told.without_adult, len(told.students)) == (2, 1)


def test_a_contact_of_two_students_counts_once(session, dana, lincoln):
    sam, _eva, kim = lincoln
    people.contact(session, sam, kim, given="Ana")
    assert forecast(session, dana).reached == 2


def test_a_teacher_hears_of_their_own_classes_only(session, district, lincoln):
    _sam, eva, _kim = lincoln
    people.school_class(session, district.ana, district.lincoln, eva)
    told = forecast(session, people.acting(district.ana, reach=Reach.CLASSES))
    assert (told.reached, told.without_adult, [row.name for row in told.students]) == (0, 1, ["Eva Rivera"])


def test_a_message_to_one_grade_concerns_that_grade(session, dana, lincoln):
    told = forecast(session, dana, Filter(grades=("2",)))
    assert (told.reached, told.without_adult) == (0, 1)
    assert told.missed == {SmsStatus.BLOCKED: 1, SmsStatus.NO_NUMBER: 1}


def test_a_teacher_without_students_hears_of_nobody(session, district, lincoln):
    told = forecast(session, people.acting(district.tom, reach=Reach.CLASSES))
    assert (told.reached, told.missed, told.without_adult, told.students) == (0, {}, 0, ())


def test_where_every_student_has_an_adult_nobody_is_named(session, district, dana):
    people.contact(session, people.student(session, at=district.lincoln))
    told = forecast(session, dana)
    assert (told.reached, told.missed, told.without_adult, told.students) == (1, {}, 0, ())
