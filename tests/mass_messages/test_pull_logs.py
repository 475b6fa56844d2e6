"""The logs of Telnyx, Plivo, and Vonage, pulled into mass messages; the first two show no bodies."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support import log_servers, people
from support import mass_messages as messages
from support.log_servers import Plivo, Telnyx, Vonage, answering
from support.mass_messages import the_list
from support.people import NOW

from bot.db.models.messages import Delivery, MassMessage, OptOutText, Receipt
from bot.db.models.unclear_texts import UnclearText
from bot.db.session import transaction
from bot.errors import UserError
from bot.mass_messages.pull import pull
from bot.mass_messages.receipts import record_receipts
from bot.mass_messages.settle import due_messages, settle_message
from bot.mass_messages.unclear_texts import store_unclear_text
from bot.providers import plivo, telnyx, vonage
from bot.providers.callback import Callback
from bot.providers.unclear_texts import read_text
from bot.settings import Settings

SENT = NOW - timedelta(hours=2)
# What each provider says of a number that cannot be texted, and what that means.
FAILURES = {
    Telnyx: {"status": "failed", "error_code": 40001},
    Plivo: {"status": "undelivered", "error_code": 50},
    Vonage: {"status": "failed", "error_code": 3},
}
MEANINGS = {Telnyx: "landline", Plivo: "landline", Vonage: "inactive"}
COUNTED = (MassMessage, Delivery, Receipt, OptOutText, UnclearText)


@pytest.fixture(params=[Telnyx, Plivo, Vonage], ids=lambda kind: kind.__name__)
def server(request):
    with log_servers.serving(request.param) as server:
        yield server


@pytest.fixture
def plivo_server():
    with log_servers.serving(Plivo) as server:
        yield server


@pytest.fixture
def telnyx_server():
    with log_servers.serving(Telnyx) as server:
        yield server


@pytest.fixture
def families(session):
    """Twelve contacts, each of a student of their own."""
    found = [people.contact(session, people.student(session)) for _ in range(12)]
    session.commit()
    return found


@pytest.fixture
def pulling(empty_database):
    def pulling(server, *, now=NOW, since=None):
        return pull(empty_database, server.log(), settings=Settings(_env_file=None), now=now, since=since)

    return pulling


def send_to(server, families, body="School closes at noon.", *, at=SENT, **changed):
    """Send a text to each contact, one a second, and return the ids."""
    return [
        server.send(contact.sis_phone, body, at=at + timedelta(seconds=second), **changed)
        for second, contact in enumerate(families)
    ]


def rows(session):
    session.rollback()
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in COUNTED}


def outcomes(session):
    session.rollback()
    found = session.execute(select(Delivery.contact_sourced_id, Delivery.outcome)).all()
    return dict(found)


def test_texts_become_a_mass_message_with_its_results(session, server, families, pulling, empty_database):
    failure = FAILURES[type(server)]
    ids = send_to(server, families[:1], **failure) + send_to(server, families[1:])
    counts = pulling(server)
    assert (counts.texts, counts.messages, counts.deliveries, counts.receipts, counts.hidden) == (12, 1, 12, 12, 0)
    assert set(session.scalars(select(Delivery.provider_id))) == set(ids)
    with transaction(empty_database) as settling:
        for message_id in due_messages(settling, now=NOW):
            settle_message(settling, message_id, now=NOW)
    session.rollback()
    assert the_list(session) == {families[0].id: MEANINGS[type(server)]}


def test_second_pull_changes_nothing(session, server, families, pulling):
    send_to(server, families)
    server.receive(families[0].sis_phone, "STOP", at=SENT + timedelta(minutes=5))
    server.receive(families[1].sis_phone, "who is this?", at=SENT + timedelta(minutes=6))
    first = pulling(server)
    before = rows(session)
    assert (first.opt_outs, first.unclear) == ((0, 0) if isinstance(server, Plivo) else (1, 1))
    again = pulling(server, now=NOW + timedelta(minutes=15), since=SENT - timedelta(days=2))
    assert rows(session) == before
    assert (again.messages, again.deliveries, again.receipts, again.opt_outs, again.unclear) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("page", [0, 1, 2, 3])
def test_interrupted_pull_continues(session, server, families, pulling, page):
    server.page_size = 5
    send_to(server, families, at=SENT - timedelta(days=1))
    send_to(server, families)
    pages = []

    def count(request):
        pages.append(request)
        server.faults[:] = [answering(403) if len(pages) == page else count]
        return log_servers.page_of(server)(request)

    server.faults[:] = [answering(403) if page == 0 else count]
    with pytest.raises(UserError) as error:
        pulling(server, since=NOW - timedelta(days=2))
    assert error.value.code == "pull.refused"
    server.faults.clear()
    pulling(server, since=NOW - timedelta(days=2))
    assert (rows(session)["mass_messages"], rows(session)["deliveries"], rows(session)["receipts"]) == (2, 24, 24)


def test_automatic_answers_are_no_mass_message(session, server, families, pulling):
    for second, contact in enumerate(families):
        server.receive(contact.sis_phone, "ok", at=SENT + timedelta(seconds=second))
    send_to(server, families, at=SENT + timedelta(seconds=3))
    assert pulling(server).messages == 0
    assert rows(session)["deliveries"] == 0


def test_few_texts_are_no_mass_message(server, families, pulling):
    send_to(server, families[:9])
    assert pulling(server).messages == 0


def json_callback(body):
    return Callback("https://cleanup.example/receipts", {}, json.dumps(body).encode(), NOW)


def a_report(server, message_id, phone):
    """Return the receipt that the provider's callback brings for the failure of a text."""
    if isinstance(server, Telnyx):
        message = {
            "id": message_id,
            "to": [{"phone_number": phone, "status": "delivery_failed"}],
            "errors": [{"code": "40001", "title": "Not routable"}],
        }
        event = {"id": "e1", "event_type": "message.finalized", "occurred_at": "2026-11-23T13:05:00Z"}
        return telnyx.parse(json_callback({"data": event | {"payload": message}}))
    if isinstance(server, Plivo):
        fields = {
            "Status": "undelivered",
            "ErrorCode": "50",
            "To": phone,
            "PartInfo": "1 of 1",
            "DeliveryReportTime": "2026-11-23 13:05:00",
        }
        return [plivo.read_receipt(message_id, fields)]
    fields = {"messageId": message_id, "msisdn": phone, "status": "failed", "err-code": "3", "scts": "2611231305"}
    return vonage.parse(json_callback(fields))


