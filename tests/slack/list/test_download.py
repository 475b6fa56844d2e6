"""*Download* on a list: the dialog, the file, how it is sent, and what happens twice, late, or never."""

import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from support import mail_server, people
from support.stored_scores import add_score

from bot.db.models.downloads import Download, DownloadForm, DownloadState
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry, PhoneNumber
from bot.db.models.roster import StaffRole
from bot.downloads.requests import create_draft, request_download
from bot.errors import UserError
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def families(session, office):
    """Sam and Lea in Ana's class, Kai at another school, each with a listed contact; the name of Sam's is a formula."""
    lincoln, other = office.district.lincoln, people.school(session, "Roosevelt High")
    sam, lea = (
        people.student(session, name, "Rivera", grade=grade, at=lincoln)
        for name, grade in (("Sam", "10"), ("Lea", "2"))
    )
    people.school_class(session, office.district.ana, lincoln, sam, lea)
    people.list_contact(session, people.contact(session, sam, given="=HYPERLINK(1)", phone="+13125557342"))
    people.list_contact(session, people.contact(session, lea, given="Maria", phone="+13125550142"), "landline")
    kai = people.student(session, "Kai", "Young", at=other)
    people.list_contact(session, people.contact(session, kai, given="Hana", phone="+13125550143"))
    session.commit()


def dialog(person, text=""):
    message = person.command("/cleanup", text).message
    assert person.press(message, action_id="list.download").ok
    return person.view


def download(office, person, text="", form="xlsx"):
    done = person.fill(dialog(person, text), {"form": form}).submit()
    office.wait_for_lazy_listeners()
    return done


def files(office):
    return [(file.name, file.content) for file in office.slack.files.values()]


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def state(session):
    session.rollback()
    return session.scalars(select(Download.state).order_by(Download.id)).all()


def test_dialog_shows_size_and_destination(office, families):
    words = text_of(dialog(office.clara))
    assert "2 contacts, 2 students, with names" in words
    assert "only the last digits" in words
    assert "direct messages" in words


def test_size_is_the_same_in_dialog_message_and_email(office, families, session, mail):
    lincoln = office.district.lincoln
    twins = [people.student(session, name, "Young", grade="2", at=lincoln) for name in ("Ada", "Zoe")]
    people.list_contact(session, people.contact(session, *twins, given="Hana"))
    session.commit()
    size = "2 contacts, 3 students (3 rows, one for each child of a contact)"
    screen = text_of(office.clara.command("/cleanup", "grade 2").message)
    assert ("2 contacts" in screen, "3 students" in screen) == (True, True)
    assert size in text_of(dialog(office.clara, "grade 2"))
    download(office, office.clara, "grade 2", form="csv")
    assert size in text_of(office.clara.last())
    assert size in mail.mails[0][1].get_body().get_content()


