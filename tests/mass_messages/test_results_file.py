"""Import the results of a mass message from a CSV: repeatable, and no row is dropped without a reason."""

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
    district = people.create_district(session)
    sam = people.student(session, at=district.lincoln)
    return [
        people.contact(session, sam, given=given, phone=phone)
        for given, phone in (("Maria", NUMBER), ("Otto", NUMBER), ("Eva", OTHER))
    ]


@pytest.fixture
def import_csv(session, tmp_path):
    def import_csv(text, sent=SENT):
        path = tmp_path / "results.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_results(session, path, sent, now=NOW, settle_after=timedelta(days=1), region="US")

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
    import_csv(
        "to,status,error code\n3125550143,undelivered,30006\n", ResultsMessage("snow", "Snow day", NOW, "twilio")
    )
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
    assert "“lost in space” is not a known result" in reasons[2]
    assert (report.read, report.added) == (4, 2)


@pytest.mark.parametrize("word", ["Opt-Out", "opt_out", "UNSUBSCRIBED", "opted out"])
def test_opt_out_counts_at_once(session, family, import_csv, word):
    import_csv(f"to,status\n3125550143,{word}\n")
    assert messages.the_list(session) == {family[2].id: "opt_out"}


UNUSABLE = {
    "no column for the number": ("status\ndelivered\n", "results.number_column_missing"),
    "no column for the result": ("to\n3125550142\n", "results.result_column_missing"),
    "empty": ("", "results.number_column_missing"),
    "header only": ("to,status\n", "results.none_imported"),
    "no usable row": ("to,status\n12,delivered\n", "results.none_imported"),
    "semicolons": ("to;status\n3125550142;delivered\n", "results.not_comma_separated"),
    "tabs": ("to\tstatus\n3125550142\tdelivered\n", "results.not_comma_separated"),
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
