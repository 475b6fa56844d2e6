"""Any sequence of changes, undos, syncs and choices leaves what a few lines of reference model say."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support import edits, people
from support.edit_model import EditOrSis

from bot.access import Reach
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
    st.tuples(st.just("sis"), PHONES),
    st.tuples(st.just("settle"), st.sampled_from(["ours", "sis"])),
)


class Contact:
    """The same acts on a real contact, each in a savepoint that a refusal rolls back."""

    def __init__(self, session, actor):
        self.session, self.actor = session, actor
        self.one = people.listed(session, people.contact(session, people.student(session), phone=FAILED))
        self.one.email = "maria@home.example"
        session.flush()

    def edit(self, name):
        edit = Edit
        mine = select(edit).where(edit.contact_id == self.one.id, edit.field == name)
        return self.session.scalars(mine.where(edit.state.in_(IN_FORCE))).one_or_none()

    def did(self, verb, *args):
        try:
            with self.session.begin_nested():
                getattr(self, verb)(*args)
        except UserError:
            return False
        return True

    def change(self, act, phone, method):
        edits.change(self.session, self.one, phone=phone, method=method, actor=self.actor, now=at(act))

    def undo(self, act, name):
        edit = self.edit(name)
        undo_edit(self.session, edit.id if edit else 0, actor=self.actor, now=at(act))

    def settle(self, act, keep):
        edit = self.edit("phone")
        edit_id = edit.id if edit else 0
        resolve_conflict(self.session, edit_id, keep=keep, actor=self.actor, now=at(act))


def at(act):
    return people.NOW + timedelta(seconds=act)


@pytest.fixture
def dana(session):
    return people.acting(people.a_district(session).dana, reach=Reach.DISTRICT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_what_everyone_reads_is_edit_or_sis_after_any_sequence(session, dana, steps):
    model, contact = EditOrSis({"phone": FAILED, "method": "text"}), Contact(session, dana)
    for act, (verb, *args) in enumerate(steps):
        if verb == "sis":
            model.sis_says(*args)
            edits.sis_says(session, contact.one, *args)
        else:
            did = contact.did(verb, act, *args)
            assert did == getattr(model, verb)(act, *args)
            assert not did or is_marked(session, contact) == (edits.stands(session, contact.one) != (FAILED, "text"))
        assert edits.stands(session, contact.one) == (model.value("phone"), model.value("method"))
        edit = contact.edit("phone")
        assert (edit is not None and edit.state == EditState.CONFLICT) == model.is_disputed("phone")


def is_marked(session, contact):
    entry = session.get_one(ListEntry, contact.one.id)
    return entry.updated_at is not None
