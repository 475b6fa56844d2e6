"""What people chose for the unknown words and columns of a messenger's reports, so that each is asked once."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.db.models.reports import ReportChoice
from bot.errors import UserError
from bot.mass_messages.report import Choices
from bot.mass_messages.report_columns import Column
from bot.mass_messages.report_words import LABELS, Meaning, normalize, normalize_title


class ChoiceKind(StrEnum):
    WORD = "word"
    COLUMN = "column"


def load_columns(session: Session) -> Mapping[str, Mapping[str, str]]:
    """Return the remembered titles by `Layout.key` and column."""
    columns: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(ReportChoice).where(ReportChoice.kind == ChoiceKind.COLUMN)):
        columns.setdefault(row.key, {})[row.name] = row.value
    return columns


def load_choices(session: Session, key: str) -> Choices:
    """Return the remembered meanings of words in reports with this `Layout.key`."""
    words = select(ReportChoice).where(ReportChoice.kind == ChoiceKind.WORD, ReportChoice.key == key)
    return Choices({row.name: Meaning(row.value) for row in session.scalars(words)})


def remember_words(session: Session, key: str, words: Mapping[str, Meaning], *, actor: str, now: datetime) -> None:
    """Store what words mean; a later choice for the same word replaces an earlier one."""
    _remember(
        session, key, ChoiceKind.WORD, {normalize(word): str(words[word]) for word in words}, actor=actor, now=now
    )


def remember_columns(session: Session, key: str, titles: Mapping[Column, str], *, actor: str, now: datetime) -> None:
    columns = {str(column): normalize_title(title) for column, title in titles.items()}
    _remember(session, key, ChoiceKind.COLUMN, columns, actor=actor, now=now)


def _remember(
    session: Session, key: str, kind: ChoiceKind, values: Mapping[str, str], *, actor: str, now: datetime
) -> None:
    for name, value in values.items():
        chosen = {"value": value, "chosen_by": actor, "chosen_at": now}
        new = insert(ReportChoice).values(key=key, kind=kind, name=name, **chosen)
        session.execute(new.on_conflict_do_update(index_elements=["key", "kind", "name"], set_=chosen))


def parse_words(choices: list[str]) -> Mapping[str, Meaning]:
    """Read choices like `Invalid=landline`, as the command line and `PUT /results` take them.

    Raises:
        UserError: there is no such meaning.
    """
    words = {}
    for choice in choices:
        word, _, meaning = choice.rpartition("=")
        if not word.strip() or meaning.strip().lower() not in LABELS:
            sentence = f"Write a word and its meaning, like Invalid=landline. The meanings are {', '.join(LABELS)}."
            raise UserError("report.unknown_meaning", sentence, field="word")
        words[word.strip()] = Meaning(meaning.strip().lower())
    return words


def parse_columns(choices: list[str]) -> Mapping[Column, str]:
    """Read choices like `result=Delivery state`: a column that we read, and its title in the report.

    Raises:
        UserError: we read no such column.
    """
    columns = {}
    for choice in choices:
        column, _, title = choice.partition("=")
        if not title.strip() or column.strip().lower() not in list(Column):
            sentence = f"Write a column and its title, like result=Delivery state. The columns are {', '.join(Column)}."
            raise UserError("report.unknown_column", sentence, field="column")
        columns[Column(column.strip().lower())] = title.strip()
    return columns
