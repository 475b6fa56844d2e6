"""*Several at once…*: contacts of a page changed together, each by itself, and what was refused is said."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text, update
from support import people

from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact, StudentSchool
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def families(session, office):
    """Sam, Lea and Kim at Lincoln, each with a landline; Kim's contact is also one of Kai's, of another school."""
    lincoln = office.district.lincoln
    kai = people.student(session, "Kai", at=office.district.roosevelt)
    made = {}
    for name, also in (("Sam", ()), ("Lea", ()), ("Kim", (kai,))):
        student = people.student(session, name, at=lincoln)
        made[name] = people.contact(session, student, *also, given=f"{name}s", family="Parent")
        people.listed(session, made[name], "landline")
    people.school_class(session, office.district.ana, lincoln, student)
    session.commit()
    return made


def dialog(person):
    message = person.command("/cleanup", "landline").message
    assert person.press(message, action_id="list.bulk").ok
    return person.view


def options(view):
    return {one["text"]["text"]: one["value"] for one in view.body["blocks"][0]["element"]["options"]}


def change(office, person, view, what, **more):
    done = person.fill(view, {"who": list(options(view).values()), "what": what} | more).submit()
    office.settled()
    return done


def methods(session):
    session.rollback()
    return session.scalars(select(Edit.value).where(Edit.state == "pending")).all()


def test_the_contacts_of_the_page_are_named_with_student_and_status(office, families):
    assert set(options(dialog(office.clara))) == {
        "Sams Parent (Sam Rivera), Landline",
        "Leas Parent (Lea Rivera), Landline",
        "Kims Parent (Kim Rivera), Landline",
    }


def test_landlines_are_switched_to_autocalls_together_and_the_list_shows_it(office, families, session):
    assert change(office, office.clara, dialog(office.clara), "call").ok
    assert "3 contacts get autocalls from now on." in text_of(office.clara.view)
    assert methods(session) == ["call"] * 3
    assert text_of(office.clara.last()).count("waiting for the next mass message") == 3
    assert "Nobody on this page" in text_of(dialog(office.clara))


def test_whom_others_answer_for_too_is_refused_by_itself_and_the_rest_is_removed(office, families, session):
    assert change(office, office.clara, dialog(office.clara), "remove asked").ok
    said = text_of(office.clara.view)
    assert "2 contacts were removed." in said
    assert "1 contact stayed as it was" in said
    assert "outside your list" in said
    assert said.endswith("• Kims Parent (Kim Rivera), Landline")
    assert "Sams" not in said
    session.rollback()
    assert len(session.scalars(select(Removal)).all()) == 2


def test_a_removal_is_chosen_together_with_its_reason(office, families, session):
    change(office, office.clara, dialog(office.clara), "remove duplicate")
    assert set(session.scalars(select(Removal.reason))) == {"The same person is listed twice"}
    ways = dialog(office.clara).body["blocks"][1]["element"]["options"]
    assert all(": " in way["text"]["text"] for way in ways if way["value"].startswith("remove"))


def test_what_somebody_else_changed_meanwhile_stays_as_they_left_it(office, families, session):
    view = dialog(office.clara)
    session.execute(update(Contact).where(Contact.id == families["Sam"].id).values(version=2))
    session.commit()
    assert change(office, office.clara, view, "call").ok
    said = text_of(office.clara.view)
    assert "2 contacts get autocalls" in said
    assert "Somebody changed this contact" in said
    assert "• Sams Parent (Sam Rivera), Landline" in said


def test_whose_number_is_out_of_service_is_named_and_gets_no_autocalls(office, families, session):
    view = dialog(office.clara)
    session.execute(update(PhoneNumber).values(status="inactive").where(PhoneNumber.phone == families["Lea"].sis_phone))
    session.commit()
    change(office, office.clara, view, "call")
    said = text_of(office.clara.view)
    assert "2 contacts get autocalls" in said
    assert "or remove the contact.\n• Leas Parent (Lea Rivera), Landline" in said


def test_sent_off_twice_it_is_done_once(office, families, session):
    view = dialog(office.clara)
    filled = office.clara.fill(view, {"who": list(options(view).values()), "what": "call"})
    filled.submit()
    filled.submit_stale()
    office.settled()
    assert methods(session) == ["call"] * 3


def test_of_two_on_one_page_neither_holds_what_the_other_waits_for(office, families, session):
    """Whoever waits for the first contact holds no later one, in whichever order they were ticked."""
    view = dialog(office.clara)
    ticked = sorted(options(view).values(), key=lambda value: int(value.split()[0]), reverse=True)
    first, *later = sorted(one.id for one in families.values())
    locked = select(Contact.id).with_for_update()
    session.execute(locked.where(Contact.id == first))
    with ThreadPoolExecutor(1) as elsewhere:
        done = elsewhere.submit(office.clara.fill(view, {"who": ticked, "what": "call"}).submit)
        _until_somebody_waits(office)
        held = session.scalars(locked.where(Contact.id.in_(later)).with_for_update(skip_locked=True)).all()
        session.rollback()
    assert sorted(held) == later
    assert done.result().ok
    assert methods(session) == ["call"] * 3


def _until_somebody_waits(office):
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = time.monotonic() + 10
    with office.engine.connect() as connection:
        while not connection.scalar(waiting):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_a_contact_of_students_that_one_may_not_see_is_not_changed(office, families, session):
    """A dialog that somebody made up, or whose rights ended for one of them."""
    view = dialog(office.clara)
    session.execute(StudentSchool.__table__.delete().where(StudentSchool.school_id == office.district.lincoln.id))
    session.commit()
    assert change(office, office.clara, view, "call").ok
    assert "3 contacts stayed as they were" in text_of(office.clara.view)
    assert methods(session) == []


@pytest.mark.parametrize("settings_changed", [{"editor_roles": "principal"}])
def test_whoever_may_only_look_reads_so(office, families):
    message = office.clara.command("/cleanup", "landline").message
    assert office.clara.press(message, action_id="list.bulk").ok
    assert "changing contacts is for other roles" in text_of(office.clara.last())


def test_taken_together_colleagues_see_who_takes_care_and_cannot_take_them(office, families, session):
    assert change(office, office.clara, dialog(office.clara), "take").ok
    assert "3 contacts are yours now." in text_of(office.clara.view)
    kims = office.ana.command("/cleanup", "landline").message
    assert f"<@{office.clara.id}> takes care of it" in text_of(kims)
    assert change(office, office.ana, dialog(office.ana), "take").ok
    assert "A colleague was faster" in text_of(office.ana.view)
