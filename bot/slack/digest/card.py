"""The digest that a channel reads: counts only, in the words of the template `digest.txt`, and buttons to the reader's own list."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from bot.digests.report import Digest, EarlierMessage, GradeCounts, Tally
from bot.digests.small_groups import SMALLEST_GROUP
from bot.domain import display
from bot.domain.display import plural
from bot.domain.grade import title
from bot.domain.sms_status import MEANINGS, STATUSES_BY_COLOR, Color, SmsStatus
from bot.filters.filter import EVERYONE, Filter, describe
from bot.slack.kit import blocks as b
from bot.slack.kit import charts
from bot.slack.kit.blocks import MESSAGE_TEXT, Block, Card
from bot.templates.loader import Templates

SHOW_MINE, SHOW_NO_ADULT = "digest.show_mine", "digest.show_no_adult"

_SEPARATOR = " · "
_FOLD = "\n---\n"  # In the template: what follows is shown when the reader opens it.
_MAX_FILTER_CHARACTERS = 80
_BAR_CELLS, _WORST_GRADES = 10, 3
_SHORTEST_CHART = 3  # Messages.
_LARGE_SHARE = 0.05  # Of all texts: more failures on our side than that are not left to the small print.
_COLORS = {Color.RED: "🔴 *Needs a new number:*", Color.YELLOW: "🟡 *May still work:*"}


def draw(digest: Digest, templates: Templates, *, zone: tzinfo) -> Card:
    """Draw the card; the days in its chart are those of `zone`. A district's own template may use any of the values, in
    paragraphs of which the first is the title; what follows a line `---` is folded, and its first line is the title of the
    fold.
    """
    heading = _title(digest)
    text = templates.render(
        "digest.txt",
        digest=replace(digest, title=b.escaped(heading)),
        smallest_group=SMALLEST_GROUP,
        sent_at=b.date(digest.sent_at, style="{date_long}"),
        final_by=b.date(digest.final_by, style="{time} on {date_long}") if digest.final_by else None,
        is_narrowed=_is_narrowed(digest),
        **_delivery_values(digest),
        **_list_values(digest),
    )
    text, _, folded = text.partition(_FOLD)
    first, *paragraphs = [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]
    chart = _chart(digest, zone)
    title = b.header(heading or b.as_plain(first))
    blocks = [title, *map(b.section, paragraphs), *chart, *_fold(folded), *_buttons(digest)]
    spoken = [b.without_formatting(text), b.card(chart).text, b.without_formatting(folded)]
    return Card(blocks, b.cut_mrkdwn("\n\n".join(filter(None, map(str.strip, spoken))), MESSAGE_TEXT))


def _chart(digest: Digest, zone: tzinfo) -> list[Block]:
    """Return the shares of this message and the ones before it; of a single one before, the text says it."""
    messages: list[Digest | EarlierMessage] = [*digest.earlier, digest]
    if len(messages) < _SHORTEST_CHART or not digest.sent or digest.is_silent or digest.is_hidden:
        return []
    days = [
        display.short_day(message.sent_at.astimezone(zone).date(), digest.sent_at.astimezone(zone).date())
        for message in messages
    ]
    return [
        charts.line_chart("Texts delivered, in %", days, {"Delivered": [_percent(message) for message in messages]})
    ]


def _delivery_values(digest: Digest) -> dict[str, object]:
    shares = [_share(message) for message in reversed(digest.earlier)]
    return {
        "statuses": " or ".join(MEANINGS[status].label for status in digest.list_filter.statuses),
        "share": _share(digest) if digest.sent else None,
        "bar": _bar(digest) if digest.sent else "",
        "last_share": shares[0] if shares else None,
        "earlier_shares": shares[1:],
        "is_failure_large": not digest.sender_faults and digest.sending_failures > digest.sent * _LARGE_SHARE,
    }


def _list_values(digest: Digest) -> dict[str, object]:
    has_fold = len(digest.by_grade) > _WORST_GRADES
    worst = sorted(digest.by_grade, key=lambda group: -group.to_fix.contacts)[:_WORST_GRADES]
    return {
        "to_fix": sum(tally.contacts for tally in digest.to_fix.values()),
        "reasons": _reasons(digest),
        "color_lines": _color_lines(digest),
        "also": _also(digest),
        "changes": sum(digest.changed.values()),
        "moved_lines": [*_left_lines(digest), *_changed_lines(digest)],
        "worst_grades": [_grade(group) for group in worst] if len(digest.by_grade) > 1 else [],
        "grade_lines": [_grade(group) for group in digest.by_grade] if has_fold else [],
        "has_merged_grades": any(len(group.grades) > 1 for group in digest.by_grade),
    }


def _title(digest: Digest) -> str:
    """Return the title of the message and the filter; a long title is cut so that the filter stays."""
    if not _is_narrowed(digest):
        return digest.title
    scope = b.cut(describe(digest.list_filter), _MAX_FILTER_CHARACTERS)
    return f"{b.cut(digest.title, b.HEADER - len(scope) - len(_SEPARATOR))}{_SEPARATOR}{scope}"


def _is_narrowed(digest: Digest) -> bool:
    return digest.list_filter != Filter()


def _share(message: Digest | EarlierMessage) -> str:
    return f"{_percent(message)}%"


def _percent(message: Digest | EarlierMessage) -> float:
    """Return the share delivered, rounded down: 100.0 only where every text arrived."""
    return math.floor(message.delivered * 1000 / message.sent) / 10


def _bar(digest: Digest) -> str:
    full = digest.delivered * _BAR_CELLS // digest.sent
    return "▓" * full + "░" * (_BAR_CELLS - full)


def _reasons(digest: Digest) -> list[str]:
    """Return why contacts need a fix: the numbers add up to all of them."""
    others = {SmsStatus.NO_NUMBER, SmsStatus.WRONG_PERSON}
    texts = sum(tally.contacts for status, tally in digest.to_fix.items() if status not in others)
    missing, wrong = (digest.to_fix.get(status, Tally()).contacts for status in SmsStatus if status in others)
    return [
        *([plural(texts, "text did not arrive", "texts did not arrive")] if texts else []),
        *([f"{missing:,} {'has' if missing == 1 else 'have'} no number"] if missing else []),
        *([plural(wrong, "number belongs", "numbers belong") + " to someone else"] if wrong else []),
    ]


def _color_lines(digest: Digest) -> list[str]:
    """Return a line for each color: `🔴 *Needs a new number:* Inactive 22 (3 new) · Blocked 40`."""
    lines = []
    for color, meaning in _COLORS.items():
        tallies = [(status, digest.to_fix[status]) for status in STATUSES_BY_COLOR[color] if status in digest.to_fix]
        if tallies:
            counts = [_together(f"{MEANINGS[status].label} {_count(tally)}") for status, tally in tallies]
            lines.append(f"{meaning} {_SEPARATOR.join(counts)}")
    return lines


def _together(text: str) -> str:
    """Return the text with spaces at which no line breaks."""
    return text.replace(" ", "\u00a0")


def _count(tally: Tally) -> str:
    return f"{tally.contacts:,} ({tally.new:,} new)" if tally.new else f"{tally.contacts:,}"


def _also(digest: Digest) -> list[str]:
    return [
        *([f"opted out, which only they can change: {_count(digest.opted_out)}"] if digest.opted_out.contacts else []),
        *([f"fixed, waiting for the next message: {_count(digest.waiting)}"] if digest.waiting.contacts else []),
    ]


def _left_lines(digest: Digest) -> list[str]:
    left = digest.left
    return [
        *([f"{left.fixed:,} left: fixed by staff, and this text arrived"] if left.fixed else []),
        *([f"{left.delivered:,} left: this text arrived"] if left.delivered else []),
        *(
            [f"{left.ended:,} left: not texted anymore (other contact method, removed, or not at school anymore)"]
            if left.ended
            else []
        ),
    ]


def _changed_lines(digest: Digest) -> list[str]:
    return [
        f"{count:,} of those who stayed {'is' if count == 1 else 'are'} {MEANINGS[status].label} now. {MEANINGS[status].explanation}"
        for status, count in digest.changed.items()
    ]


def _grade(group: GradeCounts) -> str:
    """Return `Grade 5: 14 (3 new)`."""
    name = title(group.grades[0]) if len(group.grades) == 1 else "Other grades"
    return _together(f"{name}: {_count(group.to_fix)}")


def _fold(text: str) -> list[Block]:
    heading, _, lines = text.strip().partition("\n")
    return [b.folded(b.as_plain(heading), [b.section(lines.strip())])] if lines else []


def _buttons(digest: Digest) -> list[Block]:
    show_mine = b.button("Show my list (only to me)", SHOW_MINE, EVERYONE)
    if not digest.students_without_adult:
        return b.actions([show_mine])
    which = replace(digest.list_filter, no_adult=True).text
    show_them: Sequence[Block] = [b.button("Show these students (only to me)", SHOW_NO_ADULT, which, style="primary")]
    return b.actions([*show_them, show_mine])
