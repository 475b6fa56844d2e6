"""Modals and Home tabs on people's screens: a stack of at most three modals, and a hash for each view by which Slack detects
that the app updates an outdated version.
"""

import json
import secrets
from dataclasses import replace

from bot.sandbox.slack.block_kit.state import normalize
from bot.sandbox.slack.block_kit.validation import view_problems
from bot.sandbox.slack.errors import SlackError, invalid_argument
from bot.sandbox.slack.models import Json, View
from bot.sandbox.slack.workspace import Workspace

MAX_MODALS = 3
MAX_BYTES = 250_000


def check_view(slack: Workspace, body: Json, *, kind: str, replaces: View | None = None) -> None:
    """Refuse a view for its blocks, its size, or an `external_id` that another view has.

    Raises:
        SlackError: `invalid_arguments` with the JSON pointers, `view_too_large`, `duplicate_external_id`.
    """
    if problems := view_problems(body, refused=slack.refused_blocks):
        raise SlackError("invalid_arguments", problems=problems)
    takes_files = any(block.get("element", {}).get("type") == "file_input" for block in body["blocks"])
    if takes_files and "files:read" not in slack.scopes:
        raise SlackError("missing_scope", needed="files:read", provided=",".join(slack.scopes))
    if body["type"] != kind:
        raise invalid_argument("view/type", f"value must be one of: {kind}")
    if len(json.dumps(body).encode()) > MAX_BYTES:
        raise SlackError("view_too_large")
    external_id, own_id = body.get("external_id"), replaces.id if replaces else None
    if external_id and any(
        view.body.get("external_id") == external_id and view.id != own_id for view in slack.views.values()
    ):
        raise SlackError("duplicate_external_id")


def push_modal(slack: Workspace, user: str, body: Json) -> View:
    """Put a modal on top of the user's open ones.

    Raises:
        SlackError: as `check_view`, or `push_limit_reached`.
    """
    with slack.changing():
        check_view(slack, body, kind="modal")
        stack = slack.modals.setdefault(user, [])
        if len(stack) >= MAX_MODALS:
            raise SlackError("push_limit_reached")
        view_id = slack.new_id("V")
        root, previous = (stack[0], stack[-1]) if stack else (view_id, None)
        view = View(view_id, user, _normalized(body), _new_hash(slack), root, previous)
        slack.store(view)
        stack.append(view_id)
    return view


def update_view(slack: Workspace, view: View, body: Json, *, expected_hash: str | None = None) -> View:
    """Replace the body of a view; entered values stay where block and action ids stay."""
    with slack.changing():
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        check_view(slack, body, kind=view.body["type"], replaces=view)
        changed = replace(view, body=_normalized(body), hash=_new_hash(slack))
        slack.store(changed)
    return changed


def publish_home(slack: Workspace, user: str, body: Json, *, expected_hash: str | None = None) -> View:
    with slack.changing():
        if user in slack.homes:
            return update_view(slack, slack.views[slack.homes[user]], body, expected_hash=expected_hash)
        check_view(slack, body, kind="home")
        view_id = slack.new_id("V")
        view = View(view_id, user, _normalized(body), _new_hash(slack), view_id)
        slack.store(view)
        slack.homes[user] = view_id
    return view


def find_view(slack: Workspace, view_id: str | None, external_id: str | None) -> View:
    """The open view with either id."""
    for view in slack.views.values():
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


def top_modal(slack: Workspace, user: str) -> View | None:
    stack = slack.modals.get(user)
    return slack.views[stack[-1]] if stack else None


def pop_modals(slack: Workspace, user: str, *, everything: bool = False) -> list[View]:
    """Close the top modal or the whole stack, and return the closed ones, top first."""
    with slack.changing():
        stack = slack.modals.get(user, [])
        count = len(stack) if everything else min(1, len(stack))
        return [slack.views.pop(stack.pop()) for _ in range(count)]


def _normalized(body: Json) -> Json:
    return {**body, "blocks": normalize(body["blocks"])}


def _new_hash(slack: Workspace) -> str:
    return f"{int(slack.clock())}.{secrets.token_hex(4)}"
