"""A messenger's report as results of texts: one for each row that says what became of a text, and a reason for each row that does not.

Reading is pure; nothing is stored. `report_import` matches the results with contacts, and counts them.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.domain import phone
from bot.errors import UserError
from bot.mass_messages import payload, report_words
from bot.mass_messages.report_columns import Column, Layout
from bot.mass_messages.report_file import Table
from bot.mass_messages.report_words import NOT_DELIVERED, Channel, Meaning
from bot.providers.explain import explain
from bot.providers.receipt import Code
from bot.sis.lines import CsvRow

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[Ee]\+?\d{1,2}")
_WHOLE_WITH_FRACTION = re.compile(r"(\d+)[.,]0+")
_ROUNDED_DIGITS = "00000"
_NO_CODE = {"", "0", "none", "null", "n/a", "-", "ok"}


@dataclass(frozen=True)
class Result:
    """What a row says of one text. `word` is as the report spells it; `to` is E.164, `contact` a sourced_id.

    `code` is the provider's, where the report has one that is known, and `entry` what it or the word means.
    """

    line: int
    to: str
    contact: str | None
    word: str
    meaning: Meaning
    code: str | None
    entry: Code


@dataclass(frozen=True)
class Problem:
    """A row that counts for nothing, and why, for the person who can mend it."""

    line: int
    reason: str


@dataclass(frozen=True)
class Choices:
    """What people said about words that were not known: their meanings, by `report_words.normalize`."""

    words: Mapping[str, Meaning] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A report that was read. `unknown` counts the rows of each word that is not known; `read` counts all rows.

    `calls` and `others` are rows on calls, and on emails and apps; `states` are rows that describe a contact, not a text. `provider`
    is the SMS service whose codes were looked up.
    """

    layout: Layout
    read: int
    results: Sequence[Result]
    problems: Sequence[Problem]
    unknown: Mapping[str, int]
    calls: int = 0
    others: int = 0
    states: int = 0
    provider: str | None = None

    @property
    def is_only_of_calls(self) -> bool:
        return bool(self.calls) and not (self.results or self.unknown)


@dataclass
class _Counts:
    problems: list[Problem] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    others: int = 0
    states: int = 0


def read_report(table: Table, layout: Layout, choices: Choices, *, region: str, provider: str | None = None) -> Report:
    """Read every row below the header. `provider` is the SMS service whose codes the report has, if a person named it.

    Raises:
        UserError: the column of the numbers or of the results is not known.
    """
    _require_columns(table, layout)
    provider = provider or (layout.messenger.provider if layout.messenger else None)
    reader = _Reader(table.rows, layout, choices, region, provider)
    results = [result for row in reader.rows if (result := reader.read(row))]
    counts = reader.counts
    return Report(
        layout,
        len(reader.rows),
        results,
        counts.problems,
        dict(counts.unknown.most_common()),
        counts.calls,
        counts.others,
        counts.states,
        provider,
    )


def _require_columns(table: Table, layout: Layout) -> None:
    if not layout.missing:
        return
    which, name = ("phone number", "to") if Column.TO in layout.missing else ("result", "result")
    sentence = f"{table.name} has no column for the {which} that we know. Name that column “{name}”."
    code = "results.number_column_missing" if Column.TO in layout.missing else "results.result_column_missing"
    raise UserError(code, sentence, field="file")


