"""Reports of messengers, made up in the shapes that their help pages describe: recognized, read, and counted."""

import io
import time
import zipfile
from collections import Counter
from datetime import datetime

import openpyxl
import pytest

from bot.domain.sms_status import SmsStatus
from bot.errors import UserError
from bot.mass_messages import report_words
from bot.mass_messages.report import Choices, parse_number, read_report
from bot.mass_messages.report_columns import Column, find_layout
from bot.mass_messages.report_file import MAX_BYTES, read_table
from bot.mass_messages.report_words import Meaning

REPORTS = {
    "parentsquare": (
        (
            "Post Delivery Report\n\n"
            "Recipient,Student,Contact Info,Status\n"
            "Rosa Vega,Ben Vega,(312) 555-0101,Delivered\n"
            "Ana Ruiz,Eva Ruiz,(312) 555-0102,Opened\n"
            "Jo Park,Max Park,(312) 555-0103,Bounced\n"
            "Li Chen,Kai Chen,(312) 555-0104,Invalid\n"
            "Al Stone,Pia Stone,(312) 555-0105,Blocked\n"
            "Kim Hall,Noa Hall,,n/a\n"
        ),
        {"delivered": 2, "unconfirmed": 1, "blocked": 1},
        ["Invalid"],
    ),
    "schoolmessenger": (
        (
            "Student ID,Recipient,Phone Number,Message Type,Result\n"
            "1,Rosa Vega,3125550101,Phone,Answered\n"
            "1,Rosa Vega,3125550101,SMS,Delivered\n"
            "2,Ana Ruiz,3125550102,Phone,Disconnect\n"
            "2,Ana Ruiz,3125550102,SMS,Inactive\n"
            "3,Jo Park,3125550103,SMS,Consent Denied\n"
            "4,Li Chen,3125550104,SMS,Consent Pending\n"
            "5,Al Stone,3125550105,Email,soft bounced\n"
            "6,Kim Hall,,SMS,No Phone Selected\n"
        ),
        {"delivered": 1, "inactive": 1, "opt_out": 1, "not_contact_problem": 1},
        [],
    ),
    "talkingpoints": (
        (
            "contact name,phone number,delivery status,reason\n"
            "Rosa Vega,+1 312-555-0101,failed,Landline\n"
            "Ana Ruiz,+1 312-555-0102,failed,\n"
            "Jo Park,+1 312-555-0103,ineligible,Unsubscribed\n"
            "Li Chen,+1 312-555-0104,read,\n"
            "Al Stone,+1 312-555-0105,sent,\n"
        ),
        {"landline": 1, "unconfirmed": 1, "not_contact_problem": 1, "delivered": 1, "pending": 1},
        [],
    ),
    "finalsite": (
        (
            "Contact,Address,State\n"
            "Rosa Vega,312.555.0101,Enabled\n"
            "Ana Ruiz,312.555.0102,Flagged\n"
            "Jo Park,312.555.0103,Disabled\n"
            "Li Chen,312.555.0104,Deactivated\n"
            "Al Stone,312.555.0105,Blocked\n"
            "Kim Hall,312.555.0106,Invalid\n"
        ),
        {"unconfirmed": 1, "not_contact_problem": 2, "inactive": 1},
        ["Invalid"],
    ),
    "brightarrow": (
        (
            "Name,Phone,Call Result\n"
            "Rosa Vega,3125550101,Answered\n"
            "Ana Ruiz,3125550102,Phone not textable\n"
            "Jo Park,3125550103,SMS Opted Out\n"
            "Li Chen,3125550104,SMS Not Opted In\n"
            "Al Stone,3125550105,Busy\n"
            "Kim Hall,3125550106,Disconnected\n"
        ),
        {"landline": 1, "opt_out": 1, "not_contact_problem": 1},
        [],
    ),
    "everbridge": (
        (
            "Recipient,Destination,Delivery Status\n"
            "Rosa Vega,13125550101,To handset\n"
            "Ana Ruiz,13125550102,To carrier\n"
            "Jo Park,13125550103,Invalid path\n"
            "Li Chen,13125550104,Duplicate path\n"
            "Al Stone,13125550105,Unsubscribed\n"
        ),
        {"delivered": 1, "unconfirmed": 1, "not_contact_problem": 1, "opt_out": 1},
        ["Invalid path"],
    ),
    "twilio": (
        (
            "From,To,Body,Status,SentDate,NumSegments,ErrorCode\n"
            "+13125550100,+13125550101,Snow day,delivered,2026-11-23 09:04,1,0\n"
            "+13125550100,+13125550102,Snow day,undelivered,2026-11-23 09:04,1,30006\n"
            "+13125550100,+13125550103,Snow day,failed,2026-11-23 09:04,1,21610\n"
            "+13125550100,+13125550104,Snow day,undelivered,2026-11-23 09:04,1,\n"
        ),
        {"delivered": 1, "landline": 1, "opt_out": 1, "unconfirmed": 1},
        [],
    ),
}


