"""Interactions with the app's blocks: buttons and menus, options of external menus, and dialogs."""

from bot.sandbox.slack import delivery, forms, payloads, view_store
from bot.sandbox.slack.block_kit.schema import Problem, string
from bot.sandbox.slack.block_kit.state import VALUE_FIELDS
from bot.sandbox.slack.block_kit.validation import options_response_problems
from bot.sandbox.slack.delivery import Reply
from bot.sandbox.slack.entry_points import acknowledged
from bot.sandbox.slack.errors import TROUBLE_CONNECTING, NotOnScreen, SlackError, error_sentence
from bot.sandbox.slack.forms import Control
from bot.sandbox.slack.models import Json, Message, Outcome, RequestKind, Surface, View
from bot.sandbox.slack.workspace import Workspace

# Properties of an element that its action repeats; options are not repeated.
_REPEATED = ("type", "action_id", "value", "text", "style", "placeholder", "initial_option", "initial_options")


def use(slack: Workspace, user: str, surface: Surface, control: Control, chosen: Json) -> Outcome:
    """Press a button or choose in a menu; `chosen` is the action's own part, like `selected_option`.

    `surface` is sent as given: an older one replays what was on the screen then.
    """
    block, element = control
    if element["type"] in VALUE_FIELDS:
        surface = forms.enter(slack, user, surface, control, {"type": element["type"], **chosen})
    repeated = {name: element[name] for name in _REPEATED if name in element}
    action = {**repeated, **chosen, "block_id": block["block_id"], "action_ts": slack.new_ts()}
    fields: Json = {"trigger_id": slack.new_trigger(user), "actions": [action]}
    if isinstance(surface, Message):
        ephemeral = surface.ephemeral_for is not None
        fields |= _in_message(slack, surface)
        fields["container"]["is_ephemeral"] = ephemeral
        fields["state"] = {"values": forms.current_values(slack, user, surface)}
        fields["response_url"] = slack.new_response_url(user, surface.channel, original=surface.key)
        # The payload does not contain an ephemeral message: only its reader has it.
        if not ephemeral:
            fields["message"] = payloads.message_json(slack, surface)
    else:
        fields |= _in_view(slack, surface)
    payload = payloads.interaction_json(slack, "block_actions", user, **fields)
    return acknowledged(slack, user, delivery.send_payload(slack, RequestKind.INTERACTIVITY, payload))


def suggest(slack: Workspace, user: str, surface: Surface, control: Control, query: str) -> Outcome:
    """Type into an external menu and return the options that the app offers."""
    block, element = control
    if len(query) < element.get("min_query_length", 3):
        return Outcome()
    fields = {"block_id": block["block_id"], "action_id": element["action_id"], "value": query}
    fields |= _in_message(slack, surface) if isinstance(surface, Message) else _in_view(slack, surface)
    payload = payloads.interaction_json(slack, "block_suggestion", user, **fields)
    reply = delivery.send_payload(slack, RequestKind.OPTIONS, payload)
    response = reply.json()
    if reply.error or response is None:
        return Outcome(error=reply.error or "invalid_options", seconds=reply.seconds)
    if problems := options_response_problems(response):
        return Outcome(error="invalid_options", problems=tuple(problems), seconds=reply.seconds)
    grouped = [option for group in response.get("option_groups", []) for option in group["options"]]
    return Outcome(options=(*response.get("options", []), *grouped), seconds=reply.seconds)


def _in_message(slack: Workspace, message: Message) -> Json:
    container = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
    return {"container": container, "channel": payloads.channel_ref_json(slack.channels[message.channel])}


def _in_view(slack: Workspace, view: View) -> Json:
    return {"container": {"type": "view", "view_id": view.id}, "view": payloads.view_json(slack, view)}


def submit(slack: Workspace, view: View) -> Outcome:
    """Press the submit button of a dialog. The app does not receive what the client itself refuses.

    `view` is sent as given, with the values entered in it: an older one replays a submission.
    """
    if not view.is_modal or "submit" not in view.body:
        raise NotOnScreen("this view has no submit button")
    if errors := forms.client_errors(view):
        return Outcome(errors=errors, view=view)
    fields = {
        "trigger_id": slack.new_trigger(view.user),
        "view": payloads.view_json(slack, view),
        "response_urls": _response_urls(slack, view),
    }
    payload = payloads.interaction_json(slack, "view_submission", view.user, **fields)
    outcome = _submitted(slack, view, delivery.send_payload(slack, RequestKind.INTERACTIVITY, payload))
    slack.show_toast(view.user, error_sentence(outcome.error) if outcome.error else None)
    return outcome


