"""What staff changed, against what the SIS says next: pending, absorbed, in conflict; a removal stays. Maria is Sam's mother."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from support import edits, people
from support import sis_bundles as bundles
from support.sis_nights import Nights

from bot.access import Reach
from bot.db.models.roster import Contact, Staff, Student

SIS, OURS, THIRD, FOURTH = "+13125550142", "+13125550199", "+13125550177", "+13125550166"


@pytest.fixture
def nights(empty_database, tmp_path):
    nights = Nights(empty_database, tmp_path / "bundle")
    nights.sync()
    return nights


def one(session, model, who):
    return session.scalars(select(model).where(model.sourced_id == who)).one()


def office(session):
    return people.acting(one(session, Staff, "dana"), reach=Reach.DISTRICT)


def edit(nights, **fields):
    with Session(nights.engine) as session, session.begin():
        edits.change(session, one(session, Contact, "maria"), actor=office(session), **fields)


def says(nights, phone):
    """A night in which the SIS has this number for Maria."""
    nights.user("maria")["phone"] = phone or ""
    return nights.sync()


def state(nights):
    """(state, sis_value) of Maria's edits, oldest first."""
    return nights.rows(
        "SELECT e.state, e.sis_value FROM edits e JOIN contacts c ON c.id = e.contact_id "
        "WHERE c.sourced_id = 'maria' ORDER BY e.id"
    )


def reached_at(nights):
    return [
        phone
        for (phone,) in nights.rows("SELECT DISTINCT phone FROM effective_contacts WHERE contact_sourced_id = 'maria'")
    ]


@pytest.mark.parametrize(
    ("sis", "expected", "counted"),
    [
        (SIS, ("pending", None), "pending"),
        ("(312) 555-0142 ", ("pending", None), "pending"),
        (OURS, ("absorbed", None), "absorbed"),
        ("1.312.555.0199", ("absorbed", None), "absorbed"),
        (THIRD, ("conflict", THIRD), "conflict"),
        (None, ("conflict", None), "conflict"),
        ("555-014", ("conflict", None), "conflict"),
    ],
)
def test_an_edit_is_pending_absorbed_or_in_conflict_by_what_the_sis_says_next(nights, sis, expected, counted):
    edit(nights, phone=OURS)
    report = says(nights, sis)
    assert state(nights) == [expected]
    assert report.edits == {"pending": 0, "absorbed": 0, "conflict": 0} | {counted: 1}
    assert reached_at(nights) == [OURS]


def test_a_number_that_staff_took_away_is_in_conflict_once_the_sis_has_another(nights):
    edit(nights, phone="")
    assert reached_at(nights) == [None]
    says(nights, THIRD)
    assert (state(nights), reached_at(nights)) == ([("conflict", THIRD)], [None])


def test_a_number_that_staff_took_away_is_absorbed_once_the_sis_has_none(nights):
    edit(nights, phone="")
    says(nights, None)
    assert state(nights) == [("absorbed", None)]


def test_a_conflict_follows_the_sis_until_it_agrees_or_takes_its_change_back(nights):
    edit(nights, phone=OURS)
    says(nights, THIRD)
    since = nights.rows("SELECT sis_at FROM edits")
    says(nights, THIRD)
    assert nights.rows("SELECT sis_at FROM edits") == since
    says(nights, FOURTH)
    assert state(nights) == [("conflict", FOURTH)]
    assert nights.rows("SELECT sis_at FROM edits") != since
    says(nights, SIS)
    assert state(nights) == [("pending", None)]
    says(nights, OURS)
    assert state(nights) == [("absorbed", None)]
    assert [
        action for action, *_ in nights.rows("SELECT action FROM audit WHERE action LIKE 'edit.%' ORDER BY id")
    ] == [
        "edit.disputed",
        "edit.disputed",
        "edit.resumed",
        "edit.absorbed",
    ]


def test_the_way_to_reach_somebody_is_ours_alone_and_waits_for_ever(nights):
    edit(nights, method="call")
    says(nights, THIRD)
    assert state(nights) == [("pending", None)]


def test_what_the_sync_did_to_numbers_and_edits_is_written_down_masked(nights):
    edit(nights, phone=OURS)
    says(nights, THIRD)
    assert nights.rows("SELECT action, actor, before, after FROM audit WHERE actor = 'sync' ORDER BY id") == [
        ("phone.changed", "sync", "••• 0142", "••• 0177"),
        ("edit.disputed", "sync", "••• 0199", "••• 0177"),
    ]


