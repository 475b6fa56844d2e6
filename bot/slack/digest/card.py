"""A digest as a channel sees it: counts only, in the words of the template `digest.txt`, and one button to one's own list."""

from collections.abc import Mapping
from dataclasses import replace

from bot.digests.report import Digest, EarlierMessage, MoveCounts
from bot.domain.sms_status import meaning
from bot.filters.filter import Filter, describe
from bot.slack.kit import blocks as b
from bot.slack.kit.card import TEXT, Card
from bot.slack.list.links import EVERYBODY
from bot.templates.loader import Templates
from bot.wording import say

SHOW_MINE = "digest.show_mine"
_DOT = " · "
_LONGEST_FILTER = 80
_MOVES = ("joined", "left", "still")


def draw(digest: Digest, templates: Templates) -> Card:
    """The card; a district's own template may say anything about the counts, as paragraphs of which the first is the title."""
    heading, which = _heading(digest), digest.which
    safe = replace(digest, title=b.escaped(heading))
    text = templates.render(
        "digest.txt",
        d=safe,
        sent_at=b.date(digest.sent_at, style="{date_long}"),
        settles_at=b.date(digest.settles_at, style="{time} on {date_long}") if digest.settles_at else None,
        is_narrowed=_is_narrowed(digest),
        as_status=" or ".join(meaning(one).label for one in digest.which.statuses),
        shares=[_share(one) for one in digest.before],
        share=_share(digest) if digest.sent else None,
        by_status=[(b.status(one), moved) for one, moved in digest.by_status.items() if len(which.statuses) != 1],
        by_grade=_by_grade(digest.by_grade if len(which.grades) != 1 else {}),
        has_siblings=_is_counted_twice(digest),
        moves=_moves,
    )
    title, *paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
    blocks = [
        b.header(heading or title),
        *(b.section(paragraph.strip()) for paragraph in paragraphs),
        *b.actions([b.button("Show my list (only to me)", SHOW_MINE, EVERYBODY)]),
    ]
    return Card(blocks, b.cut(text, TEXT))


def _heading(digest: Digest) -> str:
    """The message and what of it is counted; a long title is cut before its filter is."""
    if not _is_narrowed(digest):
        return digest.title
    which = b.cut(describe(digest.which), _LONGEST_FILTER)
    return f"{b.cut(digest.title, b.HEADER - len(which) - len(_DOT))}{_DOT}{which}"


def _is_narrowed(digest: Digest) -> bool:
    return digest.which != Filter()


def _share(one: Digest | EarlierMessage) -> str:
    return f"{one.delivered / one.sent:.1%}"


def _moves(moved: MoveCounts) -> str:
    counts = zip(_counts(moved), _MOVES, strict=True)
    return ", ".join(say(f"digest_card.moved.{move}", count=number) for number, move in counts if number)


def _by_grade(moves: Mapping[str, MoveCounts]) -> list[tuple[str, list[str]]]:
    """A line for each kind of move that happened, with the grades in which it did: `joined`, [`K: 9`, `1: 14`]."""
    lines = [
        (move, [f"{level}:\u00a0{_counts(moved)[kind]:,}" for level, moved in moves.items() if _counts(moved)[kind]])
        for kind, move in enumerate(_MOVES)
    ]
    return [(say(f"digest_card.move.{move}"), counts) for move, counts in lines if counts]


def _is_counted_twice(digest: Digest) -> bool:
    """Whether the grades add up to more contacts than there are, as siblings share theirs."""
    by_grade = zip(*map(_counts, digest.by_grade.values()), strict=True)
    return any(sum(grades) > whole for grades, whole in zip(by_grade, _counts(digest.all_moved), strict=False))


def _counts(moved: MoveCounts) -> tuple[int, int, int]:
    return moved.joined, moved.left, moved.still
