"""Looks for a message whose answer was lost, by the key in its metadata, before it is posted again."""

from datetime import datetime, timedelta

from slack_sdk import WebClient

# A machine with the wrong time zone is up to 14 hours ahead of Slack, and may be set right between a post and its look-up.
_LOOK_UP_MARGIN = timedelta(days=1)
_LOOK_UP_PAGES = 5
_LOOK_UP_PAGE_SIZE = 200
# A district may leave out the scopes that read channels: then a message cannot be looked up.
SCOPE_IS_OPTIONAL = {"missing_scope"}


def find_message(
    client: WebClient, channel_id: str, key: str, *, claimed_at: datetime | None
) -> tuple[str | None, bool]:
    """Return the message's `ts`, or None and whether all messages since it was claimed were read."""
    since = (claimed_at - _LOOK_UP_MARGIN).timestamp() if claimed_at else 0
    cursor = None
    for _ in range(_LOOK_UP_PAGES):
        page = client.conversations_history(
            channel=channel_id,
            oldest=f"{since:.6f}",
            limit=_LOOK_UP_PAGE_SIZE,
            include_all_metadata=True,
            cursor=cursor,
        )
        for message in page["messages"]:
            if message.get("metadata", {}).get("event_payload", {}).get("key") == key:
                return str(message["ts"]), True
        if not page.get("has_more"):
            return None, True
        cursor = page["response_metadata"]["next_cursor"]
    return None, False
