"""The help: the template `help.txt`, with a button for each example of `bot.filters.words` that runs it."""

from collections.abc import Sequence

from bot.domain.sms_status import MEANINGS, SEVERITY
from bot.filters.words import COMMANDS, GRAMMAR, Phrase
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block, Card
from bot.slack.list import links
from bot.slack.list.links import COMMAND
from bot.templates.loader import Templates

# Paragraphs of the template that are replaced by rows with buttons.
_EXAMPLES, _COMMANDS = "[examples]", "[commands]"
# What these do is done in the channel where they are typed, and `help` is here.
_TYPED_ONLY = ("subscribe", "unsubscribe", "help")


def draw(templates: Templates) -> Card:
    legend = [f"{b.status(status)}: {MEANINGS[status].explanation}" for status in SEVERITY]
    text = templates.render("help.txt", command=COMMAND, grammar=GRAMMAR, commands=COMMANDS, legend=legend)
    title, *paragraphs = text.split("\n\n")
    rows = {_EXAMPLES: _rows(GRAMMAR, first=0), _COMMANDS: _rows(COMMANDS, first=len(GRAMMAR))}
    blocks = [block for paragraph in paragraphs for block in rows.get(paragraph) or [b.section(paragraph)]]
    return b.card([b.header(title), *blocks])


def _rows(phrases: Sequence[Phrase], *, first: int) -> list[Block]:
    """Return a row for each example; `first` is the number of the first one's button."""
    return [_row(phrase, f"{links.RUN_PREFIX}.{number}") for number, phrase in enumerate(phrases, first)]


def _row(phrase: Phrase, action_id: str) -> Block:
    text = f"`{COMMAND} {phrase.example}`\n{phrase.meaning}"
    if phrase.example.split()[0] in _TYPED_ONLY:
        return b.section(text)
    return b.section(text, accessory=b.button("Show", action_id, phrase.example, label=f"Show {phrase.example}"))


def dialog(templates: Templates) -> Block:
    return b.modal("Help", draw(templates).blocks, callback_id="help.dialog", metadata="{}")
