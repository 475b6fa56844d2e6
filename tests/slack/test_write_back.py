"""Approving new numbers for PowerSchool under `/cleanup pending`, and the direct message with the result."""

import pytest
from sqlalchemy import select, text
from support import aeries_server, edits, people, screens, surfaces
from support.powerschool_server import CLIENT, serving
from support.snapshots import draw

from bot.db.models.edits import Audit
from bot.db.models.roster import Contact, SyncRun, SyncState
from bot.sandbox.slack.models import text_of

WRITE = "changes.write"


@pytest.fixture
def powerschool():
    with serving() as running:
        yield running


@pytest.fixture
def settings_changed(powerschool):
    client_id, secret = CLIENT
    return {
        "export_roles": "siteAdministrator",
        "sis_write_back": "powerschool",
        "sis_powerschool_url": powerschool.url,
        "sis_powerschool_client_id": client_id,
        "sis_powerschool_client_secret": secret,
    }


@pytest.fixture
def family(session, office, powerschool):
    """Maria's and Otto's numbers were changed here; PowerSchool has Maria's old one, and a newer one of Otto's."""
    lincoln = office.district.lincoln
    sam = people.student(session, at=lincoln)
    people.school_class(session, office.district.ana, lincoln, sam)
    contacts = [
        people.contact(session, sam, given=name, phone=f"+1312555014{at}") for at, name in enumerate(["Maria", "Otto"])
    ]
    for number, contact in enumerate(contacts):
        contact.sourced_id = str(1001 + number)
        edits.change(session, contact, phone=f"(312) 555-019{number}", actor=surfaces.clerk(office))
    powerschool.add_person(1001, "Maria", "Rivera", ["312-555-0140"])
    powerschool.add_person(1002, "Otto", "Rivera", ["312-555-0177"])
    now = people.NOW
    session.add(SyncRun(source="127.0.0.1", started_at=now, finished_at=now, state=SyncState.DONE))
    session.commit()
    return contacts


def results(person):
    return [message for message in person.messages() if "you approved" in text_of(message)]


def pending(person):
    return person.command("/cleanup", "pending").message


def test_the_registrar_approves_and_gets_the_result(office, family, powerschool, session, snapshot):
    message = pending(office.clara)
    assert office.clara.press(message, action_id=WRITE).ok
    assert draw(office.clara.last()) == snapshot(name="answer")
    assert powerschool.writes == []
    office.tick()
    assert powerschool.writes == [("PUT", 1001, "3125550140", "3125550190")]
    [result] = results(office.clara)
    assert draw(result) == snapshot(name="result")
    assert "Otto" not in result.text
    states = session.execute(text("SELECT value, state FROM edits ORDER BY id")).all()
    assert [tuple(row) for row in states] == [("+13125550190", "absorbed"), ("+13125550191", "conflict")]
    office.tick()
    assert len(results(office.clara)) == 1
    assert session.scalar(select(Audit.after).where(Audit.action == "changes.approved")) == "2 changes"


def test_the_list_says_what_is_being_written(office, family, snapshot):
    message = pending(office.clara)
    assert WRITE in screens.action_ids(message)
    office.clara.press(message, action_id=WRITE)
    again = pending(office.clara)
    assert WRITE not in screens.action_ids(again)
    assert "2 of them are being written to PowerSchool" in text_of(again)


def test_a_second_press_is_refused_in_words(office, family):
    message = pending(office.clara)
    office.clara.press(message, action_id=WRITE)
    office.clara.press(message, action_id=WRITE)
    assert "are being written already" in text_of(office.clara.last())


def test_staff_without_an_export_role_cannot_write(office, family, powerschool):
    assert WRITE not in screens.action_ids(pending(office.ana))
    pending(office.clara)
    surfaces.copy_screen(office.slack, of=office.clara, to=office.ana)
    office.ana.press(office.ana.last(), action_id=WRITE)
    assert "other roles" in text_of(office.ana.last())
    office.tick()
    assert powerschool.writes == []


def test_only_students_that_the_person_may_see_are_written(office, family, session, powerschool):
    """Clara's school has no part in a family of another school."""
    lea = people.student(session, "Lea", at=office.district.roosevelt)
    other = people.contact(session, lea, given="Nora", phone="+13125550150")
    other.sourced_id = "1003"
    powerschool.add_person(1003, "Nora", "Rivera", ["312-555-0150"])
    session.add(
        edits.edits.Edit(
            contact_id=other.id,
            field="phone",
            base="+13125550150",
            value="+13125550151",
            made_by="U1",
            made_at=people.NOW,
        )
    )
    session.commit()
    office.clara.press(pending(office.clara), action_id=WRITE)
    office.tick()
    assert [person for _, person, *_ in powerschool.writes] == [1001]


@pytest.mark.parametrize("settings_changed", [{"export_roles": "siteAdministrator"}])
def test_without_the_setting_nothing_can_be_written(office, family, session):
    assert WRITE not in screens.action_ids(pending(office.clara))
    assert session.scalar(select(Contact.sis_phone).where(Contact.sourced_id == "1001")) == "+13125550140"


class TestAeries:
    @pytest.fixture
    def aeries(self):
        with aeries_server.serving() as running:
            running.add(99400001, 1, "Maria", "Rivera", CellPhone="3125550140")
            running.add(99400001, 2, "Otto", "Rivera", CellPhone="3125550141", AdministrativeLockCode="Y")
            yield running

    @pytest.fixture
    def settings_changed(self, aeries):
        return {
            "export_roles": "siteAdministrator",
            "sis_write_back": "aeries",
            "sis_aeries_url": f"{aeries.url}/aeries",
            "sis_aeries_certificate": aeries_server.CERTIFICATE,
        }

    @pytest.mark.usefixtures("family")
    def test_every_sentence_names_aeries(self, office, session, aeries):
        session.execute(text("UPDATE students SET sourced_id = '99400001' WHERE given_name = 'Sam'"))
        session.commit()
        message = pending(office.clara)
        assert "PowerSchool?" not in str(message.blocks)
        assert "Write to Aeries" in str(message.blocks)
        office.clara.press(message, action_id=WRITE)
        assert "to Aeries" in text_of(office.clara.last())
        office.tick()
        assert aeries.writes == [((99400001, 1), "CellPhone", "3125550140", "3125550190")]
        [result] = results(office.clara)
        assert "In Aeries now: 1 number." in text_of(result)
        assert "The contact is locked there." in text_of(result)
        assert "PowerSchool" not in text_of(result)
