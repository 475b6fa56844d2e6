"""The leak search that runs after every test finds what it searches for."""

import logging

import pytest
from support import leaks, people

from bot.slack.kit import respond
from bot.slack.kit.blocks import Card


@pytest.fixture
def private(session):
    people.contact(session, people.student(session, "Zoë", "Quillfeather-Ng"), given="Ottoline", phone="+13125557342")
    session.commit()
    return leaks.PrivateData(session.get_bind())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("contact of Zoë", ["Zoë"]),
        ("Quillfeather-Ng", ["Quillfeather"]),
        ('{"name": "Ottoline"}', ["Ottoline"]),
        ("to +13125557342", ["5557342"]),
        ("to (312) 555-7342", ["5557342"]),
        ("312.555.7342", ["5557342"]),
        ("••• 7342 of contact 17", []),
        ("1795629961.523407342", []),
        ("Quill and Otto", []),
    ],
)
def test_names_and_numbers_are_found_in_any_format(private, content, found):
    assert private.find_in(content) == found


def test_only_lines_that_production_logs_are_captured():
    with leaks.captured_log() as lines:
        logging.getLogger("bot.sync").info("Zoë left")
        logging.getLogger("bot.sync").debug("Zoë left again")
        logging.getLogger("slack_sdk.web").error("Zoë left as well")
    assert lines == ["Zoë left"]


@pytest.mark.parametrize(
    ("content", "leaks_name"),
    [
        ({"text": "Zoë"}, True),
        ({"text": "1 contact", "blocks": [{"type": "divider", "block_id": "Zoë"}]}, True),
        ({"text": "1 contact", "blocks": [{"type": "divider", "block_id": "contact.1"}]}, False),
    ],
)
def test_post_with_a_name_is_found(office, private, content, leaks_name):
    card = Card(content.get("blocks", []), content["text"])
    sent = office.client.chat_postMessage(channel=office.channel, text="1 contact")
    respond.update_message(office.client, sent["channel"], sent["ts"], card)
    assert bool(list(leaks.find_leaks(office, private))) is leaks_name
    office.slack.calls.clear()
