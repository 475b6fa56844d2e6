"""A workspace that refuses charts gets the same in words, and is not asked again for a day."""

from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.kit import blocks as b
from bot.slack.kit import charts, respond
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.newer_blocks import NewerBlocks

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CHART = charts.line_chart("Delivered", ["Nov 12", "Nov 19"], {"%": [94, 95.5]})
NEWER = [b.section("95.5% delivered"), CHART]
HOME = "views.publish"


def publish(office, blocks=NEWER, *, newer, now=NOW):
    def call(blocks):
        office.client.views_publish(user_id=office.clara.user.id, view={"type": "home", "blocks": blocks})

    newer.send(blocks, call, now=now)
    return [block["type"] for block in office.clara.home.blocks]


def test_refused_charts_are_sent_in_words_for_a_day(office):
    office.slack.refused_blocks.add("data_visualization")
    newer = NewerBlocks()
    assert publish(office, newer=newer) == ["section", "context"]
    assert publish(office, newer=newer) == ["section", "context"]
    assert [call.method for call in office.slack.calls].count(HOME) == 3
    office.slack.refused_blocks.clear()
    assert publish(office, newer=newer, now=NOW + timedelta(hours=23)) == ["section", "context"]
    assert publish(office, newer=newer, now=NOW + timedelta(hours=25)) == ["section", "data_visualization"]


def test_other_mistakes_are_not_taken_for_refused_charts(office):
    newer = NewerBlocks()
    with pytest.raises(SlackApiError):
        publish(office, [*NEWER, b.header("")], newer=newer)
    assert publish(office, newer=newer) == ["section", "data_visualization"]


def test_refused_chart_is_answered_in_words(office):
    office.slack.refused_blocks.add("data_visualization")
    url = office.slack.new_response_url(office.clara.user.id, office.clara.command("/cleanup", "").message.channel)
    assert respond.send_response(url, b.card(NEWER), replace_original=False).outcome is Outcome.DONE
    assert "Nov 19: 95.5" in office.clara.last().text.replace("\u00a0", " ")
