"""`cleanup-bot report`: the newest reachability scores, as a table or as JSON for other programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from bot.reachability.score import GroupKind, GroupScore, percent

_WEEKS = 4


def report(
    *,
    kind: Annotated[
        GroupKind | None,
        typer.Option("--kind", help="Only groups of this kind. Without it, the district and its schools."),
    ] = None,
    school: Annotated[str | None, typer.Option("--school", help="Only this school, by words of its name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    count: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First count a past day without scores, from the deliveries kept."),
    ] = None,
) -> None:
    """Report how many students have an adult who can be reached: the newest scores, and those four weeks before."""
    from bot.cli.database import open_database
    from bot.db.session import transaction
    from bot.errors import UserError
    from bot.reachability.history import find_schools, load_every_group
    from bot.reachability.record import record_missing_day

    usual = (GroupKind.DISTRICT, GroupKind.SCHOOL) if school is None else (GroupKind.SCHOOL, GroupKind.GRADE)
    groups: list[GroupScore] = []
    day = None
    config, engine = open_database()
    with transaction(engine) as session:
        if count:
            record_missing_day(
                session, count.date(), zone=config.zone, reachable_days=config.reachable_days, now=datetime.now(UTC)
            )
        schools = find_schools(session, school) if school else []
        if school and len(schools) != 1:
            how_many = f"{len(schools)} schools are" if schools else "No school is"
            raise UserError("report.unknown_school", f"{how_many} called {school}. Write more of the name of one.")
        for each in (kind,) if kind else usual:
            day, of_kind = load_every_group(session, each, weeks=_WEEKS, school_id=schools[0].id if schools else None)
            groups += of_kind
    if day is None:
        raise UserError("report.no_scores", "No scores are stored yet. The clock counts them: cleanup-bot clock")
    typer.echo(json.dumps(_as_json(day, groups), ensure_ascii=False, indent=2) if as_json else _table(day, groups))


def _as_json(day: date, groups: Sequence[GroupScore]) -> dict[str, object]:
    return {"day": day.isoformat(), "weeks_before": _WEEKS, "groups": [_group(group) for group in groups]}


def _group(group: GroupScore) -> dict[str, object]:
    scores = {"score": asdict(group.score), "before": asdict(group.before) if group.before else None}
    place = {"school_id": group.group.school_id, "school": group.school, "grade": group.group.grade}
    return {"kind": group.group.kind, "name": group.name, **place, "staff_id": group.group.staff_id, **scores}


_COLUMNS = ("", "students", "can be texted", "4 weeks ago", "delivered", "any way", "no adult", "to fix", "fixed")


def _table(day: date, groups: Sequence[GroupScore]) -> str:
    rows = [_COLUMNS, *map(_row, groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([f"Scores of {day:%B} {day.day}, {day.year}", *lines])


def _row(group: GroupScore) -> tuple[str, ...]:
    score, before = group.score, group.before
    name = f"{group.school}: {group.name}" if group.school else group.name
    return (
        *(name, f"{score.students:,}", f"{percent(score.textable, score.students)}%"),
        f"{percent(before.textable, before.students)}%" if before else "-",
        *(f"{number:,}" for number in (score.delivered, score.reachable, score.unreachable, score.to_fix, score.fixed)),
    )