def test_callback_and_log_of_one_text_count_once(session, server, families, pulling):
    ids = send_to(server, families, **FAILURES[type(server)])
    record_receipts(session, a_report(server, ids[0], families[0].sis_phone), now=NOW)
    session.commit()
    assert pulling(server).receipts == 11
    assert rows(session)["receipts"] == 12
    assert set(outcomes(session).values()) == {MEANINGS[type(server)]}


def test_family_text_of_callback_and_log_counts_once(session, telnyx_server, families, pulling):
    phone = families[0].sis_phone
    message_id = telnyx_server.receive(phone, "who is this?", at=SENT)
    payload = {"id": message_id, "from": {"phone_number": phone}, "text": "who is this?"}
    event = {"id": "e1", "event_type": "message.received", "payload": payload}
    [text] = telnyx.parse(json_callback({"data": event}))
    store_unclear_text(session, read_text(text, own_words=()), now=SENT)
    session.commit()
    assert pulling(telnyx_server).unclear == 0
    assert rows(session)["unclear_texts"] == 1


def test_message_registered_with_ids_is_not_doubled(session, server, families, pulling):
    ids = send_to(server, families)
    provider = server.log().provider
    deliveries = [
        messages.a_delivery(contact, provider=provider, provider_id=message_id)
        for contact, message_id in zip(families, ids, strict=True)
    ]
    messages.register(session, messages.a_message(*deliveries, sent_at=SENT, message_id="early"), now=NOW)
    session.commit()
    assert (pulling(server).messages, rows(session)["mass_messages"]) == (0, 1)
    assert set(outcomes(session).values()) == {"delivered"}


