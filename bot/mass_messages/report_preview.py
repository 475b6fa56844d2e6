"""What a report would do, before anything counts: results matched with contacts, counted, and said in one sentence."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import ARRAY, Select, Text, any_, literal, select
from sqlalchemy.orm import Session

from bot.db.models.views import contact_reach, effective_contacts
from bot.domain.display import plural
from bot.domain.spreadsheet import BYTE_ORDER_MARK, escape_cell
from bot.mass_messages.report import Problem, Report, Result, read_report
from bot.mass_messages.report_choices import load_choices, load_columns, remember_columns, remember_words
from bot.mass_messages.report_columns import Column, Layout, find_layout
from bot.mass_messages.report_file import Table, read_table
from bot.mass_messages.report_words import NOT_DELIVERED, Meaning

Texts = TypeVarTuple("Texts")
_SHOWN_WORDS = 5
_OF_CALLS = "This is a report of calls: {} of calls, which say nothing about texts."


@dataclass(frozen=True)
class Preview:
    """`pairs` are results with the sourced_id of each contact they concern; `problems` all rows that count for nothing, by line."""

    report: Report
    pairs: Sequence[tuple[Result, str]]
    problems: Sequence[Problem]
    counts: Mapping[Meaning, int]

    @property
    def delivered(self) -> int:
        return self.counts[Meaning.DELIVERED]

    @property
    def not_delivered(self) -> int:
        return sum(self.counts[meaning] for meaning in NOT_DELIVERED)

    def facts(self) -> list[str]:
        """Return sentences about the report, the numbers of rows first: `412 delivered, 38 not delivered, 9 rows unclear; ...`."""
        report = self.report
        if report.is_only_of_calls:
            return [_OF_CALLS.format(plural(report.calls, "result"))]
        sentence = f"{self.delivered:,} delivered, {self.not_delivered:,} not delivered"
        sentence += f", {plural(len(self.problems), 'row')} unclear" if self.problems else ""
        if report.unknown:
            words = [f"“{word}”" for word in report.unknown][:_SHOWN_WORDS]
            more = ", …" if len(report.unknown) > _SHOWN_WORDS else ""
            sentence += f"; {plural(len(report.unknown), 'word')} we do not know: {', '.join(words)}{more}"
        return [f"{sentence}.", *self._left_out()]

    def _left_out(self) -> list[str]:
        counts = {
            "{} not sent, for a reason that is not the family's: no contact is listed for {}.": (
                self.counts[Meaning.NOT_CONTACT_PROBLEM]
            ),
            "{} not final yet.": self.counts[Meaning.PENDING],
            "{} of calls left out: they say nothing about texts.": self.report.calls,
            "{} of emails and apps left out.": self.report.others,
            "{} without a result of a text left out.": self.report.states,
        }
        return [
            sentence.format(plural(count, "row"), "it" if count == 1 else "them")
            for sentence, count in counts.items()
            if count
        ]


@dataclass(frozen=True)
class ReportFile:
    """A report as it was given to us. `messenger` is its key, and `provider` the SMS service whose codes it has, if a person said so."""

    name: str
    content: bytes
    messenger: str | None = None
    provider: str | None = None


def open_report(session: Session, file: ReportFile) -> tuple[Table, Layout]:
    """Return the rows of a report and its columns, with what people chose before.

    Raises:
        UserError: it cannot be read, or the messenger is not known.
    """
    table = read_table(file.name, file.content)
    return table, find_layout(table, messenger=file.messenger, remembered=load_columns(session))


def preview_file(
    session: Session,
    file: ReportFile,
    *,
    words: Mapping[str, Meaning],
    columns: Mapping[Column, str],
    actor: str,
    now: datetime,
    region: str,
    students: Select[int] | None = None,
) -> Preview:
    """Preview a report, and remember what is chosen for its `words` and `columns`.

    Raises:
        UserError: the report cannot be read, or has no column for the number or the result.
    """
    table, layout = open_report(session, file)
    if columns:
        remember_columns(session, layout.key, columns, actor=actor, now=now)
        layout = find_layout(table, messenger=file.messenger, remembered=load_columns(session))
    remember_words(session, layout.key, words, actor=actor, now=now)
    choices = load_choices(session, layout.key)
    report = read_report(table, layout, choices, region=region, provider=file.provider)
    return preview_report(session, report, students=students)


def preview_report(session: Session, report: Report, *, students: Select[int] | None = None) -> Preview:
    """Match the results with contacts: all of the district, or those of `students`."""
    pairs, unmatched = _match(session, report.results, students)
    problems = sorted([*report.problems, *unmatched], key=lambda problem: problem.line)
    lines = {result.line: result.meaning for result, _ in pairs}
    return Preview(report, pairs, problems, Counter(lines.values()))


def _match(
    session: Session, results: Sequence[Result], students: Select[int] | None
) -> tuple[list[tuple[Result, str]], list[Problem]]:
    named = _known_contacts(session, {result.contact for result in results if result.contact}, students)
    by_number = _contacts_by_number(session, {result.to for result in results if not result.contact}, students)
    pairs: list[tuple[Result, str]] = []
    problems = []
    for result in results:
        if result.contact:
            contacts, missing = [result.contact] if result.contact in named else [], "contact id"
        else:
            contacts, missing = by_number.get(result.to, []), "number"
        if not contacts:
            who = (
                "No contact of your students"
                if students is not None
                else "No contact in the student information system"
            )
            problems.append(Problem(result.line, f"{who} has this {missing}."))
        pairs += [(result, contact) for contact in contacts]
    return pairs, problems


def _contacts_by_number(
    session: Session, numbers: Iterable[str], students: Select[int] | None
) -> Mapping[str, list[str]]:
    reach = contact_reach.c
    of_report = reach.phone == any_(literal(list(numbers), ARRAY(Text)))
    query = select(reach.phone, reach.sourced_id).where(of_report).order_by(reach.contact_id)
    contacts: defaultdict[str, list[str]] = defaultdict(list)
    for number, sourced_id in session.execute(_of_students(query, students)):
        contacts[number].append(sourced_id)
    return contacts


def _known_contacts(session: Session, sourced_ids: Iterable[str], students: Select[int] | None) -> set[str]:
    reach = contact_reach.c
    query = select(reach.sourced_id).where(reach.sourced_id == any_(literal(list(sourced_ids), ARRAY(Text))))
    return set(session.scalars(_of_students(query, students)))


def _of_students(query: Select[*Texts], students: Select[int] | None) -> Select[*Texts]:
    if students is None:
        return query
    links = effective_contacts.c
    return query.where(contact_reach.c.contact_id.in_(select(links.contact_id).where(links.student_id.in_(students))))


def write_unclear_rows(table: Table, preview: Preview) -> bytes:
    """Return the rows that count for nothing as a CSV: each with its line, the reason, and its own cells.

    It holds what the report held, so it goes only to the person who gave us the report.
    """
    reasons = {problem.line: problem.reason for problem in preview.problems}
    content = io.StringIO(newline="")
    content.write(BYTE_ORDER_MARK)
    rows = csv.writer(content)
    rows.writerow(["Line", "Reason", *map(escape_cell, preview.report.layout.header.cells)])
    for row in table.rows:
        if row.line in reasons:
            rows.writerow([row.line, reasons[row.line], *map(escape_cell, row.cells)])
    return content.getvalue().encode()
