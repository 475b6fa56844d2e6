"""Receipts per second over HTTP, signed and committed before the answer, against the same endpoint when it only verifies.

The floor is a signed text of a family that is neither STOP nor START: it is verified and parsed, and nothing is stored.
"""

import base64
import json
import statistics
import time
from urllib.parse import urlencode

import pytest
from serving import TWILIO, flood, loading, memory, web
from sqlalchemy import func, select, text
from twilio.request_validator import RequestValidator

from bot.db.models.messages import Delivery, MassMessage, Receipt
from bot.db.session import transaction

REQUESTS, CONNECTIONS, ROUNDS = 6_000, 48, 3


def a_request(port, fields):
    url = f"http://127.0.0.1:{port}/receipts/twilio"
    signature = RequestValidator(TWILIO).compute_signature(url, fields)
    body = urlencode(fields)
    head = (
        f"POST /receipts/twilio HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return base64.b64encode((head + body).encode())


def receipts(port, first):
    return [
        a_request(port, {"MessageSid": f"SM{first + number:08}", "MessageStatus": "delivered", "To": "+13125550142"})
        for number in range(REQUESTS)
    ]


def texts(port, first):
    return [
        a_request(port, {"MessageSid": f"SM{first + number:08}", "From": "+13125550142", "Body": "Thank you so much!"})
        for number in range(REQUESTS)
    ]


@pytest.fixture
def with_deliveries(empty_database):
    """Create a mass message with a delivery for each receipt of the flood."""
    with transaction(empty_database) as session:
        session.add(MassMessage(id="flood", title="Flood"))
        session.flush()
        session.execute(
            text("""
            INSERT INTO deliveries (mass_message_id, contact_sourced_id, phone, provider, provider_id)
            SELECT 'flood', 'C' || n, '+1312' || lpad((2000000 + n)::text, 7, '0'), 'twilio', 'SM' || lpad(n::text, 8, '0')
            FROM generate_series(0, :most) AS n
            """),
            {"most": REQUESTS * ROUNDS},
        )
    return empty_database


def test_receipts_a_second(with_deliveries, database_url, free_port):
    print()
    with web(database_url, free_port) as process:
        flood(free_port, CONNECTIONS, texts(free_port, 0)[:500])
        ratios = []
        for number in range(ROUNDS):
            floor = flood(free_port, CONNECTIONS, texts(free_port, number * REQUESTS))
            committed = flood(free_port, CONNECTIONS, receipts(free_port, number * REQUESTS))
            assert set(floor["statuses"]) == set(committed["statuses"]) == {"204"}
            ratios.append(committed["rate"] / floor["rate"])
            print(
                f"verified only {floor['rate']:6.0f}/s  committed {committed['rate']:6.0f}/s  ratio {ratios[-1]:.2f}"
                f"  p99 {committed['p99'] * 1000:.0f} ms (floor {floor['p99'] * 1000:.0f} ms)"
            )
        print(f"median ratio {statistics.median(ratios):.2f}; memory of web at most {memory(process):.0f} MB")
    with transaction(with_deliveries) as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) == REQUESTS * ROUNDS


def test_answered_receipts_survive_a_kill(with_deliveries, database_url, free_port):
    with web(database_url, free_port) as process, loading(free_port, CONNECTIONS) as load:
        load.stdin.write(b"\n".join(receipts(free_port, 0)))
        load.stdin.close()
        time.sleep(2)
        process.kill()
        answered = json.loads(load.stdout.read())["statuses"]["204"]
    with transaction(with_deliveries) as session:
        stored = session.scalar(select(func.count()).select_from(Receipt))
        applied = session.scalar(select(func.count()).where(Delivery.outcome == "delivered"))
    print(f"\nkilled in the middle of a flood: {answered} answered, {stored} stored, {applied} of them applied")
    assert 0 < answered <= stored == applied
