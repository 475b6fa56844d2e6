"""The panel beside the page, over HTTP: long work in the background, and first steps ticked by what really happened."""

import re
import time
from datetime import UTC, datetime

import httpx
import pytest
from support.stages import a_stage

from bot.db.models.roster import Contact
from bot.db.session import transaction
from bot.errors import UserError
from bot.sandbox import stage
from bot.sandbox.district import bundle, staff, workspace


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """A sandbox whose SIS was read and which has sent one mass message, all through the panel's door."""
    folder = tmp_path_factory.mktemp("controls")
    with (
        a_stage(folder) as (opened, controls),
        httpx.Client(base_url=f"{opened.url}/sandbox") as panel,
    ):
        fresh = panel.get("/district").json()
        panel.post("/district/sync").raise_for_status()
        finished(panel)
        panel.post("/district/send", json={"title": "Early dismissal today"}).raise_for_status()
        seen_while_busy = panel.get("/district").json()["busy"]
        refused = panel.post("/district/sync")
        finished(panel)
        controls.open()
        yield opened, panel, fresh, seen_while_busy, refused


@pytest.fixture
def panel(sandbox):
    return sandbox[1]


@pytest.fixture
def opened(sandbox):
    return sandbox[0]


def finished(panel):
    """What the panel shows once nothing is under way any more."""
    until = time.monotonic() + 60
    while (today := panel.get("/district").json())["busy"]:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert today["problem"] is None
    return today


def test_a_fresh_sandbox_has_sent_and_synced_nothing(sandbox):
    fresh = sandbox[2]

    assert (fresh["messages"], fresh["last_sync"], fresh["busy"]) == ([], None, None)
    assert not any(fresh["steps"].values())


def test_a_mass_message_goes_on_in_the_background_and_tells_how_far_it_is(sandbox):
    while_busy = sandbox[3]

    assert while_busy["what"] == "Sending a mass message"
    assert set(while_busy) == {"what", "done", "total", "text"}


def test_nothing_else_starts_while_something_is_under_way(sandbox):
    refused = sandbox[4]

    assert refused.status_code == 409
    assert "not done yet" in refused.json()["text"]


def test_a_message_that_settled_says_how_many_texts_arrived(panel):
    (message,) = [one for one in panel.get("/district").json()["messages"] if one["title"] == "Early dismissal today"]

    assert message["settled"]
    assert message["pending"] == 0
    assert message["delivered"] > 500 > message["failed"] > 20


def test_the_last_sync_says_in_words_what_it_changed(panel):
    last = panel.get("/district").json()["last_sync"]

    assert last["ok"]
    assert re.fullmatch(r"Rows of the SIS: [\d,]+ added\. \d+ could not be read\. No edits yet\.", last["text"])


def test_a_message_without_a_title_is_refused_with_the_reason(panel):
    answer = panel.post("/district/send", json={"title": "  "})

    assert answer.status_code == 422
    assert "title" in answer.json()["text"]


def test_the_sis_is_searched_by_the_name_of_a_contact_or_a_child(panel):
    found = panel.get("/district/sis", params={"q": "nguyen"}).json()["contacts"]

    assert found
    assert all("Nguyễn" in one["name"] + one["students"] for one in found)


def test_a_number_changed_in_the_sis_is_what_the_next_sync_reads(panel, opened):
    contact = panel.get("/district/sis", params={"q": "obrien"}).json()["contacts"][0]

    panel.post(
        "/district/sis", json={"sourced_id": contact["sourced_id"], "phone": "(331) 555-0177"}
    ).raise_for_status()
    panel.post("/district/sync").raise_for_status()
    finished(panel)

    with transaction(opened.engine) as session:
        held = session.query(Contact).filter_by(sourced_id=contact["sourced_id"]).one()
        assert held.sis_phone == "+13315550177"


def test_the_sis_changes_nobody_it_does_not_hold(panel):
    answer = panel.post("/district/sis", json={"sourced_id": "S1001", "phone": "(331) 555-0177"})

    assert answer.status_code == 422
    assert answer.json()["text"] == "The SIS holds no such contact."


def test_no_mail_has_been_sent(panel):
    assert panel.get("/district/outbox").json() == {"mails": []}


def test_the_first_step_is_done_when_somebody_has_a_list_on_the_screen_and_not_before(panel, opened):
    clerk = opened.slack.person(workspace.CLERK)

    clerk.command("/cleanup", "help")
    assert not panel.get("/district").json()["steps"]["listed"]

    clerk.command("/cleanup", "grade 5 blocked")
    assert panel.get("/district").json()["steps"]["listed"]


def test_the_third_step_is_done_when_the_digest_of_a_new_message_was_posted(panel, opened):
    opened.slack.person(workspace.CLERK).command("/cleanup", "subscribe", channel=workspace.FAMILY_TEXTS)
    assert not panel.get("/district").json()["steps"]["sent"]

    panel.post("/district/send", json={"title": "Picture day"}).raise_for_status()
    finished(panel)

    assert panel.get("/district").json()["steps"]["sent"]


def test_the_page_and_the_bot_are_served_side_by_side(opened):
    with httpx.Client(base_url=opened.url) as browser:
        assert "<html" in browser.get("/").text
        assert browser.get("/sandbox/page/app.js").status_code == 200
        assert browser.get("/sandbox/slack/people").json()["team"]["name"] == staff.DISTRICT_NAME
        assert browser.post("/slack/events").status_code == 401
        assert browser.get("/readyz").json()["ready"]


def test_a_port_that_is_taken_is_said_in_one_line_that_names_the_way_out(opened, tmp_path):
    port = int(opened.url.rpartition(":")[2])

    with pytest.raises(UserError, match=f"--port {port + 1}"), a_stage(tmp_path, port=port):
        pass


def test_nothing_of_the_environment_reaches_the_sandbox(monkeypatch, tmp_path):
    monkeypatch.setenv("ADMIN_EMAILS", "gus@maplewood-photo.example")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.example/district")

    with a_stage(tmp_path) as (opened, _):
        assert opened.settings.admin_emails == ()
        assert "nowhere" not in str(opened.engine.url)


def test_every_start_is_a_clean_slate(tmp_path):
    with a_stage(tmp_path) as (opened, _):
        contact = bundle.contacts(opened.sis)[0]
        bundle.set_phone(opened.sis, contact.sourced_id, "(331) 555-0177")
        opened.sync()

    with a_stage(tmp_path) as (opened, controls):
        assert bundle.contacts(opened.sis)[0] == contact
        assert controls.today({})["last_sync"] is None


def test_the_clock_works_beside_the_page(tmp_path):
    with a_stage(tmp_path) as (opened, _):
        opened.sync()
        sent = opened.sender.send("Snow day", now=datetime.now(UTC))
        with stage.ticking(opened, seconds=0.05):
            until = time.monotonic() + 20
            while not opened.is_over(sent.message_id):
                assert time.monotonic() < until
                time.sleep(0.05)
