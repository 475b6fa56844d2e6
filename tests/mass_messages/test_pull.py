"""The log of a served Twilio, pulled into mass messages, receipts, and opt-outs."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from support import edits, people, twilio_server
from support import mass_messages as messages
from support.mass_messages import the_list
from support.people import NOW
from support.twilio_server import answering, minutes

from bot.db.models.edits import Audit
from bot.db.models.message_logs import LogWatermark
from bot.db.models.messages import Delivery, MassMessage, OptOutText, Receipt
from bot.db.models.unclear_texts import UnclearText
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages.pull import pull, pull_if_due
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.settle import due_messages, settle_message
from bot.providers import twilio
from bot.providers.receipt import OptOutMessage
from bot.settings import Settings

SENT = NOW - timedelta(hours=2)
CONFIG = Settings(_env_file=None)
COUNTED = (MassMessage, Delivery, Receipt, OptOutText, UnclearText, Audit)


@pytest.fixture
def server():
    with twilio_server.serving() as server:
        yield server


@pytest.fixture
def families(session):
    """Twelve contacts, each of a student of their own."""
    found = [people.contact(session, people.student(session)) for _ in range(12)]
    session.commit()
    return found


@pytest.fixture
def pulling(empty_database, server):
    def pulling(*, now=NOW, since=None, **changed):
        config = Settings(_env_file=None, **changed)
        return pull(empty_database, server.log(), settings=config, now=now, since=since)

    return pulling


def send_to(server, families, **changed):
    """Send a text to each contact, one a second, and return the SIDs."""
    at = changed.pop("at", SENT)
    return [
        server.send(contact.sis_phone, at=at + timedelta(seconds=second), **changed)
        for second, contact in enumerate(families)
    ]


def rows(session):
    session.rollback()
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in COUNTED}


def outcomes(session):
    session.rollback()
    found = session.execute(select(Delivery.contact_sourced_id, Delivery.outcome)).all()
    return dict(found)


def settle(engine, now=NOW):
    with transaction(engine) as session:
        for message_id in due_messages(session, now=now):
            settle_message(session, message_id, now=now)


def test_texts_become_a_mass_message_with_its_results(session, server, families, pulling, empty_database):
    sids = send_to(server, families)
    server.change(sids[0], status="undelivered", error_code=30006)
    counts = pulling()
    assert (counts.texts, counts.messages, counts.deliveries, counts.receipts, counts.open) == (12, 1, 12, 12, 0)
    message = session.scalar(select(MassMessage))
    assert (message.title, message.sent_at) == ("Text of November 23, 7:00 AM", SENT)
    assert set(session.scalars(select(Delivery.provider_id))) == set(sids)
    settle(empty_database)
    session.rollback()
    assert the_list(session) == {families[0].id: "landline"}


def test_second_pull_changes_nothing(session, server, families, pulling):
    send_to(server, families)
    server.receive(families[0].sis_phone, "STOP", at=SENT + minutes(5))
    server.receive(families[1].sis_phone, "who is this?", at=SENT + minutes(6))
    pulling()
    before = rows(session)
    assert before["opt_out_texts"] == before["unclear_texts"] == 1
    again = pulling(now=NOW + minutes(15), since=SENT - timedelta(days=2))
    assert rows(session) == before
    assert (again.messages, again.deliveries, again.receipts, again.opt_outs, again.unclear) == (0, 0, 0, 0, 0)


def test_body_is_stored_nowhere(session, server, families, pulling):
    send_to(server, families, body="Lockdown lifted at Lincoln")
    pulling()
    stored = [*session.scalars(select(MassMessage.id)), *session.scalars(select(MassMessage.title))]
    assert [text for text in stored if "ockdown" in text] == []


def test_few_texts_of_one_body_are_no_mass_message(session, server, families, pulling):
    send_to(server, families[:9], status="undelivered", error_code=30006)
    assert pulling().messages == 0
    assert rows(session)["deliveries"] == 0


def test_automatic_answers_are_no_mass_message(server, families, pulling):
    send_to(server, families, direction="outbound-reply")
    assert pulling().messages == 0


def test_redacted_bodies_are_counted(server, families, pulling):
    send_to(server, families, body="")
    counts = pulling()
    assert (counts.messages, counts.hidden) == (0, 12)


def test_numbers_of_no_contact_are_counted(server, families, pulling):
    send_to(server, families)
    server.send("+13125559999", at=SENT)
    server.send("whatsapp:+13125559998", at=SENT)
    counts = pulling()
    assert (counts.texts, counts.deliveries, counts.strangers) == (13, 12, 1)


def test_contacts_with_one_number_share_its_one_text(session, server, families, pulling, empty_database):
    other = people.contact(session, people.student(session), phone=families[0].sis_phone)
    session.commit()
    sids = send_to(server, families)
    server.change(sids[0], status="undelivered", error_code=30006)
    assert pulling().deliveries == 12
    settle(empty_database)
    session.rollback()
    assert the_list(session) == {families[0].id: "landline", other.id: "landline"}


@pytest.mark.parametrize("is_second_pull", [False, True])
def test_text_that_was_sent_again_counts_for_its_delivery(session, server, families, pulling, is_second_pull):
    sids = send_to(server, families)
    server.change(sids[0], status="undelivered", error_code=30003)
    if is_second_pull:
        pulling()
        assert outcomes(session)[families[0].sourced_id] == "turned_off"
    server.send(families[0].sis_phone, at=SENT + minutes(50))
    server.send(families[1].sis_phone, at=SENT + minutes(50), status="undelivered", error_code=30003)
    for _ in range(2):
        pulling(since=SENT)
        assert set(outcomes(session).values()) == {"delivered"}
    assert rows(session)["receipts"] == 16


def test_open_texts_are_pulled_again_until_final(session, server, families, pulling):
    sids = send_to(server, families)
    server.change(sids[3], status="sent")
    server.change(sids[4], status="queued", date_sent=None)
    assert pulling().open == 2
    server.change(sids[3], status="undelivered", error_code=30003)
    later = NOW + timedelta(days=2)
    assert pulling(now=later).open == 1
    assert outcomes(session)[families[3].sourced_id] == "turned_off"
    server.change(sids[4], status="delivered", date_sent="Mon, 23 Nov 2026 15:30:00 +0000")
    assert pulling(now=later + minutes(15)).open == 0
    assert set(outcomes(session).values()) == {"delivered", "turned_off"}
    assert rows(session)["mass_messages"] == 1


def test_text_that_stays_open_is_given_up_after_three_days(session, server, families, pulling):
    send_to(server, families, status="sent")
    pulling()
    assert session.scalar(select(LogWatermark.open_since)) == SENT
    session.rollback()
    last = pulling(now=NOW + timedelta(days=4))
    assert (last.texts, last.open) == (12, 0)
    assert pulling(now=NOW + timedelta(days=4, minutes=15)).texts == 0


def test_message_that_is_still_being_sent_stays_one_message(session, server, families, pulling):
    send_to(server, families[:11], at=NOW - minutes(10))
    pulling()
    send_to(server, families[11:], at=NOW + minutes(40))
    assert pulling(now=NOW + minutes(45)).deliveries == 1
    assert rows(session)["mass_messages"] == 1


def test_message_at_the_end_of_a_slice_is_one_message(session, server, families, pulling):
    since = SENT - timedelta(days=1) + minutes(1)
    send_to(server, families[:6])
    send_to(server, families[6:], at=SENT + minutes(3))
    assert pulling(since=since).messages == 1
    assert rows(session)["deliveries"] == 12


@pytest.mark.parametrize("page", [0, 1, 2, 3])
def test_interrupted_pull_continues(session, server, families, pulling, page):
    server.page_size = 5
    send_to(server, families, at=SENT - timedelta(days=1))
    send_to(server, families, at=SENT, body="Another text.")
    server.receive(families[0].sis_phone, "STOP", at=SENT + minutes(1))
    pages = []

    def fail_once(request):
        server.faults.clear()
        return answering(403)(request)

    def count(request):
        pages.append(request)
        server.faults[:] = [fail_once if len(pages) == page else count]
        return server_page(request)

    server_page = twilio_server.page_of(server)
    server.faults[:] = [fail_once if page == 0 else count]
    with pytest.raises(UserError) as error:
        pulling(since=NOW - timedelta(days=2))
    assert error.value.code == "pull.refused"
    server.faults.clear()
    pulling(since=NOW - timedelta(days=2))
    assert rows(session) | {"audit": 0} == {
        "mass_messages": 2,
        "deliveries": 24,
        "receipts": 24,
        "opt_out_texts": 1,
        "unclear_texts": 0,
        "audit": 0,
    }


def test_callback_and_log_of_one_text_count_once(session, server, families, pulling):
    sids = send_to(server, families, status="undelivered", error_code=30003)
    fields = {"To": families[0].sis_phone, "ErrorCode": "30003", "RawDlrDoneDate": "2611231305"}
    record_receipts(session, [twilio.read_receipt(sids[0], "undelivered", fields)], now=NOW)
    session.commit()
    assert pulling().receipts == 11
    assert rows(session)["receipts"] == 12
    assert outcomes(session)[families[0].sourced_id] == "turned_off"
    again = record_receipts(session, [twilio.read_receipt(sids[1], "undelivered", fields)], now=NOW)
    session.commit()
    assert again.stored == 1
    assert len(outcomes(session)) == 12


def test_registered_message_with_ids_is_not_doubled(session, server, families, pulling):
    sids = send_to(server, families)
    deliveries = [
        messages.a_delivery(contact, provider_id=sid) for contact, sid in zip(families[:10], sids, strict=False)
    ]
    messages.register(session, messages.a_message(*deliveries, sent_at=SENT, message_id="early"), now=NOW)
    session.commit()
    counts = pulling()
    assert (counts.messages, counts.deliveries) == (0, 2)
    assert rows(session)["mass_messages"] == 1
    assert set(outcomes(session).values()) == {"delivered"}


def test_message_registered_after_the_pull_replaces_it(session, server, families, pulling):
    sids = send_to(server, families)
    server.change(sids[11], status="undelivered", error_code=30003)
    pulling()
    deliveries = [messages.a_delivery(contact, provider_id=sid) for contact, sid in zip(families, sids, strict=True)]
    for batch in (deliveries[:5], deliveries[5:]):
        counts = messages.register(session, messages.a_message(*batch, sent_at=SENT, message_id="early"), now=NOW)
        assert counts.added + counts.already == len(batch)
        session.commit()
        pulling(now=NOW + minutes(15))
    assert session.scalars(select(MassMessage.id)).all() == ["early"]
    assert outcomes(session) == {contact.sourced_id: "delivered" for contact in families[:11]} | {
        families[11].sourced_id: "turned_off"
    }


def test_pulled_message_that_is_final_stays(session, server, families, pulling, empty_database):
    sids = send_to(server, families)
    pulling()
    settle(empty_database)
    delivery = messages.a_delivery(families[0], provider_id=sids[0])
    with pytest.raises(UserError) as error:
        messages.register(session, messages.a_message(delivery, sent_at=SENT), now=NOW)
    assert error.value.code == "mass_message.provider_id_taken"
    assert len(outcomes(session)) == 12


@pytest.mark.parametrize("count", [3, 12])
def test_registered_message_without_ids_gets_its_results(session, server, families, pulling, count):
    deliveries = [messages.a_delivery(contact, provider_id=None) for contact in families[:count]]
    messages.register(session, messages.a_message(*deliveries, sent_at=SENT, message_id="early"), now=NOW)
    session.commit()
    send_to(server, families[:count])
    server.send(families[0].sis_phone, "Please call the office.", at=SENT + minutes(1))
    assert pulling().messages == 0
    assert rows(session)["deliveries"] == count
    assert set(outcomes(session).values()) == {"delivered"}


def test_single_text_is_not_taken_for_a_registered_message(session, server, families, pulling):
    deliveries = [messages.a_delivery(contact, provider_id=None) for contact in families]
    messages.register(session, messages.a_message(*deliveries, sent_at=SENT, message_id="early"), now=NOW)
    session.commit()
    server.send(families[0].sis_phone, "Please call the office.", at=SENT + minutes(1))
    pulling()
    assert set(outcomes(session).values()) == {"pending"}


@pytest.mark.parametrize("typed_at", [NOW, SENT - minutes(5)])
def test_typed_number_of_another_contact_stays_untold(session, server, families, *, pulling, dana, typed_at):
    typist = people.contact(session, people.student(session))
    edits.change(session, typist, actor=dana, phone=families[0].sis_phone, now=typed_at)
    session.commit()
    send_to(server, families)
    for minute in (1, 2):
        server.send(families[0].sis_phone, at=SENT + minutes(minute))
        pulling(since=SENT)
    assert typist.sourced_id not in outcomes(session)


@pytest.mark.parametrize(("typed_at", "count"), [(NOW, 0), (SENT - minutes(5), 1)])
def test_typed_number_counts_if_the_text_was_sent_later(session, server, families, *, pulling, dana, typed_at, count):
    edits.change(session, families[0], actor=dana, phone="+13125550999", now=typed_at)
    session.commit()
    send_to(server, families[1:])
    server.send("+13125550999", at=SENT)
    pulling()
    assert (families[0].sourced_id in outcomes(session)) == count


def numbers_status(session, contact):
    row = messages.number(session, contact.sis_phone)
    return row and row.status


@pytest.mark.parametrize(
    "case",
    [
        (minutes(5), ["STOP"], "opt_out"),
        (minutes(5), ["Stop.", "START"], None),
        (timedelta(hours=30), ["Stop.", "START"], None),
        (timedelta(), ["Stop.", "START"], "opt_out"),  # In the same second, STOP counts.
        (timedelta(), ["START", "STOP"], "opt_out"),
        (timedelta(hours=30), ["STOP", "START", "alto"], "opt_out"),
        (minutes(5), ["Thank you!"], None),
    ],
)
def test_last_opt_out_or_opt_in_counts(session, server, families, pulling, case):
    apart, texts, status = case
    for number, text in enumerate(texts):
        server.receive(families[0].sis_phone, text, at=NOW - timedelta(days=4) + number * apart)
    for _ in range(2):
        pulling(since=NOW - timedelta(days=5))
        session.rollback()
        assert numbers_status(session, families[0]) == status


def test_old_opt_in_does_not_end_a_later_opt_out(session, server, families, pulling):
    stops = [server.receive(families[0].sis_phone, "STOP", at=SENT + minutes(10 * number)) for number in (0, 2)]
    for number, sid in zip((0, 2), stops, strict=True):
        at = SENT + minutes(10 * number)
        stop = OptOutMessage("twilio", twilio.inbound_key(sid), families[0].sis_phone, opted_out=True)
        record_receipts(session, [stop], now=at)
    session.commit()
    server.receive(families[0].sis_phone, "START", at=SENT + minutes(10))
    pulling()
    session.rollback()
    assert numbers_status(session, families[0]) == "opt_out"


def test_refused_text_opts_out_until_a_later_opt_in(session, server, families, pulling):
    server.send(families[0].sis_phone, at=SENT, status="failed", error_code=21610)
    pulling(since=SENT)
    session.rollback()
    assert numbers_status(session, families[0]) == "opt_out"
    server.receive(families[0].sis_phone, "START", at=NOW + minutes(10))
    pulling(now=NOW + minutes(15))
    session.rollback()
    assert numbers_status(session, families[0]) is None


def test_own_words_and_unclear_texts_are_read(session, server, families, pulling):
    server.receive(families[0].sis_phone, "ya no", at=SENT)
    server.receive(families[1].sis_phone, "please stop texting me", at=SENT)
    server.receive(families[2].sis_phone, "please stop texting me", at=NOW - timedelta(days=31))
    counts = pulling(since=NOW - timedelta(days=32), opt_out_words="ya no")
    assert (counts.opt_outs, counts.unclear) == (1, 1)


def test_first_pull_reads_a_day_and_the_next_goes_on(server, families, pulling):
    send_to(server, families, at=NOW - timedelta(hours=23))
    server.send(families[0].sis_phone, "Too old", at=NOW - timedelta(hours=25))
    assert pulling().texts == 12
    server.send(families[0].sis_phone, "New", at=NOW + minutes(1))
    assert pulling(now=NOW + timedelta(days=9)).texts == 1


def test_later_since_leaves_no_gap(server, families, pulling):
    pulling()
    send_to(server, families, at=NOW + timedelta(days=1))
    assert pulling(now=NOW + timedelta(days=9), since=NOW + timedelta(days=8)).texts == 12


def test_pull_is_due_after_its_interval_even_if_it_failed(server, empty_database):
    def pull_at(now):
        return pull_if_due(empty_database, server.log(), settings=CONFIG, now=now)

    server.faults = [answering(401, 20003)]
    with pytest.raises(UserError):
        pull_at(NOW)
    pull_at(NOW + minutes(14))
    assert len(server.requests) == 1
    pull_at(NOW + minutes(15))
    assert len(server.requests) == 2


def test_only_one_pull_runs_at_a_time(server, pulling, families, empty_database):
    def pull_meanwhile(request):
        with pytest.raises(UserError) as error:
            pulling()
        codes.append(error.value.code)
        assert pull_if_due(empty_database, server.log(), settings=CONFIG, now=NOW + timedelta(days=1)).texts == 0
        return server_page(request)

    codes, server_page = [], twilio_server.page_of(server)
    send_to(server, families)
    server.faults = [pull_meanwhile]
    assert pulling().messages == 1
    assert codes == ["pull.running"]


def test_title_is_in_the_time_of_the_district(session, server, families, pulling):
    send_to(server, families, at=NOW - timedelta(hours=14))
    pulling(timezone="America/New_York")
    local = (NOW - timedelta(hours=14)).astimezone(ZoneInfo("America/New_York"))
    assert session.scalar(select(MassMessage.title)) == f"Text of November 22, {local.hour - 12}:00 PM"
