"""The Home tab: a welcome, or the person's own work; the reachability score for people who see more than a class; what happened
since the last visit; and their list with the filter they left it with. A person who may not see the list gets a polite refusal.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.activity import load_activity
from bot.cleanup_list.calls import DueCall, describe, load_due
from bot.cleanup_list.own_work import Claim, OwnWork, load_own_work
from bot.cleanup_list.page import load_freshness
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.contact_edits.pending_page import PendingPage, load_pending_page
from bot.db.models.slack import HomeTab
from bot.domain.display import plural
from bot.errors import UserError
from bot.filters.filter import EVERYONE, Filter
from bot.filters.parse import parse_filter
from bot.reachability.history import load_fixed_by
from bot.slack import help as help_card
from bot.slack import pending, score_card
from bot.slack.kit import blocks as b
from bot.slack.kit import respond
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.open_views import show_latest
from bot.slack.list import card as list_card
from bot.slack.list import links, rows
from bot.slack.results import ids as result_ids

HELP, HOW_IT_WORKS, SHOW_CLAIMED = "home.help", "home.how_it_works", "list.show.claimed"
_SAME_VISIT = timedelta(hours=1)  # Coming back within it shows the same news.
_MAX_ROWS, _MAX_SCHOOLS, _MAX_NAMES = 3, 3, 100
_MAX_CALLS, _MAX_CALL_ROWS = 100, 10
_SIS = "the student information system"
_CHANGES = ("change of yours is", "changes of yours are")
_WAIT = ("contact that you fixed waits", "contacts that you fixed wait")
_CLAIMED = Filter(mine=True).text
_ASK = "You can also ask under *Messages*, for example “who in 5B has no one?”"
_WELCOME = [
    b.section(
        "👋 *Welcome to Contact Cleanup.* Below are your students' contacts that texts do not reach. Press *Fix* beside a "
        "student to enter a new number or another way to reach the family. The next mass message shows whether it worked."
    ),
    *b.actions(
        [
            b.button("Show unreachable students", links.SHOW_NO_ADULT, Filter(no_adult=True).text, style="primary"),
            b.button("How it works", HOW_IT_WORKS, "all"),
        ]
    ),
]


def register(app: App, ctx: AppContext) -> None:
    @app.event("app_home_opened")
    def open_home(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] != "home":
            return
        user_id = event["user"]
        problem = run_after_response("home", lambda: show(ctx, client, user_id))
        if problem:  # Otherwise the tab would stay blank, or show the list of another day.
            run_after_response("failed home", lambda: _publish(ctx, client, user_id, _failure(problem)))

    @app.action(HELP)
    @app.action(HOW_IT_WORKS)
    def show_help(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        with ctx.acting(client, body["user"]["id"]):
            view = help_card.dialog(ctx.templates)
        respond.open_dialog(client, body, view)

    @app.action(score_card.SHOW_FIXERS)
    def show_fixers(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        month = ctx.today().replace(day=1)
        since = datetime.combine(month, time(), tzinfo=ctx.settings.zone)
        with ctx.acting(client, body["user"]["id"]) as (session, actor):
            fixers = load_fixed_by(session, actor=actor, since=since)
        respond.open_dialog(client, body, score_card.fixers_dialog(fixers, since=month))


def show(ctx: AppContext, client: WebClient, user_id: str, text: str | None = None) -> None:
    """Show a person's Home tab with the filter they chose in it now, or else with the one from before."""
    _publish(ctx, client, user_id, _draw(ctx, client, user_id, text, is_visit=True))


def redraw(
    ctx: AppContext, client: WebClient, user_id: str, text: str | None = None, *, above: Sequence[Block] = ()
) -> None:
    """Redraw the Home tab of a person who has opened it before, after a change; `above` says what was changed."""
    show_latest(
        *(ctx.engine, HomeTab, user_id),
        draw=lambda: [*above, *_draw(ctx, client, user_id, text, is_visit=False)],
        show=lambda blocks: _publish(ctx, client, user_id, blocks),
    )


def _publish(ctx: AppContext, client: WebClient, user_id: str, blocks: list[Block]) -> None:
    def publish(blocks: list[Block]) -> None:
        client.views_publish(user_id=user_id, view={"type": "home", "blocks": blocks[: b.VIEW_BLOCKS]})

    ctx.newer_blocks.send(blocks, publish, now=ctx.now())


def _draw(ctx: AppContext, client: WebClient, user_id: str, chosen: str | None, *, is_visit: bool) -> list[Block]:
    try:
        with ctx.acting(client, user_id) as (session, actor):
            if is_visit:
                tab = _record_visit(session, user_id, chosen, now=ctx.now())
            else:
                tab = session.get_one(HomeTab, user_id)
            text = chosen or tab.filter_text
            students = _students(session, actor)
            score = score_card.draw(session, actor, reachable_days=ctx.settings.reachable_days)
            welcome = [] if tab.looked_at else _WELCOME
            news = _news(session, tab.looked_at, actor) if tab.looked_at else []
            above = [*welcome, *_own_work(session, actor, here=text), *score, *news]
        title, *listed = list_card.show(ctx, client, user_id, text, has_own_changes=False).blocks
    except UserError as problem:
        return _instead_of_list(problem.sentence)
    buttons = [b.button("Help", HELP, "all"), *_import_button(actor)]
    footer = [*b.actions(buttons), b.context("This tab keeps the filter you choose in it.", _ASK)]
    if not above:
        return [title, *students, *listed, *footer]
    return [b.header("Contact Cleanup"), *students, *above, b.divider(), title, *listed, *footer]


def _import_button(actor: Actor) -> list[Block]:
    return [b.button("Import results…", result_ids.OPEN, "all")] if rights.may_import(actor) else []


