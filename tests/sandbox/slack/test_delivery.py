"""Requests to an app in this process, and the independence of the local Slack from the bot."""

import ast
import asyncio
import threading
from pathlib import Path

import pytest

from bot.sandbox.slack import delivery
from bot.sandbox.slack.delivery import InProcess


async def never_responds(_scope, _receive, _send):
    await asyncio.Event().wait()


def send(app, errors):
    try:
        app({}, b"{}")
    except BaseException as error:  # noqa: BLE001 - whatever the caller gets is the result.
        errors.append(error)


def test_closing_the_app_fails_all_running_requests():
    errors = []
    app = InProcess(never_responds)
    callers = [threading.Thread(target=send, args=(app, errors)) for _ in range(20)]
    for caller in callers:
        caller.start()
    app.close()
    for caller in callers:
        caller.join()
    assert {type(error) for error in errors} == {ConnectionError}
    assert len(errors) == 20


def test_request_to_a_closed_app_is_a_connection_error():
    with InProcess(never_responds) as app:
        pass
    with pytest.raises(ConnectionError):
        app({}, b"{}")


def test_local_slack_does_not_import_the_bot():
    folder = Path(delivery.__file__).parent
    imported = {
        node.module
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bot")
    }
    assert imported
    assert {name for name in imported if not name.startswith("bot.sandbox.slack")} == set()
