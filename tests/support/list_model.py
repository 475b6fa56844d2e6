"""The cleanup list in plain Python: DESIGN's rules on statuses, the list and edits, over dicts and from nothing but the words.

Contacts, students, messages and numbers go by name. Every verb says what it did; `state` is what has to be the same.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from support.edit_model import EditOrSis

WINDOW = timedelta(hours=24)
WEAKEST_FIRST = (
    "not_contact_problem",
    "unconfirmed",
    "turned_off",
    "landline",
    "blocked",
    "inactive",
    "opt_out",
    "delivered",
)
RED = {"blocked", "inactive", "opt_out"}
NO_EVIDENCE = {"pending", "not_contact_problem", "opt_out"}


@dataclass(frozen=True)
class Report:
    """What a receipt says."""

    outcome: str
    code: str | None = None
    shaky: bool = False
    reasonless: bool = False

    @property
    def knows(self):
        """The more it claims to know, the more it counts; of two that say the same, the surer one, and the one with a reason."""
        return WEAKEST_FIRST.index(self.outcome), not self.shaky, not self.reasonless


SILENCE, TOO_LATE = Report("pending"), Report("unconfirmed")


@dataclass
class Delivery:
    phone: str
    provider_id: str | None
    reports: list = field(default_factory=list)
    is_over: bool = False

    @property
    def says(self):
        silent = TOO_LATE if self.is_over else SILENCE
        return max(self.reports, key=lambda one: one.knows, default=silent)


@dataclass
class Message:
    sent_at: datetime
    settles_at: datetime
    is_settled: bool = False
    faults: set = field(default_factory=set)
    deliveries: dict = field(default_factory=dict)

    @property
    def is_open(self):
        return any(one.says.outcome == "pending" for one in self.deliveries.values())

    def is_due(self, now):
        if self.settles_at <= now:
            return not self.is_settled or self.is_open
        return not self.is_settled and not self.is_open and bool(self.deliveries)

    def judge_sender(self):
        """The same refusal without a reason, for more than 5 % and at least 10 of the recipients."""
        codes = [one.says.code for one in self.deliveries.values() if one.says.reasonless]
        share = len(self.deliveries) * 0.05
        self.faults = {code for code in codes if codes.count(code) >= 10 and codes.count(code) > share}

    def evidence(self, phone):
        """The best that this message knows of a number; None if nothing."""
        found = [one.says for one in self.deliveries.values() if one.phone == phone and self.is_evidence(one.says)]
        return max(found, key=lambda one: one.knows, default=None)

    def is_evidence(self, says):
        return says.outcome not in NO_EVIDENCE and not (says.reasonless and says.code in self.faults)


@dataclass
class Number:
    status: str | None = None
    doubted: str | None = None
    is_opted_out: bool = False
    opted_in_at: datetime | None = None


@dataclass
class Entry:
    status: str
    phone: str | None
    is_updated: bool = False


@dataclass
class Contact:
    reach: EditOrSis
    students: tuple
    is_active: bool = True

    @property
    def phone(self):
        return self.reach.value("phone")

    @property
    def method(self):
        return self.reach.value("method")


@dataclass
class ListModel:
    """Everything that decides on the list, and the list."""

    contacts: dict
    students: set
    removals: set = field(default_factory=set)
    messages: dict = field(default_factory=dict)
    numbers: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)
    waiting: list = field(default_factory=list)
    heard: set = field(default_factory=set)

    # What everyone can read.

    def state(self):
        deliveries = {
            (message_id, *key): one.says.outcome
            for message_id, message in self.messages.items()
            for key, one in message.deliveries.items()
        }
        numbers = {
            phone: (one.status, one.doubted, one.is_opted_out)
            for phone, one in self.numbers.items()
            if one.status or one.is_opted_out
        }
        entries = {name: (one.status, one.phone, one.is_updated) for name, one in self.entries.items()}
        return {"list": entries, "numbers": numbers, "deliveries": deliveries}

    def number(self, phone):
        return self.numbers.setdefault(phone, Number())

    def is_linked(self, name, student=None):
        """Whether a contact is one of an active student, or of this one, and was not removed."""
        contact = self.contacts[name]
        gone = {of for who, of in self.removals if who == name}
        return (
            contact.is_active
            and None not in gone
            and any(
                one in self.students and one not in gone
                for one in contact.students
                if student is None or one == student
            )
        )

    def takes_texts(self, name):
        return self.is_linked(name) and self.contacts[name].method == "text"

    # Mass messages.

    def register(self, message_id, deliveries, *, sent_at, now, direct=False):
        """`deliveries`: (contact, phone, provider id or None). A sender that writes rows itself is looked at later."""
        message = self.messages.setdefault(message_id, Message(sent_at, sent_at + WINDOW))
        for contact, phone, provider_id in deliveries:
            known = message.deliveries.get((contact, phone))
            if known is None:
                message.deliveries[contact, phone] = Delivery(phone, provider_id)
                if message.is_settled and not direct:
                    message.settles_at = max(message.settles_at, now + WINDOW)
            else:
                known.provider_id = known.provider_id or provider_id
        if not direct:
            self.tell(self.waiting_for({provider_id for *_, provider_id in deliveries}))

    def report(self, said, *, phone=None, now):
        """Receipts, {provider id: report}; the same one again is no news. An opt-out counts at once, for the number it names
        if need be.
        """
        fresh = []
        for provider_id, report in said.items():
            if (provider_id, report) in self.heard:
                continue
            self.heard.add((provider_id, report))
            if report.outcome == "opt_out" and phone and not self.delivery(provider_id):
                self.opt_out(phone, said_at=now)
            if report.outcome != "pending":
                fresh.append((provider_id, report, now))
        self.waiting += fresh
        self.tell(fresh)

    def delivery(self, provider_id):
        """(message id, delivery) that a provider reports on."""
        for message_id, message in self.messages.items():
            for one in message.deliveries.values():
                if one.provider_id == provider_id:
                    return message_id, one
        return None

    def waiting_for(self, provider_ids):
        return [one for one in self.waiting if one[0] in provider_ids]

    def look_for_deliveries(self):
        self.tell(list(self.waiting))

    def tell(self, reports):
        """Receipts are told to their deliveries, all at once; those without one go on waiting."""
        late, stopped = {}, []
        for waits in reports:
            provider_id, report, received_at = waits
            found = self.delivery(provider_id)
            if not found:
                continue
            self.waiting.remove(waits)
            message_id, delivery = found
            message, before = self.messages[message_id], delivery.says
            delivery.reports.append(report)
            if delivery.says != before and message.is_settled:
                late.setdefault(message_id, set()).add(delivery.phone)
            if report.outcome == "opt_out":
                stopped.append((delivery.phone, min(received_at, message.sent_at), message_id))
        for phone, said_at, message_id in stopped:
            self.opt_out(phone, said_at=said_at, message_id=message_id)
        for message_id in sorted(late):
            self.learn_late(message_id, late[message_id])

    def learn_late(self, message_id, phones):
        message = self.messages[message_id]
        faults = message.faults
        message.judge_sender()
        if message.faults != faults:
            phones = phones | {one.phone for one in message.deliveries.values() if one.says.reasonless}
        self.judge()
        self.follow(message_id, phones=phones)

    def settle(self, message_id, *, now):
        message = self.messages[message_id]
        self.tell(self.waiting_for({one.provider_id for one in message.deliveries.values()}))
        for one in message.deliveries.values():
            one.is_over = one.is_over or (message.settles_at <= now and one.says.outcome == "pending")
        message.is_settled = True
        message.judge_sender()
        self.judge()
        self.follow(message_id)

    # Numbers.

    def judge(self):
        for phone in {one.phone for message in self.messages.values() for one in message.deliveries.values()}:
            number = self.number(phone)
            if not number.is_opted_out:
                number.status, number.doubted = self.known_of(phone)

    def known_of(self, phone):
        """(status, doubted): the newest message with evidence decides; shaky red is believed at the second red message."""
        settled = sorted((one.sent_at, at, one) for at, one in self.messages.items() if one.is_settled)
        told = [says for *_, message in reversed(settled) if (says := message.evidence(phone))]
        failed = list(takewhile(lambda says: says.outcome != "delivered", told))
        if not failed:
            return None, None
        newest, reds = failed[0], [says for says in failed if says.outcome in RED]
        if newest.shaky and newest.outcome in RED and len(reds) < 2:
            return "unconfirmed", newest.outcome
        return newest.outcome, None

    def opt_out(self, phone, *, said_at, message_id=None):
        number = self.number(phone)
        if number.is_opted_out or (number.opted_in_at and number.opted_in_at >= said_at):
            return False
        number.status, number.doubted, number.is_opted_out = "opt_out", None, True
        self.follow(message_id, phones={phone})
        return True

    def opt_in(self, phone, *, now):
        number = self.number(phone)
        number.is_opted_out, number.opted_in_at = False, now
        number.status, number.doubted = self.known_of(phone)
        self.follow(None, phones={phone})

    # The list.

    def follow(self, message_id, *, phones=None):
        """Who joins, changes and leaves; only whoever has one of `phones`, or everyone when a message settles."""
        for name, contact in self.contacts.items():
            if self.takes_texts(name):
                if phones is None or contact.phone in phones:
                    self.place(name, contact.phone, message_id)
            elif phones is None:
                self.entries.pop(name, None)

    def place(self, name, phone, message_id):
        entry = self.entries.get(name)
        status = self.number(phone).status if phone else "no_number"
        if entry and phone and self.waits(entry, phone, message_id):
            return
        if status is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = Entry(status, phone)

    def waits(self, entry, phone, message_id):
        """An edited contact stays until a message tells something of its number; an opt-out, and its end, wait for nothing."""
        is_edited = entry.is_updated or entry.phone != phone
        is_opting = self.number(phone).is_opted_out or (entry.status == "opt_out" and entry.phone == phone)
        is_told = message_id is not None and self.messages[message_id].evidence(phone) is not None
        return is_edited and not is_opting and not is_told

    # Staff and the SIS.

    def mark(self, name):
        """A listed contact waits while it is other than what the last message could not reach."""
        entry, contact = self.entries.get(name), self.contacts[name]
        if entry:
            entry.is_updated = (contact.phone, contact.method) != (entry.phone, "text")

    def mark_by_staff(self, name):
        """Whoever gets texts again at a number that said STOP is listed as opted out at once."""
        contact = self.contacts[name]
        if contact.method == "text" and contact.phone and self.number(contact.phone).is_opted_out:
            self.follow(None, phones={contact.phone})
        self.mark(name)

    def change(self, name, act, phone, method):
        contact = self.contacts[name]
        is_stopped = bool(phone) and method == "text" and self.number(phone).is_opted_out
        is_dead = bool(phone) and method == "call" and self.number(phone).status == "inactive"
        is_other = (phone, method) != (contact.phone, contact.method)
        if not self.is_linked(name) or ((is_stopped or is_dead) and is_other):
            return False
        if not contact.reach.change(act, phone, method):
            return False
        self.mark_by_staff(name)
        return True

    def undo(self, name, act, field_name):
        if not self.is_linked(name) or not self.contacts[name].reach.undo(act, field_name):
            return False
        self.mark_by_staff(name)
        return True

    def choose(self, name, act, keep):
        if not self.is_linked(name) or not self.contacts[name].reach.settle(act, keep):
            return False
        self.mark_by_staff(name)
        return True

    def remove(self, name, student):
        """The same once more from the same person is done already."""
        if (name, student) in self.removals:
            return True
        if not self.is_linked(name, student):
            return False
        self.removals.add((name, student))
        return True

    def bring_back(self, name, student):
        self.removals.discard((name, student))

    def say_stop(self, name, student, *, said_at):
        phone = self.contacts[name].phone
        return self.is_linked(name, student) and phone is not None and self.opt_out(phone, said_at=said_at)

    def sync(self, name, *, is_active, phone):
        """A night: the contact is gone, or here with this number. Edits of whoever is gone wait for its return."""
        contact = self.contacts[name]
        was, contact.is_active = contact.phone, is_active
        if is_active:
            contact.reach.sis_says(phone)
        if is_active and contact.phone != was:
            self.mark(name)
