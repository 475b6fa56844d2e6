"""What a mass message taught us, in counts, and which channels asked to hear of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support import edits, people
from support import mass_messages as messages

from bot.access import Reach
from bot.db.models.edits import Removal
from bot.db.models.messages import MassMessage
from bot.digests.fixes import Fix, load_worked_fixes
from bot.digests.report import MoveCounts, load_digest
from bot.digests.subscriptions import list_subscriptions, load_subscription, subscribe_channel, unsubscribe_channel
from bot.domain.sms_status import SmsStatus
from bot.filters.parse import parse_filter
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.settle import settle_message

NEXT_DAY = timedelta(days=1)
OFFICE, LOUNGE = "C0OFFICE", "C0LOUNGE"


@pytest.fixture
def sam(session):
    return people.student(session, grade="5")


@pytest.fixture
def maria(session, sam):
    return people.contact(session, sam)


@pytest.fixture
def dana(session):
    return people.acting(people.staff(session, "Dana", "Diaz", role="districtAdministrator"), reach=Reach.DISTRICT)


def families(session, number, *, grade="5"):
    """As many contacts, each of a student of their own."""
    return [people.contact(session, people.student(session, grade=grade)) for _ in range(number)]


def learn(session, message_id, written=""):
    session.flush()
    return load_digest(session, message_id, which=parse_filter(written).filter, today=people.TODAY)


def test_every_delivery_is_counted_once(session, now):
    outcomes = ["delivered", "delivered", "blocked", "inactive", "landline", "unconfirmed", "not_contact_problem", None]
    sent, _ = messages.sent(session, dict(zip(families(session, 8), outcomes, strict=True)), now=now)
    digest = learn(session, sent)
    counts = (digest.sent, digest.delivered, digest.not_reached, digest.not_known, digest.our_fault)
    assert counts == (8, 2, 4, 1, 1)


def test_before_it_settles_only_what_is_open_is_not_known(session, now):
    told, silent = families(session, 2)
    sent, _ = messages.sent(session, {told: "blocked", silent: None}, now=now, settled=False)
    digest = learn(session, sent)
    assert (digest.sent, digest.not_reached, digest.not_known) == (2, 1, 1)
    assert (digest.all_moved, digest.shown_at) == (MoveCounts(), None)


def test_a_late_receipt_is_counted_as_what_it_says(session, now, maria):
    sent, ids = messages.sent(session, {maria: None}, now=now)
    assert learn(session, sent).not_known == 1
    messages.told(session, ids[maria], now=now + NEXT_DAY)
    digest = learn(session, sent)
    assert (digest.delivered, digest.not_known, digest.shown_at) == (1, 0, now + NEXT_DAY)


def test_who_joined_who_left_and_who_is_still_on_the_list(session, now):
    joins, leaves, stays, changes, unasked = families(session, 5)
    before = {leaves: "blocked", stays: "blocked", changes: "unconfirmed", unasked: "inactive", joins: "delivered"}
    messages.sent(session, before, now=now)
    after = {joins: "blocked", leaves: "delivered", stays: "blocked", changes: "inactive"}
    sent, _ = messages.sent(session, after, now=now + NEXT_DAY)
    digest = learn(session, sent)
    assert digest.all_moved == MoveCounts(joined=1, left=1, still=3)
    assert digest.by_status == {
        SmsStatus.INACTIVE: MoveCounts(still=2),
        SmsStatus.BLOCKED: MoveCounts(joined=1, left=1, still=1),
    }


def test_statuses_stand_worst_first_and_grades_lowest_first(session, now):
    outcomes = {"10": "unconfirmed", "K": "landline", "2": "inactive", None: "blocked"}
    listed = {families(session, 1, grade=level)[0]: outcome for level, outcome in outcomes.items()}
    sent, _ = messages.sent(session, listed, now=now)
    digest = learn(session, sent)
    assert list(digest.by_status) == ["inactive", "blocked", "landline", "unconfirmed"]
    assert list(digest.by_grade.items()) == [(level, MoveCounts(joined=1)) for level in ("K", "2", "10", "Other")]


def test_a_contact_of_children_in_two_grades_counts_in_both_and_once_in_all(session, now):
    parent = people.contact(
        session,
        people.student(session, "Ana", grade="3"),
        people.student(session, "Ben", grade="3"),
        people.student(session, "Cleo", grade="7"),
        people.student(session, "Dora", grade="9", active=False),
    )
    sent, _ = messages.sent(session, {parent: "blocked"}, now=now)
    digest = learn(session, sent)
    assert digest.by_grade == {"3": MoveCounts(joined=1), "7": MoveCounts(joined=1)}
    assert digest.all_moved == MoveCounts(joined=1)


def test_an_opt_out_between_two_messages_is_still_on_the_list_and_joined_by_neither(session, now, maria):
    first, _ = messages.sent(session, {maria: "delivered"}, now=now)
    apply_opt_out(session, maria.sis_phone, by="twilio", now=now)
    assert learn(session, first).by_status == {SmsStatus.OPT_OUT: MoveCounts(still=1)}


def test_students_without_an_adult_who_can_be_texted_are_counted(session, now, sam, maria):
    people.contact(session, sam, given="Otto")
    alone = people.student(session, "Kim", "Park")
    called = people.contact(session, people.student(session, "Lea", "Park"), method="call")
    nobody_yet = people.student(session, "Max", "Park")
    people.student(session, "Old", "Park", active=False)
    sent, _ = messages.sent(session, {maria: "blocked", people.contact(session, alone): "blocked"}, now=now)
    assert learn(session, sent).students_without_adult == len({alone, called, nobody_yet})


def test_a_student_with_one_adult_left_is_not_without(session, now, sam, maria):
    otto = people.contact(session, sam, given="Otto")
    sent, _ = messages.sent(session, {maria: "blocked"}, now=now)
    assert learn(session, sent).students_without_adult == 0
    again, _ = messages.sent(session, {otto: "blocked"}, now=now + NEXT_DAY)
    assert learn(session, again).students_without_adult == 1


def test_a_fix_counts_when_the_new_number_was_reached_and_the_fixer_alone_is_told(session, now, dana):
    fixed, wrong, unfixed = families(session, 3)
    messages.sent(session, dict.fromkeys((fixed, wrong, unfixed), "blocked"), now=now)
    edits.change(session, fixed, phone="(312) 555-9001", actor=dana)
    edits.change(session, wrong, phone="(312) 555-9002", actor=dana)
    new = {one: messages.a_delivery(one, to=f"+1312555900{number}") for number, one in ((1, fixed), (2, wrong))}
    deliveries = [*new.values(), messages.a_delivery(unfixed)]
    message = messages.a_message(*deliveries, sent_at=now + NEXT_DAY)
    messages.registered(session, message, now=now + NEXT_DAY)
    for delivery, outcome in zip(deliveries, ("delivered", "inactive", "delivered"), strict=True):
        messages.told(session, delivery["provider_id"], outcome, now=now + NEXT_DAY)
    settle_message(session, message["id"], now=now + NEXT_DAY)
    digest = learn(session, message["id"])
    assert (digest.all_moved, digest.fixed) == (MoveCounts(left=2, still=1), 1)
    assert load_worked_fixes(session, message["id"], actor=dana) == [Fix("Maria Rivera", ("Sam Rivera",))]
    other = people.acting(people.staff(session, "Adam", "Lee"), reach=Reach.DISTRICT)
    assert load_worked_fixes(session, message["id"], actor=other) == []
    assert load_worked_fixes(session, message["id"], actor=replace(dana, reach=Reach.CLASSES)) == []


def test_our_own_fault_is_named_in_words_and_counts_as_nobody_elses(session, now):
    refused = families(session, 12)
    sent, _ = messages.sent(session, dict.fromkeys(refused, "blocked"), now=now)
    digest = learn(session, sent)
    assert (digest.our_fault, digest.not_reached, digest.all_moved) == (12, 0, MoveCounts())
    assert [(one.provider, one.code, one.refusals) for one in digest.at_fault] == [
        ("twilio", messages.CODES["blocked"], 12)
    ]
    assert digest.at_fault[0].meaning.endswith(".")


def test_a_fault_of_a_provider_that_is_not_here_any_more_can_still_be_said(session, now, maria):
    sent, _ = messages.sent(session, {maria: "delivered"}, now=now)
    session.get(MassMessage, sent).sender_at_fault = {"carrierpigeon:404": 12}
    assert learn(session, sent).at_fault[0].meaning == "The carrier refused and gave no reason."


def test_it_is_compared_with_up_to_four_settled_messages_before_it_oldest_first(session, now, maria):
    def a_day(number, outcome, **how):
        return messages.sent(session, {maria: outcome}, now=now + number * NEXT_DAY, **how)[0]

    outcomes = ["blocked", "delivered", "blocked", "delivered", "delivered"]
    first, *_, fifth = [a_day(day, outcome) for day, outcome in enumerate(outcomes)]
    unsettled = a_day(5, None, settled=False)
    last = a_day(6, "blocked")
    before = learn(session, last).before
    assert [(one.sent_at, one.sent, one.delivered) for one in before] == [
        (now + day * NEXT_DAY, 1, delivered) for day, delivered in ((1, 1), (2, 0), (3, 1), (4, 1))
    ]
    assert learn(session, unsettled).before == ()
    assert [one.sent_at for one in learn(session, fifth).before] == [now + day * NEXT_DAY for day in range(4)]
    assert learn(session, first).before == ()


def test_a_message_to_nobody_is_nothing_to_compare_with(session, now, maria):
    messages.registered(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    settle_message(session, "empty", now=now)
    last, _ = messages.sent(session, {maria: "blocked"}, now=now + NEXT_DAY)
    assert learn(session, last).before == ()


def test_a_message_that_was_registered_but_has_no_deliveries_is_all_zeros(session, now):
    messages.registered(session, messages.a_message(sent_at=now, message_id="empty"), now=now)
    digest = learn(session, "empty")
    assert (digest.sent, digest.not_reached, digest.by_status, digest.by_grade) == (0, 0, {}, {})


def test_a_channel_is_subscribed_once_whoever_asks_and_the_first_stays_named(session, now):
    assert subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    assert not subscribe_channel(session, OFFICE, actor="UANA", now=now + NEXT_DAY)
    assert load_subscription(session, OFFICE).made_by == "UCLARA"
    assert load_subscription(session, LOUNGE) is None


def test_ending_a_subscription_twice_ends_it_once(session, now):
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    subscribe_channel(session, LOUNGE, actor="UCLARA", now=now)
    assert unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert not unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    assert load_subscription(session, OFFICE) is None
    assert load_subscription(session, LOUNGE) is not None


def test_who_subscribed_a_channel_and_who_ended_it_is_recorded_once_each(session, now):
    for _ in range(2):
        subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    for _ in range(2):
        unsubscribe_channel(session, OFFICE, actor="UANA", now=now)
    recorded = [(action, actor, after) for action, actor, _, after in edits.history(session)]
    assert recorded == [("digest.subscribed", "UCLARA", OFFICE), ("digest.unsubscribed", "UANA", OFFICE)]


def test_another_filter_takes_the_place_of_the_one_before_and_the_same_again_does_not(session, now):
    grade_5, blocked = parse_filter("grade 5").filter, parse_filter("blocked grade 5").filter
    asked = [
        subscribe_channel(session, OFFICE, which=which, actor=actor, now=now + NEXT_DAY)
        for which, actor in ((grade_5, "UCLARA"), (blocked, "UANA"), (blocked, "UTOM"))
    ]
    assert asked == ["subscribed", "changed", None]
    stands = load_subscription(session, OFFICE)
    assert (stands.filter_text, stands.made_by) == ("grade 5 blocked", "UANA")
    assert [action for action, *_ in edits.history(session)] == ["digest.subscribed", "digest.changed"]


def test_every_subscription_is_told_with_the_newest_first(session, now):
    assert list_subscriptions(session) == []
    subscribe_channel(session, OFFICE, actor="UCLARA", now=now)
    subscribe_channel(session, LOUNGE, actor="UANA", now=now + NEXT_DAY)
    assert [one.channel_id for one in list_subscriptions(session)] == [LOUNGE, OFFICE]


@pytest.fixture
def two_schools(session, now):
    """Three families at Lincoln (grades 5, 5 and 4) and one at Roosevelt (grade 9); Ana teaches the first."""
    lincoln, roosevelt = people.school(session), people.school(session, "Roosevelt High")
    at = {
        "blocked": ("5", lincoln),
        "delivered": ("5", lincoln),
        "inactive": ("4", lincoln),
        "landline": ("9", roosevelt),
    }
    pupils = {outcome: people.student(session, grade=level, at=place) for outcome, (level, place) in at.items()}
    people.school_class(session, people.staff(session), lincoln, pupils["blocked"])
    outcomes = {people.contact(session, one): outcome for outcome, one in pupils.items()}
    outcomes[people.contact(session, pupils["blocked"], given="Otto")] = "delivered"
    sent, _ = messages.sent(session, outcomes, now=now)
    return sent


@pytest.mark.parametrize(
    ("written", "expected"),
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
def test_a_filter_counts_only_whom_it_means(session, two_schools, written, expected):
    digest = learn(session, two_schools, written)
    joined, grades = digest.all_moved.joined, set(digest.by_grade)
    counts = (digest.sent, digest.delivered, digest.not_reached, joined, grades, digest.students_without_adult)
    assert counts == expected
    assert sum(one.joined for one in digest.by_status.values()) == joined


def test_whoever_was_removed_from_one_student_is_still_on_the_list_with_the_others_only(session, now):
    lucia, nicolas = people.student(session, "Lucia", grade="5"), people.student(session, "Nicolas", grade="2")
    maria = people.contact(session, lucia, nicolas)
    messages.sent(session, {maria: "blocked"}, now=now)
    session.add(Removal(contact_id=maria.id, student_id=lucia.id, reason="asked", made_by="UTOM", made_at=now))
    sent, _ = messages.sent(session, {maria: "blocked"}, now=now + NEXT_DAY)
    assert learn(session, sent).by_grade == {"2": MoveCounts(still=1)}
    assert learn(session, sent, "grade 5").all_moved == MoveCounts()
    assert learn(session, sent, "grade 2").all_moved == MoveCounts(still=1)


def test_with_a_filter_a_contact_of_children_in_two_grades_counts_in_the_grade_that_is_meant(session, now):
    parent = people.contact(session, *(people.student(session, grade=level) for level in ("3", "7")))
    sent, _ = messages.sent(session, {parent: "blocked"}, now=now)
    digest = learn(session, sent, "grade 7")
    assert (digest.sent, digest.by_grade) == (1, {"7": MoveCounts(joined=1)})


def test_with_an_sms_status_our_own_fault_and_what_is_not_known_are_not_counted_as_it(session, now):
    refused, silent = families(session, 12), families(session, 1)
    sent, _ = messages.sent(session, dict.fromkeys(refused, "blocked") | dict.fromkeys(silent), now=now)
    digest = learn(session, sent, "blocked,unconfirmed")
    assert (digest.not_reached, digest.not_known, digest.our_fault) == (0, 1, 12)


def test_the_message_before_is_counted_by_the_same_filter(session, now, two_schools, maria):
    last, _ = messages.sent(session, {maria: "blocked"}, now=now + NEXT_DAY)
    (before,) = learn(session, last, 'school "lincoln"').before
    assert (before.sent, before.delivered) == (4, 2)
