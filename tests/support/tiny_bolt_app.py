"""A very small Bolt app for the tests of the strict local Slack."""

import time

from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

MANIFEST = {
    "display_information": {"name": "Tiny"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "slash_commands": [
            {"command": f"/{name}", "description": "Try it", "usage_hint": "[anything]"}
            for name in ("list", "edit", "slow", "loud", "broken", "text")
        ],
        "shortcuts": [
            {"name": "Open", "type": "global", "callback_id": "list.open"},
            {"name": "Who", "type": "message", "callback_id": "list.who"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                *("commands", "chat:write", "users:read", "channels:read", "channels:history"),
                *("files:read", "files:write"),
            ]
        }
    },
    "settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}, "interactivity": {"is_enabled": True}},
}


def plain(text):
    return {"type": "plain_text", "text": text}


def button(action_id, text, **more):
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements, block_id="row"):
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def option(value):
    return {"text": plain(value.title()), "value": value}


CONFIRM = {"title": plain("Remove?"), "text": plain("This cannot be undone."), "confirm": plain("Remove")}
LIST = [
    section("*1 contact*"),
    actions(
        button("contact.edit", "Edit", value="c-1"),
        button("contact.remove", "Remove", value="c-1", confirm=CONFIRM, style="danger"),
        {"type": "static_select", "action_id": "list.grade", "options": [option("k"), option("five")]},
    ),
]


def text_input(block_id, **element):
    typed = {"type": "plain_text_input", "action_id": "typed", **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": typed, "optional": True}


METHOD = {
    "type": "input",
    "block_id": "method",
    "label": plain("Method"),
    "element": {
        "type": "radio_buttons",
        "action_id": "chosen",
        "options": [option("text"), option("call")],
        "initial_option": option("text"),
    },
}
TEACHER = {
    "type": "input",
    "block_id": "teacher",
    "label": plain("Teacher"),
    "optional": True,
    "element": {"type": "external_select", "action_id": "chosen", "min_query_length": 1},
}


def dialog(*blocks, **more):
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain("Edit"),
        "submit": plain("Save"),
        "blocks": list(blocks) or [text_input("phone", initial_value="555"), text_input("note"), METHOD, TEACHER],
        **more,
    }


def bolt_app(slack, api_url, received):
    """An app that appends every payload it receives to `received`."""
    client = WebClient(slack.bot_token, base_url=api_url, retry_handlers=[])
    identity = AuthorizeResult(
        enterprise_id=None, team_id=slack.team_id, bot_token=slack.bot_token, bot_user_id=slack.bot_user_id
    )
    app = App(
        client=client,
        signing_secret=slack.signing_secret,
        process_before_response=True,
        authorize=lambda: identity,
    )
    add_commands(app, received)
    add_block_actions(app, received)
    add_dialogs(app, received)
    return app


def add_commands(app, received):
    @app.command("/list")
    def list_contacts(ack, command):
        received.append(command)
        ack(response_type="ephemeral", text="1 contact", blocks=LIST)

    @app.command("/edit")
    def edit(ack, command, client):
        client.views_open(trigger_id=command["trigger_id"], view=dialog(notify_on_close=True))
        ack()

    @app.command("/slow")
    def slow(ack):
        time.sleep(3.2)
        ack("late")

    @app.command("/loud")
    def loud(ack):
        ack(response_type="in_channel", text="visible to everyone")

    @app.command("/broken")
    def broken(ack):
        ack(text="x", blocks=[{"type": "actions", "elements": []}])

    @app.command("/text")
    def text(ack, command):
        ack(f"you said {command['text']}")


def add_block_actions(app, received):
    @app.action("contact.edit")
    def edit(ack, body, client):
        received.append(body)
        client.views_open(trigger_id=body["trigger_id"], view=dialog())
        ack()

    @app.action("contact.remove")
    def remove(ack, body, respond):
        received.append(body)
        ack()
        respond(text="Removed", replace_original=True)

    @app.action("list.grade")
    def grade(ack, body):
        received.append(body)
        ack()

    @app.options("chosen")
    def teachers(ack, payload):
        names = ("ruth lee", "ruth okafor")
        ack(options=[option(name) for name in names if payload["value"].lower() in name])

    @app.shortcut("list.open")
    def shortcut(ack, body, client):
        received.append(body)
        client.views_open(trigger_id=body["trigger_id"], view=dialog())
        ack()

    @app.shortcut("list.who")
    def who(ack, body):
        received.append(body)
        ack()

    @app.event("app_home_opened")
    def home(event, client):
        received.append(event)
        view = {
            "type": "home",
            "blocks": [
                {"type": "header", "text": plain("Home")},
                section("Welcome"),
                actions(button("contact.edit", "Edit")),
            ],
        }
        client.views_publish(user_id=event["user"], view=view)


def add_dialogs(app, received):
    @app.view("edit")
    def submitted(ack, body, view):
        received.append(body)
        match view["state"]["values"]["note"]["typed"]["value"]:
            case "bad phone":
                ack(response_action="errors", errors={"phone": "Write 10 digits."})
            case "bad errors":
                ack(response_action="errors", errors={"nowhere": "?"})
            case "update":
                ack(response_action="update", view=dialog(section("Saved")))
            case "push":
                ack(response_action="push", view=dialog())
            case "clear":
                ack(response_action="clear")
            case "too long":
                ack(response_action="update", view=dialog(title=plain("x" * 25)))
            case "slow":
                time.sleep(3.2)
                ack()
            case _:
                ack()

    @app.view_closed("edit")
    def closed(ack, body):
        received.append(body)
        ack()


def asgi(app):
    """The app as an ASGI application; its listeners run off the event loop."""

    async def events(request: Request):
        return to_starlette_response(
            await run_in_threadpool(app.dispatch, to_bolt_request(request, await request.body()))
        )

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
