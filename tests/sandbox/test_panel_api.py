"""The panel's API over HTTP: long tasks in the background, and first steps checked off by what happened."""

import csv
import io
import re
import time
from datetime import UTC, datetime

import httpx
import pytest
from support.running_sandbox import running_sandbox

from bot.db.models.messages import PhoneNumber
from bot.db.models.roster import Contact
from bot.db.session import transaction
from bot.errors import UserError
from bot.sandbox import assembly
from bot.sandbox.district import schools, sis_export
from bot.sandbox.district.slack_workspace import CLERK, FAMILY_TEXTS
from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """A sandbox that has synced and sent one mass message over the panel's API, and responses on the way."""
    folder = tmp_path_factory.mktemp("controls")
    with (
        running_sandbox(folder) as (opened, api),
        httpx.Client(base_url=f"{opened.url}/sandbox") as panel,
    ):
        fresh = panel.get("/district").json()
        panel.post("/district/sync").raise_for_status()
        wait_until_idle(panel)
        panel.post("/district/send", json={"title": "Early dismissal today"}).raise_for_status()
        running_task = panel.get("/district").json()["task"]
        refused = panel.post("/district/sync")
        wait_until_idle(panel)
        api.start_counting_steps()
        yield opened, panel, fresh, running_task, refused


@pytest.fixture
def panel(sandbox):
    return sandbox[1]


@pytest.fixture
def opened(sandbox):
    return sandbox[0]


def wait_until_idle(panel, *, problem=None):
    deadline = time.monotonic() + 60
    while (today := panel.get("/district").json())["task"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (today["problem"] or "")[: len(problem or "x")] == (problem or "")


def test_new_sandbox_has_sent_and_synced_nothing(sandbox):
    fresh = sandbox[2]

    assert (fresh["messages"], fresh["last_sync"], fresh["task"]) == ([], None, None)
    assert not any(fresh["steps"].values())


def test_mass_message_runs_in_the_background_with_progress(sandbox):
    running_task = sandbox[3]

    assert running_task["what"] == "Sending a mass message"
    assert set(running_task) == {"what", "done", "total", "text"}


def test_only_one_task_runs_at_a_time(sandbox):
    refused = sandbox[4]

    assert refused.status_code == 409
    assert refused.json()["text"].startswith("Sending a mass message")


def test_final_message_has_its_delivery_counts(panel):
    messages = panel.get("/district").json()["messages"]
    (message,) = [message for message in messages if message["title"] == "Early dismissal today"]

    assert message["final"]
    assert message["pending"] == 0
    assert message["delivered"] > 500 > message["failed"] > 20


def test_last_sync_is_summarized_in_a_sentence(panel):
    last = panel.get("/district").json()["last_sync"]

    assert last["ok"]
    assert re.fullmatch(r"SIS rows: [\d,]+ added\. \d+ rows were rejected\. No edits yet\.", last["text"])


def test_message_requires_a_title(panel):
    answer = panel.post("/district/send", json={"title": "  "})

    assert answer.status_code == 422
    assert "title" in answer.json()["text"]


def test_family_texts_stop(panel, opened):
    panel.post("/district/text", json={"phone": "(248) 555-0199", "text": "STOP"}).raise_for_status()
    with transaction(opened.engine) as session:
        assert session.get_one(PhoneNumber, "+12485550199").opted_out_at


def test_text_needs_a_number_and_words(panel):
    answers = [
        panel.post("/district/text", json=text)
        for text in ({"phone": "12", "text": "STOP"}, {"phone": "(248) 555-0199"})
    ]

    assert [answer.status_code for answer in answers] == [422, 422]


def test_sis_is_searched_by_contact_or_student_name(panel):
    found = panel.get("/district/sis", params={"q": "nguyen"}).json()["contacts"]

    assert found
    assert all("Nguyễn" in contact["name"] + contact["students"] for contact in found)


def test_next_sync_reads_a_number_changed_in_the_sis(panel, opened):
    contact = panel.get("/district/sis", params={"q": "obrien"}).json()["contacts"][0]

    panel.post(
        "/district/sis", json={"sourced_id": contact["sourced_id"], "phone": "(331) 555-0177"}
    ).raise_for_status()
    panel.post("/district/sync").raise_for_status()
    wait_until_idle(panel)

    with transaction(opened.engine) as session:
        row = session.query(Contact).filter_by(sourced_id=contact["sourced_id"]).one()
        assert row.sis_phone == "+13315550177"


def test_changing_an_unknown_contact_is_refused(panel):
    answer = panel.post("/district/sis", json={"sourced_id": "S1001", "phone": "(331) 555-0177"})

    assert answer.status_code == 422
    assert "no such contact" in answer.json()["text"]


def test_outbox_is_empty_at_first(panel):
    assert panel.get("/district/outbox").json() == {"mails": []}


def test_first_step_is_done_when_a_list_was_shown(panel, opened):
    clerk = Person(opened.slack, CLERK)

    clerk.command("/cleanup", "help")
    assert not panel.get("/district").json()["steps"]["listed"]

    clerk.command("/cleanup", "grade 5 blocked")
    assert panel.get("/district").json()["steps"]["listed"]


def test_third_step_is_done_when_a_new_digest_was_posted(panel, opened):
    Person(opened.slack, CLERK).command("/cleanup", "subscribe", channel=FAMILY_TEXTS)
    assert not panel.get("/district").json()["steps"]["sent"]

    panel.post("/district/send", json={"title": "Picture day"}).raise_for_status()
    wait_until_idle(panel)

    assert panel.get("/district").json()["steps"]["sent"]


def test_page_and_bot_are_served_side_by_side(opened):
    with httpx.Client(base_url=opened.url) as browser:
        assert "<html" in browser.get("/").text
        assert browser.get("/sandbox/page/app.js").status_code == 200
        assert browser.get("/sandbox/slack/people").json()["team"]["name"] == schools.DISTRICT_NAME
        assert browser.post("/slack/events").status_code == 401
        assert browser.get("/readyz").json()["ready"]


def test_taken_port_is_an_error_that_suggests_another(opened, tmp_path):
    port = int(opened.url.rpartition(":")[2])

    with pytest.raises(UserError, match=f"--port {port + 1}"), running_sandbox(tmp_path, port=port):
        pass


def test_sandbox_ignores_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ADMIN_EMAILS", "gus@maplewood-photo.example")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.example/district")

    with running_sandbox(tmp_path) as (opened, _):
        assert opened.settings.admin_emails == ()
        assert "nowhere" not in str(opened.engine.url)


