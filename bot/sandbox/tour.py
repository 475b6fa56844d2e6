"""`cleanup-bot sandbox --tour`: the whole path from the list to the fixed contact, played at a keyboard that nobody sees.

Every step says what was seen, measured against the truth of the made-up district; the first one that is not what it
should be ends the tour.
"""

import re
from collections.abc import Callable

from rich.console import Console

from bot.domain import phone
from bot.errors import UserError
from bot.sandbox import playing, story
from bot.sandbox.district import bundle, workspace
from bot.sandbox.playing import Play, Unexpected, expect
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.reading import text_of
from bot.sandbox.stage import Stage
from bot.slack.student import edit as edit_dialog
from bot.slack.student.view import TAKE_SIS, UNDO_EDIT

_SECOND_TITLE = "Picture day is Thursday"


def play(stage: Stage, console: Console) -> int:
    """Play every step in order; gives the exit code."""
    now = Play(stage, console, playing.cases(stage.district))
    for number, (title, step) in enumerate(STEPS, start=1):
        console.print(f"\n[bold]{number}. {title}[/]")
        try:
            seen = step(now)
        except (Unexpected, NotOnScreen, UserError) as no:
            console.print("[red]✗[/]", end=" ")
            console.print(str(no), markup=False, highlight=False)
            return 1
        console.print("[green]✓[/]", end=" ")
        console.print(seen, markup=False, highlight=False)
    console.print(f"\n[bold green]All {len(STEPS)} steps were as they should be.[/]")
    return 0


def _read_sis(play: Play) -> str:
    report = story.read_sis(play.stage, play.console)
    children = sum(len(family.children) for family in play.stage.district.families)
    expect(report.counts["students"].added == children, f"{report.counts['students']} instead of {children} students")
    again = play.stage.sync()
    moved = sum(one.added + one.changed + one.inactive for one in again.counts.values())
    expect(moved == 0, f"a second sync of the same export changed {moved} rows")
    return f"{children} students came in; a second sync changed nothing."


def _subscribe(play: Play) -> str:
    story.subscribe(play.stage, play.console)
    said = text_of(play.clerk.last(workspace.FAMILY_TEXTS))
    expect("digest" in said, f"#family-texts reads: {said}")
    return "#family-texts was told that digests come here."


def _first_message(play: Play) -> str:
    sent = story.send(play.stage, play.console)
    play.expect_counts_only(story.digest(play.stage, play.console), story.FIRST_TITLE)
    return f"{sent.deliveries} texts, {sent.receipts} receipts, one digest, and in it no name and no number."


def _ask(play: Play) -> str:
    play.card = story.ask(play.stage, play.console)
    said = text_of(play.card)
    for case in play.cases:
        expect(case.child.name in said, f"{case.child.name} is not on the list")
    expect("No adult can be texted" in said, "no student without anybody who can be texted is marked")
    playing.expect_masked(said)
    return f"{len({case.child for case in play.cases})} students whose contacts block our texts; every number masked."


def _bad_number(play: Play) -> str:
    play.open_edit(play.cases[0])
    outcome = play.type_number("555-12")
    said = outcome.errors.get(edit_dialog.PHONE, "")
    expect("digits" in said, f"under the field stands: {said!r} ({outcome.error})")
    return f"Under the field: {said}"


def _good_number(play: Play) -> str:
    play.expect_saved(play.type_unused_number())
    playing.wait_until(lambda: "Updated" in play.read_list(), "the list was not brought up to date after the edit")
    play.close()
    name, number = play.cases[0].contact.name, phone.masked(play.new_number)
    return f"{name} has {number}, and the list says: updated, waiting for the next mass message."