def test_an_edit_waits_while_its_contact_is_away_and_is_judged_on_the_return(nights):
    edit(nights, phone=OURS)
    maria = nights.user("maria") | {"phone": THIRD}
    nights.leave("maria")
    assert nights.sync().edits["pending"] == 0
    assert state(nights) == [("pending", None)]
    nights.tables["users"].append(maria)
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    nights.sync()
    assert (state(nights), reached_at(nights)) == ([("conflict", THIRD)], [OURS])


def test_a_removal_survives_every_sync_also_one_in_which_the_contact_was_away(nights):
    with Session(nights.engine) as session, session.begin():
        edits.remove(session, one(session, Contact, "maria"), None, actor=office(session))
    said = nights.user("maria")
    nights.sync()
    nights.leave("maria")
    nights.sync()
    nights.tables["users"].append(said | {"phone": THIRD})
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    nights.sync()
    assert "maria" in nights.active("contacts")
    assert reached_at(nights) == []


def test_a_removal_from_one_student_leaves_the_contact_with_the_other(nights):
    with Session(nights.engine) as session, session.begin():
        edits.remove(
            session,
            one(session, Contact, "joao"),
            one(session, Student, "sam"),
            actor=office(session),
        )
    nights.sync()
    assert nights.rows("SELECT student_sourced_id FROM effective_contacts WHERE contact_sourced_id = 'joao'") == [
        ("lea",)
    ]


def listed(nights):
    with Session(nights.engine) as session, session.begin():
        people.listed(session, one(session, Contact, "maria"))


def test_a_listed_contact_whose_number_the_sis_changes_waits_for_the_next_message(nights):
    listed(nights)
    says(nights, THIRD)
    assert nights.rows("SELECT updated_by, updated_at IS NOT NULL FROM cleanup_list") == [("sync", True)]
    says(nights, SIS)
    assert nights.rows("SELECT updated_by, updated_at FROM cleanup_list") == [(None, None)]


@pytest.mark.parametrize("sis", [OURS, THIRD])
def test_a_listed_contact_that_somebody_edited_goes_on_naming_who(nights, sis):
    listed(nights)
    edit(nights, phone=OURS)
    before = nights.rows("SELECT updated_by, updated_at FROM cleanup_list")
    says(nights, sis)
    assert nights.rows("SELECT updated_by, updated_at FROM cleanup_list") == before


def test_an_edit_saved_while_a_sync_runs_is_reconciled_by_it(nights):
    saved = []

    def at_the_last_moment(step, _done, _total):
        if step == "students":
            edit(nights, phone=OURS)
            saved.append(step)

    nights.user("maria")["phone"] = THIRD
    nights.sync(progress=at_the_last_moment)
    assert saved
    assert (state(nights), reached_at(nights)) == ([("conflict", THIRD)], [OURS])


ACTS = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from([OURS, THIRD, FOURTH, ""])),
    st.tuples(st.just("sis"), st.sampled_from([SIS, OURS, THIRD, FOURTH, None])),
    st.tuples(st.just("away"), st.none()),
)


class Model:
    """The rule in four lines, beside which any sequence of edits and syncs is held."""

    def __init__(self):
        self.sis, self.here, self.edit = SIS, True, None

    def act(self, kind, value):
        if kind == "edit" and self.here:
            self._edit(value or None)
        elif kind == "away":
            self.here = False
        elif kind == "sis":
            self.here, self.sis = True, value
            if self.edit and value == self.edit[1]:
                self.edit = None

    def _edit(self, value):
        if value != self.shown:
            self.edit = None if value == self.sis else (self.sis, value)

    @property
    def shown(self):
        return self.edit[1] if self.edit else self.sis

    @property
    def state(self):
        if self.edit:
            return [("pending" if self.sis == self.edit[0] else "conflict", self.edit[1])]
        return []

    @property
    def reached_at(self):
        return [self.shown] if self.here else []


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=6))
def test_no_sequence_of_edits_and_syncs_loses_an_edit_or_applies_one_twice(empty_database, tmp_path_factory, acts):
    with empty_database.begin() as connection:
        connection.execute(text("TRUNCATE contacts, students, staff, schools, sync_runs, edits, audit CASCADE"))
    nights = Nights(empty_database, tmp_path_factory.mktemp("bundle"))
    nights.sync()
    maria, model = nights.user("maria"), Model()
    for kind, value in acts:
        if kind == "edit" and model.here and (value or None) != model.shown:
            edit(nights, phone=value)
        elif kind != "edit":
            nights.leave("maria")
            if kind == "sis":
                nights.tables["users"].append(maria | {"phone": value or ""})
                nights.tables["roles"].append(bundles.role("maria", "parent"))
            nights.sync()
        model.act(kind, value)
        in_force = nights.rows("SELECT state, value FROM edits WHERE state IN ('pending', 'conflict')")
        assert (in_force, reached_at(nights)) == (model.state, model.reached_at)
