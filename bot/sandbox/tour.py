"""`cleanup-bot sandbox --tour`: the whole path from the list to the corrected contact, carried out as the clerk would. Each
step compares the screen with the ground truth of the made-up district; the first failure ends the tour.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain import display, phone
from bot.errors import UserError
from bot.sandbox.assembly import OPT_IN_NUMBER
from bot.sandbox.demo import FIRST_FILTER, FIRST_TITLE, Demo
from bot.sandbox.district import sis_export
from bot.sandbox.district.families import Contact, Student
from bot.sandbox.district.maplewood import District
from bot.sandbox.district.numbers import TextResult
from bot.sandbox.district.slack_workspace import FAMILY_TEXTS, GUEST, STRANGER
from bot.sandbox.slack import forms
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.models import Message, Outcome, Surface, text_of
from bot.sandbox.slack.people import Person
from bot.slack.list.rows import OPEN_STUDENT
from bot.slack.student import edit as edit_dialog
from bot.slack.student.ids import ALL_CONTACTS, EDIT, TAKE_SIS, UNDO_EDIT
from bot.slack.student.notice import DONE

_SECOND_TITLE = "Picture day is Thursday"
_DATE = re.compile(r"<!date[^>]*>")
_PHONE_NUMBER = re.compile(r"\d{3}\D{0,2}\d{3}\D{0,2}\d{4}")
_REDRAWN_WITHIN_SECONDS = 5.0


class TourError(Exception):
    """A step did not have the expected result."""


@dataclass(frozen=True)
class Case:
    """A student of grade 5 at Lincoln Elementary, and a contact whose number blocks texts."""

    student: Student
    contact: Contact


def blocked_cases(district: District) -> list[Case]:
    """The ground truth of `grade 5 blocked`; a student whose only contact is blocked comes first."""
    cases = [
        (len(family.contacts), student.sourced_id, Case(student, contact))
        for family in district.families
        for student in family.students
        for contact in family.contacts
        if student.grade == "5" and contact.number and district.text_result(contact.number) is TextResult.BLOCKED
    ]
    return [case for *_, case in sorted(cases, key=lambda row: row[:2])]


def run_tour(demo: Demo) -> int:
    """Run all steps in order and return the exit code."""
    tour, console = Tour(demo, blocked_cases(demo.sandbox.district)), demo.console
    for number, (title, step) in enumerate(STEPS, start=1):
        console.print(f"\n[bold]{number}. {title}[/]")
        try:
            result = step(tour)
        except (TourError, NotOnScreen, UserError) as error:
            console.print("[red]✗[/]", end=" ")
            console.print(str(error), markup=False, highlight=False)
            return 1
        console.print("[green]✓[/]", end=" ")
        console.print(result, markup=False, highlight=False)
    console.print(f"\n[bold green]All {len(STEPS)} steps passed.[/]")
    return 0


@dataclass
class Tour:
    """`card` is the newest list on the clerk's screen, `new_number` the number typed last (E.164)."""

    demo: Demo
    cases: list[Case]
    card: Message | None = None
    new_number: str = ""

    @property
    def clerk(self) -> Person:
        return self.demo.clerk

    def dialog_text(self) -> str:
        """The text of the clerk's top dialog."""
        return text_of(self.clerk.view)

    def open_edit(self, case: Case) -> None:
        self.open_student(case)
        self._press(self.clerk.view, EDIT, case.contact.name)

    def open_student(self, case: Case) -> None:
        self.card = private_answer(self.clerk.command("/cleanup", f'student "{case.student.name}"'))
        self._press(self.card, OPEN_STUDENT, case.student.name)
        if has_control(self.clerk.view, ALL_CONTACTS):  # The row opened the form of the one contact to fix.
            self.clerk.press(self.clerk.view, action_id=ALL_CONTACTS)
        expect(case.contact.name in self.dialog_text(), f"{case.contact.name} is not in the student dialog")

    def _press(self, surface: Surface, action_id: str, name: str) -> None:
        """Press the button whose accessibility label contains the name."""
        for _, element in forms.controls(surface):
            if element["action_id"] == action_id and name in element.get("accessibility_label", ""):
                outcome = self.clerk.press(surface, action_id=action_id, value=element["value"])
                expect(outcome.ok, f"{action_id} for {name}: Slack shows “{outcome.error}”")
                return
        raise TourError(f"there is no button {action_id} for {name}: {text_of(surface)}")

    def edit(self, case: Case) -> None:
        """Save another number for the contact."""
        self.open_edit(case)
        self.expect_saved(self.type_unused_number())

    def type_unused_number(self) -> Outcome:
        """Save a number that is not in the district, each time another, in the edit dialog."""
        self.new_number = self.unused_number()
        return self.type_number(phone.format_number(self.new_number, "US"))

    def type_number(self, number: str) -> Outcome:
        return self.clerk.fill(self.clerk.view, {edit_dialog.PHONE: number}).submit()

    def unused_number(self) -> str:
        used = self.demo.sandbox.district.text_results
        unused = (f"+133155501{line:02d}" for line in range(100))
        return next(number for number in unused if number not in used and number > self.new_number)

    def expect_saved(self, outcome: Outcome) -> None:
        expect(outcome.ok, f"the edit dialog answered {outcome.error or dict(outcome.errors)}")
        wait_until(self.dialog_shows_the_edit, "the student dialog does not show the edit")

    def dialog_shows_the_edit(self) -> bool:
        return display.masked(self.new_number) in self.dialog_text() and has_control(self.clerk.view, UNDO_EDIT)

    def expect_counts_only(self, digest: Message, title: str) -> None:
        """The digest is the one of that mass message, was posted once, and contains no name and no number."""
        text = text_of(digest)
        names = {member.name for family in self.demo.sandbox.district.families for member in family.members}
        expect(title in text, f"the newest message in #family-texts is not the digest of “{title}”: {text}")
        expect(not any(name in text for name in names), "the digest contains a name")
        expect_masked(text)
        count = sum(title in text_of(message) for message in self.clerk.messages(FAMILY_TEXTS))
        expect(count == 1, f"the digest of “{title}” was posted {count} times")