def read(content, name="report.csv", choices=None, **options):
    table = read_table(name, content if isinstance(content, bytes) else content.encode())
    return read_report(table, find_layout(table, **options), choices or Choices(), region="US")


@pytest.mark.parametrize("messenger", REPORTS)
def test_report_of_each_messenger_is_recognized_and_counted(messenger):
    content, outcomes, unknown = REPORTS[messenger]
    report = read(content)
    assert report.layout.messenger.key == messenger
    assert Counter(str(result.entry.outcome) for result in report.results) == outcomes
    assert list(report.unknown) == unknown


@pytest.mark.parametrize("messenger", REPORTS)
def test_workbook_reads_as_its_csv(messenger):
    content, *_ = REPORTS[messenger]
    book = openpyxl.Workbook()
    for line in content.splitlines():
        book.active.append([int(cell) if cell.isdecimal() else cell for cell in line.split(",")])
    stream = io.BytesIO()
    book.save(stream)
    from_workbook, from_csv = read(stream.getvalue(), "report.xlsx"), read(content)
    assert from_workbook.results == from_csv.results
    assert from_workbook.problems == from_csv.problems


def test_own_name_in_the_file_name_decides():
    content = "Phone,Status\n3125550101,Unsubscribed\n"
    assert read(content, "TalkingPoints_export.csv").results[0].meaning is Meaning.NOT_CONTACT_PROBLEM
    assert read(content).results[0].meaning is Meaning.OPT_OUT
    assert read(content, messenger="talkingpoints").layout.key == "talkingpoints"


def test_every_row_has_a_place_in_the_counts():
    report = read(REPORTS["schoolmessenger"][0])
    assert (report.read, len(report.results), report.calls, report.others, report.states) == (8, 4, 2, 1, 1)


def test_calls_count_for_no_text_without_a_channel_column():
    report = read("Phone,Result\n3125550101,Answered\n3125550102,Disconnect\n3125550103,Blocked\n")
    assert report.is_only_of_calls
    assert report.calls == 3


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("DELIVERED", "delivered"),
        ("Ｄelivered", "delivered"),
        ("Opted-Out", "opt_out"),
        ("SMS_Opted_Out", "opt_out"),
        ("OptedOut", "opt_out"),
        ("Delivered.", "delivered"),
        ("Not Delivered", "unconfirmed"),
        ("Blocked (by carrier)", "blocked"),
        ("N/A", "not_contact_problem"),
        ("Phone not textable", "landline"),
        ("Turned Off", "turned_off"),
        ("Invalid", None),
        ("lost in space", None),
        ("", None),
    ],
)
def test_words_are_folded(word, meaning):
    assert report_words.look_up(word, None, {}) == meaning


def test_each_of_our_own_statuses_is_a_word():
    for status in set(SmsStatus) - {SmsStatus.NO_NUMBER, SmsStatus.WRONG_PERSON}:
        assert report_words.look_up(status.value, None, {}) == status


def test_words_that_may_be_landline_or_inactive_are_asked():
    assert report_words.may_be_landline_or_inactive("Invalid (the phone is wrong)")
    assert not report_words.may_be_landline_or_inactive("Blocked")


def test_answer_to_a_question_counts():
    choices = Choices({"invalid": Meaning.INACTIVE})
    report = read(REPORTS["parentsquare"][0], choices=choices)
    assert not report.unknown
    assert Counter(result.meaning for result in report.results)[Meaning.INACTIVE] == 1


ROUNDED = ["1.31255E+10", "1,31255E+10", "3.12555E+09", "1.31e10", "13125500000", "3125500000"]


@pytest.mark.parametrize("cell", ROUNDED)
def test_number_that_a_spreadsheet_has_rounded_is_called_so(cell):
    with pytest.raises(UserError) as refused:
        parse_number(cell, "US")
    assert refused.value.code == "results.rounded_number"


