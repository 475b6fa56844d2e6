"""A message that (nearly) no receipts came for: our side is at fault, and the list stays as it was."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import people
from support.mass_messages import DAY, a_delivery, a_message, a_receipt, outcome_of, register, report, send, the_list

from bot.db.models.messages import MassMessage
from bot.digests.report import load_digest
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.settle import due_messages, settle_message

MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.usefixtures("every_group_counts")


def families(session, how_many):
    student = people.student(session)
    return [people.contact(session, student) for _ in range(how_many)]


def outcomes(contacts, reported):
    """Pair contacts with what is reported of them; None for those without a receipt."""
    return dict(zip(contacts, [*reported, *[None] * (len(contacts) - len(reported))], strict=True))


def is_silent(session, message_id):
    return session.scalar(select(MassMessage.silent_at).where(MassMessage.id == message_id)) is not None


# How many deliveries, what the receipts among them say, whether it is silent, and how many join the list.
MESSAGES = [
    ("nothing of 40", 40, [], True, 0),
    ("3 of 40", 40, ["inactive", "delivered", "blocked"], True, 0),
    ("4 of 40", 40, ["inactive", "delivered", "delivered", "delivered"], False, 37),
    ("1 of 3", 3, ["delivered"], False, 2),
    ("1 of 3, failed", 3, ["inactive"], False, 3),
    ("nothing of 3", 3, [], True, 0),
    ("nothing of 1", 1, [], True, 0),
    ("1 of 11", 11, ["inactive"], True, 0),
    ("only our own fault, of 12", 12, ["not_contact_problem"] * 12, False, 0),
]


@pytest.mark.parametrize("expected", [each for _, *each in MESSAGES], ids=[name for name, *_ in MESSAGES])
def test_message_without_receipts_lists_no_contact(session, now, expected):
    how_many, reported, silent, joined = expected
    message_id, _ = send(session, outcomes(families(session, how_many), reported), now=now)
    assert (is_silent(session, message_id), len(the_list(session))) == (silent, joined)
    assert due_messages(session, now=now + DAY) == []
    digest = load_digest(session, message_id, today=now.date())
    assert (digest.is_final, digest.is_silent, digest.moves.joined) == (True, silent, joined)
    assert digest.awaiting == how_many - len(reported)


def test_listed_contact_stays_as_it_was(session, now):
    listed, *others = families(session, 20)
    send(session, {listed: "blocked"}, now=now)
    _, ids = send(session, outcomes([listed, *others], ["delivered"]), now=now + DAY)
    assert the_list(session) == {listed.id: "blocked"}
    assert outcome_of(session, ids[others[0]]) == "pending"


def test_opt_out_counts_in_a_silent_message(session, now):
    contacts = families(session, 20)
    message_id, _ = send(session, outcomes(contacts, ["opt_out"]), now=now)
    assert is_silent(session, message_id)
    assert the_list(session) == {contacts[0].id: "opt_out"}


def test_late_receipts_end_the_silence_and_give_the_others_another_day(session, now):
    contacts = families(session, 40)
    message_id, ids = send(session, outcomes(contacts, []), now=now)
    late, numbers = now + 2 * DAY, list(ids.values())
    report(session, numbers[0], "inactive", now=late)
    assert the_list(session) == {}
    record_receipts(session, [a_receipt(each) for each in numbers[1:4]], now=late)
    assert not is_silent(session, message_id)
    assert the_list(session) == {contacts[0].id: "inactive"}
    record_receipts(session, [a_receipt(each) for each in numbers[4:38]], now=late + MINUTE)
    assert due_messages(session, now=late + DAY - MINUTE) == []
    assert due_messages(session, now=late + DAY) == [message_id]
    assert settle_message(session, message_id, now=late + DAY).unconfirmed == 2
    assert the_list(session) == {contacts[0].id: "inactive"} | {each.id: "unconfirmed" for each in contacts[38:]}


def test_deliveries_added_to_a_silent_message_get_a_window(session, now):
    contacts = families(session, 3)
    message = a_message(a_delivery(contacts[0]), sent_at=now)
    register(session, message, now=now)
    settle_message(session, message["id"], now=now + DAY)
    added = [a_delivery(each) for each in contacts[1:]]
    register(session, message | {"deliveries": added}, now=now + 2 * DAY)
    report(session, added[0]["provider_id"], "landline", now=now + 2 * DAY)
    assert due_messages(session, now=now + 3 * DAY) == [message["id"]]
    settle_message(session, message["id"], now=now + 3 * DAY)
    assert the_list(session) == {
        contacts[0].id: "unconfirmed",
        contacts[1].id: "landline",
        contacts[2].id: "unconfirmed",
    }


def test_message_settled_by_hand_is_not_silent_while_its_window_is_open(session, now):
    contacts = families(session, 20)
    message_id, _ = send(session, outcomes(contacts, ["inactive"]), now=now, settled=False)
    settle_message(session, message_id, now=now)
    assert not is_silent(session, message_id)
    assert the_list(session) == {contacts[0].id: "inactive"}
