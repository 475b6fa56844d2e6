"""Results of a mass message from a CSV: the same file again changes nothing, and no row is lost without a reason."""

from datetime import timedelta

import pytest
from support import mass_messages as messages
from support import people
from support.people import NOW

from bot.errors import UserError
from bot.mass_messages.results_file import ResultsMessage, import_results
from bot.mass_messages.settle import settle_message

NUMBER, OTHER = "+13125550142", "+13125550143"
SENT = ResultsMessage("snow", "Snow day", NOW)


@pytest.fixture
def family(session):
    """Maria and Otto share a number; Eva has another."""
    district = people.a_district(session)
    sam = people.student(session, at=district.lincoln)
    return [
        people.contact(session, sam, given=given, phone=phone)
        for given, phone in (("Maria", NUMBER), ("Otto", NUMBER), ("Eva", OTHER))
    ]


@pytest.fixture
def take(session, tmp_path):
    def take(text, sent=SENT):
        path = tmp_path / "results.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_results(session, path, sent, now=NOW, settle_after=timedelta(days=1), region="US")

    return take


def settled(session):
    settle_message(session, SENT.id, now=NOW)
    return messages.the_list(session)


def test_each_contact_with_a_number_of_the_file_gets_its_result(session, family, take):
    maria, otto, _eva = family
    report = take("Phone,Status\n(312) 555-0142,Turned Off\n312-555-0143,Delivered\n")
    assert (report.read, report.added, report.already, list(report.rejected)) == (2, 3, 0, [])
    assert settled(session) == {maria.id: "turned_off", otto.id: "turned_off"}


def test_the_same_file_again_changes_nothing(session, family, take):
    text = "to,result\n3125550142,blocked\n"
    take(text)
    before = settled(session)
    report = take(text)
    assert (report.added, report.already) == (0, 2)
    assert settled(session) == before


def test_codes_of_a_provider_say_more_than_the_word_beside_them(session, family, take):
    take("to,status,error code\n3125550143,undelivered,30006\n", ResultsMessage("snow", "Snow day", NOW, "twilio"))
    assert settled(session) == {family[2].id: "landline"}


def test_a_row_may_name_its_contact(session, family, take):
    maria, *_ = family
    report = take(f"contact sourcedId,number,outcome\n{maria.sourced_id},3125550142,inactive\n")
    assert report.added == 1


def test_what_was_only_sent_stays_open_until_its_window_closes(session, family, take):
    take("to,status\n3125550143,sent\n")
    assert settled(session) == {}
    settle_message(session, SENT.id, now=NOW + timedelta(days=2))
    assert messages.the_list(session) == {family[2].id: "unconfirmed"}


def test_rows_that_cannot_count_are_listed_with_line_and_reason_and_the_others_count(session, family, take):
    report = take("to,status\n12,delivered\n3125550199,delivered\n3125550143,lost in space\n3125550142,delivered\n")
    assert [line for line, _ in report.rejected] == [2, 3, 4]
    reasons = [reason for _, reason in report.rejected]
    assert "Too short" in reasons[0]
    assert reasons[1] == "Nobody in the student information system has this number."
    assert "“lost in space” is no result that we know" in reasons[2]
    assert (report.read, report.added) == (4, 2)


@pytest.mark.parametrize("word", ["Opt-Out", "opt_out", "UNSUBSCRIBED", "opted out"])
def test_an_opt_out_counts_at_once(session, family, take, word):
    take(f"to,status\n3125550143,{word}\n")
    assert messages.the_list(session) == {family[2].id: "opt_out"}


UNREADABLE = {
    "no column for the number": ("status\ndelivered\n", "no column for the number"),
    "no column for the result": ("to\n3125550142\n", "no column for the result"),
    "empty": ("", "no column for the number"),
    "header only": ("to,status\n", "holds no result that counts."),
    "nothing counts": ("to,status\n12,delivered\n", "Line 2: Too short"),
    "semicolons": ("to;status\n3125550142;delivered\n", "Save it as a CSV with commas."),
    "tabs": ("to\tstatus\n3125550142\tdelivered\n", "Save it as a CSV with commas."),
    "not text": (b"\x00\xff\xfe\x00", "no column"),
}


@pytest.mark.parametrize(("text", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_cannot_count_says_why(take, text, why):
    with pytest.raises(UserError) as refused:
        take(text)
    assert why in refused.value.sentence


def test_excel_and_its_mark_are_read(session, family, take):
    take("\ufeffTo,Result\r\n3125550143,Delivered\r\n".encode())
    assert settled(session) == {}


def test_results_count_for_a_message_that_its_sender_registered_with_ids_of_its_own(session, family, take):
    message = messages.a_message(*map(messages.a_delivery, family), sent_at=NOW, message_id=SENT.id)
    messages.registered(session, message, now=NOW)
    report = take("to,result\n3125550142,delivered\n3125550143,blocked\n")
    assert (report.added, report.already) == (0, 3)
    assert settled(session) == {family[2].id: "blocked"}


@pytest.mark.parametrize("contact", ["nobody", "x" * 501, '"a\nb"', "a\x00b", "\u200b"])
def test_a_row_whose_contact_nobody_knows_is_listed_and_the_others_count(session, family, take, contact):
    report = take(f"contact,to,result\n{contact},3125550142,blocked\n,3125550143,blocked\n")
    assert [line for line, _ in report.rejected] == [2]
    assert settled(session) == {family[2].id: "blocked"}
