"""People at the strict local Slack, and a small Bolt app that answers them."""

from dataclasses import dataclass, field

import pytest
from slack_sdk import WebClient
from support.tiny_bolt_app import LIST, MANIFEST, asgi, bolt_app

from bot.sandbox.slack import delivery, server
from bot.sandbox.slack.entry_points import verify_url
from bot.sandbox.slack.errors import TROUBLE_CONNECTING, NotOnScreen
from bot.sandbox.slack.models import text_of
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.workspace import Workspace


@dataclass
class ManualClock:
    """A clock that a test sets."""

    now: float = 1_790_000_000.0

    def __call__(self):
        return self.now


@dataclass
class World:
    slack: Workspace
    api_url: str
    clock: ManualClock
    received: list = field(default_factory=list)

    def person(self, name, **fields):
        return Person(self.slack, self.slack.add_user(name, **fields).id)

    @property
    def client(self):
        return WebClient(self.slack.bot_token, base_url=self.api_url, retry_handlers=[])


@pytest.fixture
def world():
    clock = ManualClock()
    slack = Workspace(MANIFEST, clock=clock)
    with server.serve(slack) as api_url:
        world = World(slack, api_url, clock)
        with delivery.InProcess(asgi(bolt_app(slack, api_url, world.received))) as app:
            slack.connect(app)
            yield world


@pytest.fixture
def dana(world):
    return world.person("Dana Whitfield", email="dana@riverbend.example", title="Attendance clerk")


@pytest.fixture
def marcus(world):
    return world.person("Marcus Lee", title="Teacher")


def test_command_response_is_visible_to_its_user_only(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id, marcus.id]).id
    answer = dana.command("/list", "grade 5", channel=office)
    assert answer.ok
    assert answer.message == dana.last(office)
    assert answer.message.ephemeral_for == dana.id
    assert marcus.messages(office) == []


def test_in_channel_response_shows_the_command_too(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id, marcus.id]).id
    dana.command("/loud", "Ana Lopez", channel=office)
    assert [m.text for m in marcus.messages(office)] == ["/loud Ana Lopez", "visible to everyone"]


def test_command_text_is_escaped(world, dana):
    dana.command("/list", " O'Brien & <@U1> ")
    assert world.received[0]["text"] == "O'Brien &amp; &lt;@U1&gt;"


def test_plain_text_acknowledgment_becomes_an_ephemeral_message(dana):
    assert dana.command("/text", "hello").message.text == "you said hello"


def test_non_members_cannot_read_or_type_in_a_channel(world, dana, marcus):
    office = world.slack.add_channel("office", members=[dana.id]).id
    dana.command("/loud", channel=office)
    assert marcus.messages(office) == []
    with pytest.raises(NotOnScreen):
        marcus.command("/list", channel=office)


def test_unusable_command_response_is_an_error_with_a_pointer(dana):
    answer = dana.command("/broken")
    assert answer.error == "invalid_command_response"
    assert answer.problems[0].pointer == "/blocks/0/elements"
    assert "invalid_command_response" in dana.toast
    assert dana.messages() == []


def test_command_outside_the_manifest_is_not_sent(world, dana):
    assert dana.command("/nothing").error == "invalid_command"
    assert world.slack.responses == []


def test_slow_app_is_an_operation_timeout(dana):
    answer = dana.command("/slow")
    assert answer.error == "operation_timeout"
    assert answer.seconds >= 3
    assert dana.messages() == []


def test_unreachable_app_is_a_failed_dispatch(world, dana):
    world.slack.connect(delivery.OverHttp("http://127.0.0.1:9"))
    assert dana.command("/list").error == "dispatch_failed"


def test_commands_work_over_http(world, dana):
    with server.serve_app(asgi(bolt_app(world.slack, world.api_url, world.received))) as url:
        world.slack.connect(delivery.OverHttp(url))
        assert dana.command("/list").message.text == "1 contact"


