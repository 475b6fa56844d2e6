"""That the search after every test would find what it looks for."""

import logging

import pytest
from support import leaks, people

from bot.slack.kit import respond
from bot.slack.kit.card import Card


@pytest.fixture
def private(session):
    people.contact(session, people.student(session, "Zoë", "Quillfeather-Ng"), given="Ottoline", phone="+13125557342")
    session.commit()
    return leaks.Private(session.get_bind())


@pytest.mark.parametrize(
    ("said", "found"),
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
def test_a_name_and_a_number_are_found_however_written(private, said, found):
    assert private.found_in(said) == found


def test_a_line_of_production_is_heard_and_no_other():
    with leaks.heard() as lines:
        logging.getLogger("bot.sync").info("Zoë left")
        logging.getLogger("bot.sync").debug("Zoë left again")
        logging.getLogger("slack_sdk.web").error("Zoë left as well")
    assert lines == ["Zoë left"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"text": "Zoë"}, True),
        ({"text": "1 contact", "blocks": [{"type": "divider", "block_id": "Zoë"}]}, True),
        ({"text": "1 contact", "blocks": [{"type": "divider", "block_id": "contact.1"}]}, False),
    ],
)
def test_a_post_that_names_somebody_is_found_and_no_other(office, private, content, told):
    card = Card(content.get("blocks", []), content["text"])
    sent = office.client.chat_postMessage(channel=office.channel, text="1 contact")
    respond.update_message(office.client, sent["channel"], sent["ts"], card)
    assert bool(list(leaks.in_requests(office, private))) is told
    office.slack.calls.clear()
