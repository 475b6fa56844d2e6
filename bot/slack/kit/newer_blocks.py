"""Sends blocks that some workspaces refuse (charts, tables, folds), and the same in words to such a workspace.

The answer to a command goes back with the acknowledgment, where a refusal never reaches us: send such a card by `respond`.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from slack_sdk.errors import SlackApiError

from bot.slack.kit import api_errors
from bot.slack.kit.blocks import Block, plainer

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Methods for messages answer with the first two, those for views with the third, a response_url with a status.
REFUSALS = {"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "http_400"}
_REMEMBERED = timedelta(days=1)


class NewerBlocks:
    """Caches for a day, in this process, that the workspace refuses newer blocks."""

    def __init__(self) -> None:
        self._refused_until: datetime | None = None

    def send(self, blocks: Sequence[Block], call: Callable[[list[Block]], T], *, now: datetime) -> T:
        """Call Slack with the blocks, and once more with the same in words where it refuses them.

        Raises:
            SlackApiError: Slack refuses the plain blocks, too, or answers otherwise; and whatever else `call` raises.
        """
        plain = plainer(blocks)
        if self._refused_until and now < self._refused_until:
            return call(plain)
        try:
            return call(list(blocks))
        except SlackApiError as error:
            if plain == blocks or api_errors.error_code(error) not in REFUSALS:
                raise
        answer = call(plain)
        logger.info("this workspace refuses charts, tables, or folds: they are sent in words for a day")
        self._refused_until = now + _REMEMBERED
        return answer
