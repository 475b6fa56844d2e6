"""Whoever plays the tour: the clerk's hands on the keyboard, and the eyes that compare what is on her screen with the
truth of the made-up district.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from bot.domain import phone
from bot.sandbox.district import District, workspace
from bot.sandbox.district.families import Adult, Child
from bot.sandbox.district.numbers import Fate
from bot.sandbox.slack import finding
from bot.sandbox.slack.finding import Place
from bot.sandbox.slack.outcome import Outcome
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.reading import text_of
from bot.sandbox.slack.things import Message
from bot.sandbox.stage import Stage
from bot.slack.list.rows import OPEN_STUDENT
from bot.slack.student import edit as edit_dialog
from bot.slack.student.view import EDIT

_DATE = re.compile(r"<!date[^>]*>")
_WHOLE_NUMBER = re.compile(r"\d{3}\D{0,2}\d{3}\D{0,2}\d{4}")
_PATIENCE_SECONDS = 5.0


class Unexpected(Exception):  # noqa: N818 - it reads as what happened.
    """A step was not what it should be."""


@dataclass(frozen=True)
class Case:
    """A child of grade 5 at Lincoln Elementary, and a contact whose number blocks our texts."""

    child: Child
    contact: Adult


def cases(made: District) -> list[Case]:
    """The truth behind `grade 5 blocked`; a child whose only contact is blocked comes first."""
    found = [
        (len(family.adults), child.sourced_id, adult)
        for family in made.families
        for child in family.children
        for adult in family.adults
        if child.grade == "5" and adult.number and made.fate(adult.number) is Fate.BLOCKED
    ]
    children = {child.sourced_id: child for family in made.families for child in family.children}
    return [Case(children[child], adult) for _, child, adult in sorted(found, key=lambda one: one[:2])]


@dataclass
class Play:
    """`card` is the newest list on the clerk's screen, `new_number` the one she typed last (E.164)."""

    stage: Stage
    console: Console
    cases: list[Case]
    card: Message | None = None
    new_number: str = ""

    @property
    def clerk(self) -> Person:
        return self.stage.slack.person(workspace.CLERK)

    def read_dialog(self) -> str:
        """The words of the dialog on top."""
        return text_of(self.clerk.view)

    def read_list(self) -> str:
        """The words of the clerk's list as it stands now."""
        return text_of(self.clerk.again(self.card)) if self.card else ""

    def type_unused_number(self) -> Outcome:
        """Put a number that nobody in the district has, each time another, into the edit dialog, and save."""
        self.new_number = self.unused_number()
        return self.type_number(phone.format_number(self.new_number, "US"))

    def type_number(self, written: str) -> Outcome:
        return self.clerk.fill(self.clerk.view, {edit_dialog.PHONE: written}).submit()

    def unused_number(self) -> str:
        taken = self.stage.district.fates
        free = (f"+133155501{line:02d}" for line in range(100))
        return next(one for one in free if one not in taken and one > self.new_number)

    def open_student(self, case: Case) -> None:
        self.card = answer(self.clerk.command("/cleanup", f'student "{case.child.name}"'))
        self._press(self.card, OPEN_STUDENT, f"Fix contacts of {case.child.name}")
        expect(case.contact.name in self.read_dialog(), f"{case.contact.name} is not in the student dialog")

    def open_edit(self, case: Case) -> None:
        self.open_student(case)
        self._press(self.clerk.view, EDIT, f"Edit {case.contact.name}")

    def edit(self, case: Case) -> None:
        """From a fresh list to the student dialog with another number saved."""
        self.open_edit(case)
        self.expect_saved(self.type_unused_number())

    def close(self) -> None:
        self.clerk.close(everything=True)

    def expect_saved(self, outcome: Outcome) -> None:
        expect(outcome.ok, f"the dialog answered {outcome.error or dict(outcome.errors)}")
        said = self.read_dialog()
        expect("Saved" in said and phone.masked(self.new_number) in said, f"the student dialog reads: {said}")

    def expect_counts_only(self, digest: Message, title: str) -> None:
        """A digest of that message, posted once, that names nobody."""
        said = text_of(digest)
        names = {one.name for family in self.stage.district.families for one in family.people}
        expect(title in said, f"the newest message in #family-texts is not the digest of “{title}”: {said}")
        expect(not any(name in said for name in names), "the digest names somebody")
        expect_masked(said)
        posted = [one for one in self.clerk.messages(workspace.FAMILY_TEXTS) if title in text_of(one)]
        expect(len(posted) == 1, f"the digest of “{title}” was posted {len(posted)} times")

    def _press(self, place: Place, action_id: str, label: str) -> None:
        """Press the button that a screen reader calls so."""
        for _, element in finding.spots(place):
            if element["action_id"] == action_id and element.get("accessibility_label") == label:
                outcome = self.clerk.press(place, action_id=action_id, value=element["value"])
                expect(outcome.ok, f"{label}: Slack would show “{outcome.error}”")
                return
        raise Unexpected(f"there is no button “{label}”: {text_of(place)}")


def expect(truth: object, otherwise: str) -> None:
    if not truth:
        raise Unexpected(otherwise)


def expect_masked(said: str) -> None:
    """No whole number of a person; the digits of Slack's dates are none."""
    found = _WHOLE_NUMBER.search(_DATE.sub("", said))
    expect(not found, f"a number is not masked: {found and found[0]} in {said}")


def answer(outcome: Outcome) -> Message:
    """The private message that a command was answered with."""
    if outcome.message is None:
        raise Unexpected(f"Slack would show “{outcome.error}” {'; '.join(map(str, outcome.problems))}")
    expect(outcome.message.ephemeral_for, "the answer is not private")
    return outcome.message


def wait_until(truth: Callable[[], bool], otherwise: str) -> None:
    """What the bot does after its answer went out may take a moment."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not truth():
        expect(time.monotonic() < until, otherwise)
        time.sleep(0.05)
