"""The reachability scores worked out in plain Python from the tables that the SIS, staff, and mass messages write."""

from collections import defaultdict
from datetime import datetime, timedelta

from hypothesis import strategies as st
from sqlalchemy import text
from support import family_changes, people

from bot.reachability.score import Group, GroupKind, Score

TABLES = (
    *(
        "students",
        "contacts",
        "student_contacts",
        "edits",
        "removals",
        "phone_numbers",
        "tried_numbers",
        "cleanup_list",
    ),
    *("student_schools", "class_students", "class_teachers", "deliveries", "mass_messages", "list_changes"),
)
IN_FORCE = {"pending", "conflict"}
MESSAGES = ("m1", "m2", "m3")
_ago = st.sampled_from([None, 0, 1, 6, 7, 30])  # Days; None where it has not happened.
_member = {
    "class": st.sampled_from((1, 2)),
    "active": st.booleans(),
    "begins": st.sampled_from([None, people.TODAY, people.TODAY + timedelta(days=1)]),
    "ends": st.sampled_from([None, people.TODAY, people.TODAY + timedelta(days=1)]),
}

# Beside those of `family_changes`.
CHANGES = {
    """
    INSERT INTO mass_messages (id, title, sent_at, settled_at, silent_at)
    VALUES (:message, 'Snow day', CAST(:now AS timestamptz) - CAST(:sent AS int) * interval '1 day',
            CAST(:now AS timestamptz) - CAST(:settled AS int) * interval '1 day',
            CASE WHEN :silent THEN CAST(:now AS timestamptz) END)
    ON CONFLICT (id) DO UPDATE SET
        sent_at = excluded.sent_at, settled_at = excluded.settled_at, silent_at = excluded.silent_at
    """: {
        "message": st.sampled_from(MESSAGES),
        "sent": st.sampled_from([0, 1, 6, 7, 8, 30]),
        "settled": _ago,
        "silent": st.booleans(),
        "now": st.just(people.NOW),
    },
    """
    INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, outcome)
    SELECT id, 'C' || :contact, :phone, :outcome FROM mass_messages WHERE id = :message
    ON CONFLICT (mass_message_id, contact_sourced_id, phone) DO UPDATE SET outcome = excluded.outcome
    """: {
        "message": st.sampled_from(MESSAGES),
        "contact": family_changes.contact,
        "phone": family_changes.phone,
        "outcome": st.sampled_from(("delivered", "delivered", "blocked", "pending")),
    },
    """
    INSERT INTO list_changes (mass_message_id, contact_id, move, fixed_by)
    SELECT id, :contact, :move, :by FROM mass_messages WHERE id = :message
    ON CONFLICT (mass_message_id, contact_id) DO UPDATE SET move = excluded.move, fixed_by = excluded.fixed_by
    """: {
        "message": st.sampled_from(MESSAGES),
        "contact": family_changes.contact,
        "move": st.sampled_from(("left", "joined")),
        "by": st.none() | st.just("UCLARA"),
    },
    "INSERT INTO student_schools (student_id, school_id) VALUES (:student, :school) ON CONFLICT DO NOTHING": {
        "student": family_changes.student,
        "school": st.sampled_from((1, 2)),
    },
    "DELETE FROM student_schools WHERE student_id = :student AND school_id = :school": {
        "student": family_changes.student,
        "school": st.sampled_from((1, 2)),
    },
    """
    INSERT INTO class_students (sourced_id, class_id, student_id, active, begins_on, ends_on)
    VALUES ('E' || :class || :student, :class, :student, :active, :begins, :ends)
    ON CONFLICT (sourced_id) DO UPDATE SET
        active = excluded.active, begins_on = excluded.begins_on, ends_on = excluded.ends_on
    """: {**_member, "student": family_changes.student},
    """
    INSERT INTO class_teachers (sourced_id, class_id, staff_id, active, begins_on, ends_on)
    VALUES ('T' || :class || :staff, :class, :staff, :active, :begins, :ends)
    ON CONFLICT (sourced_id) DO UPDATE SET
        active = excluded.active, begins_on = excluded.begins_on, ends_on = excluded.ends_on
    """: {**_member, "staff": st.sampled_from((1, 2))},
}
change = st.one_of(
    family_changes.change,
    *(st.tuples(st.just(statement), st.fixed_dictionaries(values)) for statement, values in CHANGES.items()),
)
_MORE = """
INSERT INTO schools (id, sourced_id, name) OVERRIDING SYSTEM VALUE VALUES (2, 'O2', 'Roosevelt');
INSERT INTO staff (id, sourced_id, given_name, family_name)
OVERRIDING SYSTEM VALUE VALUES (1, 'T1', 'Ana', 'García'), (2, 'T2', 'Tom', 'Brown');
INSERT INTO classes (id, sourced_id, school_id, title)
OVERRIDING SYSTEM VALUE VALUES (1, 'K1', 1, 'Homeroom 5A'), (2, 'K2', NULL, 'Art');
INSERT INTO class_teachers (sourced_id, class_id, staff_id) VALUES ('T11', 1, 1);
INSERT INTO class_students (sourced_id, class_id, student_id) VALUES ('E11', 1, 1), ('E12', 1, 2);
"""


