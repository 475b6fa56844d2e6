"""What a typed number shows before it is saved, and who sees it."""

import pytest
from support import edits, people
from support import mass_messages as messages
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.contact_edits.number_check import NOTHING_KNOWN, check_number, is_near
from bot.db.models.messages import PhoneNumber

NUMBER = "+13125557700"


@pytest.fixture
def lincoln(session):
    return people.school(session)


@pytest.fixture
def roosevelt(session):
    return people.school(session, "Roosevelt High")


@pytest.fixture
def clara(session, lincoln):
    return people.actor_of(people.staff(session, "Clara", at=lincoln), level=AccessLevel.SCHOOLS, at=(lincoln,))


@pytest.fixture
def sam(session, lincoln):
    return people.student(session, at=lincoln)


@pytest.fixture
def maria(session, sam):
    return people.contact(session, sam, phone="+13125557812")


def check(session, contact, number=NUMBER, *, student, actor):
    session.flush()
    return check_number(session, contact.id, number, student_id=student.id, actor=actor)


STATUSES = {
    "opt_out": {"status": "opt_out", "opted_out_at": people.NOW, "opted_out_by": "twilio"},
    "wrong_person": {"wrong_person_at": people.NOW, "wrong_person_by": "twilio"},
    "inactive": {"status": "inactive"},
    "landline": {"status": "landline"},
}


def set_status(session, status, number=NUMBER):
    session.merge(PhoneNumber(phone=number, since=people.NOW, **STATUSES[status]))


@pytest.mark.parametrize("status", STATUSES)
def test_number_of_a_stranger_tells_nothing(session, clara, roosevelt, sam, maria, *, status):
    """A number that no one has reads the same as one of a family that Clara may not see, whatever its status."""
    kim = people.student(session, "Kim", at=roosevelt)
    people.contact(session, kim, given="Petra", phone=NUMBER)
    set_status(session, status)
    assert check(session, maria, student=sam, actor=clara) == NOTHING_KNOWN


@pytest.mark.parametrize("status", STATUSES)
def test_number_of_a_visible_contact_shows_its_status_and_name(session, clara, lincoln, sam, maria, *, status):
    kim = people.student(session, "Kim", at=lincoln)
    people.contact(session, kim, given="Petra", phone=NUMBER)
    set_status(session, status)
    facts = check(session, maria, student=sam, actor=clara)
    assert (facts.status, facts.since, facts.sharing) == (status, people.NOW, ("Petra Rivera",))


def test_number_that_another_contact_only_got_typed_has_no_status(session, clara, lincoln, sam, maria):
    kim = people.student(session, "Kim", at=lincoln)
    petra = people.contact(session, kim, given="Petra")
    set_status(session, "inactive")
    edits.change(session, petra, phone=NUMBER, actor=clara)
    facts = check(session, maria, student=sam, actor=clara)
    assert (facts.status, facts.sharing) == (None, ("Petra Rivera",))


def test_number_that_the_contact_had_before_shows_its_status(session, clara, sam, maria):
    messages.send(session, {maria: "inactive"}, now=people.NOW)
    edits.change(session, maria, phone="+13125557702", actor=clara)
    assert check(session, maria, "+13125557812", student=sam, actor=clara).status == "inactive"


def test_same_adult_in_another_record_is_named_by_the_student(session, clara, lincoln, sam, maria):
    people.contact(session, people.student(session, "Eva", at=lincoln), phone=NUMBER)
    facts = check(session, maria, student=sam, actor=clara)
    assert (facts.same_adult_of, facts.sharing) == (("Eva Rivera",), ())


def test_own_number_shows_nothing(session, clara, sam, maria):
    set_status(session, "inactive", maria.sis_phone)
    assert check(session, maria, maria.sis_phone, student=sam, actor=clara) == NOTHING_KNOWN


def test_typo_is_compared_with_both_earlier_numbers(session, clara, sam, maria):
    edits.change(session, maria, phone="+17735550199", actor=clara)
    assert check(session, maria, "+17735550198", student=sam, actor=clara).typo_of == "+17735550199"
    assert check(session, maria, "+13125557821", student=sam, actor=clara).typo_of == "+13125557812"
    assert check(session, maria, "+13125557788", student=sam, actor=clara).typo_of is None


@pytest.mark.parametrize(
    ("number", "near"),
    [
        ("+13125550142", False),
        ("+13125550143", True),
        ("+13125550124", True),
        ("+13125550241", False),
        ("+13125550155", False),
        ("+131255501420", False),
    ],
)
def test_typo_is_one_digit_or_two_swapped(number, near):
    assert is_near("+13125550142", number) is near


def test_contact_of_another_school_is_refused(session, clara, roosevelt):
    kim = people.student(session, "Kim", at=roosevelt)
    petra = people.contact(session, kim)
    with refused("access.no_contact"):
        check(session, petra, student=kim, actor=clara)