def test_note_beside_a_registered_message_is_no_part_of_it(session, plivo_server, families, pulling):
    ids = send_to(plivo_server, families[:11])
    deliveries = [
        messages.a_delivery(contact, provider="plivo", provider_id=message_id)
        for contact, message_id in zip(families[:11], ids, strict=True)
    ]
    messages.register(session, messages.a_message(*deliveries, sent_at=SENT, message_id="early"), now=NOW)
    session.commit()
    plivo_server.send(families[11].sis_phone, at=SENT + timedelta(seconds=30))
    assert pulling(plivo_server).deliveries == 0
    assert set(outcomes(session).values()) == {"delivered"}


@pytest.mark.parametrize(("minutes", "count"), [(2, 1), (5, 2)])
def test_one_sender_makes_another_message_after_a_pause(plivo_server, families, pulling, *, minutes, count):
    send_to(plivo_server, families)
    send_to(plivo_server, families, at=SENT + timedelta(minutes=minutes))
    counts = pulling(plivo_server)
    assert (counts.messages, counts.deliveries) == (count, 12 * count)


def test_another_sender_makes_another_message(plivo_server, telnyx_server, families, pulling):
    send_to(plivo_server, families)
    send_to(plivo_server, families, from_number="13125550177")
    assert pulling(plivo_server).messages == 2
    send_to(telnyx_server, families)
    send_to(telnyx_server, families, profile_id="another")
    assert pulling(telnyx_server).messages == 2


def test_pool_of_numbers_in_a_profile_makes_one_message(telnyx_server, families, pulling):
    for second, contact in enumerate(families):
        telnyx_server.send(contact.sis_phone, at=SENT + timedelta(seconds=second), cli=f"+131255501{second:02d}")
    assert pulling(telnyx_server).messages == 1


def test_notes_that_are_typed_one_by_one_are_no_mass_message(plivo_server, families, pulling):
    for number, contact in enumerate(families):
        plivo_server.send(contact.sis_phone, at=SENT + number * timedelta(minutes=3))
    assert pulling(plivo_server).messages == 0


def test_sender_is_stored_nowhere(session, plivo_server, families, pulling):
    send_to(plivo_server, families)
    pulling(plivo_server)
    [message_id] = session.scalars(select(MassMessage.id))
    assert log_servers.SENDER.removeprefix("+1") not in message_id


def test_telnyx_record_that_is_written_late_is_read(session, telnyx_server, families, pulling):
    send_to(telnyx_server, families[:11])
    pulling(telnyx_server)
    telnyx_server.send(families[11].sis_phone, at=SENT + timedelta(seconds=12), status="dlr_timeout")
    later = pulling(telnyx_server, now=NOW + timedelta(hours=9))
    assert (later.messages, later.deliveries, later.receipts) == (0, 1, 1)
    assert outcomes(session)[families[11].sourced_id] == "unconfirmed"
    assert rows(session)["mass_messages"] == 1


def test_stop_after_a_refused_text_stays(session, telnyx_server, families, pulling):
    phone = families[0].sis_phone
    telnyx_server.send(phone, at=SENT, status="failed", error_code=40300)
    pulling(telnyx_server)
    session.rollback()
    assert messages.number(session, phone).status == "opt_out"
    telnyx_server.receive(phone, "START", at=SENT + timedelta(minutes=10))
    pulling(telnyx_server, now=NOW + timedelta(minutes=15))
    session.rollback()
    row = messages.number(session, phone)
    assert row is None or row.status is None
