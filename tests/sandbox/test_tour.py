"""The tour passes on a working sandbox and fails at the first step without the expected result."""

import io

import pytest
from rich.console import Console
from support.running_sandbox import running_sandbox

from bot.cli.sync_report import show_sync
from bot.sandbox import tour
from bot.sandbox.demo import Demo
from bot.sandbox.district.numbers import TextResult


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=110)


def test_every_step_of_the_tour_passes(tmp_path, console):
    with running_sandbox(tmp_path) as (sandbox, _):
        exit_code = tour.run_tour(Demo(sandbox, console, show_sync))

    output = console.file.getvalue()
    assert exit_code == 0, output
    assert output.count("✓") >= len(tour.STEPS)


def test_tour_ends_at_the_first_failing_step(tmp_path, console, monkeypatch):
    with running_sandbox(tmp_path) as (sandbox, _):
        for number, text_result in sandbox.district.text_results.items():
            if text_result is TextResult.BLOCKED:
                monkeypatch.setitem(sandbox.district.text_results, number, TextResult.DELIVERED)
        exit_code = tour.run_tour(Demo(sandbox, console, show_sync))

    assert exit_code == 1
    assert "✗" in console.file.getvalue()
