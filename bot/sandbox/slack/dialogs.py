"""Submitting and closing dialogs, and what the app's answer does to the stack of them."""

from bot.sandbox.slack import entering, payloads, screens
from bot.sandbox.slack.block_kit import schema
from bot.sandbox.slack.block_kit.schema import Problem
from bot.sandbox.slack.deliver import PathKind, Reply, send_payload
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.outcome import TROUBLE, NotOnScreen, Outcome, sentence
from bot.sandbox.slack.things import Json, View
from bot.sandbox.slack.workspace import Workspace


def submit(slack: Workspace, view: View) -> Outcome:
    """Press the submit button. What the client itself refuses never reaches the app.

    `view` is sent as given, with what is typed in it; an older one replays a submission.
    """
    if not view.modal or "submit" not in view.body:
        raise NotOnScreen("this view has no submit button")
    if refused := entering.refused_by_client(slack, view):
        return Outcome(errors=refused, view=view)
    trigger = slack.keys.issue_trigger(view.user, slack.clock())
    fields = {"trigger_id": trigger, "view": payloads.view(slack, view), "response_urls": _response_urls(slack, view)}
    payload = payloads.interaction(slack, "view_submission", slack.user(view.user), **fields)
    outcome = _answered(slack, view, send_payload(slack, PathKind.INTERACTIVITY, payload))
    slack.toast(view.user, sentence(outcome.error, "That") if outcome.error else None)
    return outcome


def _response_urls(slack: Workspace, view: View) -> list[Json]:
    """A conversations menu with `response_url_enabled` lets a dialog answer into the conversation chosen in it."""
    found = []
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("response_url_enabled"):
            held = view.state[block["block_id"]][element["action_id"]]
            chosen = held.get("selected_conversation") or held.get("selected_channel")
            if chosen:
                hook = slack.keys.issue_hook(view.user, chosen, slack.clock())
                ids = {"block_id": block["block_id"], "action_id": element["action_id"], "channel_id": chosen}
                found.append({**ids, "response_url": f"{slack.base_url}/hooks/{hook}"})
    return found


def _answered(slack: Workspace, view: View, reply: Reply) -> Outcome:
    answer = reply.json()
    if reply.error or answer is None:
        late = reply.error == "operation_timeout"
        return _trouble(slack, view, reply, [Problem("", "no answer in 3 s" if late else "not an answer Slack knows")])
    try:
        return _applied(slack, view, answer, reply)
    except SlackError as refusal:
        problems = refusal.problems or [Problem("", refusal.error)]
        return _trouble(slack, view, reply, problems)


def _trouble(slack: Workspace, view: View, reply: Reply, problems: list[Problem]) -> Outcome:
    return Outcome(error=TROUBLE, problems=tuple(problems), view=screens.top(slack, view.user), seconds=reply.seconds)


def _applied(slack: Workspace, view: View, answer: Json, reply: Reply) -> Outcome:
    errors: dict[str, str] = {}
    match answer.get("response_action"):
        case None:
            _close_submitted(slack, view)
        case "clear":
            screens.take_away(slack, view.user, everything=True)
        case "update":
            _update(slack, view, answer.get("view", {}))
        case "push":
            screens.show(slack, view.user, answer.get("view", {}))
        case "errors":
            errors = _field_errors(view, answer.get("errors"))
        case other:
            raise SlackError(TROUBLE, problems=[Problem("/response_action", f"unsupported: {other}")])
    return Outcome(errors=errors, view=screens.top(slack, view.user), seconds=reply.seconds)


def _update(slack: Workspace, view: View, body: Json) -> None:
    """Change the dialog that was submitted; one that was closed meanwhile stays closed."""
    screens.check(slack, body, kind="modal", instead_of=view)
    if view.id in slack.views:
        screens.change(slack, slack.views[view.id], body)


def _close_submitted(slack: Workspace, view: View) -> None:
    top = screens.top(slack, view.user)
    if top and top.id == view.id:
        screens.take_away(slack, view.user)


def _field_errors(view: View, given: object) -> dict[str, str]:
    """Errors may stand under input blocks only; under anything else Slack shows none of them."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(given, dict) or not given:
        raise SlackError(TROUBLE, problems=[Problem("/errors", "must provide an object")])
    problems = [
        Problem(f"/errors/{key}", "is not the block_id of an input block") for key in given if key not in inputs
    ]
    for key, text in given.items():
        problems.extend(schema.string(3000)(text, f"/errors/{key}"))
    if problems:
        raise SlackError(TROUBLE, problems=problems)
    return dict(given)


def close(slack: Workspace, user: str, *, everything: bool = False) -> Outcome:
    """Press Cancel (back to the dialog below) or, with `everything`, the X that closes them all.

    The app hears `view_closed` where the view asked for it; the X speaks for the root view, with `is_cleared`.
    """
    top = screens.top(slack, user)
    if top is None:
        raise NotOnScreen("no dialog is open")
    clears = everything or bool(top.body.get("clear_on_close"))
    closed = screens.take_away(slack, user, everything=clears)
    spoken_for = closed[-1] if clears else closed[0]
    if not spoken_for.body.get("notify_on_close"):
        return Outcome(view=screens.top(slack, user))
    fields = {"view": payloads.view(slack, spoken_for), "is_cleared": clears}
    payload = payloads.interaction(slack, "view_closed", slack.user(user), **fields)
    reply = send_payload(slack, PathKind.INTERACTIVITY, payload)
    return Outcome(error=reply.error, view=screens.top(slack, user), seconds=reply.seconds)
