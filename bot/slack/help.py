"""The help card: the template `help.txt`, filled from the tables of what can be typed."""

from bot.domain.sms_status import MEANINGS, SEVERITY
from bot.filters.words import COMMANDS, GRAMMAR
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block, Card
from bot.slack.list.links import COMMAND
from bot.templates.loader import Templates


def draw(templates: Templates) -> Card:
    legend = [f"{b.status(status)}: {MEANINGS[status].explanation}" for status in SEVERITY]
    text = templates.render("help.txt", command=COMMAND, grammar=GRAMMAR, commands=COMMANDS, legend=legend)
    title, *paragraphs = text.split("\n\n")
    return Card([b.header(title), *map(b.section, paragraphs)], text)


def dialog(templates: Templates) -> Block:
    return b.modal("Help", draw(templates).blocks, callback_id="help.dialog", metadata="{}")
