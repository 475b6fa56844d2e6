"""views.*: modals and the Home tab."""

from bot.sandbox.slack import payloads, screens
from bot.sandbox.slack.errors import SlackError, missing
from bot.sandbox.slack.methods.arguments import Arguments, Method
from bot.sandbox.slack.things import Json
from bot.sandbox.slack.workspace import Workspace


def _view(arguments: Arguments) -> Json:
    view = arguments.json("view")
    if view is None:
        raise missing("view")
    return dict(view) if isinstance(view, dict) else {}


def open_view(slack: Workspace, arguments: Arguments) -> Json:
    body, trigger = _view(arguments), arguments.needed("trigger_id")
    screens.check(slack, body, kind="modal")
    user = slack.keys.exchange_trigger(trigger, slack.clock())
    return {"view": payloads.view(slack, screens.show(slack, user, body))}


def push(slack: Workspace, arguments: Arguments) -> Json:
    body, trigger = _view(arguments), arguments.needed("trigger_id")
    screens.check(slack, body, kind="modal")
    user = slack.keys.exchange_trigger(trigger, slack.clock())
    if screens.top(slack, user) is None:
        raise SlackError("not_found")
    return {"view": payloads.view(slack, screens.show(slack, user, body))}


def update(slack: Workspace, arguments: Arguments) -> Json:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if not view_id and not external_id:
        raise missing("view_id")
    body = _view(arguments)
    view = screens.find(slack, view_id, external_id)
    changed = screens.change(slack, view, body, hash_seen=arguments.text("hash"))
    return {"view": payloads.view(slack, changed)}


def publish(slack: Workspace, arguments: Arguments) -> Json:
    user_id, body = arguments.needed("user_id"), _view(arguments)
    if user_id not in slack.users:
        raise SlackError("user_not_found")
    if not slack.manifest.get("features", {}).get("app_home", {}).get("home_tab_enabled"):
        raise SlackError("not_enabled")
    published = screens.publish(slack, user_id, body, hash_seen=arguments.text("hash"))
    return {"view": payloads.view(slack, published)}


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
