"""A person at a screen. People see only what Slack shows them and use only what is there; everything they do reaches
the app as the signed request that Slack would send, and the app has 3 s to answer.

    answer = dana.command("/cleanup", "grade 5 blocked", channel=texts.id)
    answer.message                                   the ephemeral message, as it was acknowledged
    dana.press(answer.message, action_id="contact.edit", value="c-17")
    dana.fill(dana.view, {"phone/typed": "(312) 555-0142", "method": "text"}).submit().errors
    dana.press_stale(answer.message, action_id="…")  the same button, after the message has changed

What is not on the screen raises `NotOnScreen`. What goes wrong at the app is in the `Outcome`: see `outcome.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.slack import commands, dialogs, entering, events, finding, interactions, posting, screens
from bot.sandbox.slack.block_kit.state import SLOTS
from bot.sandbox.slack.finding import Place, Spot
from bot.sandbox.slack.outcome import NotOnScreen, Outcome
from bot.sandbox.slack.things import Json, Message, User, View
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True)
class Person:
    slack: Workspace
    id: str

    # What the person sees.

    @property
    def user(self) -> User:
        return self.slack.users[self.id]

    @property
    def dm(self) -> str:
        """The id of the direct messages with the app."""
        return self.slack.app_dm(self.id).id

    @property
    def view(self) -> View:
        """The dialog on top."""
        view = screens.top(self.slack, self.id)
        if view is None:
            raise NotOnScreen(f"no dialog is open for {self.id}")
        return view

    @property
    def views(self) -> list[View]:
        """The dialogs that are open, the top one last."""
        return [self.slack.views[view_id] for view_id in self.slack.stacks.get(self.id, [])]

    @property
    def home(self) -> View:
        """The app's Home tab as it was published last."""
        if self.id not in self.slack.homes:
            raise NotOnScreen(f"the Home tab of {self.id} is empty")
        return self.slack.views[self.slack.homes[self.id]]

    @property
    def toast(self) -> str | None:
        """The passing notice on the screen, if there is one."""
        return self.slack.toast_of(self.id)

    def messages(self, channel: str | None = None) -> list[Message]:
        """A conversation as the person sees it, oldest first; the DM with the app when none is named."""
        return posting.seen_by(self.slack, self.id, channel or self.dm)

    def last(self, channel: str | None = None) -> Message:
        """The newest message in a conversation."""
        messages = self.messages(channel)
        if not messages:
            raise NotOnScreen(f"{self.id} sees no message there")
        return messages[-1]

    def again(self, place: Message) -> Message:
        """A message as it stands now."""
        found = finding.now_on_screen(self.slack, self.id, place)
        return found if isinstance(found, Message) else place

    # What the person does.

    def command(self, name: str, text: str = "", *, channel: str | None = None) -> Outcome:
        """Type a slash command, in the DM with the app when no channel is named."""
        return commands.command(self.slack, self.id, name, text, channel or self.dm)

    def write(self, text: str, *, channel: str | None = None) -> Message:
        return commands.write(self.slack, self.id, channel or self.dm, text)

    def open_home(self, *, tab: str = "home") -> Outcome:
        return events.open_home(self.slack, self.id, tab=tab)

    def invite_bot(self, channel: str) -> Outcome:
        return events.invite_bot(self.slack, self.id, channel)

    def shortcut(self, callback_id: str) -> Outcome:
        """Use a global shortcut."""
        self._offered_shortcut(callback_id, "global")
        return interactions.shortcut(self.slack, self.id, callback_id)

    def message_shortcut(self, callback_id: str, message: Message) -> Outcome:
        """Use a shortcut from a message's menu."""
        self._offered_shortcut(callback_id, "message")
        return interactions.shortcut(self.slack, self.id, callback_id, self.again(message))

    def press(self, place: Place, *, confirm: bool = True, **which: str | None) -> Outcome:
        """Press a button, told by any of `action_id`, `block_id`, `value`, `text`.

        Where the button asks first, `confirm` says what the person answers; the question is in `Outcome.confirm`.
        """
        place = finding.now_on_screen(self.slack, self.id, place)
        return self._use(place, finding.find(place, **which), {}, confirm=confirm)

    def press_stale(self, place: Place, **which: str | None) -> Outcome:
        """Press a button of a message or view as it was when `place` was taken, whatever stands there now."""
        return self._use(place, finding.find(place, **which), {}, confirm=True)

    def choose(self, place: Place, value: Any, *, confirm: bool = True, **which: str | None) -> Outcome:
        """Choose in a menu, by an option's value or label (a list of them where several may be chosen), a user or
        channel id, or a date. In an input block that does not dispatch, the app hears nothing until submission.
        """
        place = finding.now_on_screen(self.slack, self.id, place)
        spot = finding.find(place, **which)
        block, element = spot
        if element["type"] not in SLOTS:
            chosen = {"selected_option": entering.option(element["options"], value)}
        else:
            held = self._made(place, spot, value)
            chosen = {name: part for name, part in held.items() if name != "type"}
            if block["type"] == "input" and not block.get("dispatch_action"):
                self._enter(place, spot, held)
                return Outcome(view=screens.top(self.slack, self.id))
        return self._use(place, spot, chosen, confirm=confirm)

    def suggestions(self, place: Place, query: str, **which: str | None) -> Outcome:
        """Type into an external menu; what it offers is in `Outcome.options`."""
        place = finding.now_on_screen(self.slack, self.id, place)
        return interactions.suggest(self.slack, self.id, place, finding.find(place, **which), query)

    def fill(self, view: View, values: Mapping[str, Any]) -> "Filled":
        """Fill in fields by `block_id/action_id` (or either alone); see `entering.made` for what a value may be."""
        for name, value in values.items():
            place = finding.now_on_screen(self.slack, self.id, view)
            block, element = finding.field(place, name)
            held = self._made(place, (block, element), value)
            if block.get("dispatch_action"):
                interactions.act(self.slack, self.id, place, (block, element), _without_type(held))
            else:
                self._enter(place, (block, element), held)
        filled = finding.now_on_screen(self.slack, self.id, view)
        return Filled(self, filled if isinstance(filled, View) else view)

    def close(self, *, everything: bool = False) -> Outcome:
        """Press Cancel, or with `everything` the X of the dialog."""
        return dialogs.close(self.slack, self.id, everything=everything)

    def _made(self, place: Place, spot: Spot, value: Any) -> Json:
        element = spot[1]
        if "external" not in element["type"] or not value:
            return entering.made(element, value)
        asked = value if isinstance(value, list) else [value]
        choices = entering.default_choices(element)
        for query in asked:
            choices.extend(interactions.suggest(self.slack, self.id, place, spot, query).options)
        return entering.made(element, value, choices=choices)

    def _enter(self, place: Place, spot: Spot, held: Json) -> None:
        ids = {"block_id": spot[0]["block_id"], "action_id": spot[1]["action_id"]}
        entering.enter(self.slack, self.id, place, **ids, held=held)

    def _use(self, place: Place, spot: Spot, chosen: Json, *, confirm: bool) -> Outcome:
        question = _question(spot[1])
        if question and not confirm:
            return Outcome(confirm=question, view=screens.top(self.slack, self.id))
        return replace(interactions.act(self.slack, self.id, place, spot, chosen), confirm=question)

    def _offered_shortcut(self, callback_id: str, kind: str) -> None:
        if (callback_id, kind) not in {(one["callback_id"], one["type"]) for one in shortcuts(self.slack)}:
            raise NotOnScreen(f"the manifest has no {kind} shortcut {callback_id!r}")


def shortcuts(slack: Workspace) -> list[Json]:
    """The shortcuts of the manifest."""
    return list(slack.manifest.get("features", {}).get("shortcuts", []))


def _question(element: Json) -> str | None:
    dialog = element.get("confirm")
    return f"{dialog['title']['text']}\n{dialog['text']['text']}" if dialog else None


def _without_type(held: Json) -> Json:
    return {name: part for name, part in held.items() if name != "type"}


@dataclass(frozen=True)
class Filled:
    """A dialog with what was filled in, ready to be submitted."""

    person: Person
    view: View

    def submit(self) -> Outcome:
        """Press the submit button of the dialog, which must be the one on top."""
        if self.person.view.id != self.view.id:
            raise NotOnScreen("another dialog is on top")
        return dialogs.submit(self.person.slack, self.person.view)

    def submit_stale(self) -> Outcome:
        """Submit the dialog as it was filled in, though it may be closed by now: a second press that came late."""
        return dialogs.submit(self.person.slack, self.view)
