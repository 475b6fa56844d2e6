"""After each test on a database, its names and numbers of students and contacts are searched for where none may ever stand: in
every log line, and in what the strict local Slack was sent: posts that others read, the text of any post (a locked phone shows
it), ids, metadata and file names.
"""

import json
import logging
import re
from contextlib import contextmanager

from sqlalchemy import text

HIDDEN = {"private_metadata", "block_id", "action_id", "callback_id", "external_id", "metadata", "filename"}
"""What nobody sees, and other apps, exports and logs do. Not a button's value: that is ids, or the text of a filter, which may name whom
somebody looked for and whom, of those they may see, we offered in their place.
"""
_POSTS = {"chat.postMessage", "chat.update"}
_QUIET = ("slack_sdk", "bot.sandbox", "sqlalchemy", "alembic", "asyncio")
"""Loggers that production turns off, and those of Slack's side of the test."""
_SHORTEST = 3
_PEOPLE = """
SELECT concat_ws(' ', given_name, family_name) FROM students UNION SELECT concat_ws(' ', given_name, family_name) FROM contacts
"""
_NUMBERS = """
SELECT sis_phone FROM contacts WHERE sis_phone IS NOT NULL UNION SELECT phone FROM phone_numbers
UNION SELECT value FROM edits WHERE field = 'phone' AND value IS NOT NULL UNION SELECT phone FROM deliveries
"""


class _Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        if not record.name.startswith(_QUIET):
            self.said.append(self.format(record))


@contextmanager
def heard():
    """Every line that is logged meanwhile at the level of production."""
    lines, root = _Lines(), logging.getLogger()
    before = root.level
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    try:
        yield lines.said
    finally:
        root.setLevel(before)
        root.removeHandler(lines)


class Private:
    """The words of all names and the last seven digits of all numbers that a database holds."""

    def __init__(self, engine):
        with engine.connect() as connection:
            people = connection.scalars(text(_PEOPLE)).all()
            numbers = connection.scalars(text(_NUMBERS)).all()
        self._names = {word for name in people for word in re.findall(r"[^\W\d_]+", name) if len(word) >= _SHORTEST}
        self._numbers = {number[-7:] for number in numbers}

    def found_in(self, content):
        said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        digits = re.sub(r"(?<=\d)[ ().-]+(?=\d)", "", said)
        names = self._names & set(re.findall(r"[^\W\d_]+", said))
        return sorted(
            names
            | {run[at : at + 7] for run in re.findall(r"\d{7,}", digits) for at in range(len(run) - 6)} & self._numbers
        )


def opened(call):
    """The arguments of a call, with views and blocks read from the JSON they travel in."""
    return {name: _parsed(value) for name, value in call.arguments.items()}


def _parsed(value):
    return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value


def values_of(content, names):
    """Everything that stands under one of these keys, however deep."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in names:
                yield value
            yield from values_of(value, names)
    elif isinstance(content, list):
        for one in content:
            yield from values_of(one, names)


def in_requests(office, private):
    """What stands where it must not in what the bot sent: the method, and the names and numbers."""
    own = {place for person in office.who.values() for place in (person.id, person.dm)}
    for call in office.slack.calls:
        sent = opened(call)
        places = [list(values_of(sent, HIDDEN))]
        if call.method in _POSTS:
            places += [sent["text"], *([] if sent["channel"] in own else [sent])]
        yield from ((call.method, found) for one in places if (found := private.found_in(one)))
    for answer in office.slack.answers:
        if answer.body.strip() and (found := private.found_in(list(values_of(json.loads(answer.body), HIDDEN)))):
            yield "acknowledgement", found
