"""What one answer, Home tab or post shows: blocks, and the same as text for screen readers and notifications."""

from dataclasses import dataclass

from bot.slack.kit.blocks import Block

TEXT = 3900
"""Characters of the text; Slack cuts what is longer than 4,000."""


@dataclass(frozen=True)
class Card:
    blocks: list[Block]
    text: str
