"""Random nights against a model: no edit, removal, or list entry is lost or doubled.

People get new ids, numbers move, staff edit, remove and undo. `HISTORIES=5000 pytest tests/sync/test_random_nights.py` runs that
many, with about 12,000 nights; the suite does twelve.
"""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from support import edits, people
from support.empty_tables import empty_tables
from support.sis_nights import Nights

from bot.access.rights import AccessLevel
from bot.contact_edits.remove import undo_removal
from bot.contact_edits.undo import undo_edit
from bot.db.models.edits import IN_FORCE, Edit, Removal
from bot.db.models.roster import Contact, Staff, Student

SIS, OURS, THIRD = "+13125550142", "+13125550199", "+13125550177"
NUMBERS = st.sampled_from([SIS, OURS, THIRD])
ACTS = st.one_of(
    st.tuples(st.just("edit"), NUMBERS),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("remove"), st.none()),
    st.tuples(st.just("bring_back"), st.none()),
    st.tuples(st.just("new_id"), NUMBERS),
    st.tuples(st.just("move"), NUMBERS),
    st.tuples(st.just("unlink"), st.none()),
)
_HISTORIES = int(os.environ.get("HISTORIES", "12"))


class Model:
    """Maria, who keeps name and email: `edits` are (base, value) in force, with those they replaced below them."""

    def __init__(self):
        self.sis, self.edits, self.removed, self.linked = SIS, [], False, True

    @property
    def shown(self):
        return self.edits[-1][1] if self.edits else self.sis

    def edit(self, number):
        self.edits = [] if number == self.sis else [*self.edits, (self.sis, number)]

    def night(self, number):
        self.sis = number
        if self.edits and self.edits[-1][1] == number:
            self.edits = []
        if not self.linked:
            self.removed = False


class Family:
    """The same person in the product."""

    def __init__(self, nights):
        self.nights, self.ids = nights, 0
        self.maria = nights.user("maria")
        with Session(nights.engine) as session, session.begin():
            people.list_contact(session, self.contact(session))

    def contact(self, session):
        return session.scalars(select(Contact).where(Contact.sourced_id == self.maria["sourcedId"])).one()

    def act(self, kind, value):
        with Session(self.nights.engine) as session, session.begin():
            dana = session.scalars(select(Staff).where(Staff.sourced_id == "dana")).one()
            office = people.actor_of(dana, level=AccessLevel.DISTRICT)
            contact = self.contact(session)
            if kind == "edit":
                edits.change(session, contact, actor=office, phone=value)
            elif kind == "undo":
                edit = session.scalars(select(Edit).where(Edit.state.in_(IN_FORCE))).one()
                undo_edit(session, edit.id, actor=office, now=people.NOW)
            elif kind == "remove":
                sam = session.scalars(select(Student).where(Student.sourced_id == "sam")).one()
                edits.remove(session, contact, sam, actor=office)
            elif kind == "bring_back":
                removal = session.scalars(select(Removal).where(Removal.undone_at.is_(None))).one()
                undo_removal(session, removal.id, actor=office, now=people.NOW)

    def night(self, kind, number, *, linked):
        old = self.maria["sourcedId"]
        if kind == "new_id":
            self.ids += 1
            new = f"maria-{self.ids}"
            self.maria["sourcedId"] = new
            for role in self.nights.tables["roles"]:
                if role["userSourcedId"] == old:
                    role.update(userSourcedId=new, sourcedId=f"R-{new}")
        self.maria["phone"] = number
        self.maria["agentSourcedIds"] = "sam" if linked else ""
        self.nights.user("sam")["agentSourcedIds"] = f"{self.maria['sourcedId']},joao" if linked else "joao"
        self.nights.sync()


def run_nights(engine, folder, acts):
    empty_tables(engine)
    nights, model = Nights(engine, folder), Model()
    nights.sync_first()
    family = Family(nights)
    for kind, value in acts:
        seen = model.linked and not model.removed
        if kind == "edit" and seen and value != model.shown:
            family.act(kind, value)
            model.edit(value)
        elif kind == "undo" and seen and model.edits:
            family.act(kind, value)
            model.edits.pop()
            if model.edits and model.edits[-1][1] == model.sis:
                model.edits = []
        elif kind == "remove" and seen:
            family.act(kind, value)
            model.removed = True
        elif kind == "bring_back" and model.removed and model.linked:
            family.act(kind, value)
            model.removed = False
        elif kind in ("new_id", "move", "unlink"):
            # Within one night, the SIS gives a new id only to contacts that it links with their student before and after.
            number = value or model.sis
            is_new_id = kind == "new_id" and model.linked
            model.linked = kind != "unlink"
            family.night("new_id" if is_new_id else "move", number, linked=model.linked)
            model.night(number)
        check(nights, family, model)


def check(nights, family, model):
    assert nights.rows("SELECT count(*) FROM contacts") == [(2,)]
    assert nights.rows("SELECT value FROM edits WHERE state IN ('pending', 'conflict')") == [
        (value,) for _, value in model.edits[-1:]
    ]
    assert nights.rows("SELECT count(*) FROM removals WHERE undone_at IS NULL") == [(int(model.removed),)]
    assert nights.rows("SELECT c.sourced_id FROM cleanup_list l JOIN contacts c ON c.id = l.contact_id") == [
        (family.maria["sourcedId"],)
    ]
    shown = nights.rows(
        "SELECT phone FROM effective_contacts WHERE contact_sourced_id = :who", who=family.maria["sourcedId"]
    )
    assert shown == ([(model.shown,)] if model.linked and not model.removed else [])


@settings(max_examples=_HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=2, max_size=8))
def test_no_night_loses_or_doubles_what_staff_did(empty_database, tmp_path_factory, acts):
    run_nights(empty_database, tmp_path_factory.mktemp("bundle"), acts)
