"""The words that mean something in a filter, and text made plain before it is read: one kind of quote, dash and space."""

import html
import re
import unicodedata
from dataclasses import dataclass

from bot.sms_status import Colour, SmsStatus, of_colour

_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DOUBLE_QUOTES = dict.fromkeys(map(ord, "“”„‟«»〝〞＂"), '"')
_SINGLE_QUOTES = dict.fromkeys(map(ord, "‘’‚‛′´`"), "'")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_PLAIN = _DOUBLE_QUOTES | _SINGLE_QUOTES | _DASHES

_TOKEN = re.compile(r'"([^"]*)"?|(<@[^>\s]*>)|([^\s,;"]+)')
_KEYED = re.compile(r"^(grades?|gr|status|teachers?|schools?|students?|names?|pages?)[:=](.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A word as typed; quoted words are never read as anything but a name."""

    text: str
    quoted: bool = False


def plain(text: str) -> str:
    """Text with one kind of quote, dash and space, without hidden characters, and as Slack's escaping hid it."""
    while (done := _plain_once(text)) != text:
        text = done
    return text


def _plain_once(text: str) -> str:
    shown = unicodedata.normalize("NFKC", html.unescape(text))
    return " ".join(_HIDDEN.sub("", shown.translate(_PLAIN)).split())


def cleaned(text: str) -> str:
    """Text that can stand between quotes in a filter."""
    return plain(plain(text).replace('"', " "))


def tokens(text: str) -> list[Token]:
    """The words of what was typed; `grade:5` is two words, `"Ana Maria"` is one."""
    found = []
    for match in _TOKEN.finditer(plain(text)):
        quoted, mention, word = match.groups()
        if quoted is not None:
            found += [Token(quoted.strip(), quoted=True)] if quoted.strip() else []
        elif mention is not None:
            found.append(Token(mention))
        else:
            found += _keyed(word)
    return found


def _keyed(word: str) -> list[Token]:
    match = _KEYED.match(word)
    return [Token(part) for part in match.groups() if part] if match else [Token(word)]


STATUS_SLUGS = {
    SmsStatus.LANDLINE: "landline",
    SmsStatus.TURNED_OFF: "turned-off",
    SmsStatus.UNCONFIRMED: "unconfirmed",
    SmsStatus.BLOCKED: "blocked",
    SmsStatus.INACTIVE: "inactive",
    SmsStatus.OPT_OUT: "opt-out",
    SmsStatus.NO_NUMBER: "no-number",
}

_ONE = {
    SmsStatus.LANDLINE: ("landline", "landlines", "land line", "land lines", "home phone"),
    SmsStatus.TURNED_OFF: ("turned off", "turnedoff", "off", "switched off", "phone off", "powered off"),
    SmsStatus.UNCONFIRMED: ("unconfirmed", "not confirmed", "unknown", "no receipt"),
    SmsStatus.BLOCKED: ("blocked", "block", "blocks", "blocking"),
    SmsStatus.INACTIVE: ("inactive", "disconnected", "out of service", "invalid", "dead", "wrong number"),
    SmsStatus.OPT_OUT: ("opt out", "optout", "opted out", "opt outs", "optouts", "stop", "stopped", "unsubscribed"),
    SmsStatus.NO_NUMBER: (
        "no number",
        "no numbers",
        "nonumber",
        "missing",
        "missing number",
        "no phone",
        "without number",
    ),
}
STATUS_WORDS: dict[str, tuple[SmsStatus, ...]] = {
    **{word: (status,) for status, words in _ONE.items() for word in words},
    **{str(colour): of_colour(colour) for colour in Colour},
}
LONGEST_STATUS = max(len(word.split()) for word in STATUS_WORDS)

GRADE_KEYS = {"grade", "grades", "gr", "graders", "grader", "g"}
STATUS_KEYS = {"status", "statuses", "sms"}
TEACHER_KEYS = {"teacher", "teachers", "hr", "homeroom", "class", "room", "taught"}
SCHOOL_KEYS = {"school", "schools", "at"}
STUDENT_KEYS = {"student", "students", "name", "named", "names", "called", "child", "kid"}
PAGE_KEYS = {"page", "pages"}
TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr"}
FILLERS = {
    *("a", "all", "and", "by", "contact", "contacts", "everybody", "everyone", "family", "families", "for", "from"),
    *("in", "is", "list", "me", "my", "number", "numbers", "of", "on", "or", "please", "show", "the", "to", "whose"),
    *("who", "with", "are", "cleanup", "parent", "parents", "phone", "phones", "any"),
}
KEYS = GRADE_KEYS | STATUS_KEYS | TEACHER_KEYS | SCHOOL_KEYS | STUDENT_KEYS | PAGE_KEYS
