"""Searches for names and numbers of students and contacts where none may be, after each test on a database.

Searched are all log lines, and what the strict local Slack received: posts that other people read, the text of any post (a
locked phone shows it), ids, metadata, and file names.
"""

import json
import logging
import re
from contextlib import contextmanager

from sqlalchemy import text

# No one reads these on screen, but other apps, exports, and logs do. A button's value is not among them: it holds ids, or the
# text of a filter, which may hold a name that the person typed, or the name of a student they may see.
HIDDEN = {"private_metadata", "block_id", "action_id", "callback_id", "external_id", "metadata", "filename"}
_POSTS = {"chat.postMessage", "chat.update"}
# Loggers that production turns off, and those of the Slack side of a test.
_IGNORED_LOGGERS = ("slack_sdk", "bot.sandbox", "sqlalchemy", "alembic", "asyncio")
_MIN_NAME_LENGTH = 3
_NAMES = """
SELECT concat_ws(' ', given_name, family_name) FROM students UNION SELECT concat_ws(' ', given_name, family_name) FROM contacts
"""
_NUMBERS = """
SELECT sis_phone FROM contacts WHERE sis_phone IS NOT NULL UNION SELECT phone FROM phone_numbers
UNION SELECT value FROM edits WHERE field = 'phone' AND value IS NOT NULL UNION SELECT phone FROM deliveries
UNION SELECT phone FROM other_numbers
"""


class _LineCollector(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        if not record.name.startswith(_IGNORED_LOGGERS):
            self.lines.append(self.format(record))


@contextmanager
def captured_log():
    """Yield the list of all lines that are logged at the level of production."""
    collector, root = _LineCollector(), logging.getLogger()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.INFO)
    try:
        yield collector.lines
    finally:
        root.setLevel(level)
        root.removeHandler(collector)


class PrivateData:
    """The words of all names, and the last seven digits of all numbers, in a database."""

    def __init__(self, engine):
        with engine.connect() as connection:
            names = connection.scalars(text(_NAMES)).all()
            numbers = connection.scalars(text(_NUMBERS)).all()
        words = (word for name in names for word in re.findall(r"[^\W\d_]+", name))
        self._names = {word for word in words if len(word) >= _MIN_NAME_LENGTH}
        self._numbers = {number[-7:] for number in numbers}

    def find_in(self, content):
        """Return the names and numbers that occur in a text or in JSON content."""
        content = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        digits = re.sub(r"(?<=\d)[ ().-]+(?=\d)", "", content)
        names = self._names & set(re.findall(r"[^\W\d_]+", content))
        sevens = {run[at : at + 7] for run in re.findall(r"\d{7,}", digits) for at in range(len(run) - 6)}
        return sorted(names | sevens & self._numbers)


def decoded(call):
    """Return the arguments of a call to Slack, with views and blocks parsed from JSON."""
    return {name: _parsed(value) for name, value in call.arguments.items()}


def _parsed(value):
    return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value


def values_under(content, keys):
    """Yield every value under one of these keys, at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in keys:
                yield value
            yield from values_under(value, keys)
    elif isinstance(content, list):
        for item in content:
            yield from values_under(item, keys)


def find_leaks(office, private):
    """Yield the method, and the names and numbers, of everything the bot sent where they must not be."""
    own_chats = {chat for person in office.people.values() for chat in (person.id, person.dm)}
    for call in office.slack.calls:
        sent = decoded(call)
        searched = [list(values_under(sent, HIDDEN))]
        if call.method in _POSTS:
            searched += [sent["text"], *([] if sent["channel"] in own_chats else [sent])]
        yield from ((call.method, found) for content in searched if (found := private.find_in(content)))
    for response in office.slack.responses:
        if response.body.strip() and (found := private.find_in(list(values_under(json.loads(response.body), HIDDEN)))):
            yield "acknowledgement", found
