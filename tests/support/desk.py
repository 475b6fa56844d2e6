"""Two clerks and the contacts of one school, with the verbs of the counter at a time."""

from datetime import timedelta

from sqlalchemy import select
from support import people

from bot.access.identity import AccessRules
from bot.access.rights import AccessLevel
from bot.contact_edits.counter import CodeDialog, confirm_number, issue_code, take_code
from bot.db.models.messages import PhoneNumber
from bot.db.models.slack import SlackUser
from bot.db.models.views import contact_reach
from bot.providers.counter_codes import CounterText

NOW = people.NOW
OLD, NEW, OTHER = "+13125550142", "+13125559901", "+13125559902"


class Desk:
    """Two clerks and the contacts of one school, with the verbs of the counter at a time."""

    def __init__(self, session, contacts=1):
        self.session, self.texts = session, 0
        lincoln = self.lincoln = people.create_district(session).lincoln
        self.clerks = [
            people.staff(session, given, "Clerk", f"{given}@desk.example", role="siteAdministrator", at=lincoln)
            for given in ("Cleo", "Cora")
        ]
        self.actors = [
            people.actor_of(clerk, level=AccessLevel.SCHOOLS, at=(lincoln,), user_id=f"UC{clerk.id}")
            for clerk in self.clerks
        ]
        for actor in self.actors:
            user = SlackUser(user_id=actor.user_id, email=actor.email, full_member=True, time_zone=None)
            user.checked_at = NOW + timedelta(days=1)
            session.add(user)
        self.sam = people.student(session, at=lincoln)
        self.contacts = [people.contact(session, self.sam, given=f"Maria{n}", phone=OLD) for n in range(contacts)]
        self.maria = self.contacts[0]
        session.commit()

    def issue(self, contact=None, *, actor=None, now=NOW):
        shown = CodeDialog((contact or self.maria).id, self.sam.id, list_id=1)
        return issue_code(self.session, shown, actor=actor or self.actors[0], now=now).code

    def text(self, code, phone=NEW, *, key=None, now=NOW):
        self.texts += 1
        received = CounterText("twilio", key or f"SM{self.texts}", phone, code)
        return take_code(self.session, received, rules=AccessRules(), today=people.TODAY, now=now)

    def confirm(self, contact=None, *, now=NOW):
        """The contact confirms their number in a call."""
        contact, session = contact or self.maria, self.session
        version = session.scalar(select(people.Contact.version).where(people.Contact.id == contact.id))
        student_id = session.scalar(
            select(people.StudentContact.student_id).where(people.StudentContact.contact_id == contact.id)
        )
        of_student = {"student_id": student_id, "version": version}
        confirm_number(session, contact.id, **of_student, actor=self.actors[0], now=now)

    def phone(self, contact=None):
        reach = contact_reach.c
        return self.session.scalar(select(reach.phone).where(reach.contact_id == (contact or self.maria).id))

    def number(self, phone=NEW):
        self.session.expire_all()
        return self.session.get(PhoneNumber, phone)
