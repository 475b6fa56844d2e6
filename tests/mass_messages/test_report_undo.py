"""Undo an import: the list is as if it had never been, until the next mass message is final; a family's STOP stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support import edits, people
from support import mass_messages as messages
from support.people import NOW

from bot.access.rights import AccessLevel
from bot.contact_edits.opt_out import record_verbal_opt_out
from bot.contact_edits.unclear_texts import answer_text
from bot.db.models.edits import Audit
from bot.db.models.messages import Delivery, MassMessage, Receipt
from bot.db.models.reports import ReportResult
from bot.db.models.roster import StudentContact
from bot.db.models.unclear_texts import TextAnswer, UnclearText
from bot.errors import UserError
from bot.mass_messages.opt_outs import record_opt_out
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.report_import import ResultsMessage, import_file
from bot.mass_messages.report_preview import ReportFile
from bot.mass_messages.report_undo import undo_import
from bot.mass_messages.settle import settle_message
from bot.providers.receipt import FamilyText, OptOutMessage
from bot.providers.unclear_texts import read_text

MINUTE = timedelta(minutes=1)
SENT = ResultsMessage("snow", "Snow day", NOW)


@pytest.fixture
def families(session):
    district = people.create_district(session)
    sam = people.student(session, at=district.lincoln)
    return [people.contact(session, sam, given=given, phone=f"+1312555014{n}") for n, given in enumerate("ABC")]


def import_rows(session, *words, message=SENT, now=NOW):
    rows = "".join(f"312555014{n},{word}\n" for n, word in enumerate(words))
    result = import_file(
        session,
        ReportFile("results.csv", f"to,result\n{rows}".encode()),
        message,
        words={},
        columns={},
        actor="cleanup-bot",
        now=now,
        settle_after=timedelta(days=1),
        region="US",
    )
    return result.done.id


def undo(session, import_id, *, now=NOW + MINUTE):
    undo_import(session, import_id, actor="UCLARA", now=now)
    session.expire_all()


def rows_in(session, *tables):
    return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def everything(session):
    """Return the list, and the state of each number and delivery."""
    session.expire_all()
    deliveries = session.execute(
        select(Delivery.phone, Delivery.outcome, Delivery.final_at).order_by(Delivery.id)
    ).all()
    numbers = [messages.number(session, f"+1312555014{n}") for n in range(3)]
    return (
        messages.the_list(session),
        deliveries,
        [(number and number.status, number and number.opted_out_at) for number in numbers],
    )


def test_undone_import_of_a_new_message_leaves_nothing(session, families):
    import_id = import_rows(session, "blocked", "delivered", "opted out")
    assert messages.the_list(session) == {families[2].id: "opt_out"}
    undo(session, import_id)
    assert messages.the_list(session) == {}
    assert rows_in(session, MassMessage, Delivery, Receipt, ReportResult) == [0, 0, 0, 0]
    assert messages.number(session, families[2].sis_phone).opted_out_at is None


def test_undone_import_of_a_final_message_restores_the_list(session, families):
    messages.send(session, {families[0]: "blocked", families[1]: "delivered"}, now=NOW - timedelta(days=2))
    before = everything(session)
    import_id = import_rows(session, "delivered", "inactive", "landline")
    settle_message(session, SENT.id, now=NOW + timedelta(seconds=1))
    assert messages.the_list(session) == {families[1].id: "inactive", families[2].id: "landline"}
    undo(session, import_id)
    assert everything(session) == before


def test_results_of_the_sender_stay(session, families):
    message = messages.a_message(*map(messages.a_delivery, families), sent_at=NOW, message_id=SENT.id)
    messages.register(session, message, now=NOW)
    first = message["deliveries"][0]["provider_id"]
    messages.report(session, first, "blocked", now=NOW)
    before = everything(session)
    import_id = import_rows(session, "delivered", "inactive", now=NOW + MINUTE)
    undo(session, import_id, now=NOW + 2 * MINUTE)
    assert everything(session) == before


def test_stop_that_a_family_sent_as_well_stays(session, families):
    import_id = import_rows(session, "opted out")
    stop = OptOutMessage("twilio", "SM1", families[0].sis_phone, opted_out=True)
    record_opt_out(session, stop, now=NOW + MINUTE)
    undo(session, import_id, now=NOW + 2 * MINUTE)
    assert messages.the_list(session) == {families[0].id: "opt_out"}


def test_opt_out_from_before_the_import_stays(session, families):
    record_opt_out(session, OptOutMessage("twilio", "SM1", families[0].sis_phone, opted_out=True), now=NOW - MINUTE)
    undo(session, import_rows(session, "opted out"))
    assert messages.the_list(session) == {families[0].id: "opt_out"}


def test_import_of_the_same_report_again_after_undo_counts(session, families):
    undo(session, import_rows(session, "blocked"))
    import_rows(session, "blocked", now=NOW + 2 * MINUTE)
    settle_message(session, SENT.id, now=NOW + 3 * MINUTE)
    assert messages.the_list(session) == {families[0].id: "blocked"}


def test_import_cannot_be_undone_after_the_next_message_is_final(session, families):
    import_id = import_rows(session, "blocked")
    messages.send(session, {families[1]: "delivered"}, now=NOW + MINUTE)
    with pytest.raises(UserError) as refused:
        undo(session, import_id, now=NOW + 2 * MINUTE)
    assert refused.value.code == "report.too_late_to_undo"


def test_undo_is_audited_and_repeating_it_changes_nothing(session, families):
    import_id = import_rows(session, "blocked")
    undo(session, import_id)
    undo(session, import_id)
    rows = session.scalars(select(Audit).where(Audit.subject_kind == "report").order_by(Audit.id)).all()
    assert [(row.action, row.actor) for row in rows] == [
        ("report.imported", "cleanup-bot"),
        ("report.undone", "UCLARA"),
    ]


def test_import_that_does_not_exist_cannot_be_undone(session):
    with pytest.raises(UserError) as refused:
        undo_import(session, 17, actor="UCLARA", now=NOW)
    assert refused.value.code == "report.no_import"


@pytest.fixture
def clara(session):
    return people.actor_of(people.staff(session, "Clara", "Clerk"), level=AccessLevel.DISTRICT)


def a_family_text(session, words, now):
    record_receipts(session, [read_text(FamilyText("twilio", words, "+13125550140", words), own_words=())], now=now)


def test_verbal_opt_out_after_the_import_stays(session, families, clara):
    maria, *_ = families
    imported = import_rows(session, "Opted out")
    (student_id,) = session.scalars(select(StudentContact.student_id).where(StudentContact.contact_id == maria.id))
    version, later = edits.version_of(session, maria), NOW + MINUTE
    act = {"student_id": student_id, "version": version, "actor": clara, "now": later, "said_at": later}
    record_verbal_opt_out(session, maria.id, **act)
    undo(session, imported, now=NOW + 2 * MINUTE)
    assert messages.the_list(session) == {maria.id: "opt_out"}


def test_opt_out_that_a_person_read_in_a_text_stays(session, families, clara):
    a_family_text(session, "who is this? wrong number", NOW - MINUTE)
    imported = import_rows(session, "Opted out")
    answer_text(session, session.scalars(select(UnclearText.id)).one(), TextAnswer.OPT_OUT, actor=clara, now=NOW)
    undo(session, imported)
    assert messages.the_list(session) == {families[0].id: "opt_out"}


def test_opt_out_stays_that_answered_the_text_of_a_family(session, families):
    a_family_text(session, "Please stop texting me", NOW - MINUTE)
    undo(session, import_rows(session, "Opted out"))
    assert messages.the_list(session) == {families[0].id: "opt_out"}


@pytest.mark.usefixtures("families")
def test_text_of_a_family_waits_while_its_opt_out_may_be_undone(session):
    imported = import_rows(session, "Opted out")
    a_family_text(session, "Please stop texting me", NOW + MINUTE)
    undo(session, imported, now=NOW + 2 * MINUTE)
    assert session.scalars(select(UnclearText.text)).all() == ["Please stop texting me"]
