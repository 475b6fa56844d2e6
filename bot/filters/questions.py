"""Reads a question in plain English or Spanish as a filter or a command of the grammar of `/cleanup`. No language model guesses:
phrases of `questions.toml` are replaced by words of the grammar, and the parser reads the result.

An answer to another question would be worse than none. So a question with an unknown word, or with two meanings, is asked back with
what may have been meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.display import plural
from bot.domain.names import fold
from bot.filters import words as w
from bot.filters.filter import PHONE, STUDENT_CRITERIA, Criterion, Filter, describe, plain_text
from bot.filters.parse import Suggestion, parse_filter
from bot.filters.phrases import Kind, Language, phrase_books
from bot.filters.question_grades import (
    has_number_alone,
    is_section,
    spanish_ordinal,
    with_classes,
    with_plain_ordinals,
    with_ranges,
)
from bot.filters.unverified import DEFAULT_MONTHS, UNVERIFIED, command_with, take_age
from bot.filters.vocabulary import NameIndex, Vocabulary

FORECAST, REPORT, MOST, NEXT = "forecast", "report", "most", "next"
PENDING, HELP, FIX = "pending", "help", "fix"
# Questions about this app, not about families.
_ABOUT_US = {HELP, FIX}
_COMMAND_LABELS = {
    FORECAST: "Forecast",
    REPORT: "Report",
    MOST: "What helps most",
    NEXT: "Next to fix",
    UNVERIFIED: "Not verified",
    PENDING: "Pending changes",
}
_WHOLE_LIST = Filter()
_LONGEST_QUESTION = 300
_SUGGESTIONS = 4
_LONGEST_NAME = 4  # Words.

_SENTENCE_END = re.compile(r"[?!;\n]+|(?<=[^\W\d]{5})\.\s+(?=[^\W\da-z])")
_AROUND = '.,:;!?¿¡()[]{}*_~`"“”«»…'
# `grade 5+`, `>5`, `50%`: nothing that the grammar can say. A phone may begin with a plus.
_SIGNS = re.compile(r"[+=%$<>]")
_BETWEEN_WORDS = re.compile(r"[\s,/|&]+")
_NUMBER = re.compile(r"\d+")
_NO_SIGNS = re.compile(rf"{PHONE}|<[@#][^>]*>")
_MENTION = re.compile(r"<@([^|>]+)\|[^>]*>")
_EMOJI = re.compile(r"(?<!\w):[\w+'-]+:(?!\w)")
_STUDENT = "student"


@dataclass(frozen=True)
class Question:
    """What a question asks for: the list of `filter`, or a command (`forecast`, `report`, `help` ...) for it.

    What is not clear has `suggestions`; none where it is about something else. `guessed` is the filter with the words that could
    be a name. `of_own_classes`: the reader's own classes are meant. `months` belong to the command `unverified`; 0 is no whole number.
    """

    language: Language
    is_clear: bool
    filter: Filter = _WHOLE_LIST
    command: str = ""
    of_own_classes: bool = False
    suggestions: tuple[Suggestion, ...] = ()
    guessed: Filter | None = None
    months: int | None = None

    @property
    def text(self) -> str:
        """The same as it is typed after `/cleanup`."""
        return _typed(self.command, self.filter, self.months)

    def as_suggestions(self) -> tuple[Suggestion, ...]:
        """Return what this question may mean, for one of several. A name is not repeated."""
        if not self.is_clear or self.command in _ABOUT_US:
            return self.suggestions
        return () if self.filter.names_students else (_suggestion(self.command, self.filter, self.months),)


def read_question(text: str, vocabulary: Vocabulary) -> Question:
    """Read at most 300 characters; what is longer is not clear. Never fails; a greeting is a question for help."""
    # Before `plain_text`: Unicode's compatibility forms would make `5.o` of `5.º`.
    plain = plain_text(with_plain_ordinals(text[:_LONGEST_QUESTION].replace("\n", "; ")))
    plain = _MENTION.sub(r"<@\1>", _EMOJI.sub(" ", plain))
    language = _language(plain)
    if len(text) > _LONGEST_QUESTION:
        return Question(language, is_clear=False)
    sentences = (_Sentence(part, vocabulary, language) for part in _SENTENCE_END.split(plain))
    asked = [sentence.question() for sentence in sentences if not sentence.is_empty]
    if not asked:
        return Question(language, is_clear=True, command=HELP)
    if len(asked) == 1:
        return asked[0]
    suggestions = dict.fromkeys(suggestion for question in asked for suggestion in question.as_suggestions())
    return Question(language, is_clear=False, suggestions=tuple(suggestions)[:_SUGGESTIONS])


def _language(text: str) -> Language:
    words = {fold(word) for word in _BETWEEN_WORDS.split(text)}
    english, spanish = (len(words & phrase_books()[language].own_words) for language in Language)
    spanish += sum(bool(spanish_ordinal(word)) for word in words)
    return Language.SPANISH if spanish + 2 * bool(set("¿¡") & set(text)) > english else Language.ENGLISH


class _Sentence:
    """One sentence: its phrases are replaced by words of the grammar, and the result is parsed."""

    def __init__(self, text: str, vocabulary: Vocabulary, language: Language) -> None:
        self._vocabulary, self._language = vocabulary, language
        self._kinds: set[Kind] = set()
        self._commands: list[str] = []
        self._months: int | None = None
        pieces = self._replace_phrases(text)
        aged = take_age(text)
        if UNVERIFIED in self._commands and aged.months is not None:
            self._kinds, self._commands, self._months = set(), [], aged.months
            pieces = self._replace_phrases(aged.rest)
        self._grammar, are_known = with_classes(with_ranges(f" {' '.join(pieces)} "), vocabulary.class_by_word)
        self._parsed = parse_filter(self._grammar, vocabulary)
        if not are_known or _SIGNS.search(_NO_SIGNS.sub("", text)):
            self._kinds.add(Kind.UNSURE)

    def _replace_phrases(self, text: str) -> list[str]:
        tokens = [token for word in _BETWEEN_WORDS.split(text) if fold(token := word.strip(_AROUND))]
        words = [fold(token) for token in tokens]
        pieces: list[str] = []
        at = 0
        while at < len(tokens):
            end, phrase = phrase_books()[self._language].find(words, at)
            if pieces and is_section(tokens[at], pieces[-1]):
                end, phrase = at + 1, None
            if phrase is None:
                pieces.append(self._unchanged(tokens[at], words[at]))
            elif phrase.kind is Kind.COMMAND:
                self._commands.append(phrase.text)
            elif phrase.kind in {Kind.FILTER, Kind.STUDENT}:
                pieces.append(phrase.text or _STUDENT)
            if phrase:
                self._kinds.add(phrase.kind)
            at = max(end, at + 1)
        return pieces

    def _unchanged(self, token: str, word: str) -> str:
        return token if word in self._vocabulary.class_by_word else spanish_ordinal(word) or token

    @property
    def is_empty(self) -> bool:
        return not self._grammar.strip() and self._kinds <= {Kind.SKIP}

    def question(self) -> Question:
        which = replace(self._parsed.filter, page=1)
        own = Kind.OWN in self._kinds
        commands = list(dict.fromkeys(self._commands))
        command = commands[0] if len(commands) == 1 else ""
        others = [*self._places_meant(which), *self._names_meant(which)]
        is_one = not others and len(commands) <= 1
        if is_one and self._is_understood(which) and self._is_asked(which, command):
            return Question(
                self._language,
                is_clear=True,
                filter=which,
                command=command,
                of_own_classes=own,
                months=self._months,
            )
        base = self._without_names(which)
        is_more = bool(base.criteria) or Kind.LIST in self._kinds
        meant = others or [*self._typos_meant(which), *([base] if is_more else [])]
        labeled = [name for name in commands if name in _COMMAND_LABELS] or [""]
        suggestions = [_suggestion(name, each, self._months) for name in labeled for each in meant]
        return Question(
            self._language,
            is_clear=False,
            suggestions=tuple(dict.fromkeys(suggestions))[:_SUGGESTIONS],
            guessed=self._guess(which),
        )

    def _is_understood(self, which: Filter) -> bool:
        """Return whether every word was understood, and has one meaning only."""
        words = self._grammar.lower().split()
        return not (
            Kind.UNSURE in self._kinds
            or self._parsed.unknown
            or self._has_unknown_place(which)
            or (self._parsed.loose_names and not self._are_names(self._parsed.loose_names))
            or has_number_alone(words)
            or (which.names and which.number)
            or ("or" in words and not max(len(which.grades), len(which.statuses)) > 1)
            or (which.class_title and which.grades and not set(which.grades) & set(_NUMBER.findall(which.class_title)))
            or (Kind.OWN in self._kinds and (which.teacher or which.class_title))
            or self._is_mixed()
        )

    def _is_asked(self, which: Filter, command: str) -> bool:
        """Return whether the list, or a command, is asked for: how many students a grade has is another question."""
        if command in _ABOUT_US:
            return not which.criteria
        if command and command != NEXT:
            return which == which.student_part()
        if command or Kind.LIST in self._kinds:
            return True
        if which.criteria <= STUDENT_CRITERIA:
            is_narrowed = bool(which.criteria) or Kind.OWN in self._kinds
            return is_narrowed and Kind.ASK not in self._kinds
        return True

    def _are_names(self, words: Sequence[str]) -> bool:
        """Return whether words that nothing announced as a name are written like one."""
        is_begin = len(words) == 1 and self._grammar.split()[0] == words[0] and len(self._grammar.split()) > 1
        return all(map(_is_capitalized, words)) and not is_begin and len(words) <= _LONGEST_NAME

    def _guess(self, which: Filter) -> Filter | None:
        """Return the filter with the words that may be a name: those with a capital, if any has one."""
        words = self._parsed.loose_names
        return replace(which, names=tuple(filter(_is_capitalized, words)) or words) if words else None

    def _names_meant(self, which: Filter) -> list[Filter]:
        """Return lists of teachers and schools that the names may mean."""
        words = [word for name in which.names for word in _words(name)]
        rest = self._without_names(which)
        teachers = [replace(rest, teacher=name) for name in _names(self._vocabulary.teacher_index, words)]
        return teachers + [replace(rest, school=name) for name in _names(self._vocabulary.school_index, words)]

    def _places_meant(self, which: Filter) -> list[Filter]:
        """Return a list for each teacher or school with the name, where there are several."""
        teachers = _names(self._vocabulary.teacher_index, _words(which.teacher or ""))
        schools = _names(self._vocabulary.school_index, _words(which.school or ""))
        rest = self._without_names(which)
        if len(teachers) > 1:
            return [replace(rest, teacher=name) for name in teachers]
        is_kind = fold(which.school or "") in w.SCHOOL_KINDS  # `the high schools`.
        return [replace(rest, school=name) for name in schools] if len(schools) > 1 and not is_kind else []

    def _has_unknown_place(self, which: Filter) -> bool:
        teachers, schools = self._vocabulary.teacher_index, self._vocabulary.school_index
        is_known_teacher = not which.teacher or _names(teachers, _words(which.teacher))
        return not (is_known_teacher and (not which.school or _names(schools, _words(which.school))))

    def _typos_meant(self, which: Filter) -> list[Filter]:
        """Return what the parser suggests, without names: those are not repeated."""
        suggestions = [suggestion for unknown in self._parsed.unknown for suggestion in unknown.suggestions]
        filters = [parse_filter(suggestion.text, self._vocabulary).filter for suggestion in suggestions]
        is_other_name = [each.names != which.names or each.number != which.number for each in filters]
        return [self._without_names(each) for each, skip in zip(filters, is_other_name, strict=True) if not skip]

    def _without_names(self, which: Filter) -> Filter:
        """Return a filter without names and numbers of families, and without places that are not known: these may be names, too."""
        is_known = not self._has_unknown_place(which)
        rest = replace(which, names=(), number=None)
        return rest if is_known else replace(rest, teacher=None, school=None)

    def _is_mixed(self) -> bool:
        """Return whether parts of several questions would become one: `blocked in grade 3 and landlines in grade 4`."""
        words = self._grammar.split()
        order: list[Criterion] = []
        before = Filter()
        for end in range(1, len(words) + 1):
            now = parse_filter(" ".join(words[:end]), self._vocabulary).filter
            read = [criterion for criterion in Criterion if criterion in now.criteria - {Criterion.NAMES}]
            order += [criterion for criterion in read if getattr(now, criterion) != getattr(before, criterion)]
            before = now
        runs = [criterion for at, criterion in enumerate(order) if at == 0 or order[at - 1] != criterion]
        return len(runs) > len(set(runs))


def _suggestion(command: str, which: Filter, months: int | None) -> Suggestion:
    if not command or command in _ABOUT_US:
        return Suggestion(describe(which), which.text)
    label = _COMMAND_LABELS[command]
    if command == UNVERIFIED:
        label += f" for {plural(months or DEFAULT_MONTHS, 'month')}"
    shown = which if command == NEXT else which.student_part()
    return Suggestion(f"{label} · {describe(shown)}" if shown.criteria else label, _typed(command, shown, months))


def _typed(command: str, which: Filter, months: int | None) -> str:
    if not command:
        return which.text
    return f"{command_with(months) if command == UNVERIFIED else command} {which}".strip()


def _is_capitalized(word: str) -> bool:
    return len(word) > 1 and not word[0].islower()


def _words(name: str) -> list[str]:
    return fold(name.replace("-", " ")).split()


def _names(index: NameIndex, words: Sequence[str]) -> list[str]:
    """Return the names that the words may mean: one where they are all of its words."""
    found = index.find_exact(words) or index.find(words) if words else []
    return list(dict.fromkeys(index.names[number] for number in found))
