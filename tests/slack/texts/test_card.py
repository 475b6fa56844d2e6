"""Private cards about texts that a person has to read: sent once, answered once, and rid of the text."""

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people, screens, snapshots

from bot.db.models.messages import PhoneNumber
from bot.db.models.unclear_texts import UnclearText
from bot.mass_messages.receipts import record_receipts
from bot.providers.receipt import FamilyText
from bot.providers.unclear_texts import read_text
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

NUMBER = "+13125550142"
STOP = "Please stop texting me"
POST = "chat.postMessage"
RECORD, WRONG, NEITHER = "text.record_opt_out", "text.wrong_person", "text.neither"


@pytest.fixture
def maria(office, session):
    """Maria's clerks are Clara and Adam, who is a principal, too."""
    lincoln = office.district.lincoln
    people.staff(session, "Adam", "Prince", "data@district.example", role="principal", at=lincoln)
    maria = people.contact(session, people.student(session, at=lincoln), phone=NUMBER)
    session.commit()
    return maria


def receive(office, session, words=STOP, event_key="SM1"):
    message = read_text(FamilyText("twilio", event_key, NUMBER, words), own_words=())
    record_receipts(session, [message], now=office.now())
    session.commit()


def cards(person):
    return [message for message in person.messages() if "text" in text_of(message) or "number" in text_of(message)]


def send(office, session, words=STOP):
    receive(office, session, words)
    assert office.tick().counts["text_cards"] == 2
    return [cards(person)[-1] for person in (office.clara, office.adam)]


@pytest.mark.parametrize("words", [STOP, "who is this? I'm not Maria"], ids=["opt-out", "wrong person"])
def test_card_shows_the_text_and_who_may_have_sent_it(office, session, maria, snapshot, words):
    card, _ = send(office, session, words)
    assert snapshots.draw(card) == snapshot
    assert "stop" not in card.text
    assert "Maria" not in card.text
    assert office.tick().counts["text_cards"] == 0


def test_opt_out_is_recorded_and_both_cards_lose_the_text(office, session, maria):
    card, _ = send(office, session)
    assert office.clara.press(card, action_id=RECORD).ok
    assert messages.the_list(session) == {maria.id: "opt_out"}
    assert session.scalars(select(UnclearText.text)).one() is None
    assert office.tick().counts["text_cards"] == 2
    for person in (office.clara, office.adam):
        (card,) = cards(person)
        assert STOP not in str(card.blocks)
        assert office.clara.id in str(card.blocks)
        assert screens.action_ids(card) == set()


def test_wrong_person_parks_the_number(office, session, maria):
    card, _ = send(office, session, "who is this? I'm not Maria")
    assert office.clara.press(card, action_id=WRONG).ok
    assert messages.the_list(session) == {maria.id: "wrong_person"}
    assert session.scalars(select(UnclearText.text)).one() is None
    assert screens.action_ids(cards(office.clara)[-1]) == set()


def test_wrong_person_is_refused_for_a_number_verified_since(office, session, maria):
    card, _ = send(office, session, "who is this? I'm not Maria")
    session.add(PhoneNumber(phone=NUMBER, verified_at=office.now()))
    session.commit()
    office.clara.press(card, action_id=WRONG)
    assert messages.the_list(session) == {}
    assert session.scalars(select(UnclearText.text)).one() is not None


def test_second_clerk_sees_who_answered(office, session, maria):
    first, second = send(office, session)
    assert office.clara.press(first, action_id=NEITHER).ok
    assert office.adam.press(second, action_id=RECORD).ok
    assert messages.the_list(session) == {}
    assert office.clara.id in str(cards(office.adam)[-1].blocks)


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_lost_answer_does_not_send_a_card_twice(office, session, maria, fault):
    receive(office, session)
    office.slack.faults.inject(POST, fault, applied=True)
    office.tick()
    office.advance(minutes=10)
    office.tick()
    assert [len(cards(person)) for person in (office.clara, office.adam)] == [1, 1]


def test_text_that_was_answered_before_is_not_sent(office, session, maria):
    receive(office, session)
    receive(office, session, "STOP", "SM2")
    office.tick()
    assert cards(office.clara) == []


@pytest.mark.parametrize("settings_changed", [{"editor_roles": ("principal",)}])
def test_clerk_who_may_not_edit_is_not_asked(office, session, maria):
    receive(office, session)
    assert office.tick().counts["text_cards"] == 1
    assert cards(office.clara) == []
