"""Who reads a channel, and whether a digest may go there: asked when it is subscribed and again at each post, because a channel
can be shared or made public at any time.
"""

from collections.abc import Mapping
from typing import Any

from bot.filters.filter import Filter


def is_from_outside(channel: Mapping[str, Any]) -> bool:
    """Whether people of another company read a channel (as `conversations.info` tells it), or are invited to."""
    return bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))


def is_too_open(channel: Mapping[str, Any], which: Filter) -> bool:
    """Whether more people may join a channel than may read of one teacher's students."""
    return which.teacher is not None and channel.get("is_private") is not True
