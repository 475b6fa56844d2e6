"""Whatever happens in whatever order, the list, the numbers and the deliveries are what a plain model of the rules says."""

import os
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text
from support import edits, people
from support.edit_model import EditOrSis
from support.list_model import Contact, ListModel, Report
from support.mass_messages import DAY, a_message, registered

from bot.access import Reach
from bot.contact_edits.conflicts import resolve_conflict
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
from bot.providers.receipt import OptOutMessage, ParsedReceipt
from bot.sync import diff_merge
from bot.sync.reconcile import prepare_reconcile, reconcile_edits

HOUR = timedelta(hours=1)
NUMBERS = ["+13125559901", "+13125559902"]
LIVES = {
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
contacts = st.sampled_from(sorted(LIVES))
messages = st.sampled_from(MESSAGES)
reports = st.sampled_from(REPORTS)
ages = st.sampled_from([HOUR * 0, HOUR, HOUR * 23, HOUR * 50])
TABLES = {table.name: table for table in diff_merge.TABLES}


class TheList(RuleBasedStateMachine):
    """One example: the same acts on the database, in a savepoint that is rolled back at the end, and on the model."""

    session = None
    """Of the test that runs the machine."""

    @initialize(said=st.fixed_dictionaries(dict.fromkeys(sorted(LIVES), reports)))
    def a_district_that_sent_a_message(self, said):
        self.whole = self.session.begin_nested()
        self.now, self.act = people.NOW, 0
        self.dana = people.acting(people.staff(self.session, "Dana", "Diaz"), reach=Reach.DISTRICT)
        self.students = {name: people.student(self.session, name) for name in sorted(STUDENTS)}
        self.contacts = {name: self.a_contact(name, *life) for name, life in LIVES.items()}
        self.names = {one.id: name for name, one in self.contacts.items()}
        self.removals = {}
        lives = {
            name: Contact(EditOrSis({"phone": phone, "method": "text"}), students)
            for name, (phone, students) in LIVES.items()
        }
        self.model = ListModel(lives, set(STUDENTS))
        self.a_message_goes_to_families_and_is_reported_on("m1", said, HOUR, settles=True)

    def a_contact(self, name, phone, students):
        one = people.contact(self.session, *(self.students[of] for of in students), given=name, phone=phone)
        one.email = f"{name}@home.example"
        self.session.flush()
        return one

    def teardown(self):
        if hasattr(self, "whole"):
            self.whole.rollback()
            self.session.expunge_all()

    def tick(self):
        self.act += 1
        self.now += timedelta(minutes=1)

    def did(self, verb, *args, **named):
        """Do it in a savepoint that a refusal rolls back."""
        try:
            with self.session.begin_nested():
                verb(*args, **named)
        except UserError:
            return False
        return True

    # What mass messages bring.

    def register(self, message_id, deliveries, age, *, direct=False):
        self.tick()
        sent_at = self.now - age
        known = self.model.messages.get(message_id)
        sent_at = known.sent_at if known else sent_at
        if direct:
            self.write(message_id, deliveries, sent_at)
        else:
            rows = [
                {"contact": self.sourced_id(name), "to": phone, "provider": given and "twilio", "provider_id": given}
                for name, phone, given in deliveries
            ]
            registered(self.session, a_message(*rows, sent_at=sent_at, message_id=message_id), now=self.now)
        self.model.register(message_id, deliveries, sent_at=sent_at, now=self.now, direct=direct)

    def write(self, message_id, deliveries, sent_at):
        """As a sender does that shares the database."""
        self.session.execute(
            text("INSERT INTO mass_messages (id, title, sent_at) VALUES (:id, 'Snow day', :at) ON CONFLICT DO NOTHING"),
            {"id": message_id, "at": sent_at},
        )
        for name, phone, given in deliveries:
            self.session.execute(
                text(
                    "INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id)"
                    " VALUES (:message, :contact, :phone, :provider, :given) ON CONFLICT DO NOTHING"
                ),
                {
                    "message": message_id,
                    "contact": self.sourced_id(name),
                    "phone": phone,
                    "provider": given and "twilio",
                    "given": given,
                },
            )
        due_messages(self.session, now=self.now)

    def sourced_id(self, name):
        return self.contacts[name].sourced_id if name in self.contacts else name

    @rule(message_id=messages, to=st.lists(st.tuples(contacts, numbers), max_size=3), age=ages)
    def a_sender_registers_deliveries(self, message_id, to, age):
        self.register(message_id, [(name, phone, f"{message_id}/{name}/{phone}") for name, phone in to], age)

    @rule(message_id=messages, name=contacts, phone=numbers, age=ages)
    def a_sender_learns_the_providers_id_later(self, message_id, name, phone, age):
        self.register(message_id, [(name, phone, None)], age)

    @rule(message_id=messages, name=contacts, phone=numbers, age=ages)
    def a_sender_writes_into_the_database(self, message_id, name, phone, age):
        known = self.model.messages.get(message_id)
        if not known or (name, phone) not in known.deliveries:
            self.register(message_id, [(name, phone, f"{message_id}/{name}/{phone}")], age, direct=True)

    @rule(message_id=messages, said=st.dictionaries(contacts, reports, min_size=2), age=ages, settles=st.booleans())
    def a_message_goes_to_families_and_is_reported_on(self, message_id, said, age, settles):
        reached = {name: self.model.contacts[name].phone for name in said if self.model.contacts[name].phone}
        self.register(message_id, [(name, to, f"{message_id}/{name}/{to}") for name, to in reached.items()], age)
        for name, to in reached.items():
            self.report(f"{message_id}/{name}/{to}", said[name], to)
        if settles:
            self.settle(message_id)

    @rule(message_id=messages, how_many=st.sampled_from([9, 10, 10, 200]), report=reports, age=ages)
    def a_message_goes_to_strangers(self, message_id, how_many, report, age):
        to = STRANGERS[:how_many]
        self.register(message_id, [("stranger", phone, f"{message_id}/{phone}") for phone in to], age)
        many = dict.fromkeys(to[10:], Report("delivered")) if how_many > 10 else dict.fromkeys(to, report)
        self.report_all({f"{message_id}/{phone}": said for phone, said in many.items()})

    def report(self, provider_id, report, phone=None):
        self.report_all({provider_id: report}, phone)

    def report_all(self, said, phone=None):
        self.tick()
        record_receipts(self.session, [self.receipt(*one, phone) for one in said.items()], now=self.now)
        self.model.report(said, phone=phone, now=self.now)

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

    @rule(message_id=messages, name=contacts, phone=numbers, report=reports, names_number=st.booleans())
    def a_receipt_comes_maybe_early(self, message_id, name, phone, report, names_number):
        self.report(f"{message_id}/{name}/{phone}", report, phone if names_number else None)

    @rule(data=st.data(), said=st.lists(reports, min_size=1, max_size=2))
    def receipts_come_of_a_known_delivery(self, data, said):
        known = [
            one.provider_id
            for message in self.model.messages.values()
            for one in message.deliveries.values()
            if one.provider_id and one.phone in NUMBERS
        ]
        if known:
            provider_id = data.draw(st.sampled_from(known))
            for report in said:
                self.report(provider_id, report)

    @rule()
    def the_clock_looks_for_deliveries(self):
        self.tick()
        apply_waiting_receipts(self.session, now=self.now)
        self.model.look_for_deliveries()

    @rule(later=st.sampled_from([HOUR * 0, HOUR * 3, DAY]))
    def the_clock_settles(self, later):
        self.tick()
        self.now += later
        due = due_messages(self.session, now=self.now)
        assert set(due) == {at for at, one in self.model.messages.items() if one.is_due(self.now)}
        for message_id in due:
            self.settle(message_id)

    @rule(message_id=messages)
    def somebody_settles_by_hand(self, message_id):
        self.tick()
        if message_id in self.model.messages:
            self.settle(message_id)

    def settle(self, message_id):
        settle_message(self.session, message_id, now=self.now)
        self.model.settle(message_id, now=self.now)

    # STOP and START.

    @rule(phone=numbers, opted_out=st.booleans(), again=st.booleans())
    def a_number_texts_stop_or_start(self, phone, opted_out, again):
        self.tick()
        said = OptOutMessage("twilio", f"SM{self.act}", phone, opted_out)
        for _ in range(2 if again else 1):
            record_opt_out(self.session, said, now=self.now)
        if opted_out:
            self.model.opt_out(phone, said_at=self.now)
        else:
            self.model.opt_in(phone, now=self.now)

    @rule(phone=numbers, age=ages)
    def the_district_reports_a_stop(self, phone, age):
        self.tick()
        said = {"id": f"D{self.act}", "phone": phone, "at": (self.now - age).isoformat()}
        register_opt_outs(self.session, {"opt_outs": [said]}, now=self.now, region="US")
        self.model.opt_out(phone, said_at=self.now - age)

    @rule(name=contacts, age=ages)
    def a_contact_says_stop_to_staff(self, name, age):
        self.tick()
        student = self.model.contacts[name].students[0]
        did = self.did(
            record_verbal_opt_out,
            self.session,
            self.contacts[name].id,
            student_id=self.students[student].id,
            version=edits.version_of(self.session, self.contacts[name]),
            said_at=self.now - age,
            actor=self.dana,
            now=self.now,
        )
        assert did == self.model.say_stop(name, student, said_at=self.now - age)

    # Staff.

    @rule(name=contacts, phone=phones, method=st.sampled_from(["text", "text", "call", "email"]))
    def staff_change_a_contact(self, name, phone, method):
        self.tick()
        did = self.model.contacts[name].is_active and self.did(
            edits.change,
            self.session,
            self.contacts[name],
            phone=phone,
            method=method,
            actor=self.dana,
            now=self.now,
        )
        assert did == self.model.change(name, self.act, phone, method)

    @rule(name=contacts, field=st.sampled_from(["phone", "method"]))
    def staff_undo_an_edit(self, name, field):
        self.tick()
        did = self.did(undo_edit, self.session, self.edit_id(name, field), actor=self.dana, now=self.now)
        assert did == self.model.undo(name, self.act, field)

    @rule(name=contacts, keep=st.sampled_from(["ours", "sis"]))
    def staff_choose_between_the_sis_and_us(self, name, keep):
        self.tick()
        edit_id = self.edit_id(name, "phone")
        did = self.did(resolve_conflict, self.session, edit_id, keep=keep, actor=self.dana, now=self.now)
        assert did == self.model.choose(name, self.act, keep)

    @rule(data=st.data(), phone=phones, said=reports)
    def staff_mend_a_listed_contact_and_the_next_message_tells(self, data, phone, said):
        if not self.model.entries:
            return
        name = data.draw(st.sampled_from(sorted(self.model.entries)))
        self.staff_change_a_contact(name, phone, "text")
        if data.draw(st.booleans()):
            to = data.draw(st.sampled_from(sorted(LIVES)))
            self.a_message_goes_to_families_and_is_reported_on(data.draw(messages), {to: said}, HOUR, settles=True)

    def edit_id(self, name, field):
        edit = Edit
        mine = select(edit.id).where(edit.contact_id == self.contacts[name].id, edit.field == EditField(field))
        return self.session.scalar(mine.where(edit.state.in_(IN_FORCE))) or 0

    @rule(name=contacts, everywhere=st.booleans())
    def staff_remove_a_contact(self, name, everywhere):
        self.tick()
        of = None if everywhere else self.model.contacts[name].students[-1]

        def remove():
            one = edits.remove(
                self.session, self.contacts[name], of and self.students[of], actor=self.dana, now=self.now
            )
            self.removals[name, of] = one.id

        assert self.did(remove) == self.model.remove(name, of)

    @rule(data=st.data())
    def staff_bring_a_contact_back(self, data):
        self.tick()
        if self.model.removals:
            removal = data.draw(st.sampled_from(sorted(self.model.removals, key=str)))
            if self.did(undo_removal, self.session, self.removals[removal], actor=self.dana, now=self.now):
                self.model.bring_back(*removal)

    # The sync, with the merge and the reconciling of the real one.

    @rule(name=contacts, phone=phones, leaves=st.sampled_from([False, False, False, True]))
    def a_night_changes_a_contact(self, name, phone, leaves):
        """Who is gone comes back."""
        self.tick()
        one, model = self.contacts[name], self.model.contacts[name]
        is_active = not leaves or not model.is_active
        if (is_active, phone) != (model.is_active, model.reach.sis["phone"]) and (is_active or model.is_active):
            self.merge(
                "contacts",
                "sourced_id, given_name, family_name, email, sis_phone, sis_phone_written",
                one.id,
                sis_phone=phone,
                is_active=is_active,
            )
            self.model.sync(name, is_active=is_active, phone=phone)

    @rule(name=st.sampled_from(sorted(STUDENTS)))
    def a_night_takes_or_returns_a_student(self, name):
        self.tick()
        name = min(STUDENTS - self.model.students, default=name)
        is_active = name not in self.model.students
        self.merge(
            "students",
            "sourced_id, given_name, family_name, search, grade",
            self.students[name].id,
            is_active=is_active,
        )
        self.model.students ^= {name}

    def merge(self, table, columns, row_id, *, is_active, **said):
        """What the sync works out, for one row, and then what it does with it."""
        connection = self.session.connection()
        for name in ("contacts", "students"):
            wanted = columns if name == table else "sourced_id"
            of_table = f"FROM {name} WHERE id = {row_id}" if name == table else f"FROM {name} WHERE false"
            kind = "changed" if is_active else "inactive"
            connection.exec_driver_sql(
                f"CREATE TEMP TABLE change_{name} AS SELECT '{kind}' AS kind, {wanted}, sourced_id AS live_sourced_id {of_table}"
            )
        for column, value in said.items():
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

    # The same to everyone who reads.

    @invariant()
    def the_database_is_as_the_model_says(self):
        if not hasattr(self, "model"):
            return
        self.session.flush()
        assert self.stored() == self.model.state()

    def stored(self):
        entry, number, delivery = ListEntry, PhoneNumber, Delivery
        listed = self.session.execute(select(entry.contact_id, entry.status, entry.phone, entry.updated_at))
        known = self.session.execute(select(number.phone, number.status, number.doubted, number.opted_out_at))
        made = self.session.execute(
            select(delivery.mass_message_id, delivery.contact_sourced_id, delivery.phone, delivery.outcome)
        )
        called = {one.sourced_id: name for name, one in self.contacts.items()}
        return {
            "list": {self.names[who]: (status, phone, at is not None) for who, status, phone, at in listed},
            "numbers": {
                phone: (status, doubted, at is not None) for phone, status, doubted, at in known if status or at
            },
            "deliveries": {(message, called.get(to, to), phone): outcome for message, to, phone, outcome in made},
        }


LENGTHS = settings(max_examples=int(os.environ.get("LIST_EXAMPLES", "60")), stateful_step_count=30, deadline=None)


def test_the_list_is_what_a_plain_model_says_after_any_sequence(session):
    class OnThis(TheList):
        pass

    OnThis.session = session
    run_state_machine_as_test(OnThis, settings=LENGTHS)
