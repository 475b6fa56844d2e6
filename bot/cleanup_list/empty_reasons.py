"""What a filter asks for and none of one person's students has: a list that is empty for that is no good news."""

from sqlalchemy.orm import Session

from bot import access
from bot.access import Actor
from bot.cleanup_list.student_filter import narrow_students
from bot.filters.filter import Filter


def unmet_criteria(session: Session, which: Filter, *, actor: Actor) -> tuple[Filter, ...]:
    """The parts of a filter, its school, its teacher or its grades, that none of this person's students has; all of them in one
    where each has somebody but nobody has all. Nothing where somebody does: names and SMS statuses are not asked about.
    """
    parts = (Filter(school=which.school), Filter(teacher=which.teacher), Filter(grades=which.grades))
    asked = [one for one in parts if one != Filter()]
    together = which.student_part().with_page(1)
    if not asked or _is_anybody(session, together, actor):
        return ()
    return tuple(one for one in asked if not _is_anybody(session, one, actor)) or (together,)


def _is_anybody(session: Session, which: Filter, actor: Actor) -> bool:
    students = narrow_students(access.visible_students(actor), which, today=actor.today)
    return session.scalar(students.limit(1)) is not None
