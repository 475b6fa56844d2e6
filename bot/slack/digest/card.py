"""The digest that a channel reads: counts only, in the words of the template `digest.txt`, and a button to the reader's own list."""

from collections.abc import Mapping
from dataclasses import replace

from bot.digests.report import Digest, EarlierMessage, MoveCounts
from bot.domain.display import plural
from bot.domain.grade import title
from bot.domain.sms_status import MEANINGS, SmsStatus
from bot.filters.filter import EVERYONE, Filter, describe
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import MESSAGE_TEXT, Card
from bot.templates.loader import Templates

SHOW_MINE = "digest.show_mine"

_SEPARATOR = " · "
_NO_MOVES = MoveCounts()
_MAX_FILTER_CHARACTERS = 80
# The fields of `MoveCounts` and how people read them.
_MOVES = {"joined": "joined", "left": "left", "stayed": "still on it"}


def draw(digest: Digest, templates: Templates) -> Card:
    """Draw the card; a district's own template may use any of the values, in paragraphs of which the first is the title."""
    heading, list_filter = _title(digest), digest.list_filter
    text = templates.render(
        "digest.txt",
        digest=replace(digest, title=b.escaped(heading)),
        sent_at=b.date(digest.sent_at, style="{date_long}"),
        final_by=b.date(digest.final_by, style="{time} on {date_long}") if digest.final_by else None,
        is_narrowed=_is_narrowed(digest),
        statuses=" or ".join(MEANINGS[status].label for status in list_filter.statuses),
        share=_share(digest) if digest.sent else None,
        earlier_shares=[_share(message) for message in digest.earlier],
        # What the title says already is not repeated.
        joined_reasons=_joined_reasons(digest),
        status_lines=_status_lines(digest) if len(list_filter.statuses) != 1 else [],
        grade_lines=_grade_lines(digest.by_grade) if len(list_filter.grades) != 1 else [],
        has_siblings=_has_siblings(digest),
    )
    first, *paragraphs = [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]
    blocks = [
        b.header(heading or b.as_plain(first)),
        *map(b.section, paragraphs),
        *b.actions([b.button("Show my list (only to me)", SHOW_MINE, EVERYONE)]),
    ]
    return Card(blocks, b.cut_mrkdwn(b.without_formatting(text), MESSAGE_TEXT))


def _title(digest: Digest) -> str:
    """Return the title of the message and the filter; a long title is cut so that the filter stays."""
    if not _is_narrowed(digest):
        return digest.title
    scope = b.cut(describe(digest.list_filter), _MAX_FILTER_CHARACTERS)
    return f"{b.cut(digest.title, b.HEADER - len(scope) - len(_SEPARATOR))}{_SEPARATOR}{scope}"


def _is_narrowed(digest: Digest) -> bool:
    return digest.list_filter != Filter()


def _share(message: Digest | EarlierMessage) -> str:
    return f"{message.delivered / message.sent:.1%}"


def _joined_reasons(digest: Digest) -> list[str]:
    """Return why contacts joined the list, if some were not texted at all: the sum is not that of the texts above."""
    without_number = digest.by_status.get(SmsStatus.NO_NUMBER, _NO_MOVES).joined
    if not without_number or digest.list_filter.statuses:
        return []
    texted = digest.moves.joined - without_number
    no_number = f"{without_number:,} {'has' if without_number == 1 else 'have'} no number"
    return [*([plural(texted, "text did not arrive", "texts did not arrive")] if texted else []), no_number]


def _status_lines(digest: Digest) -> list[str]:
    """Return lines such as `🔴 *Blocked*: 3 joined, 12 still on it`."""
    lines = []
    for status, moves in digest.by_status.items():
        counts = [f"{getattr(moves, move):,} {word}" for move, word in _MOVES.items() if getattr(moves, move)]
        lines.append(f"{b.status(status)}: {', '.join(counts)}")
    return lines


def _grade_lines(by_grade: Mapping[str, MoveCounts]) -> list[tuple[str, list[str]]]:
    """Return the grades in which each kind of move happened: `("joined", ["Grade 2: 9", "Grade 3: 14"])`, with spaces that do not break."""
    lines = []
    for move, word in _MOVES.items():
        counts = [(level, getattr(moves, move)) for level, moves in by_grade.items()]
        if grades := [f"{title(level)}: {count:,}".replace(" ", "\u00a0") for level, count in counts if count]:
            lines.append((word, grades))
    return lines


def _has_siblings(digest: Digest) -> bool:
    """Check whether the grades add up to more contacts than there are: siblings in two grades share theirs."""
    by_grade = digest.by_grade.values()
    return any(sum(getattr(moves, move) for moves in by_grade) > getattr(digest.moves, move) for move in _MOVES)