def test_every_start_begins_from_scratch(tmp_path):
    with running_sandbox(tmp_path) as (opened, _):
        contact = sis_export.contacts(opened.sis)[0]
        sis_export.set_phone(opened.sis, contact.sourced_id, "(331) 555-0177")
        opened.sync()

    with running_sandbox(tmp_path) as (opened, panel):
        assert sis_export.contacts(opened.sis)[0] == contact
        assert panel.today({})["last_sync"] is None


def test_clock_runs_beside_the_page(tmp_path):
    with running_sandbox(tmp_path) as (opened, _):
        opened.sync()
        sent = opened.sender.send("Snow day", now=datetime.now(UTC))
        with assembly.running_clock(opened, seconds=0.05):
            deadline = time.monotonic() + 20
            while not opened.is_finished(sent.message_id):
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_report_of_a_messenger_can_be_read_by_the_import(opened, panel):
    response = panel.get("/district/report.csv")
    assert "attachment" in response.headers["content-disposition"]
    header, *rows = csv.reader(io.StringIO(response.text))
    assert header == ["Name", "Phone", "Status"]
    assert len(rows) > 100
    assert {"Delivered", "Landline", "Blocked"} <= {status for _, _, status in rows}


def test_lost_school_holds_the_sync_until_the_sis_is_started_over(opened, panel):
    panel.post("/district/hold").raise_for_status()
    wait_until_idle(panel, problem="Nothing was changed: 276 of 600 students would disappear")
    opened.run_due_work()
    assert panel.get("/district").json()["last_sync"]["text"].startswith("The sync is held")
    dana = Person(opened.slack, "UDANA")
    assert any("Apply changes" in text_of(message) for message in dana.messages())
    panel.post("/district/restore").raise_for_status()
    wait_until_idle(panel)
    assert panel.get("/district").json()["last_sync"]["ok"]
