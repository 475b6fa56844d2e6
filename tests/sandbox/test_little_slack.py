"""People at the little Slack, and a small Bolt app that answers them."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from slack_sdk import WebClient
from support.tiny_bolt_app import LIST, MANIFEST, asgi, bolt_app

from bot.sandbox.slack import deliver, people, serving
from bot.sandbox.slack.events import verify_url
from bot.sandbox.slack.outcome import TROUBLE, NotOnScreen
from bot.sandbox.slack.reading import text_of
from bot.sandbox.slack.workspace import Workspace


@dataclass
class Hand:
    """A clock that a test moves by hand."""

    now: float = 1_790_000_000.0

    def __call__(self):
        return self.now


@dataclass
class World:
    slack: Workspace
    api_url: str
    clock: Hand
    heard: list = field(default_factory=list)

    def person(self, name, **traits):
        return self.slack.person(self.slack.add_user(name, **traits).id)

    @property
    def client(self):
        return WebClient(self.slack.bot_token, base_url=self.api_url, retry_handlers=[])


@pytest.fixture
def world():
    clock = Hand()
    slack = Workspace(MANIFEST, clock=clock)
    with serving.serve(slack) as api_url:
        world = World(slack, api_url, clock)
        with deliver.InProcess(asgi(bolt_app(slack, api_url, world.heard))) as app:
            slack.connect(app)
            yield world


@pytest.fixture
def dana(world):
    return world.person("Dana Whitfield", email="dana@riverbend.example", title="Attendance clerk")


@pytest.fixture
def marcus(world):
    return world.person("Marcus Lee", title="Teacher")


def test_the_answer_to_a_command_is_seen_by_whoever_typed_it_and_nobody_else(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id, marcus.id]).id
    answer = dana.command("/list", "grade 5", channel=office)
    assert answer.ok
    assert answer.message == dana.last(office)
    assert answer.message.ephemeral_for == dana.id
    assert marcus.messages(office) == []


def test_an_in_channel_answer_shows_the_typed_command_too(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id, marcus.id]).id
    dana.command("/loud", "Ana Lopez", channel=office)
    assert [m.text for m in marcus.messages(office)] == ["/loud Ana Lopez", "everybody hears"]


def test_what_people_type_reaches_the_app_escaped_as_slack_escapes_it(world, dana):
    dana.command("/list", " O'Brien & <@U1> ")
    assert world.heard[0]["text"] == "O'Brien &amp; &lt;@U1&gt;"


def test_a_plain_text_acknowledgement_is_an_ephemeral_message(dana):
    assert dana.command("/text", "hello").message.text == "you said hello"


def test_a_person_who_is_not_in_a_channel_sees_nothing_of_it_and_cannot_type_there(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id]).id
    dana.command("/loud", channel=office)
    assert marcus.messages(office) == []
    with pytest.raises(NotOnScreen):
        marcus.command("/list", channel=office)


def test_an_answer_slack_cannot_use_is_an_error_to_the_person_and_a_pointer_to_the_developer(dana):
    answer = dana.command("/broken")
    assert answer.error == "invalid_command_response"
    assert answer.problems[0].pointer == "/blocks/0/elements"
    assert "invalid_command_response" in dana.toast
    assert dana.messages() == []


def test_a_command_that_is_not_in_the_manifest_is_not_sent(world, dana):
    assert dana.command("/nothing").error == "invalid_command"
    assert world.slack.answers == []


def test_an_app_that_needs_more_than_three_seconds_is_an_operation_timeout(dana):
    answer = dana.command("/slow")
    assert answer.error == "operation_timeout"
    assert answer.seconds >= 3
    assert dana.messages() == []


def test_an_app_that_cannot_be_reached_is_a_failed_dispatch(world, dana):
    world.slack.connect(deliver.OverHttp("http://127.0.0.1:9"))
    assert dana.command("/list").error == "dispatch_failed"


def test_the_same_works_over_http(world, dana):
    with serving.running(asgi(bolt_app(world.slack, world.api_url, world.heard))) as url:
        world.slack.connect(deliver.OverHttp(url))
        assert dana.command("/list").message.text == "1 contact"


def test_a_request_with_a_wrong_signature_is_not_heard_by_the_app(world, dana):
    world.slack.signing_secret = "another"
    assert dana.command("/list").error == "dispatch_failed"
    assert world.heard == []


def test_a_new_request_url_is_verified_by_its_challenge(world):
    assert verify_url(world.slack)


def test_a_pressed_button_opens_a_dialog_for_whoever_pressed_it(world, dana):
    answer = dana.press(dana.command("/list").message, action_id="contact.edit", value="c-1")
    body = world.heard[-1]
    assert answer.view == dana.view
    assert body["actions"][0]["value"] == "c-1"
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    assert body["enterprise"] is None


def test_a_button_of_a_channel_message_carries_the_message(world, dana):
    texts = world.slack.add_channel("family-texts", members=[dana.id], with_bot=True).id
    world.client.chat_postMessage(channel=texts, text="3 of 12", blocks=LIST)
    dana.press(dana.last(texts), action_id="contact.edit")
    assert world.heard[-1]["message"]["text"] == "3 of 12"
    assert world.heard[-1]["channel"] == {"id": texts, "name": "family-texts"}


def test_a_button_that_asks_first_is_not_sent_when_the_person_thinks_better_of_it(world, dana):
    message = dana.command("/list").message
    world.heard.clear()
    declined = dana.press(message, action_id="contact.remove", confirm=False)
    assert declined.confirm == "Remove?\nThis cannot be undone."
    assert world.heard == []
    assert dana.press(message, action_id="contact.remove").confirm == declined.confirm
    assert dana.again(message).text == "Removed"


def test_a_button_that_is_gone_can_only_be_pressed_from_an_older_screen(world, dana):
    before = dana.command("/list").message
    dana.press(before, action_id="contact.remove")
    with pytest.raises(NotOnScreen):
        dana.press(before, action_id="contact.remove")
    world.heard.clear()
    dana.press_stale(before, action_id="contact.remove")
    assert len(world.heard) == 1


def test_nobody_presses_a_button_in_a_message_that_only_somebody_else_sees(dana, marcus):
    with pytest.raises(NotOnScreen):
        marcus.press(dana.command("/list").message, action_id="contact.edit")


def test_a_choice_in_a_menu_is_sent_with_the_state_of_all_menus(world, dana):
    message = dana.command("/list").message
    dana.choose(message, "five", action_id="list.grade")
    body = world.heard[-1]
    assert body["actions"][0]["selected_option"]["value"] == "five"
    assert body["state"]["values"]["row"]["list.grade"]["selected_option"]["text"]["text"] == "Five"
    with pytest.raises(NotOnScreen):
        dana.choose(message, "six", action_id="list.grade")


def test_a_dialog_submits_initial_values_untouched_and_empty_text_as_null(world, dana):
    dana.command("/edit")
    dana.fill(dana.view, {}).submit()
    values = world.heard[-1]["view"]["state"]["values"]
    assert values["phone"]["typed"] == {"type": "plain_text_input", "value": "555"}
    assert values["note"]["typed"] == {"type": "plain_text_input", "value": None}
    assert values["method"]["chosen"]["selected_option"]["value"] == "text"
    assert values["teacher"]["chosen"] == {"type": "external_select", "selected_option": None}


def test_a_dialog_submits_what_was_typed_and_chosen(world, dana):
    dana.command("/edit")
    done = dana.fill(dana.view, {"phone/typed": "312", "method": "Call", "teacher": "Ruth Okafor"}).submit()
    values = world.heard[-1]["view"]["state"]["values"]
    assert done.ok
    assert values["phone"]["typed"]["value"] == "312"
    assert values["method"]["chosen"]["selected_option"]["value"] == "call"
    assert values["teacher"]["chosen"]["selected_option"]["value"] == "ruth okafor"
    assert dana.views == []


def test_errors_of_the_app_stand_under_their_fields_and_what_was_typed_stays(dana):
    dana.command("/edit")
    answer = dana.fill(dana.view, {"phone": "12", "note": "bad phone"}).submit()
    assert answer.errors == {"phone": "Write 10 digits."}
    assert dana.view.state["phone"]["typed"]["value"] == "12"


@pytest.mark.parametrize("note", ["bad errors", "too long"])
def test_an_answer_to_a_dialog_that_slack_cannot_use_is_trouble_connecting(dana, note):
    dana.command("/edit")
    answer = dana.fill(dana.view, {"note": note}).submit()
    assert answer.error == TROUBLE
    assert answer.problems
    assert len(dana.views) == 1


def test_a_submission_can_update_push_or_clear(dana):
    dana.command("/edit")
    first = dana.view
    dana.fill(first, {"note": "push"}).submit()
    assert [view.previous_id for view in dana.views] == [None, first.id]
    dana.fill(dana.view, {"note": "update"}).submit()
    assert text_of(dana.view) == "Edit\nSaved"
    dana.close()
    dana.fill(dana.view, {"note": "clear"}).submit()
    assert dana.views == []


def test_no_more_than_three_dialogs_stand_on_one_another(dana):
    dana.command("/edit")
    for _ in range(2):
        assert dana.fill(dana.view, {"note": "push"}).submit().ok
    answer = dana.fill(dana.view, {"note": "push"}).submit()
    assert answer.error == TROUBLE
    assert answer.problems[0].message == "push_limit_reached"


def test_a_required_field_is_the_clients_business(world, dana):
    dana.command("/edit")
    view = dana.view
    world.client.views_update(
        view_id=view.id,
        view={
            "type": "modal",
            "title": {"type": "plain_text", "text": "Edit"},
            "submit": {"type": "plain_text", "text": "Save"},
            "blocks": [
                {
                    "type": "input",
                    "block_id": "phone",
                    "label": {"type": "plain_text", "text": "Phone"},
                    "element": {"type": "plain_text_input", "action_id": "typed", "min_length": 3},
                }
            ],
        },
    )
    world.heard.clear()
    assert dana.fill(view, {"phone": ""}).submit().errors == {"phone": "Please complete this required field."}
    assert dana.fill(view, {"phone": "1"}).submit().errors == {"phone": "Must be at least 3 characters."}
    assert world.heard == []


def test_a_second_press_on_submit_that_came_late_reaches_the_app_too(world, dana):
    dana.command("/edit")
    filled = dana.fill(dana.view, {"phone": "312"})
    filled.submit()
    world.heard.clear()
    filled.submit_stale()
    assert [body["type"] for body in world.heard] == ["view_submission"]


def test_cancelling_a_dialog_tells_the_app_where_it_asked_to_hear(world, dana):
    dana.command("/edit")
    dana.close()
    assert (world.heard[-1]["type"], world.heard[-1]["is_cleared"]) == ("view_closed", False)
    dana.command("/edit")
    dana.close(everything=True)
    assert world.heard[-1]["is_cleared"] is True
    assert dana.views == []


def test_a_global_shortcut_has_no_channel_and_opens_a_dialog(world, dana):
    assert dana.shortcut("list.open").view == dana.view
    assert "channel" not in world.heard[-1]
    assert "response_url" not in world.heard[-1]


def test_a_message_shortcut_carries_the_message(world, dana):
    office = world.slack.add_channel("office", members=[dana.id]).id
    message = dana.write("Who is this?", channel=office)
    dana.message_shortcut("list.who", message)
    assert world.heard[-1]["message"]["text"] == "Who is this?"


def test_opening_the_home_tab_tells_the_app_which_publishes_it(world, dana):
    dana.open_home()
    assert world.heard[-1]["tab"] == "home"
    assert "Welcome" in text_of(dana.home)
    dana.press(dana.home, action_id="contact.edit")
    assert dana.view.modal
    dana.open_home()
    assert world.heard[-1]["view"]["id"] == dana.home.id


def test_the_app_hears_only_the_events_it_subscribed_to(world, dana):
    office = world.slack.add_channel("office", members=[dana.id]).id
    dana.invite_bot(office)
    assert world.heard == []
    assert world.slack.bot_user_id in world.slack.channels[office].members


def test_a_late_second_submission_does_not_bring_a_closed_dialog_back(dana):
    dana.command("/edit")
    filled = dana.fill(dana.view, {"note": "update"})
    dana.close()
    assert filled.submit_stale().ok
    assert dana.views == []


def test_without_interactivity_in_the_manifest_no_button_reaches_the_app(world, dana):
    message = dana.command("/list").message
    settings = {**MANIFEST["settings"], "interactivity": {"is_enabled": False}}
    world.slack.manifest = {**MANIFEST, "settings": settings}
    world.heard.clear()
    assert dana.press(message, action_id="contact.edit").error == "dispatch_failed"
    assert world.heard == []


def test_the_little_slack_knows_nothing_of_the_bot():
    folder = Path(people.__file__).parent
    imported = {
        node.module
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bot")
    }
    assert imported
    assert {name for name in imported if not name.startswith("bot.sandbox.slack")} == set()
