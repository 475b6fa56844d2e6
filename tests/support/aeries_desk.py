"""A district on a local Aeries server, whose roster is read as a OneRoster export with Aeries' ids of students."""

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import select
from support import sis_bundles as bundles
from support.powerschool_desk import Desk
from support.powerschool_server import IMPATIENT

from bot.db.models.roster import Contact
from bot.sis.aeries_calls import AeriesCalls
from bot.sis.aeries_contacts import AeriesContacts

SAM, LEA = 99400001, 99400002
MARIA, OTTO = (SAM, 1), (SAM, 2)


class AeriesDesk(Desk):
    """A contact is (student, sequence number)."""

    def __init__(self, engine, folder, aeries):
        super().__init__(engine, folder, powerschool=None)
        self.aeries = aeries

    def sync(self):
        tables = bundles.a_district()
        kept = [user for user in tables["users"] if user["sourcedId"] in {"ana", "clara", "dana"}]
        contacts = {_id(key): fields for key, fields in self.aeries.contacts.items()}
        students = [
            bundles.person(str(student), name, "Rivera", grades="05", agentSourcedIds=self._agents(student))
            for student, name in ((SAM, "Sam"), (LEA, "Lea"))
        ]
        tables["users"] = [*kept, *students, *(_person(key, fields) for key, fields in contacts.items())]
        tables["roles"] = [
            *tables["roles"][:3],
            *(bundles.role(student["sourcedId"], "student") for student in students),
            *(bundles.role(key, "parent") for key in contacts),
        ]
        pupils = [bundles.enrolled(student["sourcedId"]) for student in students]
        tables["enrollments"] = [bundles.enrolled("ana", "teacher"), *pupils]
        self.nights.tables = tables
        self.nights.now = self.now - timedelta(days=1)
        self.nights.sync(confirm=True)

    def _agents(self, student):
        return ",".join(_id(key) for key in self.aeries.contacts if key[0] == student)

    def contact(self, session, person_id=MARIA):
        return session.scalars(select(Contact).where(Contact.sourced_id == _id(person_id))).one()

    def edit(self, person_id=MARIA, phone="+13125550199", **values):
        return super().edit(person_id, phone, **values)

    def state(self, person_id=MARIA):
        return super().state(person_id)

    @contextmanager
    def open_sis(self):
        with AeriesCalls.open(self.aeries.certificate(), IMPATIENT) as calls:
            yield AeriesContacts(calls, region="US")


def _id(key):
    return f"CON_{key[0]}_{key[1]}"


def _person(sourced_id, fields):
    phone = fields["HomePhone"] or fields["WorkPhone"]
    return bundles.person(sourced_id, fields["FirstName"], fields["LastName"], sms=fields["CellPhone"], phone=phone)
