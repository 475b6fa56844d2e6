"""views.*: modals and the Home tab."""

from bot.sandbox.slack import payloads, view_store
from bot.sandbox.slack.errors import SlackError, missing_argument
from bot.sandbox.slack.models import Json
from bot.sandbox.slack.web_api.arguments import Arguments, Method
from bot.sandbox.slack.workspace import Workspace


def open_view(slack: Workspace, arguments: Arguments) -> Json:
    return _push(slack, arguments, on_open_modal=False)


def push_view(slack: Workspace, arguments: Arguments) -> Json:
    return _push(slack, arguments, on_open_modal=True)


def _push(slack: Workspace, arguments: Arguments, *, on_open_modal: bool) -> Json:
    body, trigger_id = _view(arguments), arguments.required("trigger_id")
    # Checked before the trigger id is used up, so that a refused view can be corrected and sent again.
    view_store.check_view(slack, body, kind="modal")
    user = slack.redeem_trigger(trigger_id)
    if on_open_modal and view_store.top_modal(slack, user) is None:
        raise SlackError("not_found")
    return {"view": payloads.view_json(slack, view_store.push_modal(slack, user, body))}


def update_view(slack: Workspace, arguments: Arguments) -> Json:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if not view_id and not external_id:
        raise missing_argument("view_id")
    body = _view(arguments)
    view = view_store.find_view(slack, view_id, external_id)
    updated = view_store.update_view(slack, view, body, expected_hash=arguments.text("hash"))
    return {"view": payloads.view_json(slack, updated)}


def publish_view(slack: Workspace, arguments: Arguments) -> Json:
    user_id, body = arguments.required("user_id"), _view(arguments)
    slack.user(user_id)
    if not slack.manifest.get("features", {}).get("app_home", {}).get("home_tab_enabled"):
        raise SlackError("not_enabled")
    published = view_store.publish_home(slack, user_id, body, expected_hash=arguments.text("hash"))
    return {"view": payloads.view_json(slack, published)}


def _view(arguments: Arguments) -> Json:
    view = arguments.json("view")
    if view is None:
        raise missing_argument("view")
    return dict(view) if isinstance(view, dict) else {}


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push_view),
    "views.update": Method(update_view),
    "views.publish": Method(publish_view),
}
