"""The counts that answer a question, for one person's eyes. Names and numbers in a question become the ids of the students found, as the
answer is kept in a direct message.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.empty_reasons import find_unlisted_students, has_students, unmet_criteria
from bot.cleanup_list.forecast import Forecast, count_without_adult, load_forecast
from bot.cleanup_list.number_search import MAX_STUDENTS, find_number
from bot.cleanup_list.page import Freshness, Page, load_page
from bot.cleanup_list.query import narrow_students
from bot.cleanup_list.unverified import UnverifiedPage, checked_months, load_unverified
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.filters.filter import STUDENT_CRITERIA, Filter
from bot.filters.questions import Question


@dataclass(frozen=True)
class Found:
    """Students with a typed name or number, and how many of them are on the list. `has_more`: more than `MAX_STUDENTS`."""

    student_ids: tuple[int, ...]
    listed: int
    has_more: bool


@dataclass(frozen=True)
class Reach:
    """How many students there are, and how many of them have no adult who can be texted."""

    students: int
    without_adult: int


class Problem(StrEnum):
    """Why there is nothing to count: a person without any student, or none of theirs is in such a grade, school, or class."""

    NO_STUDENTS = "no_students"
    UNMET = "unmet"


Facts = Page | Forecast | Reach | UnverifiedPage | Found | Problem


@dataclass(frozen=True)
class Counts:
    """The facts of an answer; None where a question is for help or about pending changes, or is not clear. Of one that is not clear,
    `Found` are students of the name that may be in it.

    `without_adult` counts all such students where that is asked for; the list has those with a contact on it.
    """

    question: Question
    facts: Facts | None = None
    without_adult: int | None = None


def count_for(
    session: Session, question: Question, *, actor: Actor, freshness: Freshness, kept: timedelta, now: datetime
) -> Counts:
    """Return the counts for a question; of an unclear one with what may have been meant. Messages are `kept` for so long.

    Raises:
        UserError: a number of months is out of bounds.
    """
    if not has_students(session, actor, roster=freshness.roster):
        return Counts(question, Problem.NO_STUDENTS)
    roster = freshness.roster
    question = _with_own_classes(session, question, actor=actor, roster=roster)
    if not question.is_clear:
        return Counts(question, _guess(session, question, actor=actor, roster=roster))
    which = question.filter
    is_about_all = which.no_adult and which == replace(which.student_part(), no_adult=True)
    without_adult = _without_adult(session, which, actor=actor) if is_about_all and not question.command else None
    if which.names or which.number:
        return Counts(question, _find(session, which, actor=actor, roster=roster))
    if unmet_criteria(session, which, actor=actor, roster=roster):
        return Counts(question, Problem.UNMET)
    return Counts(question, _facts(session, question, actor=actor, kept=kept, now=now), without_adult)


def _facts(session: Session, question: Question, *, actor: Actor, kept: timedelta, now: datetime) -> Facts | None:
    which = question.filter
    match question.command:
        case "help" | "fix" | "pending":
            return None
        case "forecast":
            return load_forecast(session, which, actor=actor, page_size=1)
        case "report":
            students = narrow_students(rights.visible_students(actor), which, today=actor.today)
            number = session.scalar(select(func.count()).select_from(students.subquery())) or 0
            return Reach(number, _without_adult(session, which, actor=actor))
        case "unverified":
            months = checked_months(question.months, kept=kept)
            return load_unverified(session, which, actor=actor, months=months, page_size=1, now=now)
        case _:
            return load_page(session, which, actor=actor)


def _with_own_classes(session: Session, question: Question, *, actor: Actor, roster: str | None) -> Question:
    """Narrow to the reader's own classes. A teacher sees no others anyway; for a person who has none, the question is not clear."""
    if not question.of_own_classes or actor.level is AccessLevel.CLASSES:
        return question
    if actor.staff_ids and actor.name in load_vocabulary(session, actor, roster=roster).teachers:
        return replace(question, filter=replace(question.filter, teacher=actor.name))
    return replace(question, is_clear=False, suggestions=question.as_suggestions())


def _guess(session: Session, question: Question, *, actor: Actor, roster: str | None) -> Found | None:
    """Return the students of the words in a question that may be a name; None where there are none, or too many."""
    if not (question.guessed and question.guessed.names):
        return None
    found = _find(session, question.guessed, actor=actor, roster=roster)
    return found if found.student_ids and not found.has_more else None


def _find(session: Session, which: Filter, *, actor: Actor, roster: str | None) -> Found:
    """Find the students of a name or number within the filter's grades, school, teacher, and class, on the list or not."""
    if which.number:
        search = find_number(session, which, actor=actor)
        ids = search.student_ids
        listed = load_page(session, Filter(student_ids=ids), actor=actor).total_students if ids else 0
        return Found(ids, listed, search.has_more)
    named = replace(which.student_part(), names=which.names, page=1)
    page = load_page(session, named, actor=actor, page_size=MAX_STUDENTS)
    others = find_unlisted_students(session, named, actor=actor, roster=roster, limit=MAX_STUDENTS + 1)
    ids = tuple(student.student_id for student in (*page.students, *others))
    return Found(ids[:MAX_STUDENTS], page.total_students, page.total_students + len(others) > MAX_STUDENTS)


def _without_adult(session: Session, which: Filter, *, actor: Actor) -> int:
    is_district = actor.level is AccessLevel.DISTRICT and not which.criteria & STUDENT_CRITERIA
    students = None if is_district else narrow_students(rights.visible_students(actor), which, today=actor.today)
    return count_without_adult(session, students)
