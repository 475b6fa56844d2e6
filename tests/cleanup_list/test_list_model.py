"""After any sequence of events, the list, the numbers, and the deliveries equal those of a reference model."""

import os
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text
from support import edits, people
from support.edit_model import EditModel
from support.list_model import Contact, ListModel, Report
from support.mass_messages import DAY, a_message, register

from bot.access.rights import AccessLevel
from bot.cleanup_list.noted_numbers import refresh_noted_numbers
from bot.contact_edits import wrong_person
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.noted_number import allow_texts
from bot.contact_edits.opt_out import record_verbal_opt_out
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import IN_FORCE, Edit, EditField
from bot.db.models.messages import Delivery, ListEntry, PhoneNumber
from bot.domain.sms_status import Outcome
from bot.errors import UserError
from bot.mass_messages.opt_outs import record_opt_out, register_opt_outs
from bot.mass_messages.receipts import apply_waiting_receipts, record_receipts
from bot.mass_messages.settle import due_messages, settle_message
from bot.mass_messages.wrong_person import record_reassigned
from bot.providers.receipt import OptOutMessage, ParsedReceipt, ReassignedNumber
from bot.sync import diff_merge
from bot.sync.reconcile import prepare_reconcile, reconcile_edits

HOUR = timedelta(hours=1)
NUMBERS = ["+13125559901", "+13125559902"]
CONTACTS = {
    "maria": (NUMBERS[0], ("sam",)),
    "jose": (NUMBERS[0], ("sam", "ana")),
    "lee": (NUMBERS[1], ("ana",)),
    "rosa": (None, ("sam",)),
}
STUDENTS = {"sam", "ana"}
MESSAGES = ["m1", "m2", "m3"]
REPORTS = [
    Report("pending"),
    Report("delivered"),
    Report("not_contact_problem", "30007"),
    Report("unconfirmed", "30008", reasonless=True),
    Report("turned_off", "30003"),
    Report("landline", "30006"),
    Report("blocked", "30004", reasonless=True),
    Report("blocked", "60001"),
    Report("inactive", "21211"),
    Report("inactive", "30005", shaky=True),
    Report("opt_out", "21610"),
]
STRANGERS = [f"+1312555{number:04d}" for number in range(200)]

numbers = st.sampled_from(NUMBERS)
phones = st.sampled_from([*NUMBERS, None])
contacts = st.sampled_from(sorted(CONTACTS))
messages = st.sampled_from(MESSAGES)
reports = st.sampled_from(REPORTS)
ages = st.sampled_from([HOUR * 0, HOUR, HOUR * 23, HOUR * 50])
_CONTACT_COLUMNS = (
    "sourced_id, given_name, family_name, email, sis_phone, sis_phone_written, sis_phone_note, sis_note_kind, "
    "sis_contact_id, is_powerschool_id"
)
TABLES = {table.name: table for table in diff_merge.TABLES}