def test_app_rejects_a_wrong_signature(world, dana):
    world.slack.signing_secret = "another"
    assert dana.command("/list").error == "dispatch_failed"
    assert world.received == []


def test_request_url_is_verified_by_its_challenge(world):
    assert verify_url(world.slack)


def test_button_of_an_ephemeral_message_opens_a_dialog(world, dana):
    answer = dana.press(dana.command("/list").message, action_id="contact.edit", value="c-1")
    body = world.received[-1]
    assert answer.view == dana.view
    assert body["actions"][0]["value"] == "c-1"
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    assert body["enterprise"] is None


def test_button_of_a_channel_message_carries_the_message(world, dana):
    texts = world.slack.add_channel("family-texts", members=[dana.id], with_bot=True).id
    world.client.chat_postMessage(channel=texts, text="3 of 12", blocks=LIST)
    dana.press(dana.last(texts), action_id="contact.edit")
    assert world.received[-1]["message"]["text"] == "3 of 12"
    assert world.received[-1]["channel"] == {"id": texts, "name": "family-texts"}


def test_declined_confirmation_sends_nothing(world, dana):
    message = dana.command("/list").message
    world.received.clear()
    declined = dana.press(message, action_id="contact.remove", confirm=False)
    assert declined.confirm == "Remove?\nThis cannot be undone."
    assert world.received == []
    assert dana.press(message, action_id="contact.remove").confirm == declined.confirm
    assert dana.current(message).text == "Removed"


def test_removed_button_can_only_be_pressed_from_a_stale_screen(world, dana):
    before = dana.command("/list").message
    dana.press(before, action_id="contact.remove")
    with pytest.raises(NotOnScreen):
        dana.press(before, action_id="contact.remove")
    world.received.clear()
    dana.press_stale(before, action_id="contact.remove")
    assert len(world.received) == 1


def test_button_in_another_users_ephemeral_message_is_unreachable(dana, marcus):
    with pytest.raises(NotOnScreen):
        marcus.press(dana.command("/list").message, action_id="contact.edit")


def test_menu_choice_is_sent_with_the_state_of_all_menus(world, dana):
    message = dana.command("/list").message
    dana.choose(message, "five", action_id="list.grade")
    body = world.received[-1]
    assert body["actions"][0]["selected_option"]["value"] == "five"
    assert body["state"]["values"]["row"]["list.grade"]["selected_option"]["text"]["text"] == "Five"
    with pytest.raises(NotOnScreen):
        dana.choose(message, "six", action_id="list.grade")


def test_untouched_dialog_submits_initial_values_and_null_for_empty_text(world, dana):
    dana.command("/edit")
    dana.fill(dana.view, {}).submit()
    values = world.received[-1]["view"]["state"]["values"]
    assert values["phone"]["typed"] == {"type": "plain_text_input", "value": "555"}
    assert values["note"]["typed"] == {"type": "plain_text_input", "value": None}
    assert values["method"]["chosen"]["selected_option"]["value"] == "text"
    assert values["teacher"]["chosen"] == {"type": "external_select", "selected_option": None}


def test_dialog_submits_typed_and_chosen_values(world, dana):
    dana.command("/edit")
    done = dana.fill(dana.view, {"phone/typed": "312", "method": "Call", "teacher": "Ruth Okafor"}).submit()
    values = world.received[-1]["view"]["state"]["values"]
    assert done.ok
    assert values["phone"]["typed"]["value"] == "312"
    assert values["method"]["chosen"]["selected_option"]["value"] == "call"
    assert values["teacher"]["chosen"]["selected_option"]["value"] == "ruth okafor"
    assert dana.views == []


def test_field_errors_keep_the_typed_values(dana):
    dana.command("/edit")
    answer = dana.fill(dana.view, {"phone": "12", "note": "bad phone"}).submit()
    assert answer.errors == {"phone": "Write 10 digits."}
    assert dana.view.state["phone"]["typed"]["value"] == "12"


