"""Who may act on a contact: every verb refuses people who may not see its student, and people who may only look."""

import pytest
from sqlalchemy import text
from support import edits, people
from support.errors import refused

from bot.access.rights import AccessLevel
from bot.contact_edits.change import change_contact
from bot.contact_edits.conflicts import resolve_conflict
from bot.contact_edits.remove import RemovalReason, remove_contact, undo_removal
from bot.contact_edits.undo import undo_edit
from bot.errors import UserError


@pytest.fixture
def ids(session, district):
    """Everything that can be acted on: Maria's edit in force, and the uncle who was removed, both of Sam in Ana's class."""
    clara = people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,))
    sam = people.student(session, at=district.lincoln)
    people.school_class(session, district.ana, district.lincoln, sam)
    maria = people.list_contact(session, people.contact(session, sam))
    otto = people.contact(session, sam, given="Otto", relationship="uncle")
    edit = edits.change(session, maria, phone="+13125559901", actor=clara).edit_ids[0]
    removal = edits.remove(session, otto, sam, actor=clara).id
    version = edits.version_of(session, maria)
    return {"contact": maria.id, "student": sam.id, "edit": edit, "removal": removal, "version": version}


NOBODY = 987_654


def _of_another_school(district):
    return people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.roosevelt,))


def _of_another_class(district):
    return people.actor_of(district.tom)


ACTS = {
    "change": lambda session, ids, actor: change_contact(
        session,
        ids["contact"],
        version=ids["version"],
        phone="+13125559902",
        method="call",
        actor=actor,
        region="US",
        opt_in_number=None,
        now=people.NOW,
    ),
    "undo": lambda session, ids, actor: undo_edit(session, ids["edit"], actor=actor, now=people.NOW),
    "keep ours": lambda session, ids, actor: resolve_conflict(
        session, ids["edit"], keep="ours", actor=actor, now=people.NOW
    ),
    "remove": lambda session, ids, actor: remove_contact(
        session,
        ids["contact"],
        student_id=ids["student"],
        version=ids["version"],
        reason=RemovalReason.ASKED,
        actor=actor,
        now=people.NOW,
    ),
    "remove from all": lambda session, ids, actor: remove_contact(
        session,
        ids["contact"],
        student_id=None,
        version=ids["version"],
        reason=RemovalReason.ASKED,
        actor=actor,
        now=people.NOW,
    ),
    "bring back": lambda session, ids, actor: undo_removal(session, ids["removal"], actor=actor, now=people.NOW),
}


def everything(session):
    session.flush()
    tables = ("edits", "removals", "audit", "contacts", "cleanup_list")
    return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in tables]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stranger", [_of_another_school, _of_another_class])
def test_a_contact_of_others_cannot_be_touched_and_sounds_like_one_that_never_was(
    session, district, ids, act, stranger
):
    before = everything(session)
    with pytest.raises(UserError) as hidden:
        ACTS[act](session, ids, stranger(district))
    with pytest.raises(UserError) as never:
        ACTS[act](session, dict.fromkeys(ids, NOBODY), stranger(district))
    assert hidden.value.sentence == never.value.sentence
    assert "not on your list" in hidden.value.sentence
    assert everything(session) == before


@pytest.mark.parametrize("act", ACTS)
def test_person_who_may_only_look_changes_nothing(session, district, ids, act):
    before = everything(session)
    with refused("access.no_editor"):
        ACTS[act](session, ids, people.actor_of(district.ana, may_edit=False))
    assert everything(session) == before
