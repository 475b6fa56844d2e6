"""Codes at the counter: what a text with one proves, for which contact, and for how long."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import edits, people
from support import mass_messages as messages
from support.counter_model import CounterModel
from support.desk import NEW, NOW, OLD, OTHER, Desk
from support.errors import refused
from support.lock_waits import wait_for_blocked_connections

from bot.contact_edits import counter
from bot.contact_edits.counter import delete_old_codes
from bot.contact_edits.undo import undo_edit
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.models.counter import CodeText, CounterCode
from bot.db.models.edits import Audit, Edit
from bot.db.models.messages import PhoneNumber
from bot.db.models.views import effective_contacts
from bot.mass_messages.opt_outs import apply_opt_in, apply_opt_out
from bot.mass_messages.settle import settle_message
from bot.mass_messages.wrong_person import park_numbers
from bot.providers.counter_codes import read_code
from bot.providers.receipt import FamilyText

HISTORIES = int(os.environ.get("HISTORIES", "80"))


@pytest.fixture
def office(session):
    """Clara's office, with Sam's mother Maria; Slack was asked about both clerks lately."""
    return Desk(session)


def test_text_with_the_code_enters_the_number_for_the_clerk(office, session):
    assert office.text(office.issue())
    assert office.phone() == NEW
    edit = session.scalars(select(Edit)).one()
    assert (edit.made_by, edit.value) == (office.actors[0].user_id, NEW)
    assert (office.number().verified_how, office.number().verified_at) == ("counter", NOW)
    actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["phone.changed", "number.verified"]
    undo_edit(session, edit.id, actor=office.actors[0], now=NOW)
    assert office.phone() == OLD


def test_number_that_the_contact_has_is_only_verified(office, session):
    assert office.text(office.issue(), OLD)
    assert session.scalars(select(Edit)).all() == []
    assert office.number(OLD).verified_by == office.actors[0].user_id


def test_code_counts_once(office):
    code = office.issue()
    assert office.text(code)
    assert not office.text(code, OTHER)
    assert office.phone() == NEW


def test_code_ends_after_ten_minutes(office):
    code = office.issue()
    assert not office.text(code, now=NOW + counter.VALID)
    assert office.phone() == OLD


def test_code_replaced_by_a_new_one_ends(office):
    first, second = office.issue(), office.issue()
    assert not office.text(first)
    assert office.text(second)


def test_unknown_code_is_not_stored_with_its_words(office, session):
    assert not office.text("9999")
    row = session.scalars(select(CodeText)).one()
    assert "9999" not in str(vars(row))


def test_repeated_report_of_a_text_counts_once(office, session):
    assert office.text(office.issue(), key="SM1")
    session.execute(text("UPDATE counter_codes SET used_at = NULL"))
    assert not office.text(session.scalars(select(CounterCode.code)).one(), OTHER, key="SM1")


def test_number_that_guesses_is_not_believed(office):
    code = office.issue()
    assert not any(office.text(guess) for guess in ("2101", "2102", "2103", "2104", "2105") if guess != code)
    assert not office.text(code)
    assert office.text(code, OTHER)


def test_code_that_was_guessed_at_ends_and_a_new_one_counts_at_once(office, session):
    """Four phones that text wrong codes cost the clerk one press of *New code*, and no more, whatever else they text."""
    code = office.issue()
    guess(office, 20, senders=4)
    assert not office.text(code)
    ended = session.scalars(select(CounterCode)).one()
    assert (ended.expires_at, ended.due_at, ended.state) == (NOW, NOW, "pending")
    later = NOW + timedelta(seconds=1)
    new = office.issue(now=later)
    guess(office, 80, senders=4, now=later)
    assert office.text(new, now=later)


def test_guesses_of_many_numbers_end_every_code(office, session):
    """A hundred guesses at codes that a clerk renews each time hit in 1 of 79 cases; then none counts for ten minutes."""
    for second in range(5):
        code = office.issue(now=NOW + timedelta(seconds=second))
        guess(office, 20, senders=4, first=10 * second, now=NOW + timedelta(seconds=second))
    soon, later = NOW + timedelta(seconds=9), NOW + timedelta(seconds=9) + counter.VALID
    assert not office.text(office.issue(now=soon), now=soon)
    assert not office.text(code, OTHER, now=soon)
    assert office.text(office.issue(now=later), now=later)


@pytest.mark.parametrize(("guesses", "senders", "issued"), [(19, 19, 0), (40, 3, 0), (29, 29, 60)])
def test_mistyped_codes_of_a_busy_office_hinder_none(office, guesses, senders, issued):
    for _ in range(issued):
        office.issue(actor=office.actors[1])
    guess(office, guesses, senders=senders)
    assert office.text(office.issue())


def test_right_codes_are_no_guesses(office):
    for number in range(25):
        assert office.text(office.issue(), f"+1312555{7000 + number}")


def guess(office, number, *, senders=20, first=0, now=NOW):
    for each in range(number):
        assert not office.text("2099", f"+1312555{8000 + first + each % senders}", now=now)


def test_locks_are_taken_in_their_order(office, session, engine):
    """A bulk change that has the lock, and then changes an entry that the text changes, causes no deadlock."""
    people.list_contact(session, office.maria, "blocked")
    code = office.issue()
    session.commit()
    maria = office.maria.id
    with ThreadPoolExecutor(1) as pool, engine.connect() as other:
        lock_cleanup_list(other)
        taken = pool.submit(office.text, code)
        wait_for_blocked_connections(engine)
        other.execute(text("SELECT FROM cleanup_list WHERE contact_id = :id FOR UPDATE"), {"id": maria})
        other.rollback()
        assert taken.result(timeout=60)


def test_text_waits_for_no_message_that_waits_for_it(office, session, engine):
    """A message that becomes final adds the number that the contact verifies at that moment: one after the other, no deadlock."""
    edits.change(session, office.maria, phone=NEW, actor=office.actors[0])
    message = messages.a_message(messages.a_delivery(office.maria, to=NEW), sent_at=NOW)
    messages.register(session, message, now=NOW)
    code = office.issue()
    session.commit()

    def settle():
        with Session(engine) as other:
            settle_message(other, message["id"], now=NOW + messages.DAY)
            other.commit()

    with ThreadPoolExecutor(2) as pool, engine.connect() as other:
        lock_cleanup_list(other)
        done = []
        for number, run in enumerate((lambda: office.text(code) and session.commit(), settle), 1):
            done.append(pool.submit(run))
            wait_for_blocked_connections(engine, number)
        other.rollback()
        for future in done:
            future.result(timeout=60)
    assert messages.the_list(session) == {}


def test_code_rests_for_a_day(office, session, monkeypatch):
    monkeypatch.setattr(counter, "_CODES", range(2100, 2102))
    first, second = office.issue(), office.issue(actor=office.actors[1])
    assert {first, second} == {"2100", "2101"}
    with refused("counter.too_many"):
        office.issue(now=NOW + timedelta(hours=23))
    delete_old_codes(session, now=NOW + timedelta(hours=25))
    assert office.issue(now=NOW + timedelta(hours=25)) in {"2100", "2101"}


def test_too_many_codes_are_refused_and_nothing_changes(office, monkeypatch):
    monkeypatch.setattr(counter, "_MOST_ALIVE", 1)
    code = office.issue(actor=office.actors[1])
    with refused("counter.too_many"):
        office.issue()
    assert office.text(code)


def test_clerk_who_lost_the_right_verifies_nothing(office, session):
    code = office.issue()
    office.clerks[0].active = False
    session.flush()
    assert not office.text(code)
    assert office.phone() == OLD


def test_opted_out_number_is_verified_and_stays_so(office, session):
    apply_opt_out(session, NEW, by="twilio", now=NOW)
    assert office.text(office.issue())
    assert office.phone() == NEW
    assert office.number().opted_out_at
    assert messages.the_list(session) == {office.maria.id: "opt_out"}
    apply_opt_in(session, NEW, now=NOW)
    assert not office.number().opted_out_at


def test_wrong_person_ends_with_the_text(office, session):
    park_numbers(session, {OLD: NOW}, by="twilio", now=NOW)
    assert messages.the_list(session) == {office.maria.id: "wrong_person"}
    assert office.text(office.issue(), OLD)
    assert office.number(OLD).wrong_person_at is None
    assert messages.the_list(session) == {}
    assert "wrong_person.lifted" in session.scalars(select(Audit.action)).all()


def test_older_report_of_a_wrong_person_does_not_count_after_it(office, session):
    assert office.text(office.issue())
    assert park_numbers(session, {NEW: NOW - timedelta(hours=1)}, by="deactivations", now=NOW) == []


def test_confirmed_number_is_no_proof_for_a_strangers(office, session):
    """A typed number may be a stranger's: to confirm it ends no wrong person."""
    park_numbers(session, {NEW: NOW}, by="twilio", now=NOW)
    session.add(
        Edit(contact_id=office.maria.id, field="phone", base=OLD, value=NEW, made_by="U1", made_at=NOW, state="pending")
    )
    session.flush()
    office.confirm()
    assert office.number().wrong_person_at
    assert office.number().verified_how == "call"


