"""The cost of each endpoint beyond an empty answer of the same process (`/healthz`), measured in the same run."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest
from web.test_server import COMMAND, INGEST, bolt, from_twilio, serve, signed  # noqa: F401 - fixtures of the same endpoints.

CLIENTS, EACH = 4, 500


def measure(base_url, send):
    """Return the median time of an answer in ms while four clients send at once, and the answers per second."""

    def client(_number):
        times = []
        with httpx.Client(base_url=base_url, timeout=30) as bot:
            for _ in range(EACH):
                started = time.perf_counter()
                assert send(bot).is_success
                times.append(time.perf_counter() - started)
        return times

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        times = [seconds for client_times in clients.map(client, range(CLIENTS)) for seconds in client_times]
    return statistics.median(times) * 1000, len(times) / (time.perf_counter() - started)


@pytest.fixture
def bot(serve):  # noqa: F811 - pytest hands fixtures over by name.
    return serve()


_numbers = count(1)


def a_command(bot):
    body = COMMAND + f"&trigger_id={next(_numbers)}".encode()
    return bot.post("/slack/events", content=body, headers=signed(body))


def a_receipt(bot):
    fields = {"MessageSid": f"SM{next(_numbers)}", "MessageStatus": "delivered", "To": "+13125550142"}
    return from_twilio(bot, fields)


def a_mass_message(bot):
    number = next(_numbers)
    rows = [{"contact": f"C{row}", "to": f"+1312556{row:04d}"} for row in range(500)]
    message = {"id": f"M{number}", "title": "Snow day", "sent_at": "2026-11-23T15:04:05Z", "deliveries": rows}
    return bot.post("/mass-messages", json=message, headers={"Authorization": f"Bearer {INGEST}"})


def test_cost_of_each_endpoint(bot):
    endpoints = {
        "empty answer": lambda client: client.get("/healthz"),
        "command": a_command,
        "receipt": a_receipt,
    }
    floor = None
    for name, send in endpoints.items():
        median, rate = measure(bot.base_url, send)
        floor = floor or median
        print(f"\n{name:14} {median:6.2f} ms ({median / floor:4.1f} x the floor), {rate:6.0f}/s", end="")


def test_cost_of_500_deliveries(bot):
    started = time.perf_counter()
    for _ in range(10):
        assert a_mass_message(bot).is_success
    print(f"\nmass message: {5_000 / (time.perf_counter() - started):.0f} deliveries/s")
