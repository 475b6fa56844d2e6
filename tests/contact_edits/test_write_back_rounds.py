"""Random edits, approvals, crashes, lost answers, syncs, and changes by other people in the SIS, against a model."""

import os
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from support import aeries_server, edits, powerschool_server
from support.aeries_desk import SAM, AeriesDesk
from support.powerschool_desk import Desk, Killed
from support.powerschool_server import small_district
from support.sis_faults import Fault, disconnect, responding

from bot.db.models.edits import IN_FORCE, Edit
from bot.db.models.roster import Contact
from bot.db.models.sis_writes import OPEN, SisWrite, SisWriteBatch
from bot.db.session import transaction
from bot.errors import UserError
from bot.sis.contact_phones import Phone, choose_number

ROUNDS = int(os.environ.get("WRITE_BACK_ROUNDS", "40"))


class PowerSchoolSide:
    """What the model has to know of PowerSchool."""

    people = tuple(range(2001, 2007))
    changes = "^(PUT|POST|DELETE) /ws/contacts"

    def __init__(self, server):
        self.server = server

    @classmethod
    def serving(cls):
        tables = small_district()
        tables["contact_links"] = [
            {"link_id": person, "student_dcid": 1, "person_id": person, "link_order": person - 2000}
            for person in cls.people
        ]
        return powerschool_server.serving(tables=tables, refusals=None, page_limit=1000)

    def desk(self, engine, folder):
        return Desk(engine, folder, self.server)

    def add(self, person, numbers):
        self.server.add_person(person, f"Adult{person}", "Rivera", numbers)

    def person(self, sourced_id):
        return int(sourced_id)

    def change(self, person, number, chance):
        phones = self.server.people[person].phones
        kind = chance.choice(("change", "change", "add", "delete"))
        if kind == "add" or not phones:
            phone_id = next(self.server.phone_ids)
            phones[phone_id] = {"contactsPhoneId": phone_id, "phoneNumber": number, "phoneType": "Mobile"}
        elif kind == "change":
            chance.choice(list(phones.values()))["phoneNumber"] = number
        else:
            del phones[chance.choice(list(phones))]

    def phones(self, person):
        return map_phones(self.server.people[person])

    def writes(self, person):
        """Return (before, after) of each write, ten digits or blank."""
        return [(before, after) for _, key, before, after in self.server.writes if key == person]


class AeriesSide:
    """What the model has to know of Aeries."""

    people = tuple((SAM, sequence) for sequence in range(1, 7))
    changes = "^POST .*UpdateContact"
    serving = staticmethod(aeries_server.serving)

    def __init__(self, server):
        self.server = server

    def desk(self, engine, folder):
        return AeriesDesk(engine, folder, self.server)

    def add(self, person, numbers):
        phones = dict(zip(("CellPhone", "HomePhone"), (number[2:] for number in numbers), strict=False))
        self.server.add(*person, f"Adult{person[1]}", "Rivera", **phones)

    def person(self, sourced_id):
        return SAM, int(sourced_id.rsplit("_", 1)[1])

    def change(self, person, number, chance):
        kind = chance.choice(aeries_server.PHONES)
        self.server.contacts[person][kind] = chance.choice((number[2:], number[2:], ""))

    def phones(self, person):
        fields = self.server.contacts[person]
        kinds = (("CellPhone", "Mobile"), ("HomePhone", "Home"), ("WorkPhone", "Work"))
        return [Phone(at, fields[name], kind) for at, (name, kind) in enumerate(kinds)]

    def writes(self, person):
        return [(before, after) for key, _, before, after in self.server.writes if key == person]


@pytest.mark.parametrize("kind", [PowerSchoolSide, AeriesSide])
def test_random_edits_kills_and_registrars_lose_double_and_overwrite_nothing(empty_database, tmp_path, kind):
    """`WRITE_BACK_ROUNDS=2000` for more."""
    seed = int(os.environ.get("WRITE_BACK_SEED", "0")) or random.randrange(1_000_000)  # noqa: S311 - no secret.
    model = Model(empty_database, tmp_path, random.Random(seed))  # noqa: S311 - no secret.
    with kind.serving() as server:
        model.start(kind(server))
        for _ in range(ROUNDS):
            model.play()
        model.finish()
    print(f"{kind.__name__}, seed {seed}: {dict(model.counts)}")
    assert model.problems == [], f"seed {seed}"


def map_phones(person):
    return [
        Phone(
            each["contactsPhoneId"],
            each["phoneNumber"],
            each.get("phoneType", ""),
            is_sms=each.get("sms", False),
            is_preferred=each.get("preferred", False),
            sequence=each.get("sequence", 0),
        )
        for each in person.phones.values()
    ]


