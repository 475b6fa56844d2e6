"""The tour plays the whole path; it passes on a sandbox that is well and fails where a step is not what it should be."""

import io

import pytest
from rich.console import Console
from support.stages import a_stage

from bot.sandbox import tour
from bot.sandbox.district.numbers import Fate


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=110)


def test_every_step_of_the_tour_is_as_it_should_be(tmp_path, console):
    with a_stage(tmp_path) as (opened, _):
        code = tour.play(opened, console)

    said = console.file.getvalue()
    assert code == 0, said
    assert said.count("✓") >= len(tour.STEPS)


def test_the_tour_ends_at_the_first_step_that_is_not_what_it_should_be(tmp_path, console, monkeypatch):
    with a_stage(tmp_path) as (opened, _):
        blocked = [number for number, fate in opened.district.fates.items() if fate is Fate.BLOCKED]
        for number in blocked:
            monkeypatch.setitem(opened.district.fates, number, Fate.FINE)
        code = tour.play(opened, console)

    assert code == 1
    assert "✗" in console.file.getvalue()
