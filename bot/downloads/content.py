"""What a download holds: a part of the cleanup list, or the contacts to verify. Its text is what people type after `/cleanup`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.cleanup_list import unverified
from bot.cleanup_list.export_rows import ExportRow, iter_export_rows, iter_unverified_rows
from bot.domain.display import plural
from bot.filters.filter import Filter, describe
from bot.filters.parse import parse_filter
from bot.filters.unverified import read_unverified
from bot.filters.vocabulary import Vocabulary


@dataclass(frozen=True)
class Content:
    """A filter of the list; where `months` is set, of the contacts who were not verified for so long."""

    filter: Filter
    months: int | None = None

    @property
    def title(self) -> str:
        if self.months is None:
            return describe(self.filter)
        parts = [f"Not verified for {plural(self.months, 'month')}"]
        return " · ".join([*parts, describe(self.filter)] if self.filter.criteria else parts)

    @property
    def noun(self) -> str:
        """What the file is, in a sentence."""
        return "cleanup list" if self.months is None else "list of contacts to verify"

    @property
    def sheet(self) -> str:
        return "Cleanup list" if self.months is None else "Not verified"

    @property
    def file_name(self) -> str:
        """The name of the file, without the day and the ending."""
        return "cleanup-list" if self.months is None else "not-verified"

    def rows(self, session: Session, *, actor: Actor, now: datetime) -> Iterator[ExportRow]:
        if self.months is None:
            return iter_export_rows(session, self.filter, actor=actor)
        since = now - unverified.age_of(self.months)
        return iter_unverified_rows(session, self.filter, actor=actor, since=since)


def read_content(text: str, vocabulary: Vocabulary, *, kept: timedelta) -> Content:
    """Read the text of a download; messages are `kept` for so long."""
    typed = read_unverified(text)
    which = parse_filter(typed.rest if typed else text, vocabulary).filter.with_page(1)
    if typed is None:
        return Content(which)
    which = replace(which.student_part(), names=which.names)
    return Content(which, unverified.checked_months(typed.months, kept=kept))