class ListMachine(RuleBasedStateMachine):
    """Performs each step on the database, in a savepoint that is rolled back at the end, and on the model."""

    session = None  # Set by the test that runs the machine.

    @initialize(reported=st.fixed_dictionaries(dict.fromkeys(sorted(CONTACTS), reports)))
    def start_with_one_message(self, reported):
        self.savepoint = self.session.begin_nested()
        self.now, self.step = people.NOW, 0
        self.dana = people.actor_of(people.staff(self.session, "Dana", "Diaz"), level=AccessLevel.DISTRICT)
        self.students = {name: people.student(self.session, name) for name in sorted(STUDENTS)}
        self.contacts = {name: self.create_contact(name, *values) for name, values in CONTACTS.items()}
        self.names = {contact.id: name for name, contact in self.contacts.items()}
        self.removals = {}
        contacts = {
            name: Contact(EditModel({"phone": phone, "method": "text"}), students)
            for name, (phone, students) in CONTACTS.items()
        }
        self.model = ListModel(contacts, set(STUDENTS))
        self.send_to_contacts("m1", reported, HOUR, settles=True)

    def create_contact(self, name, phone, students):
        of = (self.students[student] for student in students)
        contact = people.contact(self.session, *of, given=name, phone=phone)
        contact.email = f"{name}@home.example"
        self.session.flush()
        return contact

    def teardown(self):
        if hasattr(self, "savepoint"):
            self.savepoint.rollback()
            self.session.expunge_all()

    def tick(self):
        self.step += 1
        self.now += timedelta(minutes=1)
        if hasattr(self, "model"):
            self.model.times[self.step] = self.now

    def succeeds(self, verb, *args, **named):
        """Run it in a savepoint that an error for the user rolls back."""
        try:
            with self.session.begin_nested():
                verb(*args, **named)
        except UserError:
            return False
        return True

    # Mass messages and receipts.

    def register(self, message_id, deliveries, age, *, direct=False):
        self.tick()
        sent_at = self.now - age
        known = self.model.messages.get(message_id)
        sent_at = known.sent_at if known else sent_at
        if direct:
            self.write(message_id, deliveries, sent_at)
        else:
            rows = [
                {
                    "contact": self.sourced_id(name),
                    "to": phone,
                    "provider": provider_id and "twilio",
                    "provider_id": provider_id,
                }
                for name, phone, provider_id in deliveries
            ]
            register(self.session, a_message(*rows, sent_at=sent_at, message_id=message_id), now=self.now)
        self.model.register(message_id, deliveries, sent_at=sent_at, now=self.now, direct=direct)

    def write(self, message_id, deliveries, sent_at):
        """Insert the rows as a sender does that shares the database."""
        self.session.execute(
            text("INSERT INTO mass_messages (id, title, sent_at) VALUES (:id, 'Snow day', :at) ON CONFLICT DO NOTHING"),
            {"id": message_id, "at": sent_at},
        )
        for name, phone, provider_id in deliveries:
            self.session.execute(
                text(
                    "INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id)"
                    " VALUES (:message, :contact, :phone, :provider, :provider_id) ON CONFLICT DO NOTHING"
                ),
                {
                    "message": message_id,
                    "contact": self.sourced_id(name),
                    "phone": phone,
                    "provider": provider_id and "twilio",
                    "provider_id": provider_id,
                },
            )
        due_messages(self.session, now=self.now)

    def sourced_id(self, name):
        return self.contacts[name].sourced_id if name in self.contacts else name

    @rule(message_id=messages, to=st.lists(st.tuples(contacts, numbers), max_size=3), age=ages)
    def register_deliveries(self, message_id, to, age):
        self.register(message_id, [(name, phone, f"{message_id}/{name}/{phone}") for name, phone in to], age)

    @rule(message_id=messages, name=contacts, phone=numbers, age=ages)
    def register_delivery_without_provider_id(self, message_id, name, phone, age):
        self.register(message_id, [(name, phone, None)], age)

    @rule(message_id=messages, name=contacts, phone=numbers, age=ages)
    def insert_delivery_directly(self, message_id, name, phone, age):
        known = self.model.messages.get(message_id)
        if not known or (name, phone) not in known.deliveries:
            self.register(message_id, [(name, phone, f"{message_id}/{name}/{phone}")], age, direct=True)

    @rule(message_id=messages, reported=st.dictionaries(contacts, reports, min_size=2), age=ages, settles=st.booleans())
    def send_to_contacts(self, message_id, reported, age, settles):
        phones = {name: self.model.contacts[name].phone for name in reported if self.model.contacts[name].phone}
        self.register(message_id, [(name, to, f"{message_id}/{name}/{to}") for name, to in phones.items()], age)
        for name, to in phones.items():
            self.report(f"{message_id}/{name}/{to}", reported[name], to)
        if settles:
            self.settle(message_id)

    @rule(message_id=messages, how_many=st.sampled_from([9, 10, 10, 200]), report=reports, age=ages)
    def send_to_strangers(self, message_id, how_many, report, age):
        to = STRANGERS[:how_many]
        self.register(message_id, [("stranger", phone, f"{message_id}/{phone}") for phone in to], age)
        by_phone = dict.fromkeys(to[10:], Report("delivered")) if how_many > 10 else dict.fromkeys(to, report)
        self.report_all({f"{message_id}/{phone}": each for phone, each in by_phone.items()})

    def report(self, provider_id, report, phone=None):
        self.report_all({provider_id: report}, phone)

    def report_all(self, reported, phone=None):
        self.tick()
        receipts = [self.receipt(provider_id, report, phone) for provider_id, report in reported.items()]
        record_receipts(self.session, receipts, now=self.now)
        self.model.report(reported, phone=phone, now=self.now)

    def receipt(self, provider_id, report, phone):
        return ParsedReceipt(
            provider="twilio",
            event_key=f"{provider_id}:{report.outcome}:{report.code}",
            provider_id=provider_id,
            phone=phone,
            outcome=Outcome(report.outcome),
            code=report.code,
            shaky=report.shaky,
            reasonless=report.reasonless,
        )

    @rule(message_id=messages, name=contacts, phone=numbers, report=reports, has_phone=st.booleans())
    def receive_receipt_perhaps_early(self, message_id, name, phone, report, has_phone):
        self.report(f"{message_id}/{name}/{phone}", report, phone if has_phone else None)

    @rule(data=st.data(), reported=st.lists(reports, min_size=1, max_size=2))
    def receive_receipts_of_a_known_delivery(self, data, reported):
        provider_ids = [
            delivery.provider_id
            for message in self.model.messages.values()
            for delivery in message.deliveries.values()
            if delivery.provider_id and delivery.phone in NUMBERS
        ]
        if provider_ids:
            provider_id = data.draw(st.sampled_from(provider_ids))
            for report in reported:
                self.report(provider_id, report)

    @rule()
    def clock_applies_waiting_receipts(self):
        self.tick()
        apply_waiting_receipts(self.session, now=self.now)
        self.model.apply_waiting_receipts(now=self.now)

    @rule(later=st.sampled_from([HOUR * 0, HOUR * 3, DAY]))
    def clock_settles_due_messages(self, later):
        self.tick()
        self.now += later
        due = due_messages(self.session, now=self.now)
        assert set(due) == {key for key, message in self.model.messages.items() if message.is_due(self.now)}
        for message_id in due:
            self.settle(message_id)

    @rule(message_id=messages)
    def settle_by_hand(self, message_id):
        self.tick()
        if message_id in self.model.messages:
            self.settle(message_id)

    def settle(self, message_id):
        settle_message(self.session, message_id, now=self.now)
        self.model.settle(message_id, now=self.now)

    # STOP and START.

    @rule(phone=numbers, opted_out=st.booleans(), again=st.booleans())
    def text_stop_or_start(self, phone, opted_out, again):
        self.tick()
        message = OptOutMessage("twilio", f"SM{self.step}", phone, opted_out)
        for _ in range(2 if again else 1):
            record_opt_out(self.session, message, now=self.now)
        if opted_out:
            self.model.opt_out(phone, said_at=self.now)
        else:
            self.model.opt_in(phone, now=self.now)

    @rule(phone=numbers, age=ages)
    def register_opt_out_of_the_district(self, phone, age):
        self.tick()
        opt_out = {"id": f"D{self.step}", "phone": phone, "at": (self.now - age).isoformat()}
        register_opt_outs(self.session, {"opt_outs": [opt_out]}, now=self.now, region="US")
        self.model.opt_out(phone, said_at=self.now - age)

    @rule(name=contacts, age=ages)
    def staff_record_verbal_opt_out(self, name, age):
        self.tick()
        student = self.model.contacts[name].students[0]
        succeeded = self.succeeds(
            record_verbal_opt_out,
            self.session,
            self.contacts[name].id,
            student_id=self.students[student].id,
            version=edits.version_of(self.session, self.contacts[name]),
            said_at=self.now - age,
            actor=self.dana,
            now=self.now,
        )
        assert succeeded == self.model.record_verbal_opt_out(name, student, said_at=self.now - age)

    # Wrong person.

    @rule(name=contacts, verb=st.sampled_from(["mark_wrong_person", "mark_wrong_person", "verify_number"]))
    def staff_park_or_verify_a_number(self, name, verb):
        self.tick()
        student = self.model.contacts[name].students[0]
        succeeded = self.succeeds(
            getattr(wrong_person, verb),
            self.session,
            self.contacts[name].id,
            version=edits.version_of(self.session, self.contacts[name]),
            actor=self.dana,
            student_id=self.students[student].id,
            now=self.now,
        )
        assert succeeded == getattr(self.model, verb)(name, student, now=self.now)

    @rule(phone=numbers, age=ages)
    def provider_reports_a_reassigned_number(self, phone, age):
        self.tick()
        report = ReassignedNumber("twilio", phone, self.now - age)
        assert record_reassigned(self.session, report, now=self.now) == self.model.park(phone, at=self.now - age)

    # Staff.

    @rule(name=contacts, phone=phones, method=st.sampled_from(["text", "text", "call", "email"]))
    def staff_change_a_contact(self, name, phone, method):
        self.tick()
        succeeded = self.model.contacts[name].is_active and self.succeeds(
            edits.change,
            self.session,
            self.contacts[name],
            phone=phone,
            method=method,
            actor=self.dana,
            now=self.now,
        )
        assert succeeded == self.model.change(name, self.step, phone, method)

    @rule(name=contacts, field=st.sampled_from(["phone", "method"]))
    def staff_undo_an_edit(self, name, field):
        self.tick()
        succeeded = self.succeeds(undo_edit, self.session, self.edit_id(name, field), actor=self.dana, now=self.now)
        assert succeeded == self.model.undo(name, self.step, field)

    @rule(name=contacts, keep=st.sampled_from(["ours", "sis"]))
    def staff_resolve_conflict(self, name, keep):
        self.tick()
        edit_id = self.edit_id(name, "phone")
        succeeded = self.succeeds(resolve_conflict, self.session, edit_id, keep=keep, actor=self.dana, now=self.now)
        assert succeeded == self.model.resolve(name, self.step, keep)

    @rule(data=st.data(), phone=phones, report=reports)
    def staff_fix_a_listed_contact_before_the_next_message(self, data, phone, report):
        if not self.model.entries:
            return
        name = data.draw(st.sampled_from(sorted(self.model.entries)))
        self.staff_change_a_contact(name, phone, "text")
        if data.draw(st.booleans()):
            to = data.draw(st.sampled_from(sorted(CONTACTS)))
            self.send_to_contacts(data.draw(messages), {to: report}, HOUR, settles=True)

    def edit_id(self, name, field):
        of_field = select(Edit.id).where(Edit.contact_id == self.contacts[name].id, Edit.field == EditField(field))
        return self.session.scalar(of_field.where(Edit.state.in_(IN_FORCE))) or 0

    @rule(name=contacts, everywhere=st.booleans())
    def staff_remove_a_contact(self, name, everywhere):
        self.tick()
        student = None if everywhere else self.model.contacts[name].students[-1]

        def remove():
            removal = edits.remove(
                self.session, self.contacts[name], student and self.students[student], actor=self.dana, now=self.now
            )
            self.removals[name, student] = removal.id

        assert self.succeeds(remove) == self.model.remove(name, student)

    @rule(data=st.data())
    def staff_undo_a_removal(self, data):
        self.tick()
        if self.model.removals:
            removal = data.draw(st.sampled_from(sorted(self.model.removals, key=str)))
            if self.succeeds(undo_removal, self.session, self.removals[removal], actor=self.dana, now=self.now):
                self.model.undo_removal(*removal)

    # The sync, with the real merge and reconciliation.

    @rule(name=contacts, phone=phones, leaves=st.sampled_from([False, False, False, True]))
    def sync_changes_a_contact(self, name, phone, leaves):
        """Sync a new number, or let the contact leave; one that has left returns."""
        self.tick()
        model = self.model.contacts[name]
        is_active = not leaves or not model.is_active
        if (is_active, phone) != (model.is_active, model.edits.sis["phone"]) and (is_active or model.is_active):
            self.merge(
                "contacts",
                _CONTACT_COLUMNS,
                self.contacts[name].id,
                sis_phone=phone,
                is_active=is_active,
            )
            self.model.sync(name, is_active=is_active, phone=phone)
            self.refresh_notes()

    @rule(name=contacts, kind=st.none() | st.sampled_from(["refused", "dead", "impossible"]))
    def sync_brings_a_note_beside_a_number(self, name, kind):
        self.tick()
        if self.model.contacts[name].is_active and self.model.notes.get(name) != kind:
            self.merge("contacts", _CONTACT_COLUMNS, self.contacts[name].id, sis_note_kind=kind, is_active=True)
            self.model.notes[name] = kind
            self.refresh_notes()

    def refresh_notes(self):
        refresh_noted_numbers(self.session, now=self.now)
        self.model.refresh_notes()
        self.session.expire_all()

    @rule(name=contacts)
    def staff_allow_texts_in_spite_of_a_note(self, name):
        self.tick()
        student = self.model.contacts[name].students[0]
        succeeded = self.succeeds(
            allow_texts,
            self.session,
            self.contacts[name].id,
            version=edits.version_of(self.session, self.contacts[name]),
            actor=self.dana,
            student_id=self.students[student].id,
            now=self.now,
        )
        assert succeeded == self.model.allow_texts(name, student, now=self.now)

    @rule(name=st.sampled_from(sorted(STUDENTS)))
    def sync_removes_or_returns_a_student(self, name):
        self.tick()
        name = min(STUDENTS - self.model.students, default=name)
        is_active = name not in self.model.students
        self.merge(
            "students",
            "sourced_id, given_name, family_name, search, grade, identifier",
            self.students[name].id,
            is_active=is_active,
        )
        self.model.students ^= {name}

    def merge(self, table, columns, row_id, *, is_active, **values):
        """Create the tables of differences for one row, as the sync does, and merge them."""
        connection = self.session.connection()
        for name in ("contacts", "students"):
            selected = columns if name == table else "sourced_id"
            of_table = f"FROM {name} WHERE id = {row_id}" if name == table else f"FROM {name} WHERE false"
            kind = "changed" if is_active else "inactive"
            connection.exec_driver_sql(
                f"CREATE TEMP TABLE change_{name} AS SELECT '{kind}' AS kind, {selected}, sourced_id AS live_sourced_id {of_table}"
            )
        for column, value in values.items():
            connection.exec_driver_sql(f"UPDATE change_{table} SET {column} = %(value)s", {"value": value})
        if table == "contacts":
            prepare_reconcile(connection)
            diff_merge.apply(connection, TABLES[table])
            reconcile_edits(connection, now=self.now, actor="sync")
            connection.exec_driver_sql("DROP TABLE changed_phones")
        else:
            diff_merge.apply(connection, TABLES[table])
        connection.exec_driver_sql("DROP TABLE change_contacts, change_students")
        self.session.expire_all()

    # What every reader sees.

    @invariant()
    def database_equals_the_model(self):
        if not hasattr(self, "model"):
            return
        self.session.flush()
        assert self.stored() == self.model.state()

    def stored(self):
        entry, number, delivery = ListEntry, PhoneNumber, Delivery
        entries = self.session.execute(select(entry.contact_id, entry.status, entry.phone, entry.updated_at))
        numbers = self.session.execute(
            select(
                *(number.phone, number.status, number.doubted),
                *(number.opted_out_at, number.wrong_person_at, number.noted),
            )
        )
        deliveries = self.session.execute(
            select(delivery.mass_message_id, delivery.contact_sourced_id, delivery.phone, delivery.outcome)
        )
        names = {contact.sourced_id: name for name, contact in self.contacts.items()}
        return {
            "list": {self.names[key]: (status, phone, at is not None) for key, status, phone, at in entries},
            "numbers": {
                phone: (status, doubted, out_at is not None, parked_at is not None, noted)
                for phone, status, doubted, out_at, parked_at, noted in numbers
                if status or out_at or parked_at or noted
            },
            "deliveries": {(message, names.get(to, to), phone): outcome for message, to, phone, outcome in deliveries},
        }


SETTINGS = settings(max_examples=int(os.environ.get("LIST_EXAMPLES", "30")), stateful_step_count=30, deadline=None)


def test_list_equals_the_reference_model_after_any_sequence(session):
    class Machine(ListMachine):
        pass

    Machine.session = session
    run_state_machine_as_test(Machine, settings=SETTINGS)
