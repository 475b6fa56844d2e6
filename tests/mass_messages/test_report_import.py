"""Import the results of a mass message from a report: repeatable, and no row is dropped without a reason."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from support import mass_messages as messages
from support import people
from support.people import NOW

from bot.db.models.edits import Audit
from bot.errors import UserError
from bot.mass_messages.report_import import ResultsMessage, import_file, message_id
from bot.mass_messages.report_preview import ReportFile
from bot.mass_messages.report_words import Meaning
from bot.mass_messages.settle import settle_message

NUMBER, OTHER = "+13125550142", "+13125550143"
SENT = ResultsMessage("snow", "Snow day", NOW)


@pytest.fixture
def family(session):
    """Maria and Otto share a number; Eva has another."""
    district = people.create_district(session)
    sam = people.student(session, at=district.lincoln)
    return [
        people.contact(session, sam, given=given, phone=phone)
        for given, phone in (("Maria", NUMBER), ("Otto", NUMBER), ("Eva", OTHER))
    ]


@pytest.fixture
def import_csv(session):
    def import_csv(text, sent=SENT, **choices):
        content = text if isinstance(text, bytes) else text.encode()
        file = ReportFile("results.csv", content, provider=choices.pop("provider", None))
        values = {"words": {}, "columns": {}, "actor": "cleanup-bot", "now": NOW, "region": "US"} | choices
        result = import_file(session, file, sent, settle_after=timedelta(days=1), **values)
        rejected = [(problem.line, problem.reason) for problem in result.preview.problems]
        return SimpleNamespace(**vars(result.done), rejected=rejected, preview=result.preview)

    return import_csv


def settled(session):
    settle_message(session, SENT.id, now=NOW)
    return messages.the_list(session)


def test_each_contact_with_the_number_gets_its_result(session, family, import_csv):
    maria, otto, _eva = family
    report = import_csv("Phone,Status\n(312) 555-0142,Turned Off\n312-555-0143,Delivered\n")
    assert (report.read, report.added, report.already, list(report.rejected)) == (2, 3, 0, [])
    assert settled(session) == {maria.id: "turned_off", otto.id: "turned_off"}


def test_importing_the_same_file_again_changes_nothing(session, family, import_csv):
    text = "to,result\n3125550142,blocked\n"
    import_csv(text)
    before = settled(session)
    report = import_csv(text)
    assert (report.added, report.already) == (0, 2)
    assert settled(session) == before


def test_provider_code_overrides_the_result_word(session, family, import_csv):
    import_csv("to,status,error code\n3125550143,undelivered,30006\n", provider="twilio")
    assert settled(session) == {family[2].id: "landline"}


def test_row_may_name_its_contact(session, family, import_csv):
    maria, *_ = family
    report = import_csv(f"contact sourcedId,number,outcome\n{maria.sourced_id},3125550142,inactive\n")
    assert report.added == 1


def test_sent_stays_pending_until_the_window_closes(session, family, import_csv):
    import_csv("to,status\n3125550143,sent\n3125550142,delivered\n")
    assert settled(session) == {}
    settle_message(session, SENT.id, now=NOW + timedelta(days=2))
    assert messages.the_list(session) == {family[2].id: "unconfirmed"}


def test_rejected_rows_have_line_and_reason(session, family, import_csv):
    report = import_csv(
        "to,status\n12,delivered\n3125550199,delivered\n3125550143,lost in space\n3125550142,delivered\n"
    )
    assert [line for line, _ in report.rejected] == [2, 3, 4]
    reasons = [reason for _, reason in report.rejected]
    assert "Too short" in reasons[0]
    assert reasons[1] == "No contact in the student information system has this number."
    assert "“lost in space” is not a result that we know" in reasons[2]
    assert (report.read, report.added) == (4, 2)


@pytest.mark.parametrize("word", ["Opt-Out", "opt_out", "UNSUBSCRIBED", "opted out"])
def test_opt_out_counts_at_once(session, family, import_csv, word):
    import_csv(f"to,status\n3125550143,{word}\n")
    assert messages.the_list(session) == {family[2].id: "opt_out"}


UNUSABLE = {
    "no column for the number": ("status\ndelivered\n", "results.number_column_missing"),
    "no column for the result": ("to\n3125550142\n", "results.result_column_missing"),
    "empty": ("", "report.empty"),
    "header only": ("to,status\n", "results.none_imported"),
    "no usable row": ("to,status\n12,delivered\n", "results.none_imported"),
    "report of calls": ("to,result\n3125550142,Answered\n3125550143,Disconnect\n", "results.only_calls"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1", "report.old_excel"),
    "no workbook": (b"PK\x03\x04 nothing", "report.unreadable"),
    "not text": (b"\x00\xff\xfe\x00", "results.number_column_missing"),
}


@pytest.mark.parametrize(("text", "code"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_file_is_refused_with_reason(import_csv, text, code):
    with pytest.raises(UserError) as refused:
        import_csv(text)
    assert refused.value.code == code


def test_byte_order_mark_and_crlf_are_accepted(session, family, import_csv):
    import_csv("\ufeffTo,Result\r\n3125550143,Delivered\r\n".encode())
    assert settled(session) == {}


def test_results_count_for_deliveries_with_the_senders_own_ids(session, family, import_csv):
    message = messages.a_message(*map(messages.a_delivery, family), sent_at=NOW, message_id=SENT.id)
    messages.register(session, message, now=NOW)
    report = import_csv("to,result\n3125550142,delivered\n3125550143,blocked\n")
    assert (report.added, report.already) == (0, 3)
    assert settled(session) == {family[2].id: "blocked"}


@pytest.mark.parametrize("contact", ["nobody", "x" * 501, '"a\nb"', "a\x00b", "\u200b"])
def test_row_with_unknown_contact_is_rejected(session, family, import_csv, contact):
    report = import_csv(f"contact,to,result\n{contact},3125550142,blocked\n,3125550143,blocked\n")
    assert [line for line, _ in report.rejected] == [2]
    assert settled(session) == {family[2].id: "blocked"}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_recognized(session, family, import_csv, delimiter):
    rows = [["to", "status"], ["3125550143", "blocked"]]
    import_csv("\n".join(delimiter.join(row) for row in rows))
    assert settled(session) == {family[2].id: "blocked"}


def test_chosen_words_are_remembered_for_that_messenger(session, family, import_csv):
    text = "Phone,Status\n3125550143,Invalid\n3125550142,Opened\n"
    assert import_csv(text).preview.report.unknown == {"Invalid": 1}
    import_csv(text, words={"invalid": Meaning.LANDLINE})
    assert settled(session) == {family[2].id: "landline"}
    assert import_csv(text).preview.report.unknown == {}
    other = import_csv("Phone,Status\n3125550143,Invalid\n3125550142,Flagged\n")
    assert other.preview.report.unknown == {"Invalid": 1}


def test_import_is_audited_without_names_or_numbers(session, family, import_csv):
    report = import_csv("to,status\n3125550143,blocked\n3125550199,delivered\n")
    row = session.query(Audit).filter_by(action="report.imported").one()
    assert (row.subject_id, row.actor, row.after) == (
        report.id,
        "cleanup-bot",
        "0 delivered, 1 not delivered, 1 unclear",
    )


def test_unregistered_message_gets_the_same_id():
    assert message_id("Snow Day!", NOW) == message_id("snow day", NOW)
    assert message_id("Snow day", NOW) != message_id("Snow day", NOW + timedelta(minutes=1))
