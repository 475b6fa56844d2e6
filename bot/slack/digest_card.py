"""A digest as a channel sees it: counts only, in the words of the template `digest.txt`, and one button to one's own list."""

from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from bot import grade
from bot.digests import Digest, Moved
from bot.slack import blocks as b
from bot.slack.list_card import EVERYBODY, Card
from bot.wording import Wording

SHOW_MINE = "digest.show_mine"


def draw(digest: Digest, wording: Wording, zone: ZoneInfo) -> Card:
    """The card; a district's own template may say anything about the counts, as paragraphs of which the first is the title."""
    safe = replace(digest, title=b.escaped(digest.title))
    sent_at = digest.sent_at.astimezone(zone)
    text = wording.render(
        "digest.txt",
        d=safe,
        sent_at=f"{sent_at:%A, %B} {sent_at.day}",
        by_status=[(b.status(one), moved) for one, moved in digest.by_status.items()],
        by_grade=[(grade.label(one).capitalize(), moved) for one, moved in digest.by_grade.items()],
        moves=_moves,
    )
    title, *paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
    blocks = [
        b.header(digest.title or title),
        *(b.section(paragraph.strip()) for paragraph in paragraphs),
        *b.actions([b.button("Show my list (only to me)", SHOW_MINE, EVERYBODY)]),
    ]
    return Card(blocks, b.cut(text, 3900))


def _moves(moved: Moved) -> str:
    return ", ".join(_said([(moved.joined, "joined"), (moved.left, "left"), (moved.still, "still on it")]))


def _said(counts: Iterable[tuple[int, str]]) -> list[str]:
    return [f"{number:,} {word}" for number, word in counts if number]
