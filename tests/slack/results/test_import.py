"""*Import results…*: the dialog, the preview with its questions, what is counted, and what comes back."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from support import mass_messages as messages
from support import people, screens

from bot.db.models.edits import Audit
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.reports import ReportImport, ReportState
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

REPORT = (
    b"Recipient,Phone,Status\n"
    b"Maria Rivera,(312) 555-7342,Opened\n"
    b"Otto Rivera,(312) 555-7343,Blocked\n"
    b"Pablo Rivera,(312) 555-7344,Invalid\n"
    b"Rosa Vega,(312) 555-7345,Delivered\n"
    b"Ana Ruiz,1.31255E+10,Delivered\n"
)


@pytest.fixture(autouse=True)
def slack_shows_answers_first(office):
    office.show_answers_first()


@pytest.fixture
def family(session, office):
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    contacts = [
        people.contact(session, sam, given=given, phone=f"+1312555734{digit}")
        for given, digit in (("Maria", 2), ("Otto", 3), ("Pablo", 4))
    ]
    session.commit()
    return contacts


@pytest.fixture
def snow(session, office):
    session.add(MassMessage(id="snow", title="Snow day", sent_at=office.now() - timedelta(hours=2)))
    session.commit()


def choose(office, person, content=REPORT, name="report.csv", **values):
    """Choose a report in the dialog, and submit it."""
    assert person.command("/cleanup", "import").ok
    file_id = person.choose_file(name, content)
    done = person.fill(person.view, {"file": [file_id]} | (values or {"message": "snow"})).submit()
    office.wait_for_lazy_listeners()
    return done


def submit(office, person, **values):
    done = person.fill(person.view, values).submit()
    office.wait_for_lazy_listeners()
    return done


def state(session):
    session.rollback()
    return session.scalars(select(ReportImport.state).order_by(ReportImport.id)).all()


def counted(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(Delivery))


def test_preview_counts_nothing_and_asks_for_the_words_it_does_not_know(office, session, family, snow):
    assert choose(office, office.clara).ok
    words = text_of(office.clara.view)
    assert "1 delivered, 1 not delivered, 3 rows unclear; 1 word we do not know: “Invalid”." in words
    assert "ParentSquare" in words
    assert "Line 5: No contact of your students has this number." in words
    assert "A spreadsheet has rounded this number (1.31255E+10)" in words
    assert (state(session), counted(session)) == ([ReportState.READY], 0)
    assert submit(office, office.clara, **{"answer.0": "landline"}).ok
    assert "1 delivered, 2 not delivered, 2 rows unclear." in text_of(office.clara.view)
    assert (state(session), counted(session)) == ([ReportState.READY], 0)


def test_import_counts_and_comes_back_with_the_unclear_rows(office, session, family, snow):
    choose(office, office.clara)
    submit(office, office.clara, **{"answer.0": "landline"})
    assert submit(office, office.clara).ok
    assert (state(session), counted(session)) == ([ReportState.IMPORTED], 3)
    assert "Imported" in text_of(office.clara.view)
    file_message, card = office.clara.messages()[-2:]
    assert "1 delivered, 2 not delivered, 2 rows unclear" in text_of(card)
    content = file_message.files[0].content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert [row[0] for row in rows] == ["Line", "5", "6"]
    assert rows[1][2:] == ["Rosa Vega", "(312) 555-7345", "Delivered"]
    assert office.tick().failed == ()
    assert messages.the_list(session) == {family[1].id: "blocked", family[2].id: "landline"}
    row = session.scalars(select(ReportImport)).one()
    assert (row.content, row.opted_out) == (None, [])


def test_report_older_than_the_last_message_says_so_and_takes_nothing_back(office, session, family, snow):
    _maria, otto, pablo = family
    messages.send(session, {otto: "delivered"}, now=office.now() - timedelta(hours=1))
    session.commit()
    choose(office, office.clara)
    assert "“Early dismissal today” was sent later" in text_of(office.clara.view)
    submit(office, office.clara, **{"answer.0": "landline"})
    submit(office, office.clara)
    assert office.tick().failed == ()
    assert messages.the_list(session) == {pablo.id: "landline"}


def test_chosen_words_are_not_asked_again(office, family, snow):
    choose(office, office.clara)
    submit(office, office.clara, **{"answer.0": "landline"})
    office.clara.close()
    choose(office, office.clara)
    assert "1 delivered, 2 not delivered, 2 rows unclear." in text_of(office.clara.view)


def test_undo_in_the_message_takes_everything_back(office, session, family, snow):
    choose(office, office.clara)
    submit(office, office.clara, **{"answer.0": "landline"})
    submit(office, office.clara)
    assert office.tick().failed == ()
    assert office.clara.press(office.clara.last(), action_id="results.undo").ok
    assert "Undone" in text_of(office.clara.last())
    assert (state(session), messages.the_list(session)) == ([ReportState.UNDONE], {})
    actions = session.scalars(select(Audit.action).where(Audit.subject_kind == "report").order_by(Audit.id)).all()
    assert actions == ["report.imported", "report.undone"]


def test_undo_of_an_older_import_says_that_it_is_over(office, session, family, snow):
    choose(office, office.clara)
    submit(office, office.clara, **{"answer.0": "landline"})
    submit(office, office.clara)
    assert office.tick().failed == ()
    older = office.clara.last()
    messages.send(session, {family[1]: "delivered"}, now=office.now() + timedelta(minutes=1))
    session.commit()
    assert office.clara.press(older, action_id="results.undo").ok
    assert "cannot be undone anymore" in text_of(office.clara.last())
    assert state(session) == [ReportState.IMPORTED]


def test_undo_in_the_dialog_of_the_next_import(office, session, family, snow):
    choose(office, office.clara)
    submit(office, office.clara, **{"answer.0": "landline"})
    submit(office, office.clara)
    office.clara.close(everything=True)
    office.clara.command("/cleanup", "import")
    assert office.clara.press(office.clara.view, action_id="results.undo").ok
    assert "Undone" in text_of(office.clara.view)
    assert (state(session), counted(session)) == ([ReportState.UNDONE], 0)


def test_message_that_is_not_registered_has_a_title_and_a_time(office, session, family):
    sent_at = int(office.now().timestamp()) - 3600
    assert choose(office, office.clara, title="Picture day", sent_at=sent_at).ok
    submit(office, office.clara, **{"answer.0": "inactive"})
    submit(office, office.clara)
    session.rollback()
    message = session.scalars(select(MassMessage)).one()
    assert (message.title, message.sent_at) == ("Picture day", datetime.fromtimestamp(sent_at, UTC))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "message"),
        ({"title": "Snow"}, "sent_at"),
        ({"title": "Snow", "sent_at": 4_000_000_000}, "sent_at"),
    ],
)
def test_message_that_is_not_described_is_asked_for(office, session, snow, values, field):
    assert list(choose(office, office.clara, **values).errors) == [field]
    assert state(session) == []


def test_columns_that_are_not_known_are_asked_and_remembered(office, session, family, snow):
    content = b"Family,Where,What\nRivera,3125557342,Delivered\nRivera,3125557343,Blocked\n"
    choose(office, office.clara, content)
    assert submit(office, office.clara, **{"answer.0": "Where", "answer.1": "What"}).ok
    assert "1 delivered, 1 not delivered." in text_of(office.clara.view)
    office.clara.close()
    choose(office, office.clara, content)
    assert "1 delivered, 1 not delivered." in text_of(office.clara.view)


def test_report_of_calls_is_called_so_and_cannot_be_imported(office, session, family, snow):
    choose(office, office.clara, b"Phone,Result\n3125557342,Answered\n3125557343,Machine\n")
    assert "This is a report of calls" in text_of(office.clara.view)
    assert not office.clara.view.body.get("submit")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 old"])
def test_file_that_is_no_report_is_refused_in_the_dialog(office, session, family, snow, content):
    choose(office, office.clara, content)
    assert "was not imported" in text_of(office.clara.view)
    assert state(session) == [ReportState.FAILED]


def test_person_is_asked_to_delete_the_file(office, family, snow):
    choose(office, office.clara)
    assert "delete it" in text_of(office.clara.view)
    assert [call.method for call in office.slack.calls].count("files.delete") == 1


def test_preview_comes_as_a_message_when_the_dialog_is_closed(office, session, family, snow):
    office.slack.faults.inject("files.info", Fault.HTTP_500)
    choose(office, office.clara)
    office.clara.close(everything=True)
    office.advance(minutes=5)
    assert office.tick().failed == ()
    card = office.clara.last()
    assert "1 delivered, 1 not delivered, 3 rows unclear" in text_of(card)
    assert office.clara.press(card, action_id="results.open_preview").ok
    office.wait_for_lazy_listeners()
    assert "1 delivered, 1 not delivered, 3 rows unclear" in text_of(office.clara.view)


@pytest.mark.parametrize("method", ["files.info", "download"])
def test_report_is_read_later_where_slack_fails(office, session, family, snow, method):
    office.slack.faults.inject(method, Fault.HTTP_500)
    choose(office, office.clara)
    assert state(session) == [ReportState.PENDING]
    office.advance(minutes=5)
    assert office.tick().failed == ()
    assert "1 delivered, 1 not delivered" in text_of(office.clara.view)


def test_second_submission_of_the_same_dialog_changes_nothing(office, session, family, snow):
    office.clara.command("/cleanup", "import")
    filled = office.clara.fill(
        office.clara.view, {"file": [office.clara.choose_file("r.csv", REPORT)], "message": "snow"}
    )
    filled.submit()
    filled.submit_stale()
    office.wait_for_lazy_listeners()
    assert state(session) == [ReportState.READY]


def test_district_office_counts_every_school(office, session, family, snow):
    other = people.student(session, "Kai", at=office.district.roosevelt)
    people.contact(session, other, phone="+13125557345")
    session.commit()
    choose(office, office.dana)
    assert "2 delivered, 1 not delivered, 2 rows unclear" in text_of(office.dana.view)
    choose(office, office.clara)
    assert "1 delivered, 1 not delivered, 3 rows unclear" in text_of(office.clara.view)


def test_teachers_may_not_import(office, family, snow):
    office.ana.command("/cleanup", "import")
    assert "for the office" in text_of(office.ana.last())
    with pytest.raises(NotOnScreen):
        _ = office.ana.view
    office.ana.open_home()
    office.clara.open_home()
    assert "results.open" not in screens.action_ids(office.ana.home)
    assert office.clara.press(office.clara.home, action_id="results.open").ok
    assert "Import results" in text_of(office.clara.view)


def test_right_that_has_ended_stops_a_report_that_waits(office, session, family, snow):
    choose(office, office.clara)
    for role in session.query(people.StaffRole).filter_by(staff_id=office.district.clara.id):
        role.role = "teacher"
    session.commit()
    done = office.clara.fill(office.clara.view, {"answer.0": "landline"}).submit()
    assert done.errors
    assert counted(session) == 0


def test_file_is_deleted_after_a_day(office, session, family, snow):
    choose(office, office.clara)
    office.advance(days=1, minutes=1)
    assert office.tick().failed == ()
    assert state(session) == [ReportState.CANCELED]
    assert session.scalar(select(ReportImport.content)) is None
