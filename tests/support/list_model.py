"""A reference model of the cleanup list in plain Python: DESIGN's rules on statuses, the list, and edits, over dicts.

Contacts, students, messages, and numbers are identified by name. Every verb returns whether it changed anything; `state` is what
has to equal the database.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from support.edit_model import EditModel

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
    """The content of a receipt."""

    outcome: str
    code: str | None = None
    shaky: bool = False
    reasonless: bool = False

    @property
    def strength(self):
        """The stronger claim counts; of two with the same outcome, the surer one, and the one with a reason."""
        return WEAKEST_FIRST.index(self.outcome), not self.shaky, not self.reasonless


PENDING, TIMED_OUT = Report("pending"), Report("unconfirmed")


@dataclass
class Delivery:
    phone: str
    provider_id: str | None
    reports: list = field(default_factory=list)
    has_timed_out: bool = False

    @property
    def report(self):
        """The strongest report so far."""
        default = TIMED_OUT if self.has_timed_out else PENDING
        return max(self.reports, key=lambda report: report.strength, default=default)


@dataclass
class Message:
    sent_at: datetime
    settles_at: datetime
    is_settled: bool = False
    silent_at: datetime | None = None
    sender_faults: set = field(default_factory=set)
    deliveries: dict = field(default_factory=dict)

    @property
    def has_pending(self):
        return any(delivery.report.outcome == "pending" for delivery in self.deliveries.values())

    def is_due(self, now):
        if self.settles_at <= now:
            is_judged = self.silent_at is not None and self.silent_at >= self.settles_at
            return not self.is_settled or (self.has_pending and not is_judged)
        return not self.is_settled and not self.has_pending and bool(self.deliveries)

    @property
    def lacks_receipts(self):
        """Return whether fewer than one delivery in ten has a final receipt."""
        reported = sum(bool(delivery.reports) for delivery in self.deliveries.values())
        return 10 * reported < len(self.deliveries)

    def find_sender_faults(self):
        """Find refusals without a reason that more than 5 % and at least 10 of the recipients have in common."""
        codes = [delivery.report.code for delivery in self.deliveries.values() if delivery.report.reasonless]
        share = len(self.deliveries) * 0.05
        self.sender_faults = {code for code in codes if codes.count(code) >= 10 and codes.count(code) > share}

    def evidence(self, phone):
        """Return the strongest report on a number that is evidence about it, or None."""
        reports = [delivery.report for delivery in self.deliveries.values() if delivery.phone == phone]
        return max(filter(self.is_evidence, reports), key=lambda report: report.strength, default=None)

    def is_evidence(self, report):
        is_sender_fault = report.reasonless and report.code in self.sender_faults
        return report.outcome not in NO_EVIDENCE and not is_sender_fault and self.silent_at is None


@dataclass
class Number:
    status: str | None = None
    doubted: str | None = None
    is_opted_out: bool = False
    opted_in_at: datetime | None = None
    is_parked: bool = False
    verified_at: datetime | None = None
    noted: str | None = None
    allowed: frozenset = frozenset()

    @property
    def shown(self):
        """The status that every reader sees: what a person said, what a note of the SIS says, or what receipts say."""
        if self.is_said or not self.noted:
            return self.status
        return "opt_out" if self.noted == "refused" else "inactive"

    @property
    def is_said(self):
        """Whether a person said the status, so that no receipt changes it."""
        return self.is_opted_out or self.is_parked


@dataclass
class Entry:
    status: str
    phone: str | None
    is_updated: bool = False


@dataclass
class Contact:
    edits: EditModel
    students: tuple
    is_active: bool = True

    @property
    def phone(self):
        return self.edits.value("phone")

    @property
    def method(self):
        return self.edits.value("method")


@dataclass
class ListModel:
    """Everything that decides on the list, and the list."""

    contacts: dict
    students: set
    removals: set = field(default_factory=set)
    messages: dict = field(default_factory=dict)
    numbers: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)
    tried: set = field(default_factory=set)
    waiting: list = field(default_factory=list)
    received: set = field(default_factory=set)
    times: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)

    # What every reader sees.

    def state(self):
        deliveries = {
            (message_id, *key): delivery.report.outcome
            for message_id, message in self.messages.items()
            for key, delivery in message.deliveries.items()
        }
        numbers = {
            phone: (number.status, number.doubted, number.is_opted_out, number.is_parked, number.noted)
            for phone, number in self.numbers.items()
            if number.status or number.is_said or number.noted
        }
        entries = {name: (entry.status, entry.phone, entry.is_updated) for name, entry in self.entries.items()}
        return {"list": entries, "numbers": numbers, "deliveries": deliveries}

    def number(self, phone):
        return self.numbers.setdefault(phone, Number())

    def is_linked(self, name, student=None):
        """Return whether a contact belongs to an active student, or to this one, and was not removed from them."""
        contact = self.contacts[name]
        removed_from = {student_name for contact_name, student_name in self.removals if contact_name == name}
        students = {student} & set(contact.students) if student else set(contact.students)
        return contact.is_active and None not in removed_from and bool(students & self.students - removed_from)

    def takes_texts(self, name):
        return self.is_linked(name) and self.contacts[name].method == "text"

    # Mass messages.

    def register(self, message_id, deliveries, *, sent_at, now, direct=False):
        """Add `deliveries`, (contact, phone, provider id or None). Rows that a sender wrote itself are matched later."""
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
            self.apply_receipts(self.waiting_for({provider_id for *_, provider_id in deliveries}), now=now)

    def report(self, reports, *, phone=None, now):
        """Receive receipts, {provider id: report}; a repeated one changes nothing.

        An opt-out counts at once; without a delivery, for `phone`.
        """
        fresh = []
        for provider_id, report in reports.items():
            if (provider_id, report) in self.received:
                continue
            self.received.add((provider_id, report))
            if report.outcome == "opt_out" and phone and not self.delivery(provider_id):
                self.opt_out(phone, said_at=now)
            if report.outcome != "pending":
                fresh.append((provider_id, report, now))
        self.waiting += fresh
        self.apply_receipts(fresh, now=now)

    def delivery(self, provider_id):
        """Return (message id, delivery) with this provider id, or None."""
        for message_id, message in self.messages.items():
            for delivery in message.deliveries.values():
                if delivery.provider_id == provider_id:
                    return message_id, delivery
        return None

    def waiting_for(self, provider_ids):
        return [receipt for receipt in self.waiting if receipt[0] in provider_ids]

    def apply_waiting_receipts(self, *, now):
        self.apply_receipts(list(self.waiting), now=now)

    def apply_receipts(self, receipts, *, now):
        """Apply receipts to their deliveries, all at once; those without a delivery go on waiting."""
        late, opt_outs = {}, []
        for receipt in receipts:
            provider_id, report, received_at = receipt
            found = self.delivery(provider_id)
            if not found:
                continue
            self.waiting.remove(receipt)
            message_id, delivery = found
            message, before = self.messages[message_id], delivery.report
            delivery.reports.append(report)
            if delivery.report != before and message.is_settled:
                late.setdefault(message_id, set()).add(delivery.phone)
            if report.outcome == "opt_out":
                opt_outs.append((delivery.phone, min(received_at, message.sent_at), message_id))
        for phone, said_at, message_id in opt_outs:
            self.opt_out(phone, said_at=said_at, message_id=message_id)
        for message_id in sorted(late):
            self.apply_late_receipts(message_id, late[message_id], now=now)

    def apply_late_receipts(self, message_id, phones, *, now):
        message = self.messages[message_id]
        if message.silent_at:
            if message.lacks_receipts:
                return
            message.silent_at, message.settles_at = None, max(message.settles_at, now + WINDOW)
            phones = {delivery.phone for delivery in message.deliveries.values() if delivery.report != PENDING}
        faults = message.sender_faults
        message.find_sender_faults()
        if message.sender_faults != faults:
            phones = phones | {delivery.phone for delivery in message.deliveries.values() if delivery.report.reasonless}
        self.update_numbers()
        self.update_list(message_id, phones=phones)

    def settle(self, message_id, *, now):
        message = self.messages[message_id]
        self.apply_receipts(
            self.waiting_for({delivery.provider_id for delivery in message.deliveries.values()}), now=now
        )
        is_over = message.settles_at <= now
        message.silent_at = now if is_over and message.lacks_receipts else None
        for delivery in message.deliveries.values():
            if is_over and not message.silent_at and delivery.report.outcome == "pending":
                delivery.has_timed_out = True
        message.is_settled = True
        message.find_sender_faults()
        self.tried |= {key for key in message.deliveries if self.is_typed(*key)}
        self.update_numbers()
        if not message.silent_at:
            self.update_list(message_id)

    # Numbers that staff typed, and that nothing is said about before a message went to them through that contact.

    def is_typed(self, name, phone):
        contact = self.contacts.get(name)
        return contact is not None and bool(contact.edits.stacks["phone"]) and contact.phone == phone

    def is_hidden(self, name, phone):
        return self.is_typed(name, phone) and (name, phone) not in self.tried

    def may_show(self, name, phone):
        """Return whether staff may read about a number when they type it; then it is shown from then on."""
        settled = (message for message in self.messages.values() if message.is_settled)
        is_listed = name in self.entries and self.entries[name].phone == phone
        is_in_sis = phone == self.contacts[name].edits.sis["phone"]
        was_texted = any((name, phone) in message.deliveries for message in settled)
        return is_in_sis or is_listed or was_texted or (name, phone) in self.tried

    # Numbers.

    def update_numbers(self):
        for phone in {delivery.phone for message in self.messages.values() for delivery in message.deliveries.values()}:
            number = self.number(phone)
            if not number.is_said:
                number.status, number.doubted = self.judge(phone)

    def judge(self, phone):
        """Return (status, doubted): the newest evidence decides; shaky red counts from the second red message on."""
        settled = sorted(
            (message.sent_at, key, message) for key, message in self.messages.items() if message.is_settled
        )
        reports = [report for *_, message in reversed(settled) if (report := message.evidence(phone))]
        failures = list(takewhile(lambda report: report.outcome != "delivered", reports))
        if not failures:
            return None, None
        newest, reds = failures[0], [report for report in failures if report.outcome in RED]
        if newest.shaky and newest.outcome in RED and len(reds) < 2:
            return "unconfirmed", newest.outcome
        return newest.outcome, None

    def opt_out(self, phone, *, said_at, message_id=None):
        number = self.number(phone)
        if number.is_opted_out or (number.opted_in_at and number.opted_in_at >= said_at):
            return False
        number.status, number.doubted, number.is_opted_out = "opt_out", None, True
        self.update_list(message_id, phones={phone})
        return True

    def opt_in(self, phone, *, now):
        number = self.number(phone)
        number.is_opted_out, number.opted_in_at = False, now
        number.status, number.doubted = ("wrong_person", None) if number.is_parked else self.judge(phone)
        self.update_list(None, phones={phone})

    def park(self, phone, *, at):
        """Park a number of the wrong person, unless staff verified it or typed it later."""
        number = self.number(phone)
        steps = (contact.edits.typed_in_step(phone) for contact in self.contacts.values())
        typed_later = any(self.times[step] > at for step in steps if step)
        if number.is_parked or (number.verified_at and number.verified_at >= at) or typed_later:
            return False
        number.is_parked, number.doubted = True, None
        number.status = number.status if number.is_opted_out else "wrong_person"
        self.update_list(None, phones={phone})
        return True

    def release(self, phone, *, now):
        number = self.number(phone)
        number.is_parked, number.verified_at = False, now
        if not number.is_opted_out:
            number.status, number.doubted = self.judge(phone)
        self.update_list(None, phones={phone})

    # The list.

    def update_list(self, message_id, *, phones=None):
        """Let contacts join, change, and leave: those with one of `phones`, or all (None) when a message settles."""
        for name, contact in self.contacts.items():
            if self.takes_texts(name):
                if phones is None or contact.phone in phones:
                    self.update_entry(name, contact.phone, message_id)
            elif phones is None:
                self.entries.pop(name, None)

    def update_entry(self, name, phone, message_id):
        entry = self.entries.get(name)
        is_hidden = self.is_hidden(name, phone)
        status = self.number(phone).shown if phone else "no_number"
        if entry and phone and (is_hidden or self.is_on_hold(entry, phone, message_id)):
            return
        status = None if phone and is_hidden else status
        if status is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = Entry(status, phone)

    def is_on_hold(self, entry, phone, message_id):
        """An edited contact stays until a message has evidence about its number; what a person said does not wait."""
        is_edited = entry.is_updated or entry.phone != phone
        was_said = entry.status in {"opt_out", "wrong_person"} and entry.phone == phone
        is_said = self.number(phone).shown in {"opt_out", "wrong_person"} or was_said
        has_evidence = message_id is not None and self.messages[message_id].evidence(phone) is not None
        return is_edited and not is_said and not has_evidence

    # Staff and the SIS.

    def mark(self, name):
        """A listed contact is updated while it differs from what the last message failed to reach."""
        entry, contact = self.entries.get(name), self.contacts[name]
        if entry:
            entry.is_updated = (contact.phone, contact.method) != (entry.phone, "text")

    def mark_by_staff(self, name):
        """A contact that gets texts again, at a number that opted out or is parked, is listed at once."""
        contact = self.contacts[name]
        number = contact.phone and self.number(contact.phone)
        if contact.method == "text" and number and (number.is_said or number.noted):
            self.update_list(None, phones={contact.phone})
        self.mark(name)

    def change(self, name, step, phone, method):
        contact = self.contacts[name]
        is_shown = bool(phone) and self.may_show(name, phone)
        is_opted_out = is_shown and method == "text" and self.number(phone).is_said
        is_dead = (
            is_shown and method == "call" and (self.number(phone).is_parked or self.number(phone).status == "inactive")
        )
        is_different = (phone, method) != (contact.phone, contact.method)
        if not self.is_linked(name) or ((is_opted_out or is_dead) and is_different):
            return False
        if not contact.edits.change(step, phone, method):
            return False
        if is_shown:
            self.tried.add((name, phone))
        self.mark_by_staff(name)
        return True

    def undo(self, name, step, field_name):
        if not self.is_linked(name) or not self.contacts[name].edits.undo(step, field_name):
            return False
        self.mark_by_staff(name)
        return True

    def resolve(self, name, step, keep):
        if not self.is_linked(name) or not self.contacts[name].edits.resolve(step, keep):
            return False
        self.mark_by_staff(name)
        return True

    def remove(self, name, student):
        """Remove a contact; the same removal repeated by the same person succeeds."""
        if (name, student) in self.removals:
            return True
        if not self.is_linked(name, student):
            return False
        self.removals.add((name, student))
        return True

    def undo_removal(self, name, student):
        self.removals.discard((name, student))

    def record_verbal_opt_out(self, name, student, *, said_at):
        phone = self.contacts[name].phone
        if phone is None or not self.is_linked(name, student):
            return False
        number = self.number(phone)
        if number.is_opted_out and self.may_show(name, phone):
            return False
        if not number.is_opted_out and number.opted_in_at and number.opted_in_at >= said_at:
            return False
        self.tried.add((name, phone))
        self.opt_out(phone, said_at=said_at)
        self.update_list(None, phones={phone})
        return True

    def mark_wrong_person(self, name, student, *, now):
        phone = self.contacts[name].phone
        if phone is None or not self.is_linked(name, student):
            return False
        if self.number(phone).is_parked or not self.may_show(name, phone):
            return False
        self.tried.add((name, phone))
        self.park(phone, at=now)
        self.update_list(None, phones={phone})
        return True

    def verify_number(self, name, student, *, now):
        phone = self.contacts[name].phone
        if phone is None or not self.is_linked(name, student):
            return False
        if not self.may_show(name, phone) or not self.number(phone).is_parked:
            return False
        self.tried.add((name, phone))
        self.release(phone, now=now)
        return True

    def notes_of(self, phone):
        """Return what the notes beside a number in the SIS mean, of all active contacts with it."""
        names = [
            name for name, contact in self.contacts.items() if contact.is_active and contact.edits.sis["phone"] == phone
        ]
        return {self.notes[name] for name in names if self.notes.get(name)}

    def refresh_notes(self):
        """Bring the notes of numbers in line with the SIS; list their contacts, and new ones of refused numbers, at once."""
        changed = set()
        phones = {contact.edits.sis["phone"] for contact in self.contacts.values()} - {None}
        for phone in phones | self.numbers.keys():
            number, notes = self.number(phone), self.notes_of(phone)
            noted = next((kind for kind in ("refused", "dead", "impossible") if kind in notes - number.allowed), None)
            if (noted, number.allowed & notes) != (number.noted, number.allowed):
                number.noted, number.allowed = noted, number.allowed & notes
                changed.add(phone)
        unlisted = {
            contact.edits.sis["phone"]
            for name, contact in self.contacts.items()
            if contact.is_active and name not in self.entries
        }
        at_once = {
            phone for phone, number in self.numbers.items() if number.noted or (number.is_said and phone in unlisted)
        }
        self.update_list(None, phones=changed | at_once)
        for name in [name for name in self.contacts if self.notes.get(name) and self.takes_texts(name)]:
            if self.contacts[name].edits.sis["phone"] is None:
                self.update_entry(name, self.contacts[name].phone, None)

    def allow_texts(self, name, student, *, now):  # noqa: ARG002 - called like the other verbs.
        phone = self.contacts[name].phone
        if phone is None or not self.is_linked(name, student):
            return False
        number = self.number(phone)
        if not self.may_show(name, phone) or not number.noted:
            return False
        number.noted, number.allowed = None, frozenset(self.notes_of(phone))
        self.update_list(None, phones={phone})
        return True

    def sync(self, name, *, is_active, phone):
        """Sync a contact: it is gone, or active with this number. Edits of a contact that is gone wait for its return."""
        contact = self.contacts[name]
        before, contact.is_active = contact.phone, is_active
        if is_active:
            contact.edits.sync_phone(phone)
        if is_active and contact.phone != before:
            self.mark(name)
