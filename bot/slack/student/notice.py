"""The line above a list or a student after a change: what was done, and the buttons that follow from it."""

from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.open_views import Notice


def above_list(notice: Notice, here: str) -> list[Block]:
    """Draw the line with *Undo*; `here` is the text of the list, which the button shows again."""
    undo = []
    if notice.undo:
        action_id, changed_id = notice.undo
        undo = [b.button("Undo", action_id, f"{changed_id} {here}", label="Undo this change")]
    return [_line(notice), *b.actions(undo)]


def above_student(notice: Notice) -> list[Block]:
    """Draw the line alone: the dialog below has *Undo*."""
    return [_line(notice)]


def _line(notice: Notice) -> Block:
    return b.section(f"✅ {notice.sentence}")
