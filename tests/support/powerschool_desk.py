"""A district on a local server of its SIS: staff edit contacts here, the registrar approves, and the clock writes.

The process that writes can be killed before and after each of its calls.
"""

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import select
from support import edits, people
from support.powerschool_server import IMPATIENT
from support.sis_nights import Nights

from bot.access.rights import AccessLevel, Actor
from bot.contact_edits import write_back
from bot.contact_edits.write_back_worker import write_due
from bot.db.models.edits import Edit
from bot.db.models.roster import Contact, Student
from bot.db.models.sis_writes import SisWrite
from bot.db.session import transaction
from bot.sis.powerschool_calls import Calls
from bot.sis.powerschool_contacts import ContactPhones

EVERYONE = select(Student.id).where(Student.active)
NEW_NUMBER = "+13125550199"
MARIA = 1001
REGISTRAR = Actor(
    user_id="U0REGISTRAR",
    staff_ids=(),
    name="Clara Clerk",
    email="clara.clerk@district.example",
    level=AccessLevel.DISTRICT,
    school_ids=(),
    may_edit=True,
    today=people.TODAY,
    may_export=True,
)


class Desk:
    """A district on PowerSchool: staff edit contacts here, the registrar approves, and the clock writes."""

    def __init__(self, engine, folder, powerschool):
        self.engine = engine
        self.powerschool = powerschool
        self.nights = Nights(engine, folder)
        self.now = people.NOW
        self.kill_at = None

    def sync(self):
        self.nights.now = self.now - timedelta(days=1)
        self.nights.read(self.powerschool.source(), confirm=True)

    def contact(self, session, person_id=MARIA):
        return session.scalars(select(Contact).where(Contact.sourced_id == str(person_id))).one()

    def edit(self, person_id=MARIA, phone=NEW_NUMBER, **values):
        with transaction(self.engine) as session:
            saved = edits.change(
                session, self.contact(session, person_id), phone=phone, actor=self.registrar, now=self.now, **values
            )
        return next(iter(saved.edit_ids), None)

    @property
    def registrar(self):
        return REGISTRAR

    def approve(self):
        with transaction(self.engine) as session:
            newest = write_back.count_writable(session, EVERYONE).newest
            write_back.approve_writes(session, EVERYONE, newest=newest, actor=self.registrar, now=self.now)

    def write(self, *, later=timedelta()):
        self.now += later
        return write_due(self.engine, self.open_writer, now=lambda: self.now)

    @contextmanager
    def open_writer(self):
        with self.open_sis() as sis:
            yield KilledWriter(sis, self)

    @contextmanager
    def open_sis(self):
        with Calls.open(self.powerschool.credentials(), IMPATIENT) as calls:
            yield ContactPhones(calls, region="US")

    def state(self, person_id=MARIA):
        """Return the number in effect, the state of each edit, and of each write with its reason."""
        with transaction(self.engine) as session:
            contact = self.contact(session, person_id)
            of_contact = select(SisWrite).join(Edit, Edit.id == SisWrite.edit_id).where(Edit.contact_id == contact.id)
            writes = [
                (write.state, write.reason) if write.reason else write.state
                for write in session.scalars(of_contact.order_by(SisWrite.id))
            ]
            states_ = [state for _, _, state in edits.states(session, contact)]
            return edits.effective(session, contact)[0], states_, writes

    def numbers(self, person_id=MARIA):
        return [phone["phoneNumber"] for phone in self.powerschool.people[person_id].phones.values()]


class Killed(BaseException):
    """The process ends here."""


class KilledWriter:
    """Kills the process before or after its nth step."""

    def __init__(self, sis, desk):
        self.inner = sis
        self.desk = desk
        self.sis, self.roster_host = sis.sis, sis.roster_host

    def find_obstacle(self, edit):
        return self._step(self.inner.find_obstacle, edit)

    def load_plan(self, edit):
        return self._step(self.inner.load_plan, edit)

    def send(self, edit, write):
        return self._step(self.inner.send, edit, write)

    def _step(self, call, *values):
        self._pass()
        result = call(*values)
        self._pass()
        return result

    def _pass(self):
        if self.desk.kill_at is not None:
            self.desk.kill_at -= 1
            if self.desk.kill_at < 0:
                self.desk.kill_at = None
                raise Killed
