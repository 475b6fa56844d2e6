"""The app in this process, closed while requests are on their way to it."""

import asyncio
import threading

import pytest

from bot.sandbox.slack.deliver import InProcess, PathKind


async def never_answers(_scope, _receive, _send):
    await asyncio.Event().wait()


def ask(app, answers):
    try:
        app(PathKind.EVENTS, {}, b"{}")
    except BaseException as problem:  # noqa: BLE001 (Whatever the caller gets is the answer.)
        answers.append(problem)


def test_closing_gives_up_on_what_is_under_way_and_leaves_nothing_behind():
    answers = []
    app = InProcess(never_answers)
    callers = [threading.Thread(target=ask, args=(app, answers)) for _ in range(20)]
    for caller in callers:
        caller.start()
    app.close()
    for caller in callers:
        caller.join()
    assert {type(answer) for answer in answers} == {ConnectionError}
    assert len(answers) == 20


def test_a_request_after_the_close_finds_nobody():
    with InProcess(never_answers) as app:
        pass
    with pytest.raises(ConnectionError):
        app(PathKind.EVENTS, {}, b"{}")