def _response_urls(slack: Workspace, view: View) -> list[Json]:
    """A response URL for each menu with `response_url_enabled`, into the conversation that is chosen in it."""
    urls = []
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("response_url_enabled"):
            entry = view.state[block["block_id"]][element["action_id"]]
            if channel := entry.get("selected_conversation") or entry.get("selected_channel"):
                ids = {"block_id": block["block_id"], "action_id": element["action_id"], "channel_id": channel}
                urls.append({**ids, "response_url": slack.new_response_url(view.user, channel)})
    return urls


def _submitted(slack: Workspace, view: View, reply: Reply) -> Outcome:
    response, problems, errors = reply.json(), [], {}
    if reply.error or response is None:
        timed_out = reply.error == "operation_timeout"
        problems = [Problem("", "no response within 3 s" if timed_out else "not a response that Slack supports")]
    else:
        try:
            errors = _apply_response(slack, view, response)
        except SlackError as refusal:
            problems = refusal.problems or [Problem("", refusal.error)]
    return Outcome(
        TROUBLE_CONNECTING if problems else None,
        tuple(problems),
        errors,
        view=view_store.top_modal(slack, view.user),
        seconds=reply.seconds,
    )


def _apply_response(slack: Workspace, view: View, response: Json) -> dict[str, str]:
    """Change the stack of dialogs as the app's response says, and return the errors under fields."""
    match response.get("response_action"):
        case None:
            top = view_store.top_modal(slack, view.user)
            if top and top.id == view.id:
                view_store.pop_modals(slack, view.user)
        case "clear":
            view_store.pop_modals(slack, view.user, everything=True)
        case "update":
            body = response.get("view", {})
            view_store.check_view(slack, body, kind="modal", replaces=view)
            # A dialog that was closed meanwhile stays closed.
            if view.id in slack.views:
                view_store.update_view(slack, slack.views[view.id], body)
        case "push":
            view_store.push_modal(slack, view.user, response.get("view", {}))
        case "errors":
            return _field_errors(view, response.get("errors"))
        case action:
            raise SlackError(TROUBLE_CONNECTING, problems=[Problem("/response_action", f"unsupported: {action}")])
    return {}


def _field_errors(view: View, errors: object) -> dict[str, str]:
    """Only input blocks can have errors; with any other block_id Slack shows none of them."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise SlackError(TROUBLE_CONNECTING, problems=[Problem("/errors", "must provide an object")])
    unknown = [block_id for block_id in errors if block_id not in inputs]
    problems = [Problem(f"/errors/{block_id}", "is not the block_id of an input block") for block_id in unknown]
    for block_id, sentence in errors.items():
        problems.extend(string(3000)(sentence, f"/errors/{block_id}"))
    if problems:
        raise SlackError(TROUBLE_CONNECTING, problems=problems)
    return dict(errors)


def close(slack: Workspace, user: str, *, everything: bool = False) -> Outcome:
    """Press Cancel (back to the dialog below) or, with `everything`, the X that closes every dialog.

    The app receives `view_closed` if the view has `notify_on_close`; the X sends the root view, with `is_cleared`.
    """
    top = view_store.top_modal(slack, user)
    if top is None:
        raise NotOnScreen("no dialog is open")
    clears = everything or bool(top.body.get("clear_on_close"))
    closed = view_store.pop_modals(slack, user, everything=clears)
    reported = closed[-1] if clears else closed[0]
    reply = Reply()
    if reported.body.get("notify_on_close"):
        fields = {"view": payloads.view_json(slack, reported), "is_cleared": clears}
        payload = payloads.interaction_json(slack, "view_closed", user, **fields)
        reply = delivery.send_payload(slack, RequestKind.INTERACTIVITY, payload)
    return Outcome(error=reply.error, view=view_store.top_modal(slack, user), seconds=reply.seconds)
