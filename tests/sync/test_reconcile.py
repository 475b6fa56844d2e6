"""Edits against the next SIS value: pending, absorbed, or in conflict. Maria is Sam's mother."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from support import edits, people
from support import sis_bundles as bundles
from support.empty_tables import empty_tables
from support.sis_nights import Nights

from bot.access.rights import AccessLevel
from bot.contact_edits.pending import iter_pending
from bot.contact_edits.pending_page import load_pending_page
from bot.db.models.roster import Contact, Staff, Student, SyncRun
from bot.sync.notices import enqueue_notices, load_editor_summary

SIS, OURS, THIRD, FOURTH = "+13125550142", "+13125550199", "+13125550177", "+13125550166"


def find(session, model, who):
    return session.scalars(select(model).where(model.sourced_id == who)).one()


def office(session):
    return people.actor_of(find(session, Staff, "dana"), level=AccessLevel.DISTRICT)


def edit(nights, **fields):
    with Session(nights.engine) as session, session.begin():
        edits.change(session, find(session, Contact, "maria"), actor=office(session), **fields)


def sync_with_phone(nights, phone):
    nights.user("maria")["phone"] = phone or ""
    return nights.sync()


def edit_states(nights):
    """Return (state, sis_value) of Maria's edits, oldest first."""
    return nights.rows(
        "SELECT e.state, e.sis_value FROM edits e JOIN contacts c ON c.id = e.contact_id "
        "WHERE c.sourced_id = 'maria' ORDER BY e.id"
    )


def effective_phones(nights):
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
def test_sis_value_decides_the_state_of_an_edit(nights, sis, expected, counted):
    edit(nights, phone=OURS)
    report = sync_with_phone(nights, sis)
    assert edit_states(nights) == [expected]
    assert report.edits == {"pending": 0, "absorbed": 0, "conflict": 0} | {counted: 1}
    assert effective_phones(nights) == [OURS]


def test_removed_number_is_in_conflict_with_a_new_one(nights):
    edit(nights, phone="")
    assert effective_phones(nights) == [None]
    sync_with_phone(nights, THIRD)
    assert (edit_states(nights), effective_phones(nights)) == ([("conflict", THIRD)], [None])


def test_removed_number_is_absorbed_by_a_blank(nights):
    edit(nights, phone="")
    sync_with_phone(nights, None)
    assert edit_states(nights) == [("absorbed", None)]


def test_conflict_follows_the_sis_until_it_agrees(nights):
    edit(nights, phone=OURS)
    sync_with_phone(nights, THIRD)
    since = nights.rows("SELECT sis_at FROM edits")
    sync_with_phone(nights, THIRD)
    assert nights.rows("SELECT sis_at FROM edits") == since
    sync_with_phone(nights, FOURTH)
    assert edit_states(nights) == [("conflict", FOURTH)]
    assert nights.rows("SELECT sis_at FROM edits") != since
    sync_with_phone(nights, SIS)
    assert edit_states(nights) == [("pending", None)]
    sync_with_phone(nights, OURS)
    assert edit_states(nights) == [("absorbed", None)]
    assert [
        action for action, *_ in nights.rows("SELECT action FROM audit WHERE action LIKE 'edit.%' ORDER BY id")
    ] == [
        "edit.disputed",
        "edit.disputed",
        "edit.resumed",
        "edit.absorbed",
    ]


def test_edited_contact_method_stays_pending(nights):
    edit(nights, method="call")
    sync_with_phone(nights, THIRD)
    assert edit_states(nights) == [("pending", None)]


def test_audit_has_masked_numbers(nights):
    edit(nights, phone=OURS)
    sync_with_phone(nights, THIRD)
    assert nights.rows("SELECT action, actor, before, after FROM audit WHERE actor = 'sync' ORDER BY id") == [
        ("phone.changed", "sync", "••• 0142", "••• 0177"),
        ("edit.disputed", "sync", "••• 0199", "••• 0177"),
    ]


def test_edit_waits_for_its_contact_to_return(nights):
    edit(nights, phone=OURS)
    maria = nights.user("maria") | {"phone": THIRD}
    nights.leave("maria")
    assert nights.sync().edits["pending"] == 0
    assert edit_states(nights) == [("pending", None)]
    nights.tables["users"].append(maria)
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    nights.sync()
    assert (edit_states(nights), effective_phones(nights)) == ([("conflict", THIRD)], [OURS])


def test_removal_survives_the_absence_of_its_contact(nights):
    with Session(nights.engine) as session, session.begin():
        edits.remove(session, find(session, Contact, "maria"), None, actor=office(session))
    maria = nights.user("maria")
    nights.sync()
    nights.leave("maria")
    nights.sync()
    nights.tables["users"].append(maria | {"phone": THIRD})
    nights.tables["roles"].append(bundles.role("maria", "parent"))
    nights.sync()
    assert "maria" in nights.active("contacts")
    assert effective_phones(nights) == []


