"""The help, in the words of the template `help.txt` and from the tables of what can be said: the same wherever it is asked for."""

from bot.domain.sms_status import SEVERITY, meaning
from bot.filters.words import COMMANDS, GRAMMAR
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.card import Card
from bot.templates.loader import Templates

COMMAND = "/cleanup"


def draw(templates: Templates) -> Card:
    text = templates.render("help.txt", command=COMMAND, grammar=GRAMMAR, commands=COMMANDS, legend=_legend())
    head, *paragraphs = text.split("\n\n")
    return Card([b.header(head), *(b.section(paragraph) for paragraph in paragraphs)], text)


def dialog(templates: Templates) -> Block:
    return b.modal("Help", draw(templates).blocks, callback_id="help.dialog", metadata="{}")


def _legend() -> list[str]:
    return [f"{b.status(one)}: {meaning(one).explanation}" for one in SEVERITY]
