"""Modals and Home tabs on people's screens: at most three modals on top of one another, each with a hash that tells
whether what the app wants to change is still what the person sees.
"""

import json
import secrets
from dataclasses import replace

from bot.sandbox.slack import block_kit
from bot.sandbox.slack.block_kit import schema, state
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.things import Json, View
from bot.sandbox.slack.workspace import Workspace

MOST_VIEWS = 3
MOST_BYTES = 250_000


def check(slack: Workspace, body: Json, *, kind: str, instead_of: View | None = None) -> None:
    """Refuse a view that Slack would refuse: its blocks, its size, an `external_id` that another view holds.

    Raises:
        SlackError: `invalid_arguments` with the JSON pointers, `view_too_large`, `duplicate_external_id`.
    """
    problems = block_kit.view_problems(body)
    if not problems and body["type"] != kind:
        problems = [schema.Problem("/view/type", f"value must be one of: {kind}")]
    if problems:
        raise SlackError("invalid_arguments", problems=problems)
    if len(json.dumps(body).encode()) > MOST_BYTES:
        raise SlackError("view_too_large")
    external, holder = body.get("external_id"), instead_of.id if instead_of else None
    if external and any(v.body.get("external_id") == external and v.id != holder for v in slack.views.values()):
        raise SlackError("duplicate_external_id")


def show(slack: Workspace, user: str, body: Json) -> View:
    """Put a modal on top of what the person has open.

    Raises:
        SlackError: also `push_limit_reached` when three are open.
    """
    with slack.changing():
        check(slack, body, kind="modal")
        stack = slack.stacks.setdefault(user, [])
        if len(stack) >= MOST_VIEWS:
            raise SlackError("push_limit_reached")
        view_id = slack.new_id("V")
        root, previous = (stack[0], stack[-1]) if stack else (view_id, None)
        view = View(view_id, user, _kept(body), _new_hash(slack), root, previous)
        slack.put(view)
        stack.append(view_id)
    return view


def change(slack: Workspace, view: View, body: Json, *, hash_seen: str | None = None) -> View:
    """Replace what a view shows; typed values stay where block and action ids stay."""
    with slack.changing():
        if hash_seen and hash_seen != view.hash:
            raise SlackError("hash_conflict")
        check(slack, body, kind=view.body["type"], instead_of=view)
        changed = replace(view, body=_kept(body), hash=_new_hash(slack))
        slack.put(changed)
    return changed


def publish(slack: Workspace, user: str, body: Json, *, hash_seen: str | None = None) -> View:
    """Set somebody's Home tab."""
    with slack.changing():
        if user in slack.homes:
            return change(slack, slack.views[slack.homes[user]], body, hash_seen=hash_seen)
        check(slack, body, kind="home")
        view_id = slack.new_id("V")
        view = View(view_id, user, _kept(body), _new_hash(slack), view_id)
        slack.put(view)
        slack.homes[user] = view_id
    return view


def find(slack: Workspace, view_id: str | None, external_id: str | None) -> View:
    """The view an app names by either id, while it is on somebody's screen."""
    for view in slack.views.values():
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


def top(slack: Workspace, user: str) -> View | None:
    stack = slack.stacks.get(user)
    return slack.views[stack[-1]] if stack else None


def take_away(slack: Workspace, user: str, *, everything: bool = False) -> list[View]:
    """Close the top modal or the whole stack; the closed ones, top first."""
    with slack.changing():
        stack = slack.stacks.get(user, [])
        count = len(stack) if everything else min(1, len(stack))
        return [slack.views.pop(stack.pop()) for _ in range(count)]


def enter(slack: Workspace, view: View, block_id: str, action_id: str, entry: Json) -> View:
    """Type or choose something in a view, without telling the app yet."""
    entered = {**view.entered, block_id: {**view.entered.get(block_id, {}), action_id: entry}}
    changed = replace(view, entered=entered)
    slack.put(changed)
    return changed


def _kept(body: Json) -> Json:
    return {**body, "blocks": state.normalised(body["blocks"])}


def _new_hash(slack: Workspace) -> str:
    return f"{int(slack.clock())}.{secrets.token_hex(4)}"
