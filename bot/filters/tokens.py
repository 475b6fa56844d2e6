"""What was typed as words: one kind of quote, dash and space, nothing hidden, and what Slack escaped as people typed it."""

import html
import re
import unicodedata
from dataclasses import dataclass

from bot.domain.names import clean

_DOUBLE_QUOTES = dict.fromkeys(map(ord, "“”„‟«»〝〞＂"), '"')
_SINGLE_QUOTES = dict.fromkeys(map(ord, "‘’‚‛′´`"), "'")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000))
_PLAIN = _DOUBLE_QUOTES | _SINGLE_QUOTES | _DASHES | _SURROGATES

_TOKEN = re.compile(r'"([^"]*)"?|(<[@!#][^>"]*>)|([^\s,;/+|&"<>]+)')
_KEYED = re.compile(
    r"^(grades?|gr|g|status|sms|teachers?|homeroom|hr|class|schools?|students?|names?|pages?)[:=](.*)$", re.IGNORECASE
)
_EMOJI = re.compile(r"^:[\w+'-]+:$")
_AROUND = " .,:;!?()[]{}*_~'#="


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
    return clean(unicodedata.normalize("NFKC", html.unescape(text)).translate(_PLAIN))


def cleaned(text: str) -> str:
    """Text that can stand between quotes in a filter."""
    return plain(plain(text).replace('"', " "))


def tokens(text: str) -> list[Token]:
    """The words of what was typed; `grade:5` is two words, `"Ana Maria"` is one, a smiley is none."""
    found = []
    for match in _TOKEN.finditer(plain(text)):
        quoted, special, word = match.groups()
        if quoted is not None:
            found += [Token(quoted.strip(), quoted=True)] if quoted.strip() else []
        else:
            found += [Token(special)] if special else _words(word)
    return found


def _words(word: str) -> list[Token]:
    if _EMOJI.match(word):
        return []
    keyed = _KEYED.match(word.lstrip(_AROUND))
    parts = [part.strip(_AROUND) for part in (keyed.groups() if keyed else (word,))]
    return [Token(part) for part in parts if any(letter.isalnum() or letter == "-" for letter in part)]