def test_list_comes_as_a_workbook_in_a_direct_message(office, families, session):
    assert download(office, office.clara).ok
    [(name, content)] = files(office)
    assert name.startswith("cleanup-list-")
    assert name.endswith(".xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet, about = book.worksheets
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head[:6] == ["Last name", "First name", "Student number", "Grade", "School", "Teacher"]
    assert [(row[1], row[3]) for row in rows] == [("Lea", 2), ("Sam", 10)]
    assert rows[1][6] == "=HYPERLINK(1) Rivera"
    assert sheet["G3"].data_type == "s"
    assert [row[10] for row in rows] == ["••• 0142", "••• 7342"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C2", "A1:Q3")
    assert all(cell.alignment.wrap_text for row in sheet.iter_rows() for cell in row)
    assert head[-2:] == ["Last verified", "Verified by"]
    assert {row[-1] for row in rows} == {"never verified"}
    assert sheet["I2"].fill.start_color.rgb != sheet["I3"].fill.start_color.rgb
    facts = " ".join(str(row[0].value) for row in about.iter_rows())
    assert "Clara Clerk" in facts
    assert "2 contacts, 2 students" in facts
    assert state(session) == [DownloadState.SENT]


def test_workbook_has_the_history_of_the_school_with_a_chart(office, families, session):
    lincoln = {"kind": "school", "school_id": office.district.lincoln.id, "students": 100}
    for days_ago, textable in ((0, 90), (7, 80)):
        add_score(session, office, days_ago=days_ago, textable=textable, **lincoln)
    session.commit()
    assert download(office, office.clara).ok
    [(_, content)] = files(office)
    history = openpyxl.load_workbook(io.BytesIO(content))["History"]
    assert [[cell.value for cell in row[1:4]] for row in history.iter_rows(2)] == [[100, 80, 80], [100, 90, 90]]
    (chart,) = history._charts  # noqa: SLF001 - openpyxl has no other way to them.
    assert chart.series[0].val.numRef.f == "History!$D$2:$D$3"


def test_history_of_fewer_than_ten_students_is_left_out(office, families, session):
    lincoln = {"kind": "school", "school_id": office.district.lincoln.id}
    add_score(session, office, students=9, textable=9, **lincoln)
    session.commit()
    assert download(office, office.clara).ok
    [(_, content)] = files(office)
    assert "History" not in openpyxl.load_workbook(io.BytesIO(content)).sheetnames


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", "2026-11-24"), ("Nowhere/Here", "2026-11-23")])
def test_dates_are_in_the_readers_time_zone(office, families, zone, day):
    office.slack.update_user(office.clara.id, tz=zone)
    download(office, office.clara, "grade 2", form="csv")
    [(_, content)] = files(office)
    assert rows_of(content)[0]["Since"] == day


def test_rows_are_sorted_as_people_sort_names(office, session):
    names = ["Young", "van der Berg", "Zu", "Åkesson", "Vance", "adams", "O'Brien", "Obama", "Berger", "Berg"]
    for number, name in enumerate(names):
        student = people.student(session, f"Kim{number}", name, at=office.district.lincoln)
        student.identifier = f"00{number}"
        people.list_contact(session, people.contact(session, student))
    session.commit()
    download(office, office.clara, form="csv")
    rows = rows_of(files(office)[0][1])
    in_order = ["adams", "Åkesson", "Berg", "Berger", "Obama", "O'Brien", "van der Berg", "Vance", "Young", "Zu"]
    assert [row["Last name"] for row in rows] == in_order
    assert [row["Student number"] for row in rows][:2] == ["005", "003"]


def test_file_holds_only_the_filtered_list(office, families):
    download(office, office.clara, "grade 2", form="csv")
    [(_, content)] = files(office)
    [row] = rows_of(content)
    assert (row["First name"], row["SMS status"], row["Student can be reached"]) == ("Lea", "Landline", "no")


def test_row_of_an_updated_contact_says_that_the_status_is_older(office, families, session):
    session.execute(ListEntry.__table__.update().values(updated_at=people.NOW))
    session.commit()
    download(office, office.clara, form="csv")
    assert {row["Next step"][:13] for row in rows_of(files(office)[0][1])} == {"Updated since"}


def test_row_says_when_and_how_the_number_was_verified(office, families, session):
    at = office.now() - timedelta(days=3)
    number = session.get_one(PhoneNumber, "+13125550142")
    number.verified_at, number.verified_how = at, "call"
    session.commit()
    download(office, office.clara, form="csv")
    proofs = {row["First name"]: (row["Last verified"], row["Verified by"]) for row in rows_of(files(office)[0][1])}
    day = at.astimezone(ZoneInfo(office.clara.user.tz)).date().isoformat()
    assert proofs == {"Lea": (day, "the family confirmed it in a call"), "Sam": ("", "never verified")}
    download(office, office.clara)
    book = openpyxl.load_workbook(io.BytesIO(files(office)[1][1]))
    assert book.worksheets[0]["P2"].value.date().isoformat() == day


def test_csv_holds_no_formula(office, families):
    download(office, office.clara, "sam", form="csv")
    assert rows_of(files(office)[0][1])[0]["Contact"] == "'=HYPERLINK(1) Rivera"


def test_file_holds_only_students_the_reader_may_see(office, families):
    download(office, office.ana, form="csv")
    download(office, office.dana, form="csv")
    ana, dana = (rows_of(content) for _, content in files(office))
    assert {row["First name"] for row in ana} == {"Sam", "Lea"}
    assert {row["First name"] for row in dana} == {"Sam", "Lea", "Kai"}


@pytest.mark.parametrize("settings_changed", [{"export_roles": "siteAdministrator"}])
def test_whole_numbers_are_only_for_export_roles(office, families):
    download(office, office.clara, form="csv")
    download(office, office.ana, form="csv")
    clara, ana = (rows_of(content) for _, content in files(office))
    assert clara[0]["Number"] == "(312) 555-0142"
    assert ana[0]["Number"] == "••• 0142"


def test_download_is_audited(office, families, session):
    download(office, office.clara, "grade 2", form="csv")
    row = session.scalar(select(Audit).where(Audit.action == "list.downloaded"))
    assert (row.actor, row.after, row.reason) == (office.clara.id, "csv: 1 contact, 1 student", "grade 2")


def test_file_name_and_messages_hold_no_personal_name(office, families):
    download(office, office.clara, "sam")
    [words] = [message.text for message in office.clara.messages() if "Here is your list" in message.text]
    assert "deleted here after 7 days" in words
    assert "1 contact" in words
    assert "Rivera" not in words + files(office)[0][0]


def test_empty_list_offers_no_download(office, families, session):
    message = office.clara.command("/cleanup").message
    session.execute(ListEntry.__table__.delete())
    session.commit()
    assert office.clara.press(message, action_id="list.download").ok
    assert "nothing to download" in text_of(office.clara.view)
    assert "list.download" not in str(office.clara.command("/cleanup").message.blocks)


def test_dialog_submitted_twice_sends_one_file(office, families, session):
    filled = office.clara.fill(dialog(office.clara), {"form": "csv"})
    filled.submit()
    assert filled.submit_stale().ok
    office.wait_for_lazy_listeners()
    assert len(files(office)) == 1
    assert state(session) == [DownloadState.SENT]


def test_dialog_open_for_two_days_is_too_old(office, families):
    view = dialog(office.clara)
    office.advance(days=2)
    assert office.tick().failed == ()
    done = office.clara.fill(view, {"form": "csv"}).submit()
    office.wait_for_lazy_listeners()
    assert "too old" in done.errors["form"]
    assert files(office) == []


def test_draft_of_another_user_cannot_be_requested(office, families, session):
    draft = create_draft(session, office.clara.id, "all", now=office.now())
    with pytest.raises(UserError) as error:
        request_download(session, draft.id, office.ana.id, DownloadForm.CSV, now=office.now())
    assert error.value.code == "download.too_old"


def test_reader_who_lost_access_gets_no_file(office, families, session):
    office.slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(StaffRole.__table__.delete().where(StaffRole.staff_id == office.district.clara.id))
    session.commit()
    office.advance(minutes=2)
    assert office.tick().failed == ()
    assert files(office) == []
    assert state(session) == [DownloadState.FAILED]
    assert "could not be sent" in text_of(office.clara.last())


def test_download_of_a_crashed_worker_is_made_again(office, families, session):
    office.slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(Download.__table__.update().values(state="claimed", claimed_at=office.now()))
    session.commit()
    for minutes, sent in ((0, 0), (14, 0), (2, 1)):
        office.advance(minutes=minutes)
        office.tick()
        assert len(files(office)) == sent


def test_list_that_cannot_be_started_is_made_by_the_clock(office, families, session, caplog):
    dialog_filled = office.clara.fill(dialog(office.clara), {"form": "csv"})
    session.execute(text("ALTER TABLE downloads ADD CONSTRAINT broken CHECK (state <> 'claimed')"))
    session.commit()
    assert dialog_filled.submit().ok
    office.wait_for_lazy_listeners()
    session.execute(text("ALTER TABLE downloads DROP CONSTRAINT broken"))
    session.commit()
    assert "your list comes later" in text_of(office.clara.last())
    assert "CheckViolation" not in caplog.text
    office.tick()
    assert len(files(office)) == 1


@pytest.fixture
def mail(office):
    """The district has an email server."""
    with mail_server.serve() as (mailbox, port):
        object.__setattr__(office.settings, "smtp_url", SecretStr(f"smtp://127.0.0.1:{port}"))
        object.__setattr__(office.settings, "mail_from", "cleanup@district.example")
        yield mailbox


def test_list_is_emailed_to_the_readers_own_address(office, families, mail, session):
    assert "by email to clara.clerk@district.example" in text_of(dialog(office.clara))
    download(office, office.clara, form="csv")
    [(_, message)] = mail.mails
    assert (message["To"], message["Subject"]) == ("clara.clerk@district.example", "Your cleanup list")
    [(name, content)] = mail.attachments(0)
    assert name.endswith(".csv")
    assert len(rows_of(content)) == 2
    assert files(office) == []
    assert "was emailed to clara.clerk@district.example" in text_of(office.clara.last())


def test_rejected_email_is_retried(office, families, mail, session):
    mail.refusals = ["452 Disk full"]
    download(office, office.clara)
    assert "I will try again in 1 minute" in text_of(office.clara.last())
    office.tick()
    assert mail.mails == []
    office.advance(minutes=1, seconds=5)
    office.tick()
    assert len(mail.mails) == 1
    assert "was emailed" in text_of(office.clara.last())
    assert state(session) == [DownloadState.SENT]


def test_list_that_cannot_be_emailed_comes_as_a_message_in_the_end(office, families, mail, session):
    mail.refusals = ["452 Disk full"] * 9
    download(office, office.clara)
    for minutes in (1, 5, 15, 60, 60, 60):
        office.advance(minutes=minutes, seconds=5)
        office.tick()
    assert state(session) == [DownloadState.SENT]
    assert (len(mail.refusals), len(files(office))) == (4, 1)
    progress, _file = office.clara.messages()[-2:]
    assert "could not be emailed. The email server rejects the email (452)" in text_of(progress)


def test_list_for_an_unknown_address_comes_as_a_message_at_once(office, families, mail, session):
    mail.refusals = ["rcpt 550 No such user"]
    download(office, office.clara)
    assert (state(session), len(files(office))) == ([DownloadState.SENT], 1)
    progress, _file = office.clara.messages()[-2:]
    assert "does not accept email for clara.clerk@district.example (550)" in text_of(progress)


def test_list_that_always_crashes_its_worker_fails(office, families, session):
    office.slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(Download.__table__.update().values(state="claimed", claimed_at=office.now(), attempts=6))
    session.commit()
    office.tick()
    assert state(session) == ["claimed"]  # The sixth attempt runs.
    office.advance(minutes=16)
    assert office.tick().failed == ()
    assert state(session) == [DownloadState.FAILED]
    assert files(office) == []


def test_internal_error_is_retried_and_not_logged_with_its_text(office, families, mail, session, caplog):
    """No email header takes a line break."""
    object.__setattr__(office.settings, "mail_from", "cleanup@district.example\nBcc: all")
    download(office, office.clara)
    assert "Something went wrong here" in text_of(office.clara.last())
    assert "I will try again in 1 minute" in text_of(office.clara.last())
    assert "Bcc" not in caplog.text
    assert mail.mails == []
