"""Texts that every card shares: statuses and dates."""

import html
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.sms_status import SmsStatus
from bot.slack.kit import blocks as b

LATE = datetime(2026, 11, 23, 20, 30, tzinfo=ZoneInfo("America/Chicago"))


def test_dot_of_a_status_stays_with_its_word():
    assert b.status(SmsStatus.TURNED_OFF) == "🟡\u00a0*Turned Off*"


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("{date_short}", "<!date^1795487400^{date_short}|Nov 24, 2026 (UTC)>"),
        ("{time} on {date_long}", "<!date^1795487400^{time} on {date_long}|02:30 UTC on Nov 24, 2026>"),
        ("since {date_short_pretty}", "<!date^1795487400^since {date_short_pretty}|since Nov 24, 2026 (UTC)>"),
    ],
)
def test_date_is_local_to_the_reader_and_utc_for_old_clients(style, written):
    assert b.date(LATE, style=style) == written


HOSTILE = ["A & B", "<!channel>", "*Bold* _name_", "`x` ~y~", "**", "_", "&amp;", "\u200b*"]


@pytest.mark.parametrize("name", HOSTILE)
def test_text_of_a_card_has_a_name_as_it_is_written(name):
    buttons = b.actions([b.button(name, "test.press", "1")], block_id="x")
    card = b.card([b.header(name), b.section(f"*{b.escaped(name)}*: _ok_"), b.context(b.escaped(name)), *buttons])
    visible = name.replace("\u200b", "") if name.startswith("\u200b") else name
    lines = html.unescape(card.text).replace("\u200b", "").split("\n")
    assert lines == [visible, f"{visible}: ok", visible, f"[{visible}]"]
    assert "<" not in card.text


@pytest.mark.parametrize("name", HOSTILE)
def test_formatted_text_becomes_plain(name):
    assert b.as_plain(f"{b.escaped(name)} since {b.date(LATE)}") == f"{name} since Nov 24, 2026 (UTC)"


@pytest.mark.parametrize(
    "end", ["&amp;", "<@U0ANA>", "<!date^1795487400^{date_short}|Nov 24, 2026 (UTC)>", b.escaped("*")]
)
def test_cut_leaves_no_entity_mention_date_or_mark_in_half(end):
    text = f"abc {end} def"
    whole = {f"abc {end} d…", f"abc {end}…", "abc…"}
    cuts = {b.cut_mrkdwn(text, length) for length in range(6, len(text))}
    assert cuts <= whole | {f"abc {end} de…"}


def test_cut_text_fits():
    text = b.escaped("&" * 3000)
    assert len(b.section(text)["text"]["text"]) <= 3000
    assert len(b.card([b.section(text)] * 3).text) <= b.MESSAGE_TEXT