def _second_message(play: Play) -> str:
    story.send(play.stage, play.console, _SECOND_TITLE)
    digest = story.digest(play.stage, play.console)
    play.expect_counts_only(digest, _SECOND_TITLE)
    expect(re.search(r"[Ll]eft", text_of(digest)), "the digest does not say that anybody left the list")
    said = text_of(story.ask(play.stage, play.console))
    fixed, other = play.cases[0].child, play.cases[-1].child
    expect(fixed.name not in said, f"{fixed.name} is still on the list")
    expect(other.name in said, f"{other.name} is not on the list any more")
    return f"The text arrived: {fixed.name} is off the list, and the digest counts it."


def _absorbed(play: Play) -> str:
    bundle.set_phone(play.stage.sis, play.cases[0].contact.sourced_id, phone.format_number(play.new_number, "US"))
    report = play.stage.sync()
    expect(report.edits["absorbed"] == 1, f"the sync reports {report.edits}")
    return "The SIS has the new number now; the sync absorbed the edit."


def _conflict(play: Play) -> str:
    case = play.cases[1]
    play.edit(case)
    play.close()
    theirs = play.unused_number()
    bundle.set_phone(play.stage.sis, case.contact.sourced_id, phone.format_number(theirs, "US"))
    report = play.stage.sync()
    expect(report.edits["conflict"] == 1, f"the sync reports {report.edits}")
    return _settle_conflict(play, case, phone.masked(theirs))


def _settle_conflict(play: Play, case: playing.Case, theirs: str) -> str:
    play.open_student(case)
    said = play.read_dialog()
    expect("disagrees" in said and theirs in said, f"the student dialog reads: {said}")
    play.clerk.press(play.clerk.view, action_id=TAKE_SIS)
    said = play.read_dialog()
    expect("disagrees" not in said and theirs in said, f"after the choice the dialog reads: {said}")
    play.close()
    return f"Both numbers were shown; the clerk took the SIS's, {theirs}."


def _undo(play: Play) -> str:
    case = play.cases[-1]
    play.edit(case)
    play.clerk.press(play.clerk.view, action_id=UNDO_EDIT)
    said, before = play.read_dialog(), phone.masked(case.contact.number)
    expect("Undone" in said and before in said, f"the student dialog reads: {said}")
    expect(phone.masked(play.new_number) not in said, "the number that was undone is still there")
    play.close()
    return f"{case.contact.name} has {before} again."


def _teacher(play: Play) -> str:
    ana = play.stage.slack.person("UANA")
    own = next(one.students for one in play.stage.district.classes if one.teacher.email == ana.user.email)
    others = {case.child for case in play.cases[1:] if case.child not in own}
    said = text_of(playing.answer(ana.command("/cleanup", "blocked")))
    expect(any(child.name in said for child in own), f"none of her students is on it: {said}")
    expect(others and not any(child.name in said for child in others), "a teacher sees a student of another class")
    return f"{ana.user.name} sees students of her own class, and none of the {len(others)} of another."


def _polite_no(play: Play) -> str:
    seen = []
    for who, where in (("UGUS", "CGENERAL"), ("UOLIVIA", "CPARTNERS")):
        person = play.stage.slack.person(who)
        said = text_of(playing.answer(person.command("/cleanup", story.FIRST_QUESTION, channel=where)))
        expect("ask" in said, f"{person.user.name} reads: {said}")
        expect(not any(case.child.name in said for case in play.cases), f"{person.user.name} reads a student's name")
        seen.append(f"{person.user.name} reads: “{said}”")
    return "\n  ".join(seen)


STEPS: tuple[tuple[str, Callable[[Play], str]], ...] = (
    ("The student information system is read", _read_sis),
    ("#family-texts asks for digests", _subscribe),
    ("The first mass message", _first_message),
    ("Who could not be reached?", _ask),
    ("A number that cannot exist", _bad_number),
    ("A better number", _good_number),
    ("The next mass message", _second_message),
    ("The SIS catches up", _absorbed),
    ("The SIS disagrees", _conflict),
    ("Undo", _undo),
    ("A teacher looks", _teacher),
    ("A guest and a stranger look", _polite_no),
)
"""What happens, under its heading; a step gives the sentence that says what was seen."""
