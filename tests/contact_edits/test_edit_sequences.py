"""Any sequence of changes, undos, syncs, and conflict resolutions leaves what the reference model predicts."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support import edits, people
from support.edit_model import EditModel

from bot.access.rights import AccessLevel
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import IN_FORCE, Edit, EditState
from bot.db.models.messages import ListEntry
from bot.errors import UserError

FAILED = "+13125550142"
PHONES = st.sampled_from([FAILED, "+13125559901", "+13125559902", None])
METHODS = st.sampled_from(["text", "call", "email"])
FIELDS = st.sampled_from(["phone", "method"])
STEPS = st.one_of(
    st.tuples(st.just("change"), PHONES, METHODS),
    st.tuples(st.just("undo"), FIELDS),
    st.tuples(st.just("sync_phone"), PHONES),
    st.tuples(st.just("resolve"), st.sampled_from(["ours", "sis"])),
)


class RealContact:
    """The verbs of `EditModel` on a contact in the database, each in a savepoint that an error for the user rolls back."""

    def __init__(self, session, actor):
        self.session, self.actor = session, actor
        self.contact = people.list_contact(session, people.contact(session, people.student(session), phone=FAILED))
        self.contact.email = "maria@home.example"
        session.flush()

    def edit(self, name):
        of_field = select(Edit).where(Edit.contact_id == self.contact.id, Edit.field == name)
        return self.session.scalars(of_field.where(Edit.state.in_(IN_FORCE))).one_or_none()

    def edit_id(self, name):
        edit = self.edit(name)
        return edit.id if edit else 0

    def succeeds(self, verb, *args):
        try:
            with self.session.begin_nested():
                getattr(self, verb)(*args)
        except UserError:
            return False
        return True

    def change(self, step, phone, method):
        edits.change(self.session, self.contact, phone=phone, method=method, actor=self.actor, now=time_of(step))

    def undo(self, step, name):
        undo_edit(self.session, self.edit_id(name), actor=self.actor, now=time_of(step))

    def resolve(self, step, keep):
        resolve_conflict(self.session, self.edit_id("phone"), keep=keep, actor=self.actor, now=time_of(step))

    def is_marked(self):
        return self.session.get_one(ListEntry, self.contact.id).updated_at is not None


def time_of(step):
    return people.NOW + timedelta(seconds=step)


@pytest.fixture
def dana(session):
    return people.actor_of(people.create_district(session).dana, level=AccessLevel.DISTRICT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_edits_equal_the_reference_model_after_any_sequence(session, dana, steps):
    model, real = EditModel({"phone": FAILED, "method": "text"}), RealContact(session, dana)
    for step, (verb, *args) in enumerate(steps):
        if verb == "sync_phone":
            model.sync_phone(*args)
            edits.sync_phone(session, real.contact, *args)
        else:
            succeeded = real.succeeds(verb, step, *args)
            assert succeeded == getattr(model, verb)(step, *args)
            differs = edits.effective(session, real.contact) != (FAILED, "text")
            assert not succeeded or real.is_marked() == differs
        assert edits.effective(session, real.contact) == (model.value("phone"), model.value("method"))
        edit = real.edit("phone")
        assert (edit is not None and edit.state == EditState.CONFLICT) == model.has_conflict("phone")
