"""`cleanup-bot socket` against the other end of Socket Mode; whatever else it asks is answered by the little Slack."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import WSMsgType, web
from sqlalchemy import text
from support import people

from bot.cli import manifest
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.serving import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
APP_TOKEN = "xapp-of-this-app"


class OtherEnd:
    """Gives out addresses, sends `envelopes` one after the other down each connection, and keeps what comes back."""

    def __init__(self, little_slack):
        self.little_slack = little_slack
        self.envelopes = queue.Queue()
        self.answers = queue.Queue()
        self.connections = 0

    async def open(self, request):
        if request.headers["Authorization"] != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response({"ok": True, "url": f"ws://{request.host}/link?ticket=1"})

    async def link(self, request):
        self.connections += 1
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.send_json({"type": "hello", "num_connections": 1})
        envelope = await asyncio.to_thread(self.envelopes.get)
        if envelope is None:
            await line.close()
            return line
        await line.send_json(envelope)
        async for message in line:
            if message.type is WSMsgType.TEXT:
                self.answers.put(json.loads(message.data))
        return line

    async def anything_else(self, request):
        async with httpx.AsyncClient(base_url=self.little_slack) as client:
            headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
            said = await client.post(request.match_info["method"], content=await request.read(), headers=headers)
        return web.Response(body=said.content, status=said.status_code, content_type="application/json")


@pytest.fixture
def slack():
    return Workspace(manifest.read())


@pytest.fixture
def other_end(slack):
    with serve(slack) as little_slack:
        end = OtherEnd(little_slack)
        with listening(end) as url:
            end.url = url
            yield end
            end.envelopes.put(None)


@contextmanager
def listening(end):
    """Serve from a thread of its own: in the main one, a browser under test already runs an event loop."""
    app = web.Application()
    app.add_routes(
        [
            web.post("/api/apps.connections.open", end.open),
            web.post("/api/{method}", end.anything_else),
            web.get("/link", end.link),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def there(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    try:
        there(runner.setup())
        there(web.TCPSite(runner, "127.0.0.1", 0).start())
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        there(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def bot(empty_database, database_url, slack, other_end, tmp_path):
    """Start `cleanup-bot socket`; what was started is never left behind."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    started = []

    def start(token=APP_TOKEN):
        environment = {
            **kept,
            "DATABASE_URL": database_url,
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": token,
            "SLACK_API_URL": other_end.url,
        }
        command = [sys.executable, "-m", "bot.cli", "socket"]
        started.append(subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def a_command(slack, user, text):
    payload = {
        "command": "/cleanup",
        "text": text,
        "user_id": user.id,
        "team_id": slack.team_id,
        "channel_id": "D1",
        "response_url": "http://127.0.0.1:1/",
        "trigger_id": "1" * 5000,  # Longer than one read of the connection.
    }
    envelope = {"envelope_id": "E1", "type": "slash_commands", "accepts_response_payload": True}
    return {**envelope, "payload": payload}


def test_over_a_socket_the_same_listeners_answer_in_the_acknowledgement(bot, session, slack, other_end):
    district = people.a_district(session)
    session.commit()
    clara = slack.add_user("Clara", email=district.clara.email)
    other_end.envelopes.put(a_command(slack, clara, "help"))
    process = bot()
    answer = other_end.answers.get(timeout=30)
    assert answer["envelope_id"] == "E1"
    assert "/cleanup" in json.dumps(answer["payload"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_over_a_socket_too_a_command_that_takes_too_long_is_told_to_wait_and_answered_below(
    bot, session, slack, other_end
):
    district = people.a_district(session)
    session.commit()
    clara = Person(slack, slack.add_user("Clara", email=district.clara.email).id)
    command = a_command(slack, clara, "grade 5")
    hook = slack.keys.issue_hook(clara.id, clara.dm, slack.clock())
    command["payload"]["response_url"] = f"{slack.base_url}/hooks/{hook}"
    session.execute(text("LOCK TABLE cleanup_list IN ACCESS EXCLUSIVE MODE"))
    other_end.envelopes.put(command)
    bot()
    assert "One moment" in other_end.answers.get(timeout=30)["payload"]["text"]
    assert clara.messages() == []
    session.rollback()
    until = time.monotonic() + 10
    while not clara.messages() and time.monotonic() < until:
        time.sleep(0.05)
    assert "Nobody" in clara.last().text


def test_a_connection_that_slack_closes_is_made_anew(bot, slack, other_end):
    other_end.envelopes.put(None)
    other_end.envelopes.put(a_command(slack, slack.add_user("Nobody we know"), ""))
    bot()
    assert other_end.answers.get(timeout=30)["envelope_id"] == "E1"
    assert other_end.connections == 2


def test_a_token_that_slack_refuses_is_said_in_one_line(bot):
    process = bot(token="xapp-of-another-app")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines() == [said.strip()]
    assert "SLACK_APP_TOKEN (invalid_auth)" in said
