"""The counts of a mass message, whole and narrowed by a filter."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.db.models.edits import Removal
from bot.db.models.messages import MassMessage
from bot.db.models.roster import Student, StudentContact
from bot.db.models.views import effective_contacts, textable
from bot.digests.fixes import Fix, load_worked_fixes
from bot.digests.report import GradeCounts, LeftCounts, MoveCounts, Tally, load_digest
from bot.domain.sms_status import SmsStatus
from bot.filters.parse import parse_filter
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.settle import settle_message

DAY = timedelta(days=1)
pytestmark = pytest.mark.usefixtures("every_group_counts")


@pytest.fixture
def sam(session):
    return people.student(session, grade="5")


@pytest.fixture
def maria(session, sam):
    return people.contact(session, sam)


@pytest.fixture
def dana(session):
    return people.actor_of(
        people.staff(session, "Dana", "Diaz", role="districtAdministrator"), level=AccessLevel.DISTRICT
    )


def families(session, number, *, grade="5"):
    """As many contacts, each of a student of their own."""
    return [people.contact(session, people.student(session, grade=grade)) for _ in range(number)]


def load(session, message_id, filter_text=""):
    session.flush()
    return load_digest(session, message_id, list_filter=parse_filter(filter_text).filter, today=people.TODAY)


def test_every_delivery_is_counted_once(session, now):
    outcomes = ["delivered", "delivered", "blocked", "inactive", "landline", "unconfirmed", "not_contact_problem", None]
    sent, _ = messages.send(session, dict(zip(families(session, 8), outcomes, strict=True)), now=now)
    digest = load(session, sent)
    counts = (digest.sent, digest.delivered, digest.not_delivered, digest.awaiting, digest.sending_failures)
    assert counts == (8, 2, 4, 1, 1)


def test_delivery_without_a_receipt_is_awaiting(session, now):
    blocked, silent = families(session, 2)
    sent, _ = messages.send(session, {blocked: "blocked", silent: None}, now=now, settled=False)
    digest = load(session, sent)
    assert (digest.sent, digest.not_delivered, digest.awaiting) == (2, 1, 1)
    assert (digest.moves, digest.learned_at) == (MoveCounts(), None)


def test_late_receipt_is_counted(session, now, maria):
    sent, ids = messages.send(session, {maria: None}, now=now)
    assert load(session, sent).awaiting == 1
    messages.report(session, ids[maria], now=now + DAY)
    digest = load(session, sent)
    assert (digest.delivered, digest.awaiting, digest.learned_at) == (1, 0, now + DAY)


def test_contacts_that_joined_left_and_stayed_are_counted(session, now):
    joins, leaves, stays, changes, unasked = families(session, 5)
    before = {leaves: "blocked", stays: "blocked", changes: "unconfirmed", unasked: "inactive", joins: "delivered"}
    messages.send(session, before, now=now)
    after = {joins: "blocked", leaves: "delivered", stays: "blocked", changes: "inactive"}
    sent, _ = messages.send(session, after, now=now + DAY)
    digest = load(session, sent)
    assert digest.moves == MoveCounts(joined=1, left=1, stayed=3)
    assert digest.to_fix == {SmsStatus.INACTIVE: Tally(2), SmsStatus.BLOCKED: Tally(2, new=1)}
    assert digest.left == LeftCounts(delivered=1)
    assert digest.changed == {SmsStatus.INACTIVE: 1}


def test_statuses_come_worst_first_and_grades_lowest_first(session, now):
    outcomes = {"10": "unconfirmed", "K": "landline", "2": "inactive", None: "blocked"}
    listed = {families(session, 1, grade=level)[0]: outcome for level, outcome in outcomes.items()}
    sent, _ = messages.send(session, listed, now=now)
    digest = load(session, sent)
    assert list(digest.to_fix) == ["inactive", "blocked", "landline", "unconfirmed"]
    assert digest.by_grade == tuple(GradeCounts((level,), Tally(1, new=1)) for level in ("K", "2", "10", "Other"))


def test_contact_counts_in_the_grade_of_the_youngest_child(session, now):
    parent = people.contact(
        session,
        people.student(session, "Ana", grade="3"),
        people.student(session, "Ben", grade="3"),
        people.student(session, "Cleo", grade="7"),
        people.student(session, "Dora", grade="9", active=False),
    )
    sent, _ = messages.send(session, {parent: "blocked"}, now=now)
    digest = load(session, sent)
    assert digest.by_grade == (GradeCounts(("3",), Tally(1, new=1)),)
    assert digest.moves == MoveCounts(joined=1)


def test_opt_out_between_messages_counts_as_stayed(session, now, maria):
    first, _ = messages.send(session, {maria: "delivered"}, now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    digest = load(session, first)
    assert (digest.opted_out, digest.to_fix, digest.moves) == (Tally(1), {}, MoveCounts(stayed=1))


def test_students_without_a_textable_adult_are_counted(session, now, sam, maria):
    people.contact(session, sam, given="Otto")
    alone = people.student(session, "Kim", "Park")
    called = people.contact(session, people.student(session, "Lea", "Park"), method="call")
    without_contacts = people.student(session, "Max", "Park")
    people.student(session, "Old", "Park", active=False)
    sent, _ = messages.send(session, {maria: "blocked", people.contact(session, alone): "blocked"}, now=now)
    assert load(session, sent).students_without_adult == len({alone, called, without_contacts})


def test_edits_and_removals_decide_about_textable_adults(session, now, sam, maria, dana):
    fixed, called, removed, removed_from_one = families(session, 4)
    sibling = people.student(session, "Kim", "Park")
    session.add(StudentContact(student_id=sibling.id, contact_id=removed_from_one.id))
    no_number, _, gone = (
        people.contact(session, people.student(session), phone=phone) for phone in (None, None, "new")
    )
    gone.active = False
    sent, _ = messages.send(session, {maria: "blocked", fixed: "blocked"}, now=now)
    edits.change(session, fixed, phone="+13125550177", actor=dana)
    edits.change(session, no_number, phone="+13125550178", actor=dana)
    edits.change(session, called, method="call", actor=dana)
    edits.remove(session, removed, None, actor=dana)
    edits.remove(session, removed_from_one, sibling, actor=dana)
    adult = select(1).where(effective_contacts.c.student_id == Student.id, textable)
    unreachable = select(func.count()).where(Student.active, ~adult.exists())
    # Sam, the students of `called` and `removed`, the sibling, and the students of a contact without a number and of one who left.
    assert load(session, sent).students_without_adult == session.scalar(unreachable) == 6


def test_student_with_one_textable_adult_is_not_counted(session, now, sam, maria):
    otto = people.contact(session, sam, given="Otto")
    sent, _ = messages.send(session, {maria: "blocked"}, now=now)
    assert load(session, sent).students_without_adult == 0
    again, _ = messages.send(session, {otto: "blocked"}, now=now + DAY)
    assert load(session, again).students_without_adult == 1


def test_fix_counts_when_delivered_and_is_shown_to_its_editor_only(session, now, dana):
    fixed, wrong, unfixed = families(session, 3)
    messages.send(session, dict.fromkeys((fixed, wrong, unfixed), "blocked"), now=now)
    edits.change(session, fixed, phone="(312) 555-9001", actor=dana)
    edits.change(session, wrong, phone="(312) 555-9002", actor=dana)
    new = {
        contact: messages.a_delivery(contact, to=f"+1312555900{number}") for number, contact in ((1, fixed), (2, wrong))
    }
    deliveries = [*new.values(), messages.a_delivery(unfixed)]
    message = messages.a_message(*deliveries, sent_at=now + DAY)
    messages.register(session, message, now=now + DAY)
    for delivery, outcome in zip(deliveries, ("delivered", "inactive", "delivered"), strict=True):
        messages.report(session, delivery["provider_id"], outcome, now=now + DAY)
    settle_message(session, message["id"], now=now + DAY)
    digest = load(session, message["id"])
    assert (digest.moves, digest.left) == (MoveCounts(left=2, stayed=1), LeftCounts(fixed=1, delivered=1))
    assert load_worked_fixes(session, message["id"], actor=dana) == [Fix("Maria Rivera", ("Sam Rivera",))]
    other = people.actor_of(people.staff(session, "Adam", "Lee"), level=AccessLevel.DISTRICT)
    assert load_worked_fixes(session, message["id"], actor=other) == []
    assert load_worked_fixes(session, message["id"], actor=replace(dana, level=AccessLevel.CLASSES)) == []


def test_sender_fault_is_explained_and_lists_no_contact(session, now):
    refused = families(session, 12)
    sent, _ = messages.send(session, dict.fromkeys(refused, "blocked"), now=now)
    digest = load(session, sent)
    assert (digest.sending_failures, digest.not_delivered, digest.moves) == (12, 0, MoveCounts())
    assert [(fault.provider, fault.code, fault.refusals) for fault in digest.sender_faults] == [
        ("twilio", messages.CODES["blocked"], 12)
    ]
    assert digest.sender_faults[0].meaning.endswith(".")


def test_fault_of_an_unknown_provider_has_a_meaning(session, now, maria):
    sent, _ = messages.send(session, {maria: "delivered"}, now=now)
    session.get(MassMessage, sent).sender_at_fault = {"carrierpigeon:404": 12}
    assert load(session, sent).sender_faults[0].meaning == "The carrier refused and gave no reason."


def test_up_to_four_earlier_final_messages_are_compared(session, now, maria):
    def a_day(number, outcome, **how):
        return messages.send(session, {maria: outcome}, now=now + number * DAY, **how)[0]

    outcomes = ["blocked", "delivered", "blocked", "delivered", "delivered"]
    first, *_, fifth = [a_day(day, outcome) for day, outcome in enumerate(outcomes)]
    preliminary = a_day(5, None, settled=False)
    last = a_day(6, "blocked")
    earlier = load(session, last).earlier
    assert [(message.sent_at, message.sent, message.delivered) for message in earlier] == [
        (now + day * DAY, 1, delivered) for day, delivered in ((1, 1), (2, 0), (3, 1), (4, 1))
    ]
    assert load(session, preliminary).earlier == ()
    assert [message.sent_at for message in load(session, fifth).earlier] == [now + day * DAY for day in range(4)]
    assert load(session, first).earlier == ()


def test_message_without_deliveries_is_not_compared(session, now, maria):
    messages.register(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    settle_message(session, "empty", now=now)
    last, _ = messages.send(session, {maria: "blocked"}, now=now + DAY)
    assert load(session, last).earlier == ()


def test_message_without_deliveries_counts_zero(session, now):
    messages.register(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    digest = load(session, "empty")
    assert (digest.sent, digest.not_delivered, digest.to_fix, digest.by_grade) == (0, 0, {}, ())


@pytest.fixture
def two_schools(session, now):
    """Three families at Lincoln (grades 5, 5 and 4) and one at Roosevelt (grade 9); Ana teaches the first."""
    lincoln, roosevelt = people.school(session), people.school(session, "Roosevelt High")
    enrolled = {
        "blocked": ("5", lincoln),
        "delivered": ("5", lincoln),
        "inactive": ("4", lincoln),
        "landline": ("9", roosevelt),
    }
    students = {
        outcome: people.student(session, grade=grade, at=school) for outcome, (grade, school) in enrolled.items()
    }
    people.school_class(session, people.staff(session), lincoln, students["blocked"])
    outcomes = {people.contact(session, student): outcome for outcome, student in students.items()}
    outcomes[people.contact(session, students["blocked"], given="Otto")] = "delivered"
    sent, _ = messages.send(session, outcomes, now=now)
    return sent


@pytest.mark.parametrize(
    ("filter_text", "expected"),
    [
        ("", (5, 2, 3, 3, {"4", "5", "9"}, 2)),
        ("grade 5", (3, 2, 1, 1, {"5"}, 0)),
        ("grade 4,9", (2, 0, 2, 2, {"4", "9"}, 2)),
        ('school "lincoln"', (4, 2, 2, 2, {"4", "5"}, 1)),
        ('teacher "Ms. García"', (2, 1, 1, 1, {"5"}, 0)),
        ("inactive", (5, 2, 1, 1, {"4"}, 1)),
        ('blocked,landline school "roosevelt"', (1, 0, 1, 1, {"9"}, 1)),
        ('blocked school "roosevelt"', (1, 0, 0, 0, set(), 0)),
        ("grade 12", (0, 0, 0, 0, set(), 0)),
    ],
)
def test_filter_narrows_all_counts(session, two_schools, filter_text, expected):
    digest = load(session, two_schools, filter_text)
    joined, grades = digest.moves.joined, {level for group in digest.by_grade for level in group.grades}
    counts = (digest.sent, digest.delivered, digest.not_delivered, joined, grades, digest.students_without_adult)
    assert counts == expected
    assert sum(tally.new for tally in digest.to_fix.values()) == joined


def test_contact_removed_from_one_student_counts_with_the_others(session, now):
    lucia, nicolas = people.student(session, "Lucia", grade="5"), people.student(session, "Nicolas", grade="2")
    maria = people.contact(session, lucia, nicolas)
    messages.send(session, {maria: "blocked"}, now=now)
    session.add(Removal(contact_id=maria.id, student_id=lucia.id, reason="asked", made_by="UTOM", made_at=now))
    sent, _ = messages.send(session, {maria: "blocked"}, now=now + DAY)
    assert load(session, sent).by_grade == (GradeCounts(("2",), Tally(1)),)
    assert load(session, sent, "grade 5").moves == MoveCounts()
    assert load(session, sent, "grade 2").moves == MoveCounts(stayed=1)


def test_filtered_contact_of_two_grades_counts_in_one(session, now):
    parent = people.contact(session, *(people.student(session, grade=level) for level in ("3", "7")))
    sent, _ = messages.send(session, {parent: "blocked"}, now=now)
    digest = load(session, sent, "grade 7")
    assert (digest.sent, digest.by_grade) == (1, (GradeCounts(("7",), Tally(1, new=1)),))


def test_status_filter_leaves_out_sending_failures_and_awaiting(session, now):
    refused, silent = families(session, 12), families(session, 1)
    sent, _ = messages.send(session, dict.fromkeys(refused, "blocked") | dict.fromkeys(silent), now=now)
    digest = load(session, sent, "blocked,unconfirmed")
    assert (digest.not_delivered, digest.awaiting, digest.sending_failures) == (0, 1, 12)


def test_earlier_message_is_counted_by_the_same_filter(session, now, two_schools, maria):
    last, _ = messages.send(session, {maria: "blocked"}, now=now + DAY)
    (earlier,) = load(session, last, 'school "lincoln"').earlier
    assert (earlier.sent, earlier.delivered) == (4, 2)
