"""Reads what was typed after the command: in any order, in any case, without ever failing.

A word that is nearly a known one is not guessed at: it is returned as unknown, with the whole filters it may have meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import OSA

from bot.domain.names import fold
from bot.filters import words as w
from bot.filters.filter import PHONE, Filter, describe, plain_text, quotable
from bot.filters.reader import Problem, Reader, Token
from bot.filters.vocabulary import Vocabulary

_LONGEST_TEXT = 3000
_SUGGESTIONS = 3
_SUGGESTED_FOR = 5
_LONGEST_COMMAND_WITH_ONE_TYPO = 5

_TOKEN = re.compile(rf'"([^"]*)"?|(<[@!#][^>"]*>|{PHONE})|([^\s,;/+|&"<>]+)')
_KEYED = re.compile(
    r"^(grades?|gr|g|status|sms|teachers?|homeroom|hr|class|schools?|students?|names?|numbers?|phones?|id|pages?)[:=](.*)$",
    re.IGNORECASE,
)
_EMOJI = re.compile(r"^:[\w+'-]+:$")
_WORD = re.compile(r"[^\W_]|-")
_AROUND = " .,:;!?()[]{}*_~'#="


@dataclass(frozen=True)
class Suggestion:
    """The label of a button, and the text of the whole filter it leads to."""

    label: str
    text: str


@dataclass(frozen=True)
class Unknown:
    """A word that was not understood, or whose `topic` is no filter."""

    word: str
    suggestions: tuple[Suggestion, ...] = ()
    topic: w.Topic | None = None


@dataclass(frozen=True)
class Parsed:
    """The result of parsing: the filter, and the words that were not understood. `loose_names` are names without `student` before them."""

    filter: Filter
    unknown: tuple[Unknown, ...] = ()
    loose_names: tuple[str, ...] = ()


def parse_filter(text: str, vocabulary: Vocabulary | None = None) -> Parsed:
    """Read at most 3,000 characters, counted as plain text. Without a vocabulary, schools and teachers need their keys."""
    vocabulary = vocabulary or Vocabulary()
    tokens = _tokenize(plain_text(text[:_LONGEST_TEXT])[:_LONGEST_TEXT])
    reader = Reader(tokens, vocabulary)
    filter_ = reader.read()
    unknown = []
    for count, problem in enumerate(reader.problems):
        # A hundred buttons do not help with a page of unknown words.
        meant = _meant(tokens, problem, vocabulary) if count < _SUGGESTED_FOR else []
        # A correction that changes nothing is not worth a question: `graed 5`.
        if filter_ not in meant[: len(problem.instead)]:
            suggestions = tuple(
                Suggestion(describe(each), str(each.with_page(1).storable())) for each in dict.fromkeys(meant)
            )
            unknown.append(Unknown(_text(tokens, problem), suggestions, problem.topic))
    return Parsed(filter_, tuple(unknown), tuple(reader.loose_names))


def suggest_commands(parsed: Parsed, *, unmatched_names: bool) -> tuple[str, ...]:
    """Return the commands that a word may have meant, as one would type them: `hlep`, `forcast grade 5`, `grade 5 pending`.

    Names are such words only if they match no student (`unmatched_names`).
    """
    candidates = [(unknown.word, parsed.filter) for unknown in parsed.unknown]
    if unmatched_names:
        names = parsed.filter.names
        candidates += [(name, replace(parsed.filter, names=tuple(n for n in names if n != name))) for name in names]
    found: dict[str, None] = {}
    for typed, rest in candidates:
        word = fold(typed)
        for command, takes_filter in w.COMMAND_WORDS.items():
            most = 1 if len(command) <= _LONGEST_COMMAND_WITH_ONE_TYPO else 2
            if word[:1] == command[:1] and OSA.distance(word, command) <= most:
                found[f"{command} {rest.with_page(1).storable()}".strip() if takes_filter else command] = None
    return tuple(found)


def _tokenize(text: str) -> list[Token]:
    """Return the words of a plain text: `grade:5` is two, `"Ana Maria"` is one, an emoji is none."""
    tokens = []
    for quoted, special, word in _TOKEN.findall(text):
        if quoted.strip():
            tokens.append(Token(quoted.strip(), quoted=True))
        elif special:
            tokens.append(Token(special))
        elif word and not _EMOJI.match(word):
            keyed = _KEYED.match(word.lstrip(_AROUND))
            parts = keyed.groups() if keyed else (word,)
            tokens += [Token(part.strip(_AROUND)) for part in parts if _WORD.search(part)]
    return tokens


def _text(tokens: Sequence[Token], problem: Problem) -> str:
    return " ".join(token.text for token in tokens[problem.start : problem.end])


def _meant(tokens: Sequence[Token], problem: Problem, vocabulary: Vocabulary) -> list[Filter]:
    """Return the whole filters that a problem may have meant, a name last."""
    texts = list(problem.instead[:_SUGGESTIONS])
    if problem.may_be_name:
        # The name in `teacher Brwn` is not `teacher Brwn`.
        has_key = problem.end > problem.start + 1 and fold(tokens[problem.start].text) in w.KEYS | w.TITLES
        name = _text(tokens, problem._replace(start=problem.start + has_key))
        texts.append(f'student "{quotable(name)}"')
    before, after = tokens[: problem.start], tokens[problem.end :]
    return [Reader([*before, *_tokenize(text), *after], vocabulary).read() for text in texts]
