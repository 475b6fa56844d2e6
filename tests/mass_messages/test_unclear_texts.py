"""Texts that a person has to read: stored once, asked about among the right people, and deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages
from support.people import NOW

from bot.access.identity import AccessRules
from bot.contact_edits.unclear_texts import answer_text, load_text
from bot.db.models.edits import Audit
from bot.db.models.unclear_texts import CardState, TextAnswer, TextCard, UnclearText
from bot.errors import UserError
from bot.mass_messages.opt_outs import record_opt_out, register_opt_outs
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.unclear_texts import claim_card, complete_card, delete_old_texts, enqueue_cards
from bot.providers.receipt import OptOutMessage
from bot.providers.unclear_texts import Topic, UnclearMessage

NUMBER = "+13125550142"
ADMINS = AccessRules(admin_emails=("data@district.example",))


@pytest.fixture
def maria(session, district):
    return people.contact(session, people.student(session, at=district.lincoln), phone=NUMBER)


def a_text(**changed):
    values = {"provider": "twilio", "event_key": "SM1", "phone": NUMBER, "text": "Please stop texting me"}
    return UnclearMessage(**values | {"topic": Topic.OPT_OUT} | changed)


def receive(session, *texts):
    record_receipts(session, texts or [a_text()], now=NOW)
    return session.scalars(select(UnclearText).order_by(UnclearText.id)).all()


def readers(session, rules=ADMINS):
    enqueue_cards(session, rules=rules, now=NOW)
    return session.scalars(select(TextCard.reader).order_by(TextCard.id)).all()


def fail_cards(session):
    for card in session.scalars(select(TextCard)):
        card.state = CardState.FAILED
    session.flush()


@pytest.mark.usefixtures("maria")
def test_repeated_text_is_stored_and_asked_about_once(session, district):
    assert len(receive(session, a_text(), a_text())) == 1
    assert readers(session) == [district.clara.email]
    assert readers(session) == [district.clara.email]


@pytest.mark.usefixtures("district")
def test_text_of_an_unknown_number_is_not_stored(session):
    assert receive(session) == []


def test_typed_number_has_no_texts_before_a_mass_message_went_there(session, district, clara):
    maria = people.contact(session, people.student(session, at=district.lincoln), phone="+13125550143")
    edits.change(session, maria, phone=NUMBER, actor=clara)
    assert receive(session) == []


@pytest.mark.usefixtures("maria")
def test_opted_out_number_is_asked_only_whether_it_is_the_wrong_person(session):
    record_opt_out(session, OptOutMessage("twilio", "SM0", NUMBER, opted_out=True), now=NOW)
    texts = receive(session, a_text(), a_text(event_key="SM2", topic=Topic.WRONG_PERSON))
    assert [text.topic for text in texts] == ["wrong_person"]


@pytest.mark.usefixtures("maria")
def test_only_editors_are_asked_and_else_the_administrators(session, district):
    receive(session)
    assert readers(session, AccessRules(("data@district.example",), ("principal",))) == ["data@district.example"]
    assert district.clara.email not in readers(session)


@pytest.mark.usefixtures("maria")
def test_administrators_are_asked_if_no_card_reached_a_clerk(session, district):
    receive(session)
    readers(session)
    fail_cards(session)
    assert readers(session) == [district.clara.email, "data@district.example"]
    fail_cards(session)
    assert len(readers(session)) == 2


def test_opt_out_is_recorded_and_the_text_deleted(session, maria, clara):
    (text,) = receive(session)
    assert load_text(session, text.id, actor=clara).text == "Please stop texting me"
    card = answer_text(session, text.id, TextAnswer.OPT_OUT, actor=clara, now=NOW)
    assert (card.text, text.text, card.answer, card.answered_by) == (None, None, TextAnswer.OPT_OUT, clara.user_id)
    assert messages.the_list(session) == {maria.id: "opt_out"}
    row = session.scalars(select(Audit).where(Audit.action == "opt_out.recorded")).one()
    assert (row.actor, row.subject_id) == (clara.user_id, maria.id)


def test_second_person_sees_the_first_answer(session, maria, clara, dana):
    (text,) = receive(session)
    answer_text(session, text.id, TextAnswer.NEITHER, actor=clara, now=NOW)
    card = answer_text(session, text.id, TextAnswer.OPT_OUT, actor=dana, now=NOW)
    assert (card.answer, card.answered_by) == (TextAnswer.NEITHER, clara.user_id)
    assert messages.the_list(session) == {}


@pytest.mark.usefixtures("maria")
def test_only_an_editor_who_sees_the_student_may_answer(session, district):
    (text,) = receive(session)
    reader = people.actor_of(district.dana, may_edit=False)
    stranger = people.actor_of(district.tom)
    for actor, code in [(reader, "access.no_editor"), (stranger, "text.gone")]:
        with pytest.raises(UserError) as refused:
            answer_text(session, text.id, TextAnswer.OPT_OUT, actor=actor, now=NOW)
        assert refused.value.code == code


@pytest.mark.usefixtures("maria")
def test_later_start_outranks_the_text(session, clara):
    (text,) = receive(session)
    later = NOW + timedelta(hours=1)
    record_opt_out(session, OptOutMessage("twilio", "SM9", NUMBER, opted_out=False), now=later)
    with pytest.raises(UserError) as refused:
        answer_text(session, text.id, TextAnswer.OPT_OUT, actor=clara, now=later)
    assert refused.value.code == "text.opted_in_since"


@pytest.mark.usefixtures("maria")
def test_stop_answers_the_question(session):
    receive(session, a_text(), a_text(event_key="SM2", topic=Topic.WRONG_PERSON))
    record_opt_out(session, OptOutMessage("twilio", "SM3", NUMBER, opted_out=True), now=NOW)
    assert session.execute(select(UnclearText.answer, UnclearText.text).order_by(UnclearText.id)).all() == [
        ("opt_out", None),
        (None, "Please stop texting me"),
    ]


@pytest.mark.usefixtures("maria")
def test_card_that_is_answered_while_it_is_sent_is_updated(session, clara):
    (text,) = receive(session)
    readers(session)
    card = claim_card(session, now=NOW)
    answer_text(session, text.id, TextAnswer.NEITHER, actor=clara, now=NOW)
    complete_card(session, card, shows_answer=False, channel_id="D1", ts="1.2")
    update = claim_card(session, now=NOW)
    assert (update.id, update.ts) == (card.id, "1.2")
    complete_card(session, update, shows_answer=True, channel_id="D1", ts="1.2")
    assert claim_card(session, now=NOW) is None


@pytest.mark.usefixtures("maria")
def test_card_of_a_crashed_worker_is_not_sent_twice(session):
    receive(session)
    readers(session)
    assert claim_card(session, now=NOW)
    assert claim_card(session, now=NOW + timedelta(hours=1)) is None


@pytest.mark.usefixtures("maria")
def test_text_is_deleted_after_a_month(session):
    receive(session)
    readers(session)
    assert delete_old_texts(session, now=NOW + timedelta(days=29)) == 0
    assert delete_old_texts(session, now=NOW + timedelta(days=31)) == 1
    assert session.scalars(select(TextCard)).all() == []


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Ｒｅｖｏｋｅ!", (1, 0, 0, 0)),
        ("take me off\nthe list \ud83d", (0, 0, 1, 0)),
        ("see you at 3", (0, 0, 0, 1)),
        ("dejar", (1, 0, 0, 0)),
    ],
)
@pytest.mark.usefixtures("maria")
def test_text_that_another_system_received_decides(session, text, counts):
    row = {"id": "call-17", "phone": NUMBER, "at": NOW.isoformat(), "text": text}
    registered = register_opt_outs(session, {"opt_outs": [row]}, now=NOW, region="US", own_words=["Dejar"])
    assert (registered.added, registered.already, registered.unclear, registered.ignored) == counts
