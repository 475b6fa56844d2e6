"""How long listeners take, by what a person did. `web` publishes it with the other metrics."""

import re
import time
from typing import Any

from prometheus_client import Histogram
from slack_bolt import App, BoltRequest, BoltResponse

LISTENER_SECONDS = Histogram(
    "contact_cleanup_listener_duration_seconds", "Time until an acknowledgement, by listener.", ["listener"]
)
_NUMBER = re.compile(r"\.\d+$")
_KINDS = ("command", "block_actions", "view_submission", "view_closed", "shortcut", "message_action", "event_callback")


class MeasuredApp(App):
    """A Bolt app that measures each request. A middleware, for which Bolt prepares arguments by name, takes ten times as long."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        start = time.perf_counter()
        try:
            return super().dispatch(req)
        finally:
            LISTENER_SECONDS.labels(listener(req.body)).observe(time.perf_counter() - start)


def listener(body: dict[str, Any]) -> str:
    """Return what names the listener: the kind of request, and the id of a button or dialog without its number.

    What is typed, and ids of people, are not part of it.
    """
    kind = body.get("type") or ("command" if "command" in body else "other")
    if kind not in _KINDS:
        return "other"
    ids = [action["action_id"] for action in body.get("actions", ())] or [
        body.get("callback_id") or body.get("view", {}).get("callback_id") or body.get("event", {}).get("type") or ""
    ]
    return f"{kind} {_NUMBER.sub('', ids[0])}".strip()