class _Reader:
    """Reads the rows of one report; the meaning of a word is looked up once."""

    def __init__(
        self, rows: Sequence[CsvRow], layout: Layout, choices: Choices, region: str, provider: str | None
    ) -> None:
        self.counts = _Counts()
        self.rows = [row for row in rows if row.line > layout.header.line]
        self._layout, self._choices, self._region, self._provider = layout, choices, region, provider
        self._meanings: dict[str, Meaning | None] = {}
        self._is_of_calls = Column.CHANNEL not in layout.positions and any(
            self._meaning(self._cell(row, Column.RESULT)) is Meaning.VOICE for row in self.rows
        )

    def read(self, row: CsvRow) -> Result | None:
        try:
            return self._read(row)
        except UserError as problem:
            self.counts.problems.append(Problem(row.line, problem.sentence))
            return None

    def _read(self, row: CsvRow) -> Result | None:
        if row.broken:
            raise UserError("results.broken_line", f"The line {row.broken}.")
        word = self._cell(row, Column.RESULT) or self._cell(row, Column.REASON)
        if self._is_no_text(row, word):
            return None
        code, entry = self._explain_code(row)
        meaning = Meaning(entry.outcome) if entry else self._result_meaning(row, word)
        has_no_number = meaning is Meaning.NOT_CONTACT_PROBLEM and not self._cell(row, Column.TO)
        if meaning is Meaning.STATE or has_no_number:
            self.counts.states += 1
            return None
        to = parse_number(self._cell(row, Column.TO), self._region)
        cell = self._cell(row, Column.CONTACT)
        contact = payload.text({"contact": cell}, "contact") if cell else None
        return Result(row.line, to, contact, word, meaning, code, entry or word_entry(meaning))

    def _is_no_text(self, row: CsvRow, word: str) -> bool:
        """Count and skip a row on a call, an email, or an app. In a report of calls, only what texts alone have is of a text."""
        channel = report_words.channels().get(report_words.normalize_title(self._cell(row, Column.CHANNEL)))
        is_call = channel is Channel.CALL or self._meaning(word) is Meaning.VOICE
        if is_call or (self._is_of_calls and not report_words.only_texts_have(word)):
            self.counts.calls += 1
            return True
        self.counts.others += channel is Channel.OTHER
        return channel is Channel.OTHER

    def _explain_code(self, row: CsvRow) -> tuple[str | None, Code | None]:
        """Return the code and what it means, if its provider is known and has it: it says more than the word."""
        code = self._cell(row, Column.CODE)
        if not self._provider or code.lower() in _NO_CODE:
            return None, None
        try:
            explanation = explain(self._provider, code)
        except UserError as problem:
            if problem.code == "provider.unknown" or not self._cell(row, Column.RESULT):
                raise
            return None, None
        return explanation.code, explanation.entry

    def _result_meaning(self, row: CsvRow, word: str) -> Meaning:
        """Return what the word means; of a failure, what the reason beside it means.

        Raises:
            UserError: the word is not known, or missing.
        """
        if not word:
            word = self._cell(row, Column.CODE)
        if not word:
            raise UserError("results.no_result", "The row has no result.")
        meaning = self._meaning(word)
        if meaning is None:
            self.counts.unknown[word] += 1
            raise UserError("results.unknown_result", f"“{word}” is not a result that we know.")
        reason = self._meaning(self._cell(row, Column.REASON)) if meaning is Meaning.UNCONFIRMED else None
        return reason if reason in NOT_DELIVERED | {Meaning.NOT_CONTACT_PROBLEM} else meaning

    def _meaning(self, word: str) -> Meaning | None:
        if word not in self._meanings:
            self._meanings[word] = report_words.look_up(word, self._layout.messenger, self._choices.words)
        return self._meanings[word]

    def _cell(self, row: CsvRow, column: Column) -> str:
        at = self._layout.positions.get(column)
        return row.cells[at].strip() if at is not None and at < len(row.cells) else ""


def word_entry(meaning: Meaning) -> Code:
    """Return what a word means as a provider's code would. A failure without a reason may be the sender's fault."""
    outcome = meaning.outcome
    assert outcome is not None  # noqa: S101 - rows on calls and states are no results.
    return Code(outcome, "", reasonless=meaning is Meaning.UNCONFIRMED)


def parse_number(cell: str, region: str) -> str:
    """Return a number of a report as E.164.

    Raises:
        UserError: it is none, or a spreadsheet has rounded it.
    """
    text = cell.lstrip("'")
    if e164 := phone.parse_usual(text, region):
        return _whole(e164, cell)
    if _SCIENTIFIC.fullmatch(text):
        number = Decimal(text.replace(",", ".").upper())
        digits = number.normalize().as_tuple()
        if digits.exponent != 0:
            raise _rounded(cell)
        text = f"{number:f}"
    if whole := _WHOLE_WITH_FRACTION.fullmatch(text):
        text = whole[1]
    return _whole(phone.parse(text, region).e164, cell)


def _whole(e164: str, cell: str) -> str:
    """Refuse a number that is as if rounded: five zeros at the end, without any sign that a person wrote it."""
    if e164.endswith(_ROUNDED_DIGITS) and cell.isdecimal():
        raise _rounded(cell)
    return e164


def _rounded(cell: str) -> UserError:
    shown = cell if "e" in cell.lower() else f"…{_ROUNDED_DIGITS}"
    sentence = (
        f"A spreadsheet has rounded this number ({shown}), and its last digits are lost. Export the report again, and do "
        "not save it in the spreadsheet."
    )
    return UserError("results.rounded_number", sentence)