def start(connection):
    """Add the families of `family_changes`, another school, and two teachers to an empty database."""
    connection.execute(text(family_changes.FAMILIES + _MORE))


def expected_scores(connection, day, *, zone, reachable_days):
    """Return {group: score} of every group with students."""
    tables = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in TABLES}
    return _Model(tables, day, zone, reachable_days).scores()


class _Model:
    def __init__(self, tables, day, zone, reachable_days):
        self.tables, self.day = tables, day
        self.start, self.end = (datetime.combine(each, datetime.min.time(), zone) for each in (day, day + _DAY))
        self.since = self.end - reachable_days * _DAY
        self.numbers = {number.phone: number for number in tables["phone_numbers"]}
        self.messages = {message.id: message for message in tables["mass_messages"]}
        self.reached = {row.phone for row in tables["deliveries"] if self.counts(row)}
        self.entries = {entry.contact_id: entry for entry in tables["cleanup_list"]}
        self.contacts = {contact.id: contact for contact in tables["contacts"] if contact.active}

    def counts(self, delivery):
        message = self.messages[delivery.mass_message_id]
        is_final = message.settled_at is not None and message.settled_at < self.end and message.silent_at is None
        return delivery.outcome == "delivered" and is_final and self.since <= message.sent_at < self.end

    def scores(self):
        groups = defaultdict(list)
        for student in self.tables["students"]:
            if student.active:
                for group in self.groups_of(student):
                    groups[group].append(student)
        return {group: self.score(students) for group, students in groups.items()} or {
            Group(GroupKind.DISTRICT): self.score([])
        }

    def groups_of(self, student):
        yield Group(GroupKind.DISTRICT)
        taught_by = {
            teaching.staff_id
            for enrollment in self.tables["class_students"]
            for teaching in self.tables["class_teachers"]
            if enrollment.student_id == student.id and enrollment.class_id == teaching.class_id
            if self.is_current(enrollment) and self.is_current(teaching)
        }
        for place in self.tables["student_schools"]:
            if place.student_id == student.id:
                yield Group(GroupKind.SCHOOL, place.school_id)
                if student.grade is not None:
                    yield Group(GroupKind.GRADE, place.school_id, student.grade)
                for staff_id in taught_by:
                    yield Group(GroupKind.TEACHER, place.school_id, None, staff_id)

    def is_current(self, enrollment):
        has_begun = enrollment.begins_on is None or enrollment.begins_on <= self.day
        return enrollment.active and has_begun and (enrollment.ends_on is None or enrollment.ends_on > self.day)

    def score(self, students):
        ways = [[self.ways(contact) for contact in self.adults(student)] for student in students]
        adults = {contact.id for student in students for contact in self.adults(student)}
        listed = [self.entries[contact_id] for contact_id in adults if contact_id in self.entries]
        return Score(
            students=len(students),
            delivered=sum(any("delivered" in way for way in of_student) for of_student in ways),
            textable=sum(any("text" in way for way in of_student) for of_student in ways),
            reachable=sum(any(of_student) for of_student in ways),
            unreachable=sum(not any(of_student) for of_student in ways),
            to_fix=sum(entry.updated_at is None for entry in listed),
            fixed=sum(entry.updated_at is not None for entry in listed),
            confirmed=len({change.contact_id for change in self.confirmed()} & adults),
        )

    def confirmed(self):
        for change in self.tables["list_changes"]:
            settled_at = self.messages[change.mass_message_id].settled_at
            if change.move == "left" and change.fixed_by and settled_at and self.start <= settled_at < self.end:
                yield change

    def adults(self, student):
        for link in self.tables["student_contacts"]:
            is_removed = any(
                removal.undone_at is None
                and removal.contact_id == link.contact_id
                and removal.student_id in {None, student.id}
                for removal in self.tables["removals"]
            )
            if link.student_id == student.id and link.active and not is_removed and link.contact_id in self.contacts:
                yield self.contacts[link.contact_id]

    def ways(self, contact):
        """Return how a contact can be reached: nothing, or some of `text`, `delivered`, and `other`."""
        edits = {
            edit.field: edit
            for edit in self.tables["edits"]
            if edit.contact_id == contact.id and edit.state in IN_FORCE
        }
        phone = edits["phone"].value if "phone" in edits else contact.sis_phone
        method = edits["method"].value if "method" in edits else contact.sis_method
        tried = [row for row in self.tables["tried_numbers"] if (row.contact_id, row.phone) == (contact.id, phone)]
        is_tried = "phone" not in edits or bool(tried)
        status = self.status(phone, is_proved=any(row.proved_at for row in tried)) if is_tried else None
        if method == "text" and phone and not status:
            return {"text", "delivered"} if is_tried and phone in self.reached else {"text"}
        if method == "call" and phone and status not in {"inactive", "wrong_person"}:
            return {"other"}
        return {"other"} if method == "email" and contact.email else set()

    def status(self, phone, *, is_proved):
        number = self.numbers.get(phone)
        if number is None:
            return None
        if number.opted_out_at:
            return "opt_out"
        if number.wrong_person_at and not is_proved:
            return "wrong_person"
        if number.noted:
            return "opt_out" if number.noted == "refused" else "inactive"
        return number.status if number.status != "wrong_person" else None


_DAY = timedelta(days=1)