def expect(condition: object, failure: str) -> None:
    if not condition:
        raise TourError(failure)


def wait_until(condition: Callable[[], bool], failure: str) -> None:
    """The bot redraws dialogs and lists after it has acknowledged an edit."""
    deadline = time.monotonic() + _REDRAWN_WITHIN_SECONDS
    while not condition():
        expect(time.monotonic() < deadline, failure)
        time.sleep(0.05)


def expect_masked(text: str) -> None:
    """The text contains no complete phone number but the district's own; the digits of Slack's dates are ignored."""
    own = phone.format_number(OPT_IN_NUMBER, "US")
    match = _PHONE_NUMBER.search(_DATE.sub("", text).replace(own, ""))
    expect(not match, f"a number is not masked: {match and match[0]} in {text}")


def has_control(surface: Surface, action_id: str) -> bool:
    return any(element["action_id"] == action_id for _, element in forms.controls(surface))


def private_answer(outcome: Outcome) -> Message:
    """The ephemeral message in the acknowledgment of a command."""
    if outcome.message is None:
        raise TourError(f"Slack shows “{outcome.error}” {'; '.join(map(str, outcome.problems))}")
    expect(outcome.message.ephemeral_for, "the answer is not private")
    return outcome.message


def _sync(tour: Tour) -> str:
    report, sandbox = tour.demo.sync(), tour.demo.sandbox
    students = sum(len(family.students) for family in sandbox.district.families)
    expect(report.counts["students"].added == students, f"{report.counts['students']} instead of {students} students")
    changed = sum(table.added + table.changed + table.inactive for table in sandbox.sync().counts.values())
    expect(changed == 0, f"a second sync of the same export changed {changed} rows")
    return f"{students} students were added; a second sync changed nothing."


def _subscribe(tour: Tour) -> str:
    tour.demo.subscribe()
    expect(tour.clerk.last(FAMILY_TEXTS).by_app, "the app did not confirm the subscription in #family-texts")
    return "The app confirmed the subscription in #family-texts."


def _first_message(tour: Tour) -> str:
    sent = tour.demo.send()
    tour.expect_counts_only(tour.demo.show_digest(), FIRST_TITLE)
    return f"{sent.deliveries} texts, {sent.receipts} receipts, one digest without names and numbers."


def _ask(tour: Tour) -> str:
    tour.card = tour.demo.ask()
    text, students = text_of(tour.card), {case.student for case in tour.cases}
    for student in students:
        expect(student.name in text, f"{student.name} is not on the list")
    listed = sum(element["action_id"] == OPEN_STUDENT for _, element in forms.controls(tour.card))
    expect(0 < listed == len(students), f"{listed} students are on the list instead of {len(students)}")
    expect_masked(text)
    return f"{listed} students with blocked contacts; every number is masked."


def _invalid_number(tour: Tour) -> str:
    tour.open_edit(tour.cases[0])
    outcome = tour.type_number("555-12")
    error = outcome.errors.get(edit_dialog.PHONE, "")
    expect(error, f"there is no error under the field ({outcome.error})")
    return f"Under the field: {error}"


def _valid_number(tour: Tour) -> str:
    tour.expect_saved(tour.type_unused_number())
    _wait_until_redrawn(tour)
    tour.clerk.close(everything=True)
    name, number = tour.cases[0].contact.name, display.masked(tour.new_number)
    return f"{name} has {number}, and the list shows that it waits for the next mass message."


