"""`cleanup-bot socket` against a Socket Mode server; all other calls are answered by the local Slack."""

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
from bot.sandbox.slack.server import serve
from bot.sandbox.slack.workspace import Workspace
from bot.settings import Settings

ROOT = Path(__file__).parents[2]
APP_TOKEN = "xapp-of-this-app"


class SocketServer:
    """Hands out WebSocket URLs, sends one of `envelopes` per connection, and keeps the `answers`."""

    def __init__(self, local_slack):
        self.local_slack = local_slack
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
        async with httpx.AsyncClient(base_url=self.local_slack) as client:
            headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
            response = await client.post(request.match_info["method"], content=await request.read(), headers=headers)
        return web.Response(body=response.content, status=response.status_code, content_type="application/json")


@pytest.fixture
def slack():
    return Workspace(manifest.read())


@pytest.fixture
def socket_server(slack):
    with serve(slack) as local_slack:
        end = SocketServer(local_slack)
        with listening(end) as url:
            end.url = url
            yield end
            end.envelopes.put(None)


@contextmanager
def listening(end):
    """Serve from a separate thread: in the main one, a browser under test already runs an event loop."""
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

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    try:
        run(runner.setup())
        run(web.TCPSite(runner, "127.0.0.1", 0).start())
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        run(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def bot(empty_database, database_url, slack, socket_server, tmp_path):
    """Start `cleanup-bot socket`; processes are killed at the end."""
    setting_names = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in setting_names}
    processes = []

    def start(token=APP_TOKEN):
        environment = {
            **inherited,
            "DATABASE_URL": database_url,
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": token,
            "SLACK_API_URL": socket_server.url,
        }
        command = [sys.executable, "-m", "bot.cli", "socket"]
        processes.append(subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
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


def test_command_is_answered_in_the_acknowledgement(bot, session, slack, socket_server):
    district = people.create_district(session)
    session.commit()
    clara = slack.add_user("Clara", email=district.clara.email)
    socket_server.envelopes.put(a_command(slack, clara, "help"))
    process = bot()
    answer = socket_server.answers.get(timeout=30)
    assert answer["envelope_id"] == "E1"
    assert "/cleanup" in json.dumps(answer["payload"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_slow_command_gets_interim_response_and_late_answer(bot, session, slack, socket_server):
    district = people.create_district(session)
    session.commit()
    clara = Person(slack, slack.add_user("Clara", email=district.clara.email).id)
    command = a_command(slack, clara, "grade 5")
    command["payload"]["response_url"] = slack.new_response_url(clara.id, clara.dm)
    session.execute(text("LOCK TABLE cleanup_list IN ACCESS EXCLUSIVE MODE"))
    socket_server.envelopes.put(command)
    bot()
    assert "One moment" in socket_server.answers.get(timeout=30)["payload"]["text"]
    assert clara.messages() == []
    session.rollback()
    until = time.monotonic() + 10
    while not clara.messages() and time.monotonic() < until:
        time.sleep(0.05)
    assert "Your school has no students" in clara.last().text


def test_connection_closed_by_slack_is_opened_again(bot, slack, socket_server):
    socket_server.envelopes.put(None)
    socket_server.envelopes.put(a_command(slack, slack.add_user("Unknown person"), ""))
    bot()
    assert socket_server.answers.get(timeout=30)["envelope_id"] == "E1"
    assert socket_server.connections == 2


def test_refused_token_is_reported_in_one_line(bot):
    process = bot(token="xapp-of-another-app")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.splitlines() == [errors.strip()]
    assert "SLACK_APP_TOKEN (invalid_auth)" in errors