@pytest.mark.parametrize(
    "cell", ["3125550142", "13125550142", "3125550142.0", "'3125550142", "1.3125550142E+10", "(312) 555-0142"]
)
def test_number_with_all_its_digits_is_read(cell):
    assert parse_number(cell, "US") == "+13125550142"


def test_number_that_a_person_wrote_may_end_in_zeros():
    assert parse_number("(312) 550-0000", "US") == "+13125500000"


def test_columns_that_are_not_recognized_can_be_pointed_out():
    content = "Family,Where,What\nVega,3125550101,Delivered\n"
    table = read_table("report.csv", content.encode())
    layout = find_layout(table)
    assert layout.missing == [Column.TO, Column.RESULT]
    assert layout.titles == ["Family", "Where", "What"]
    remembered = {layout.key: {"to": "where", "result": "what"}}
    assert read(content, remembered=remembered).results[0].meaning is Meaning.DELIVERED


def test_column_of_addresses_is_used_only_with_numbers():
    content = "Address,Phone,Status\n1 Main St,3125550101,Delivered\n2 Main St,3125550102,Delivered\n"
    assert read(content).layout.positions[Column.TO] == 1
    assert read("Address,Status\n3125550101,Delivered\n").layout.positions[Column.TO] == 0


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_formula_is_not_run():
    report = read(workbook(["to", "status"], [3125550101, '=CONCATENATE("deliv","ered")']), "r.xlsx")
    assert [problem.reason for problem in report.problems] == ["The row has no result."]


def test_dates_and_whole_numbers_of_a_workbook_are_text():
    table = read_table("r.xlsx", workbook(["to", "sent"], [3125550101.0, datetime(2026, 11, 23, 9, 4)]))  # noqa: DTZ001
    assert table.rows[1].cells == ["3125550101", "2026-11-23 09:04:00"]


def test_workbook_that_unpacks_to_far_more_is_refused():
    stream = io.BytesIO(workbook(["to", "status"]))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(200_000_000))
    with pytest.raises(UserError) as refused:
        read_table("r.xlsx", stream.getvalue())
    assert refused.value.code == "report.unpacks_too_large"


def test_entities_of_a_workbook_are_not_expanded():
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["to", "status"]))) as source, zipfile.ZipFile(stream, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part.endswith("sheet1.xml"):
                names = [f'<!ENTITY a{n} "{f"&a{n - 1};" * 20 if n else "x" * 50}">' for n in range(9)]
                content = f"<!DOCTYPE x [{''.join(names)}]><worksheet>&a8;</worksheet>".encode()
            target.writestr(part, content)
    with pytest.raises(UserError) as refused:
        read_table("r.xlsx", stream.getvalue())
    assert refused.value.code == "report.unreadable"


def test_large_file_is_refused():
    with pytest.raises(UserError) as refused:
        read_table("r.csv", b"x" * (MAX_BYTES + 1))
    assert refused.value.code == "report.too_large"


def changed_workbook(old, new):
    """Return a workbook with a row of results, in whose sheet `old` bytes are replaced."""
    source, changed = zipfile.ZipFile(io.BytesIO(workbook(["to", "status"], [3125550101, "Delivered"]))), io.BytesIO()
    with zipfile.ZipFile(changed, "w") as parts:
        for name in source.namelist():
            content = source.read(name)
            parts.writestr(name, content.replace(old, new) if "sheet1" in name else content)
    return changed.getvalue()


def wide_rows():
    return b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (row, row) for row in range(3, 2_000))


HOSTILE = {
    "a row beyond the last one": changed_workbook(b'r="2"', b'r="999999999"'),
    "cells far to the right": changed_workbook(b"</sheetData>", wide_rows() + b"</sheetData>"),
    "encrypted": workbook(["to", "status"]).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_workbook_is_refused(content):
    with pytest.raises(UserError):
        read_table("r.xlsx", content)


def test_stray_cell_in_the_last_row_is_read_within_seconds():
    started = time.process_time()
    row = b'<row r="1048576"><c r="A1048576" t="n"><v>3125550102</v></c></row></sheetData>'
    report = read(changed_workbook(b"</sheetData>", row), "r.xlsx")
    assert (report.read, len(report.results)) == (2, 1)
    assert time.process_time() - started < 15


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_its_mark(encoding):
    assert len(read("to,status\n3125550101,Delivered\n".encode(encoding)).results) == 1


def test_words_of_a_report_hold_no_nul():
    assert list(read(b"to,status\n3125550101,Deliv\x00erd\n").unknown) == ["Deliverd"]