def _instead_of_list(sentence: str) -> list[Block]:
    return [b.header("Contact Cleanup"), b.section(sentence)]


def _failure(problem: str) -> list[Block]:
    retry = "Your list could not be loaded. Open another tab and then this one again, or type `/cleanup`."
    return [*_instead_of_list(f"⚠️ {retry}"), b.context(problem)]


def _record_visit(session: Session, user_id: str, chosen: str | None, *, now: datetime) -> HomeTab:
    """Store when a person looks, and the filter they chose, without its page."""
    first = insert(HomeTab).values(user_id=user_id, filter_text=EVERYONE, opened_at=now)
    session.execute(first.on_conflict_do_nothing())
    tab = session.get_one(HomeTab, user_id, with_for_update=True)
    if now - tab.opened_at > _SAME_VISIT:
        tab.looked_at, tab.opened_at = tab.opened_at, now
    if chosen:
        tab.filter_text = parse_filter(chosen).filter.with_page(1).text
    return tab


def _students(session: Session, actor: Actor) -> list[Block]:
    """Say whose students these are. A person who also teaches may look at their own classes alone."""
    if actor.level is AccessLevel.CLASSES:
        return [b.context("Students of your own classes.")]
    vocabulary = load_vocabulary(session, actor, roster=load_freshness(session).roster)
    is_district = actor.level is AccessLevel.DISTRICT
    scope = b.context("Every student of the district." if is_district else _of_schools(vocabulary.schools))
    if actor.name not in vocabulary.teachers or not actor.staff_ids:
        return [scope]
    own = b.button("My own classes", links.SHOW_MINE, Filter(teacher=actor.name).text)
    return [scope, *b.actions([own, b.button("All", links.SHOW_ALL_MINE, EVERYONE)])]


def _of_schools(schools: Sequence[str]) -> str:
    names = ", ".join(b.escaped(name) for name in schools[:_MAX_SCHOOLS])
    if (more := len(schools) - _MAX_SCHOOLS) > 0:
        return f"Students of {names} and {plural(more, 'more school')}."
    return f"Students of {names}." if names else "Students of your school."


def _news(session: Session, since: datetime, actor: Actor) -> list[Block]:
    activity = load_activity(session, since=since, actor=actor)
    moves = [
        *([f"{plural(activity.joined, 'contact')} joined your list"] if activity.joined else []),
        *([f"{plural(activity.left, 'contact')} left it"] if activity.left else []),
    ]
    if not moves:
        return []
    fixed = f" 🎉 Of these, {activity.fixed:,} got the text after a change of yours." if activity.fixed else ""
    return [b.section(f"*Since your last visit* ({b.date(since)}): {' and '.join(moves)}.{fixed}")]


def _own_work(session: Session, actor: Actor, *, here: str) -> list[Block]:
    """Show what this person is in the middle of: calls that are due, contacts they take care of, and their changes, disputed
    ones first.
    """
    work = load_own_work(session, actor=actor)
    calls = load_due(session, actor=actor, limit=_MAX_CALLS)
    due = {call.contact_id for call in calls}  # Not claims, too, though a claim of today's call is still running.
    work = replace(work, claims=tuple(claim for claim in work.claims if claim.contact_id not in due))
    students = rights.visible_students(actor)
    is_district = actor.level is AccessLevel.DISTRICT
    own = load_pending_page(session, students, page_size=_MAX_ROWS, made_by=actor.user_id, is_district=is_district)
    facts = _facts(calls, work, own)
    if not facts:
        return []
    more = [
        *([b.button("Show claimed", SHOW_CLAIMED, _CLAIMED)] if len(work.claims) > _MAX_ROWS else []),
        *([b.button("Pending changes", f"{links.RUN_PREFIX}.0", "pending")] if own.pages > 1 else []),
    ]
    return [
        b.section("\n".join(["*Your work*", *facts])),
        *(_call_back(call, here=here) for call in calls[:_MAX_CALL_ROWS]),
        *(_claim(claim, here=here) for claim in work.claims[:_MAX_ROWS]),
        *(pending.row(change, here=here) for change in own.changes),
        *b.actions(more),
    ]


def _facts(calls: Sequence[DueCall], work: OwnWork, own: PendingPage) -> list[str]:
    facts = {
        f"📞 Coming back today: {plural(len(calls), 'contact')} to call.": calls,
        f"🙋 You take care of {plural(len(work.claims), 'contact')}.": work.claims,
        f"⚖️ {plural(own.disputed, 'change')} of yours: {_SIS} has another value. Open the student to choose.": own.disputed,
        f"⏳ {plural(own.total, *_CHANGES)} not yet in {_SIS}.": own.total,
        f"✏️ {plural(work.waiting, *_WAIT)} for the next mass message.": work.waiting,
    }
    return [sentence for sentence, applies in facts.items() if applies]


def _call_back(due: DueCall, *, here: str) -> Block:
    names = b.escaped(f"{due.contact_name} ({due.student_name})", _MAX_NAMES)
    return _row_to_fix(f"📞 *{names}* · {describe(due.call, who='you')}", due.student_name, due.student_id, here=here)


def _claim(claim: Claim, *, here: str) -> Block:
    names = b.escaped(f"{claim.contact} ({', '.join(claim.students)})", _MAX_NAMES)
    text = f"🙋 *{names}* · {b.status(claim.status)} · yours until {b.date(claim.ends_at)}"
    return _row_to_fix(text, claim.students[0], claim.student_id, here=here)


def _row_to_fix(text: str, student: str, student_id: int, *, here: str) -> Block:
    button = b.button("Fix", rows.OPEN_STUDENT, f"{student_id} {here}", label=f"Fix contacts of {student}")
    return b.section(text, accessory=button)
