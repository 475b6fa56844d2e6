"""*Download* on a list: the dialog, the file, its way, and what happens twice, late or never."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from support import mail_server, people

from bot.db.models.downloads import Download, DownloadForm, DownloadState
from bot.db.models.edits import Audit
from bot.db.models.messages import ListEntry
from bot.db.models.roster import StaffRole
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.reading import text_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def families(session, office):
    """Sam and Lea in Ana's class, Kai at another school; each with a listed contact, Sam's with a name that is a formula."""
    lincoln, other = office.district.lincoln, people.school(session, "Roosevelt High")
    sam, lea = (
        people.student(session, name, "Rivera", grade=grade, at=lincoln)
        for name, grade in (("Sam", "10"), ("Lea", "2"))
    )
    people.school_class(session, office.district.ana, lincoln, sam, lea)
    people.listed(session, people.contact(session, sam, given="=HYPERLINK(1)", phone="+13125557342"))
    people.listed(session, people.contact(session, lea, given="Maria", phone="+13125550142"), "landline")
    kai = people.student(session, "Kai", "Young", at=other)
    people.listed(session, people.contact(session, kai, given="Hana", phone="+13125550143"))
    session.commit()


def dialog(person, text=""):
    message = person.command("/cleanup", text).message
    assert person.press(message, action_id="list.download").ok
    return person.view


def download(office, person, text="", form="xlsx"):
    done = person.fill(dialog(person, text), {"form": form}).submit()
    office.settled()
    return done


def files(office):
    return [(file.name, file.content) for file in office.slack.files.values()]


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def state(session):
    session.rollback()
    return session.scalars(select(Download.state).order_by(Download.id)).all()


def test_the_dialog_says_what_comes_and_where(office, families):
    said = text_of(dialog(office.clara))
    assert "2 contacts of 2 students" in said
    assert "only the last digits" in said
    assert "direct messages" in said


def test_a_row_for_each_student_and_contact_is_told_as_such_wherever_it_is_told(office, families, session, mail):
    lincoln = office.district.lincoln
    twins = [people.student(session, name, "Young", grade="2", at=lincoln) for name in ("Ada", "Zoe")]
    people.listed(session, people.contact(session, *twins, given="Hana"))
    session.commit()
    size = "3 rows (2 contacts of 3 students)"
    assert size in text_of(dialog(office.clara, "grade 2"))
    download(office, office.clara, "grade 2", form="csv")
    assert size in text_of(office.clara.last())
    assert size in mail.mails[0][1].get_body().get_content()


def test_the_list_comes_as_a_workbook_in_a_direct_message(office, families, session):
    assert download(office, office.clara).ok
    [(name, content)] = files(office)
    assert name.startswith("cleanup-list-")
    assert name.endswith(".xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet, about = book.worksheets
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert head[:4] == ["Last name", "First name", "Grade", "School"]
    assert [(row[1], row[2]) for row in rows] == [("Lea", 2), ("Sam", 10)]
    assert rows[1][5] == "=HYPERLINK(1) Rivera"
    assert sheet["F3"].data_type == "s"
    assert [row[9] for row in rows] == ["••• 0142", "••• 7342"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C2", "A1:M3")
    assert sheet["H2"].fill.start_color.rgb != sheet["H3"].fill.start_color.rgb
    said = " ".join(str(row[0].value) for row in about.iter_rows())
    assert "Clara Clerk" in said
    assert "2 rows" in said
    assert state(session) == [DownloadState.SENT]


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", "2026-11-24"), ("Nowhere/Here", "2026-11-23")])
def test_days_in_a_file_are_of_the_asker_s_own_time_zone(office, families, zone, day):
    office.slack.alter_user(office.clara.id, tz=zone)
    download(office, office.clara, "grade 2", form="csv")
    [(_, content)] = files(office)
    assert rows_of(content)[0]["Since"] == day


def test_what_a_list_leaves_out_is_not_in_its_file(office, families):
    download(office, office.clara, "grade 2", form="csv")
    [(_, content)] = files(office)
    [row] = rows_of(content)
    assert (row["First name"], row["SMS status"], row["Student can be reached"]) == ("Lea", "Landline", "no")


def test_a_row_of_an_updated_contact_says_that_the_status_is_of_before(office, families, session):
    session.execute(ListEntry.__table__.update().values(updated_at=people.NOW))
    session.commit()
    download(office, office.clara, form="csv")
    assert {row["Next step"][:13] for row in rows_of(files(office)[0][1])} == {"Updated since"}


def test_a_csv_holds_no_formula(office, families):
    download(office, office.clara, "sam", form="csv")
    assert rows_of(files(office)[0][1])[0]["Contact"] == "'=HYPERLINK(1) Rivera"


def test_a_file_holds_only_students_whom_the_asker_may_see(office, families):
    download(office, office.ana, form="csv")
    download(office, office.dana, form="csv")
    ana, dana = (rows_of(content) for _, content in files(office))
    assert {row["First name"] for row in ana} == {"Sam", "Lea"}
    assert {row["First name"] for row in dana} == {"Sam", "Lea", "Kai"}


@pytest.mark.parametrize("settings_changed", [{"export_roles": "siteAdministrator"}])
def test_whole_numbers_are_only_for_the_roles_that_may_take_them_out(office, families):
    download(office, office.clara, form="csv")
    download(office, office.ana, form="csv")
    clara, ana = (rows_of(content) for _, content in files(office))
    assert clara[0]["Number"] == "(312) 555-0142"
    assert ana[0]["Number"] == "••• 0142"


def test_every_download_is_in_the_audit(office, families, session):
    download(office, office.clara, "grade 2", form="csv")
    row = session.scalar(select(Audit).where(Audit.action == "list.downloaded"))
    assert (row.actor, row.after, row.reason) == (office.clara.id, "csv: 1 row (1 contact of 1 student)", "grade 2")


def test_its_name_and_what_is_said_of_it_name_nobody(office, families):
    download(office, office.clara, "sam")
    said = "".join(text_of(message) for message in office.clara.messages() if "list" in text_of(message))
    assert "1 contact" in said
    assert "Rivera" not in files(office)[0][0]


def test_an_empty_list_offers_no_download_and_a_list_that_became_empty_says_so(office, families, session):
    message = office.clara.command("/cleanup").message
    session.execute(ListEntry.__table__.delete())
    session.commit()
    assert office.clara.press(message, action_id="list.download").ok
    assert "nothing to download" in text_of(office.clara.view)
    assert "list.download" not in str(office.clara.command("/cleanup").message.blocks)


def test_a_dialog_sent_off_twice_sends_one_file(office, families, session):
    filled = office.clara.fill(dialog(office.clara), {"form": "csv"})
    filled.submit()
    assert filled.submit_stale().ok
    office.settled()
    assert len(files(office)) == 1
    assert state(session) == [DownloadState.SENT]


def test_a_dialog_that_was_open_for_two_days_says_so(office, families):
    view = dialog(office.clara)
    office.later(days=2)
    assert office.tick().failed == ()
    done = office.clara.fill(view, {"form": "csv"}).submit()
    office.settled()
    assert "too old" in done.errors["form"]
    assert files(office) == []


def test_somebody_else_s_dialog_is_nobody_s(office, families, session):
    from bot.downloads.requests import create_draft, request_download
    from bot.errors import UserError

    draft = create_draft(session, office.clara.id, "all", now=office.now())
    with pytest.raises(UserError, match="too old"):
        request_download(session, draft.id, office.ana.id, DownloadForm.CSV, now=office.now())


def test_whose_rights_ended_meanwhile_gets_no_file_and_reads_why(office, families, session):
    office.slack.faults.order("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(StaffRole.__table__.delete().where(StaffRole.staff_id == office.district.clara.id))
    session.commit()
    office.later(minutes=2)
    assert office.tick().failed == ()
    assert files(office) == []
    assert state(session) == [DownloadState.FAILED]
    assert "could not be sent" in text_of(office.clara.last())


def test_a_download_whose_maker_died_is_made_by_the_next(office, families, session):
    office.slack.faults.order("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(Download.__table__.update().values(state="claimed", claimed_at=office.now()))
    session.commit()
    for minutes, made in ((0, 0), (14, 0), (2, 1)):
        office.later(minutes=minutes)
        office.tick()
        assert len(files(office)) == made


def test_a_list_that_cannot_even_be_begun_is_told_to_come_later_and_made_by_the_clock(
    office, families, session, caplog
):
    asked = office.clara.fill(dialog(office.clara), {"form": "csv"})
    session.execute(text("ALTER TABLE downloads ADD CONSTRAINT broken CHECK (state <> 'claimed')"))
    session.commit()
    assert asked.submit().ok
    office.settled()
    session.execute(text("ALTER TABLE downloads DROP CONSTRAINT broken"))
    session.commit()
    assert "your list comes later" in text_of(office.clara.last())
    assert "CheckViolation" not in caplog.text
    office.tick()
    assert len(files(office)) == 1


@pytest.fixture
def mail(office):
    """The district has a mail server."""
    with mail_server.opened() as (post, port):
        object.__setattr__(office.settings, "smtp_url", SecretStr(f"smtp://127.0.0.1:{port}"))
        object.__setattr__(office.settings, "mail_from", "cleanup@district.example")
        yield post


def test_where_there_is_a_mail_server_the_list_goes_to_the_asker_s_own_address(office, families, mail, session):
    assert "by e-mail to clara.clerk@district.example" in text_of(dialog(office.clara))
    download(office, office.clara, form="csv")
    [(_, came)] = mail.mails
    assert (came["To"], came["Subject"]) == ("clara.clerk@district.example", "Your cleanup list")
    [(name, content)] = mail.attachments(0)
    assert name.endswith(".csv")
    assert len(rows_of(content)) == 2
    assert files(office) == []
    assert "was mailed to clara.clerk@district.example" in text_of(office.clara.last())


def test_mail_that_cannot_go_now_is_tried_again_and_the_asker_reads_both(office, families, mail, session):
    mail.refusals = ["452 Disk full"]
    download(office, office.clara)
    assert "I try again in 1 minute" in text_of(office.clara.last())
    office.tick()
    assert mail.mails == []
    office.later(minutes=1, seconds=5)
    office.tick()
    assert len(mail.mails) == 1
    assert "was mailed" in text_of(office.clara.last())
    assert state(session) == [DownloadState.SENT]


def test_mail_that_never_goes_is_given_up_and_told(office, families, mail, session):
    mail.refusals = ["452 Disk full"] * 9
    download(office, office.clara)
    for minutes in (1, 5, 15, 60, 60, 60):
        office.later(minutes=minutes, seconds=5)
        office.tick()
    assert state(session) == [DownloadState.FAILED]
    assert len(mail.refusals) == 4
    assert "could not be sent. The mail server refuses the mail (452)" in text_of(office.clara.last())


def test_an_address_that_the_server_does_not_know_is_told_at_once(office, families, mail, session):
    mail.refusals = ["rcpt 550 No such user"]
    download(office, office.clara)
    assert state(session) == [DownloadState.FAILED]
    assert "does not take mail for clara.clerk@district.example (550)" in text_of(office.clara.last())


def test_a_list_that_ends_its_maker_every_time_is_given_up(office, families, session):
    office.slack.faults.order("chat.postMessage", Fault.HTTP_500)
    download(office, office.clara, form="csv")
    session.execute(Download.__table__.update().values(state="claimed", claimed_at=office.now(), attempts=6))
    session.commit()
    office.tick()
    assert state(session) == ["claimed"]  # It is being made for the sixth time.
    office.later(minutes=16)
    assert office.tick().failed == ()
    assert state(session) == [DownloadState.FAILED]
    assert files(office) == []


def test_a_fault_of_ours_is_told_and_holds_up_nobody_else(office, families, mail, session, caplog):
    """No header takes a line break, which no mail server would have let through either."""
    object.__setattr__(office.settings, "mail_from", "cleanup@district.example\nBcc: everybody")
    download(office, office.clara)
    assert "Something went wrong here" in text_of(office.clara.last())
    assert "I try again in 1 minute" in text_of(office.clara.last())
    assert "Bcc" not in caplog.text
    assert mail.mails == []