class Model:
    """Random rounds for a few contacts. Every number is new, so that each tells who entered it."""

    def __init__(self, engine, folder, chance):
        self.engine, self.folder, self.random = engine, folder, chance
        self.counts, self.problems = Counter(), []
        self.next_number = 2_000_000

    def start(self, side):
        self.side, self.people = side, side.people
        for person in self.people:
            side.add(person, [self.number() for _ in range(self.random.randrange(3))])
        self.desk = side.desk(self.engine, self.folder)
        self.desk.sync()

    def number(self):
        self.next_number += 1
        return f"+1312{self.next_number}"

    def play(self):
        self.desk.now += timedelta(minutes=self.random.choice((0, 1, 3, 10)))
        step = self.random.choice(
            (self.staff, self.staff, self.approve, self.write, self.write, self.registrar, self.sync)
        )
        step()

    def staff(self):
        phone = self.random.choice((self.number(), self.number(), self.number(), ""))
        with suppress(UserError):  # The contact has no number already.
            self.desk.edit(self.random.choice(self.people), phone)
            self.counts["edits"] += 1

    def approve(self):
        with suppress(UserError):  # There is nothing to approve.
            self.desk.approve()

    def registrar(self):
        person = self.random.choice(self._approved() or self.people)
        self.side.change(person, self.number(), self.random)
        self.counts["changed there"] += 1

    def _approved(self):
        """Return the contacts whose approved numbers are not written yet: a change there is the most telling."""
        with transaction(self.engine) as session:
            contacts = select(Contact.sourced_id).join(Edit, Edit.contact_id == Contact.id)
            waiting = contacts.join(SisWrite, SisWrite.edit_id == Edit.id).where(SisWrite.state.in_(OPEN))
            return [self.side.person(sourced_id) for sourced_id in session.scalars(waiting.order_by(Contact.id))]

    def write(self):
        if self.random.random() < 0.3:
            answer = self.random.choice((disconnect, responding(500), responding(429, retry_after=0)))
            after = self.random.random() < 0.5
            self.side.server.faults = [Fault(self.side.changes, answer, after=after)]
        self.desk.kill_at = self.random.choice((None, *range(12)))
        try:
            self.desk.write()
        except Killed:
            self.counts["kills"] += 1
        except UserError:
            self.counts["refusals"] += 1
        self.desk.kill_at = None
        self.side.server.faults = []

    def sync(self):
        self.desk.sync()

    def finish(self):
        """Write what is open, sync, and check each write and each contact."""
        for _ in range(12):
            self.desk.write(later=timedelta(minutes=11))
        self.desk.sync()
        self.counts["writes"] = len(self.side.server.writes)
        with transaction(self.engine) as session:
            self.counts.update(session.scalars(select(SisWrite.state)))
            if session.scalars(select(SisWrite).where(SisWrite.state.in_(OPEN))).all():
                self.problems.append("a write is still open")
            if session.scalars(select(SisWriteBatch).where(SisWriteBatch.state == "new")).all():
                self.problems.append("a batch has no result")
            for person in self.people:
                self._check(session, self.desk.contact(session, person), person)

    def _check(self, session, contact, person):
        made = session.scalars(select(Edit).where(Edit.contact_id == contact.id).order_by(Edit.id)).all()
        history = {(edit.base or "")[2:] + ">" + (edit.value or "")[2:] for edit in made}
        written = Counter()
        for before, after in self.side.writes(person):
            written[after or f"no {before}"] += 1
            if f"{before}>{after}" not in history:
                self.problems.append(f"{before}, which no edit was based on, was overwritten with {after}")
        self.problems += [f"{value} was written {times} times" for value, times in written.items() if times > 1]
        in_sis = choose_number(self.side.phones(person), region="US").e164
        in_force = [edit for edit in made if edit.state in IN_FORCE]
        expected = in_force[0].value if in_force else in_sis
        if edits.effective(session, contact)[0] != expected or contact.sis_phone != in_sis:
            self.problems.append(f"contact {person} has another number here than {expected} or {in_sis}")
        # Undone is an edit whose editor went back to what the SIS has.
        if made and made[-1].state not in {*IN_FORCE, "absorbed", "reverted", "undone"}:
            self.problems.append(f"the last edit of {person} is {made[-1].state}")
        if (
            made
            and made[-1].state == "absorbed"
            and (made[-1].value or "")[2:] not in written
            and made[-1].value != in_sis
        ):
            self.counts["absorbed, changed since"] += 1
