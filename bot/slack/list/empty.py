"""Where the list has not what was asked for: why it is empty, who is not on it, and whose the typed number is.

A list before the first mass message, or of a person without students, is no good news.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.access.rights import AccessLevel
from bot.cleanup_list.empty_reasons import EmptyReason
from bot.cleanup_list.number_search import MAX_STUDENTS, NumberOwner, NumberSearch
from bot.cleanup_list.page import MAX_UNLISTED, Freshness, ListView
from bot.cleanup_list.query import StudentRow
from bot.domain.sms_status import MEANINGS, SmsStatus
from bot.filters.filter import EVERYONE, Filter, command_text, describe, shown_number
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.list import links, rows

_MAX_NAME = 60


def explanation(reason: EmptyReason, freshness: Freshness) -> str:
    which = reason.which
    if reason.without_students:
        return no_students_explanation(reason.without_students)
    if reason.unmet:
        return unmet_explanation(reason.unmet)
    if which.number:
        number = b.escaped(shown_number(which.number))
        return f"None of your students has the number *{number}*, and no contact of theirs has it."
    if which.names:
        name = b.escaped(" ".join(which.names))
        return f"No one named *{name}* is on your list."
    if not freshness.sent_at:
        return "No one here yet. The list begins with the first mass message."
    return _good_news(which, f"“{b.escaped(freshness.title)}” of {b.date(freshness.sent_at)}")


def _good_news(which: Filter, message: str) -> str:
    last_known = f"as far as the last mass message showed, {message}"
    if which.mine:
        return "You have claimed no contact here. Press *Fix* and then *I'll take it* at a contact, so that no two of you call."
    if which.waiting:
        return "No contact here was fixed since the last mass message."
    if which.no_adult:
        return (
            f"✅ No one here. Every matching student on the list has an adult who can be texted, {last_known}. "
            "A forecast also looks at students who are not on the list."
        )
    if which.statuses:
        labels = " or ".join(f"*{MEANINGS[status].label}*" for status in which.statuses)
        listed_at_once = set(which.statuses) <= {SmsStatus.OPT_OUT, SmsStatus.WRONG_PERSON}
        return f"✅ No contact here is listed as {labels}{'' if listed_at_once else f', {last_known}'}."
    if which.criteria:
        return f"✅ No one here. Every contact that matches can be texted, {last_known}."
    return f"✅ No one on your list. Every contact can be texted, {last_known}."


def no_students_explanation(level: AccessLevel) -> str:
    """Say that a person of this level has no student at all."""
    match level:
        case AccessLevel.CLASSES:
            return (
                "You have no students here: in the student information system, no class that you teach today has any. If that "
                "is wrong, ask your school's registrar to correct your classes there. The list follows after the next sync."
            )
        case AccessLevel.SCHOOLS:
            return (
                "Your school has no students in the student information system. If that is wrong, ask your district's data "
                "manager to correct your schools there. The list follows after the next sync."
            )
        case AccessLevel.DISTRICT:
            return "There are no students yet. They come with the first sync of the student information system."


def unmet_explanation(unmet: Sequence[Filter]) -> str:
    """Say which parts of a filter no student of the reader meets."""
    return f"No one here: none of your students {', none '.join(map(_unmet, unmet))}."


def _unmet(part: Filter) -> str:
    if part == Filter(school=part.school):
        return f"is at a school named *{b.escaped(part.school or '')}*"
    if part == Filter(teacher=part.teacher):
        return f"has a teacher named *{b.escaped(part.teacher or '')}*"
    if part == Filter(class_title=part.class_title):
        return f"is in a class titled *{b.escaped(part.class_title or '')}*"
    if part == Filter(grades=part.grades):
        grades = describe(part)
        return f"is in *{grades[0].lower()}{grades[1:]}*"
    if part == Filter(letter=part.letter):
        return f"has a last name that begins with *{part.letter}*"
    return "is all of that at once"


def blocks_instead(view: ListView) -> list[Block]:
    """Return what stands in place of the rows: the found students who are not on the list, or why there are none."""
    reason = view.empty
    if reason is None:
        return []
    has_more = reason.which.criteria and not reason.without_students
    whole_list = b.actions([b.button("Show my whole list", links.SHOW_ALL, EVERYONE)]) if has_more else []
    if reason.unlisted:
        return [*unlisted(reason.unlisted, view.page.filter), *whole_list]
    why = b.section(explanation(reason, view.freshness))
    near = links.buttons_to_lists(reason.alternatives, links.SHOW_NEAR)
    return [why, *([b.section("Did you mean:"), *near] if near else []), *_instead_of(reason), *whole_list]


def _instead_of(reason: EmptyReason) -> list[Block]:
    """Return buttons to what may help where no student was found: the teacher of that name, the help, or a forecast."""
    which = reason.which
    if which.names and not reason.unmet and not reason.without_students:
        name = " ".join(which.names)
        teacher = replace(which, names=(), teacher=name).text
        return b.actions([b.button(f"Teacher {name}", f"{links.SHOW_TEACHER}.0", teacher), links.HELP])
    if which.no_adult:
        forecast = command_text("forecast", which.student_part())
        return b.actions([b.button("Forecast", f"{links.RUN_PREFIX}.0", forecast)])
    return []


def unlisted(students: Sequence[StudentRow], which: Filter) -> list[Block]:
    limit = MAX_STUDENTS if which.student_ids else MAX_UNLISTED
    shown = [rows.unlisted(student, here=which.text) for student in students[:limit]]
    more = [b.context("… and more students: type more of the name.")] if len(students) > limit else []
    return [*shown, *more]


def owners(search: NumberSearch) -> list[Block]:
    """Say which contacts have the number that was typed."""
    if not search.student_ids:
        return []
    lines = [_owner(owner, search.number) for owner in search.owners]
    if search.has_more:
        lines.append(f"These are the first {MAX_STUDENTS} students found. Type the full number to find one.")
    return [b.section("\n".join(lines))] if lines else []


def _owner(owner: NumberOwner, number: str) -> str:
    """Return `☎️ ••• 0142: *Colleen O'Connor* (parent) of Finn O'Connor, Nora O'Connor`, with the number now if it is another."""
    relationship = f" ({b.escaped(owner.relationship, _MAX_NAME)})" if owner.relationship else ""
    students = ", ".join(b.escaped(name, _MAX_NAME) for name in owner.students)
    has_other = not (owner.phone or "").endswith(number)
    now = f" · now {b.masked(owner.phone)}" if has_other else ""
    return f"☎️ {b.masked(number)}: *{b.escaped(owner.name, _MAX_NAME)}*{relationship} of {students}{now}"