def test_codes_and_texts_are_deleted_after_a_day(office, session):
    office.text(office.issue())
    delete_old_codes(session, now=NOW + timedelta(days=2))
    assert session.scalars(select(CounterCode)).all() == session.scalars(select(CodeText)).all() == []


CODES = ["4821", "Code 4821", "4821.", "my code is 4821 thanks!", "Hola, mi código es 4821, gracias", "４８２１"]
NO_CODES = [
    "48210",
    "482",
    "stop 4821",
    "STOP",
    "room 4821",
    "4821 4822",
    "I paid 4821",
    "",
    "4821 " * 30,
    "who is 4821",
]


@pytest.mark.parametrize("words", CODES)
def test_text_is_a_code(words):
    assert read_code(FamilyText("twilio", "SM1", NEW, words)).code == "4821"


@pytest.mark.parametrize("words", NO_CODES)
def test_text_is_no_code(words):
    assert read_code(FamilyText("twilio", "SM1", NEW, words)) is None


def test_code_is_not_in_the_representation():
    assert "4821" not in repr(read_code(FamilyText("twilio", "SM1", NEW, "4821")))


# Histories.

PHONES = [OLD, NEW, OTHER]


class History:
    """One random history at a desk with three contacts, which the model predicts step by step."""

    def __init__(self, desk, seed):
        self.desk, self.random, self.now, self.sent = desk, random.Random(seed), NOW, []  # noqa: S311
        self.model = CounterModel({contact.id: OLD for contact in desk.contacts}, of_sis=OLD)
        self.steps = {
            self.issue: 6,
            self.text: 8,
            self.repeat: 2,
            self.wait: 4,
            self.stop: 1,
            self.park: 1,
            self.take_right: 1,
            self.change: 2,
        }

    def run(self):
        for step in self.random.choices(list(self.steps), self.steps.values(), k=self.random.randint(4, 14)):
            step()
            self.now += timedelta(seconds=self.random.randint(1, 40))
        self.check()

    def issue(self):
        contact, clerk = self.random.choice(self.desk.contacts), self.random.choice(self.desk.actors)
        code = self.desk.issue(contact, actor=clerk, now=self.now)
        assert code not in self.model.codes
        self.model.issue(code, contact.id, clerk.user_id, self.now)

    def text(self):
        code = self.random.choice([*self.model.codes, "2099"])
        self._send((f"SM{len(self.sent)}", self.random.choice(PHONES), code))

    def repeat(self):
        if self.sent:
            self._send(self.random.choice(self.sent))

    def _send(self, sent):
        key, phone, code = sent
        before = dict(self.model.phones)
        expected = self.model.text(key, phone, code, self.now)
        taken = self.desk.text(code, phone, key=key, now=self.now)
        assert taken == (expected is not None), (sent, before)
        self.sent.append(sent)

    def wait(self):
        self.now += timedelta(seconds=self.random.choice([30, 300, 599, 600, 601, 1200]))

    def stop(self):
        phone = self.random.choice(PHONES)
        apply_opt_out(self.desk.session, phone, by="twilio", now=self.now)
        self.model.stopped.add(phone)

    def park(self):
        phone = self.random.choice(PHONES)
        if park_numbers(self.desk.session, {phone: self.now + timedelta(seconds=1)}, by="twilio", now=self.now):
            self.model.park(phone)

    def take_right(self):
        position = self.random.randrange(2)
        clerk = self.desk.clerks[position]
        clerk.active = not clerk.active
        self.desk.session.flush()
        self.model.without_rights ^= {self.desk.actors[position].user_id}

    def change(self):
        contact, phone = self.random.choice(self.desk.contacts), f"+1312555{self.random.randint(8000, 8999)}"
        edits.change(self.desk.session, contact, phone=phone, actor=self.desk.actors[0], now=self.now)
        self.model.phones[contact.id] = phone

    def check(self):
        desk = self.desk
        assert {contact.id: desk.phone(contact) for contact in desk.contacts} == self.model.phones
        rows = desk.session.execute(
            select(PhoneNumber.phone, PhoneNumber.opted_out_at, PhoneNumber.wrong_person_at)
        ).all()
        assert {row.phone for row in rows if row.opted_out_at} == self.model.stopped
        assert {row.phone for row in rows if row.wrong_person_at} == self.model.parked
        adult = effective_contacts.c
        refused = desk.session.scalars(select(adult.contact_id).where(adult.opted_out)).all()
        assert set(refused) == self.model.not_texted


def test_no_code_is_taken_twice_late_or_for_another_contact(session):
    """`HISTORIES=10000 pytest tests/contact_edits/test_counter.py -k no_code_is_taken -s` is the long run."""
    desk = Desk(session, contacts=3)
    for seed in range(HISTORIES):
        with session.begin_nested() as savepoint:
            History(desk, seed).run()
            savepoint.rollback()
        session.expire_all()
        if seed % 500 == 499:
            print(f"{seed + 1:,} histories")
