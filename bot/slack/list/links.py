"""Menus and buttons that lead from one list to another: choices, suggestions, *Did you mean*.

The value of each is the text of the filter it leads to, so nothing is stored for a list that is on screen.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.cleanup_list.page import ListView
from bot.filters.filter import EVERYONE, Filter, describe
from bot.filters.parse import Parsed
from bot.filters.words import Topic
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block

COMMAND = "/cleanup"
SHOW = re.compile(r"^list\.show(\.\w+)*$")
SHOW_PREVIOUS, SHOW_NEXT, SHOW_ALL = "list.show.previous", "list.show.next", "list.show.all"
SHOW_STATUS, SHOW_GRADE, SHOW_SCHOOL = "list.show.status", "list.show.grade", "list.show.school"
SHOW_FIXED, SHOW_WHO, SHOW_CLEAR = "list.show.fixed", "list.show.who", "list.show.clear"
SHOW_WITHOUT_ADULT = "list.show.alone"
SHOW_TAUGHT, SHOW_COLOR = "list.show.taught", "list.show.color"
SHOW_LETTER = "list.show.letter"
SHOW_MINE, SHOW_ALL_MINE = "list.show.mine", "list.show.all_mine"
SHOW_NO_ADULT = "list.show.no_adult"
SHOW_SUGGESTION, SHOW_NEAR, SHOW_TEACHER = "list.show.suggestion", "list.show.near", "list.show.teacher"
DOWNLOAD, BULK, BULK_CALLS = "list.download", "list.bulk", "list.bulk_calls"
RUN_PREFIX = "command.run"
RUN = re.compile(rf"^{re.escape(RUN_PREFIX)}\.\d+$")

HELP = b.button("Show help", f"{RUN_PREFIX}.0", "help")
_MAX_SUGGESTIONS = 5
_MAX_WORD = 60
_MENTION = re.compile(r"<@(?:[^|>]*\|)?([^>]+)>")


def questions(view: ListView) -> list[Block]:
    """Return what was not understood or is ambiguous, with buttons for what may have been meant."""
    blocks = [b.section(sentence) for sentence in _explanations(view)]
    blocks += not_understood(view.parsed)
    if view.similar:
        typed, shown = (f"*{b.escaped(' '.join(which.names))}*" for which in (view.parsed.filter, view.page.filter))
        blocks.append(b.section(f"No one named {typed} is on your list. Shown instead: {shown}."))
        blocks += buttons_to_lists(view.similar[1:], SHOW_NEAR)
    if view.commands:
        buttons = [b.button(f"{COMMAND} {text}", f"{RUN_PREFIX}.{n}", text) for n, text in enumerate(view.commands)]
        blocks += [b.section("Did you mean:"), *b.actions(buttons[:_MAX_SUGGESTIONS])]
    if view.namesakes:
        blocks.append(b.section("Several teachers have that name. Whose students do you mean?"))
        blocks += buttons_to_lists(view.namesakes, SHOW_TEACHER)
    return blocks


def _explanations(view: ListView) -> list[str]:
    """Return how to get what was asked for with a word that is no filter."""
    sentences = {
        Topic.FILE: (
            "*Download…* below makes an Excel or CSV file of this list."
            if view.page.total_contacts
            else "This list is empty, so there is nothing to download."
        ),
        Topic.CLAIMS: (
            "This list has all contacts, claimed or not. Choose *Claimed by me* below to see yours. "
            "A contact that a colleague takes care of is marked 🙋 with their name."
        ),
    }
    topics = {unknown.topic for unknown in view.parsed.unknown}
    return [sentence for topic, sentence in sentences.items() if topic in topics]


def not_understood(parsed: Parsed) -> list[Block]:
    words = replace(parsed, unknown=tuple(unknown for unknown in parsed.unknown if unknown.topic is None))
    grades = [unknown for unknown in parsed.unknown if unknown.topic is Topic.NO_SUCH_GRADE]
    sentences = [f"None of your schools has a {b.escaped(b.cut(unknown.word, _MAX_WORD))}" for unknown in grades]
    if words.unknown:
        sentences.append(f"I did not understand {quoted_unknown(words)}")
    if not sentences:
        return []
    sentence = f"{'. '.join(sentences)}, so the list below is *not* narrowed by it."
    suggestions = [suggestion for unknown in (*grades, *words.unknown) for suggestion in unknown.suggestions]
    if not suggestions:
        return [b.section(sentence), *b.actions([HELP])]
    buttons = [
        b.button(suggestion.label, f"{SHOW_SUGGESTION}.{number}", suggestion.text or EVERYONE)
        for number, suggestion in enumerate(suggestions[:_MAX_SUGGESTIONS])
    ]
    return [b.section(f"{sentence} Did you mean:"), *b.actions(buttons)]


def quoted_unknown(parsed: Parsed) -> str:
    """Return the words as people typed them: a mentioned colleague arrives as an id with a name behind it."""
    words = (b.cut(_MENTION.sub(r"@\1", unknown.word), _MAX_WORD) for unknown in parsed.unknown)
    return ", ".join(f"“{b.escaped(word)}”" for word in words)


def buttons_to_lists(filters: Sequence[Filter], action_id: str) -> list[Block]:
    return b.actions(
        [
            b.button(describe(which), f"{action_id}.{number}", which.text)
            for number, which in enumerate(filters[:_MAX_SUGGESTIONS])
        ]
    )
