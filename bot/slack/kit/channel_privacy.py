"""Decides whether a digest may go to a channel, by who can read it. Checked when it subscribes and again before each post, because a
channel can be shared or made public at any time. Channels are as `conversations.info` returns them.
"""

from collections.abc import Mapping
from typing import Any

from bot.filters.filter import Filter


def is_from_outside(channel: Mapping[str, Any]) -> bool:
    """Check whether people of another organization can read the channel, or are invited to."""
    return bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))


def is_too_open(channel: Mapping[str, Any], list_filter: Filter) -> bool:
    """Check whether a digest of one teacher's students would go to a channel that anyone may join."""
    return list_filter.teacher is not None and channel.get("is_private") is not True
