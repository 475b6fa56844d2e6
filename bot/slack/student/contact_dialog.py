"""How the dialogs about one contact open and save, and what else they affect.

Edit, remove, opt-out, wrong person, and a logged call define what they draw and save. Each opens on top
of the student dialog, or replaces an edit form that the list has opened.

Save acknowledges right after the commit. The student dialog, the list, and the Home tab are redrawn in
the lazy half, so a slow Slack never reports trouble with a change that is saved.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access import rights
from bot.access.rights import Actor
from bot.cleanup_list.impact import Impact, load_impact
from bot.cleanup_list.student import ContactCard, StudentCard, load_student
from bot.contact_edits.locking import VersionConflict
from bot.domain.display import plural
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.open_views import REDRAW, Notice, OpenDialog, Redraw
from bot.slack.kit.private_metadata import DialogOrigin, DialogTarget, read_ids, read_origin, read_target
from bot.slack.student import ids

_MAX_NAMED = 3


@dataclass(frozen=True)
class ContactForm:
    """One contact in a dialog, as it is in the database now, and what else a change affects."""

    student: StudentCard
    contact: ContactCard
    impact: Impact
    origin: DialogOrigin
    actor: Actor

    @property
    def metadata(self) -> str:
        return DialogTarget(self.contact.contact_id, self.contact.version, self.origin).as_metadata()


@dataclass(frozen=True)
class FollowUp(Notice):
    """What was done, and another dialog about the same contact that takes the place of this one."""

    dialog: "ContactDialog | None" = None


class ContactDialog(ABC):
    """A dialog about one contact: the button that opens it, and the callback id of its submission."""

    open_action: str
    callback_id: str

    @abstractmethod
    def opened(self, ctx: AppContext, session: Session, form: ContactForm) -> Block:
        """Draw the dialog, in the transaction in which it opens."""

    @abstractmethod
    def save(
        self, ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, view: dict[str, Any]
    ) -> Notice:
        """Save what was entered, and return what was done."""

    def conflict(
        self, _ctx: AppContext, _form: ContactForm, _conflict: VersionConflict, _view: dict[str, Any]
    ) -> Block | None:
        """Draw the dialog again after someone else saved first; None to show the error."""
        return None


def register(app: App, ctx: AppContext, dialog: ContactDialog, *, refresh: Callable[..., None]) -> None:
    @app.action(dialog.open_action)
    def press(ack: Ack, body: dict[str, Any], client: WebClient, action: dict[str, Any]) -> None:
        ack()
        open_dialog(ctx, client, body, dialog, action["value"])

    def save(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        view, user_id = body["view"], body["user"]["id"]
        target = read_target(view)
        origin = target.origin
        try:
            with ctx.acting(client, user_id) as (session, actor):
                done = dialog.save(ctx, session, actor, target, view)
                following = _follow(ctx, session, actor, target, done) if isinstance(done, FollowUp) else None
        except VersionConflict as conflict:
            with ctx.acting(client, user_id) as (session, actor):
                student = load_student(session, origin.student_id, actor=actor)
                form = load_form(session, student, target.contact_id, origin, actor)
            current = dialog.conflict(ctx, form, conflict, view)
            if current is None:
                raise
            ack(response_action="update", view=current)
            return
        behind = None if origin.is_direct else view.get("previous_view_id")
        context[REDRAW] = Redraw(origin.list_id, OpenDialog(behind, origin.student_id) if behind else None, done)
        if following:
            ack(response_action="update", view=following)
        else:
            ack()

    app.view(dialog.callback_id)(ack=save, lazy=[refresh])


def _follow(ctx: AppContext, session: Session, actor: Actor, target: DialogTarget, done: FollowUp) -> Block | None:
    if done.dialog is None:
        return None
    student = load_student(session, target.origin.student_id, actor=actor)
    return done.dialog.opened(ctx, session, load_form(session, student, target.contact_id, target.origin, actor))


def open_dialog(
    ctx: AppContext, client: WebClient, body: dict[str, Any], dialog: ContactDialog, contact_id: str
) -> None:
    """Show a dialog about a contact on top of the student dialog, or in place of the form that a list opened."""
    origin, (id_of_contact,) = read_origin(body["view"]), read_ids(contact_id, count=1)
    with ctx.acting(client, body["user"]["id"]) as (session, actor):
        rights.require_editor(actor)
        student = load_student(session, origin.student_id, actor=actor)
        view = dialog.opened(ctx, session, load_form(session, student, id_of_contact, origin, actor))
    if body["view"]["callback_id"] == ids.VIEW:
        client.views_push(trigger_id=body["trigger_id"], view=view)
    else:
        client.views_update(view_id=body["view"]["id"], view=view)


def load_form(
    session: Session, student: StudentCard, contact_id: int, origin: DialogOrigin, actor: Actor
) -> ContactForm:
    contact = student.contact(contact_id)
    impact = load_impact(session, contact_id, actor=actor, student_id=origin.student_id)
    return ContactForm(student, contact, impact, origin, actor)


def other_students(impact: Impact, consequence: str) -> list[str]:
    """Say which other students have this contact; named are only those that the reader may see."""
    if not impact.siblings and not impact.more_siblings:
        return []
    shown, rest = impact.siblings[:_MAX_NAMED], impact.siblings[_MAX_NAMED:]
    more = [plural(len(rest), "more student")] if rest else []
    if hidden := impact.more_siblings:
        one, many = "student of another class or school", "students of other classes or schools"
        more.append(plural(hidden, one, many))
    names = _enumerate([*(b.escaped(sibling.name) for sibling in shown), *more])
    return [f"👪 Also a contact of {names}: {consequence}"]


def sharing_number(impact: Impact, consequence: str) -> list[str]:
    """Say which other contacts have the same number, in the same way."""
    if not impact.sharing and not impact.more_sharing:
        return []
    noun = "more contact" if impact.sharing else "other contact"
    more = [plural(impact.more_sharing, noun)] if impact.more_sharing else []
    names = _enumerate([*map(b.escaped, impact.sharing), *more])
    return [f"☎️ The same number is used by {names}: {consequence}"]


def _enumerate(names: Sequence[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last