@pytest.mark.parametrize("note", ["bad errors", "too long"])
def test_unusable_dialog_response_is_trouble_connecting(dana, note):
    dana.command("/edit")
    answer = dana.fill(dana.view, {"note": note}).submit()
    assert answer.error == TROUBLE_CONNECTING
    assert answer.problems
    assert len(dana.views) == 1


def test_submission_can_update_push_or_clear(dana):
    dana.command("/edit")
    first = dana.view
    dana.fill(first, {"note": "push"}).submit()
    assert [view.previous_id for view in dana.views] == [None, first.id]
    dana.fill(dana.view, {"note": "update"}).submit()
    assert text_of(dana.view) == "Edit\nSaved"
    dana.close()
    dana.fill(dana.view, {"note": "clear"}).submit()
    assert dana.views == []


def test_at_most_three_dialogs_are_stacked(dana):
    dana.command("/edit")
    for _ in range(2):
        assert dana.fill(dana.view, {"note": "push"}).submit().ok
    answer = dana.fill(dana.view, {"note": "push"}).submit()
    assert answer.error == TROUBLE_CONNECTING
    assert answer.problems[0].message == "push_limit_reached"


def test_client_checks_required_fields_and_lengths(world, dana):
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
    world.received.clear()
    assert dana.fill(view, {"phone": ""}).submit().errors == {"phone": "Please complete this required field."}
    assert dana.fill(view, {"phone": "1"}).submit().errors == {"phone": "Must be at least 3 characters."}
    assert world.received == []


def test_late_second_submission_reaches_the_app(world, dana):
    dana.command("/edit")
    filled = dana.fill(dana.view, {"phone": "312"})
    filled.submit()
    world.received.clear()
    filled.submit_stale()
    assert [body["type"] for body in world.received] == ["view_submission"]


def test_closing_a_dialog_sends_view_closed(world, dana):
    dana.command("/edit")
    dana.close()
    assert (world.received[-1]["type"], world.received[-1]["is_cleared"]) == ("view_closed", False)
    dana.command("/edit")
    dana.close(everything=True)
    assert world.received[-1]["is_cleared"] is True
    assert dana.views == []


def test_global_shortcut_has_no_channel_and_opens_a_dialog(world, dana):
    assert dana.shortcut("list.open").view == dana.view
    assert "channel" not in world.received[-1]
    assert "response_url" not in world.received[-1]


def test_message_shortcut_carries_the_message(world, dana):
    office = world.slack.add_channel("office", members=[dana.id]).id
    message = dana.write("Who is this?", channel=office)
    dana.message_shortcut("list.who", message)
    assert world.received[-1]["message"]["text"] == "Who is this?"


def test_opening_home_makes_the_app_publish_it(world, dana):
    dana.open_home()
    assert world.received[-1]["tab"] == "home"
    assert "Welcome" in text_of(dana.home)
    dana.press(dana.home, action_id="contact.edit")
    assert dana.view.is_modal
    dana.open_home()
    assert world.received[-1]["view"]["id"] == dana.home.id


def test_only_subscribed_events_are_sent(world, dana):
    office = world.slack.add_channel("office", members=[dana.id]).id
    dana.invite_bot(office)
    assert world.received == []
    assert world.slack.bot_user_id in world.slack.channels[office].members


def test_late_submission_does_not_reopen_a_closed_dialog(dana):
    dana.command("/edit")
    filled = dana.fill(dana.view, {"note": "update"})
    dana.close()
    assert filled.submit_stale().ok
    assert dana.views == []


def test_without_interactivity_no_button_reaches_the_app(world, dana):
    message = dana.command("/list").message
    settings = {**MANIFEST["settings"], "interactivity": {"is_enabled": False}}
    world.slack.manifest = {**MANIFEST, "settings": settings}
    world.received.clear()
    assert dana.press(message, action_id="contact.edit").error == "dispatch_failed"
    assert world.received == []