def test_removal_from_one_student_keeps_the_other_link(nights):
    with Session(nights.engine) as session, session.begin():
        edits.remove(
            session,
            find(session, Contact, "joao"),
            find(session, Student, "sam"),
            actor=office(session),
        )
    nights.sync()
    assert nights.rows("SELECT student_sourced_id FROM effective_contacts WHERE contact_sourced_id = 'joao'") == [
        ("lea",)
    ]


def listed(nights):
    with Session(nights.engine) as session, session.begin():
        people.list_contact(session, find(session, Contact, "maria"))


def test_sis_change_marks_a_listed_contact_as_updated(nights):
    listed(nights)
    sync_with_phone(nights, THIRD)
    assert nights.rows("SELECT updated_by, updated_at IS NOT NULL FROM cleanup_list") == [("sync", True)]
    sync_with_phone(nights, SIS)
    assert nights.rows("SELECT updated_by, updated_at FROM cleanup_list") == [(None, None)]


@pytest.mark.parametrize("sis", [OURS, THIRD])
def test_edited_listed_contact_keeps_its_editor(nights, sis):
    listed(nights)
    edit(nights, phone=OURS)
    before = nights.rows("SELECT updated_by, updated_at FROM cleanup_list")
    sync_with_phone(nights, sis)
    assert nights.rows("SELECT updated_by, updated_at FROM cleanup_list") == before


def test_edit_saved_during_a_sync_is_reconciled(nights):
    saved = []

    def edit_before_contacts(step, _done, _total):
        if step == "students":
            edit(nights, phone=OURS)
            saved.append(step)

    nights.user("maria")["phone"] = THIRD
    nights.sync(progress=edit_before_contacts)
    assert saved
    assert (edit_states(nights), effective_phones(nights)) == ([("conflict", THIRD)], [OURS])


def test_absorbed_edit_that_the_sis_takes_back_is_reverted_once(nights):
    edit(nights, phone=OURS)
    sync_with_phone(nights, OURS)
    sync_with_phone(nights, SIS)
    assert edit_states(nights) == [("reverted", SIS)]
    since = nights.rows("SELECT sis_at FROM edits")
    with Session(nights.engine) as session, session.begin():
        run = session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()
        summary = load_editor_summary(session, run.id, actor=office(session), limit=5)
        assert enqueue_notices(session, admins=[], now=nights.now) >= 1
    assert (summary.reverted_count, [each.sis for each in summary.reverted]) == (1, [SIS])
    sync_with_phone(nights, THIRD)
    sync_with_phone(nights, SIS)
    assert nights.rows("SELECT sis_at FROM edits") == since


def test_later_change_of_the_sis_reverts_nothing(nights):
    edit(nights, phone=OURS)
    sync_with_phone(nights, OURS)
    sync_with_phone(nights, THIRD)
    sync_with_phone(nights, SIS)
    assert edit_states(nights) == [("absorbed", None)]


def remove_maria(nights, student):
    with Session(nights.engine) as session, session.begin():
        edits.remove(
            session, find(session, Contact, "maria"), student and find(session, Student, student), actor=office(session)
        )


def unlink_maria(nights):
    nights.user("sam")["agentSourcedIds"], nights.user("maria")["agentSourcedIds"] = "joao", ""


@pytest.mark.parametrize("student", ["sam", None])
def test_removal_ends_when_the_sis_agrees(nights, student):
    remove_maria(nights, student)
    nights.sync()
    unlink_maria(nights)
    nights.sync()
    assert nights.rows("SELECT undone_by FROM removals") == [("sync",)]
    nights.user("sam")["agentSourcedIds"] = "maria,joao"
    nights.sync()
    assert effective_phones(nights) == [SIS]


def test_removal_survives_the_absence_of_its_student(nights):
    remove_maria(nights, "sam")
    sam = nights.user("sam")
    nights.leave("sam")
    nights.sync()
    nights.tables["users"].append(sam)
    nights.tables["roles"].append(bundles.role("sam", "student"))
    nights.sync()
    assert effective_phones(nights) == []


def test_edit_of_a_contact_who_left_is_pending_but_not_exported(nights):
    edit(nights, phone=OURS)
    nights.leave("maria")
    nights.sync()
    students = select(Student.id).where(Student.active)
    with Session(nights.engine) as session:
        page = load_pending_page(session, students, page_size=5, is_district=True)
        exported = list(iter_pending(session, students))
    assert [(change.new, change.left, change.students) for change in page.changes] == [(OURS, True, ("Sam Rivera",))]
    assert exported == []


ACTS = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from([OURS, THIRD, FOURTH, ""])),
    st.tuples(st.just("sis"), st.sampled_from([SIS, OURS, THIRD, FOURTH, None])),
    st.tuples(st.just("away"), st.none()),
)


class Model:
    """The rule in a few lines, to compare any sequence of edits and syncs with."""

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
    def effective_phones(self):
        return [self.shown] if self.here else []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=6))
def test_no_sequence_loses_an_edit_or_applies_it_twice(empty_database, tmp_path_factory, acts):
    empty_tables(empty_database)
    nights = Nights(empty_database, tmp_path_factory.mktemp("bundle"))
    nights.sync_first()
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
        assert (in_force, effective_phones(nights)) == (model.state, model.effective_phones)