def _wait_until_redrawn(tour: Tour) -> None:
    before = tour.card
    if before:
        wait_until(
            lambda: tour.clerk.current(before).blocks != before.blocks, "the list was not redrawn after the edit"
        )


def _second_message(tour: Tour) -> str:
    tour.demo.send(_SECOND_TITLE)
    tour.expect_counts_only(tour.demo.show_digest(), _SECOND_TITLE)
    text = text_of(tour.demo.ask())
    fixed, other = tour.cases[0].student, tour.cases[-1].student
    expect(fixed.name not in text, f"{fixed.name} is still on the list")
    expect(other.name in text, f"{other.name} is no longer on the list")
    return f"The text was delivered, and {fixed.name} has left the list."


def _absorbed(tour: Tour) -> str:
    sandbox, contact = tour.demo.sandbox, tour.cases[0].contact
    sis_export.set_phone(sandbox.sis, contact.sourced_id, phone.format_number(tour.new_number, "US"))
    report = sandbox.sync()
    expect(report.edits["absorbed"] == 1, f"the sync reports {report.edits}")
    return "The SIS has the new number now, and the sync absorbed the edit."


def _conflict(tour: Tour) -> str:
    case, sandbox = tour.cases[1], tour.demo.sandbox
    tour.edit(case)
    tour.clerk.close(everything=True)
    sis_number = tour.unused_number()
    sis_export.set_phone(sandbox.sis, case.contact.sourced_id, phone.format_number(sis_number, "US"))
    report = sandbox.sync()
    expect(report.edits["conflict"] == 1, f"the sync reports {report.edits}")
    tour.open_student(case)
    text, shown = tour.dialog_text(), display.masked(sis_number)
    expect(shown in text and has_control(tour.clerk.view, TAKE_SIS), f"the dialog shows no conflict: {text}")
    tour.clerk.press(tour.clerk.view, action_id=TAKE_SIS)
    wait_until(
        lambda: shown in tour.dialog_text() and not has_control(tour.clerk.view, TAKE_SIS),
        "the conflict was not settled",
    )
    tour.clerk.close(everything=True)
    return f"Both numbers were shown; the clerk took the SIS's, {shown}."


def _undo(tour: Tour) -> str:
    case = tour.cases[-1]
    tour.edit(case)
    tour.clerk.press(tour.clerk.view, block_id=DONE, action_id=UNDO_EDIT)
    before = display.masked(case.contact.number)
    # The line after Save named the earlier number, too, so the new one tells when the dialog was redrawn.
    after = display.masked(tour.new_number)
    wait_until(lambda: after not in tour.dialog_text(), "the undone number is still there")
    expect(before in tour.dialog_text(), "the earlier number is not back")
    tour.clerk.close(everything=True)
    return f"{case.contact.name} has {before} again."


def _teacher(tour: Tour) -> str:
    sandbox = tour.demo.sandbox
    ana = Person(sandbox.slack, "UANA")
    own = next(taught.students for taught in sandbox.district.classes if taught.teacher.email == ana.user.email)
    others = {case.student for case in tour.cases[1:] if case.student not in own}
    text = text_of(private_answer(ana.command("/cleanup", "blocked")))
    expect(any(student.name in text for student in own), f"none of her students is on the list: {text}")
    expect(others and not any(student.name in text for student in others), "a teacher sees students of other classes")
    return f"{ana.user.name} sees students of her own class, and none of the {len(others)} of others."


def _no_access(tour: Tour) -> str:
    answers = []
    for user_id, channel in ((GUEST, "CGENERAL"), (STRANGER, "CPARTNERS")):
        person = Person(tour.demo.sandbox.slack, user_id)
        answer = private_answer(person.command("/cleanup", FIRST_FILTER, channel=channel))
        text = text_of(answer)
        expect(not has_control(answer, OPEN_STUDENT), f"{person.user.name} can open students")
        expect(not any(case.student.name in text for case in tour.cases), f"{person.user.name} reads a student's name")
        answers.append(f"{person.user.name} reads: “{text}”")
    return "\n  ".join(answers)


# Each step with its title; it returns a sentence with the result, or raises.
STEPS: tuple[tuple[str, Callable[[Tour], str]], ...] = (
    ("The first sync reads the student information system", _sync),
    ("#family-texts subscribes to digests", _subscribe),
    ("The first mass message", _first_message),
    ("Which contacts could not be reached?", _ask),
    ("An invalid number", _invalid_number),
    ("A valid number", _valid_number),
    ("The next mass message", _second_message),
    ("The SIS catches up", _absorbed),
    ("The SIS has another number", _conflict),
    ("Undo", _undo),
    ("A teacher sees only her own students", _teacher),
    ("A guest and a stranger have no access", _no_access),
)
