"""A person at a screen, as Python. People see only what Slack shows them and use only what is there; the app receives the
signed request that Slack would send, and has 3 s to answer.

    outcome = dana.command("/cleanup", "grade 5 blocked", channel=texts.id)
    outcome.message                                  the ephemeral message in the acknowledgment
    dana.press(outcome.message, action_id="contact.edit", value="c-17")
    dana.fill(dana.view, {"phone/typed": "(312) 555-0142", "method": "text"}).submit().errors
    dana.press_stale(outcome.message, action_id="...")  the same button, after the message has changed

What is not on the screen raises `NotOnScreen`. Errors of the app are in the `Outcome`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.slack import entry_points, forms, interactions, message_store, view_store
from bot.sandbox.slack.block_kit.state import VALUE_FIELDS
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.forms import Control
from bot.sandbox.slack.models import Json, Message, Outcome, Surface, User, View
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
        """The top dialog."""
        view = view_store.top_modal(self.slack, self.id)
        if view is None:
            raise NotOnScreen(f"no dialog is open for {self.id}")
        return view

    @property
    def views(self) -> list[View]:
        """The open dialogs, the top one last."""
        return [self.slack.views[view_id] for view_id in self.slack.modals.get(self.id, [])]

    @property
    def home(self) -> View:
        """The app's Home tab as last published."""
        if self.id not in self.slack.homes:
            raise NotOnScreen(f"the Home tab of {self.id} is empty")
        return self.slack.views[self.slack.homes[self.id]]

    @property
    def toast(self) -> str | None:
        """The temporary notice on the screen."""
        return self.slack.toast(self.id)

    def messages(self, channel: str | None = None) -> list[Message]:
        """The messages the person sees in a conversation (default: the DM with the app), oldest first."""
        return message_store.visible_to(self.slack, self.id, channel or self.dm)

    def last(self, channel: str | None = None) -> Message:
        """The newest message in a conversation."""
        messages = self.messages(channel)
        if not messages:
            raise NotOnScreen(f"{self.id} sees no message there")
        return messages[-1]

    def current(self, message: Message) -> Message:
        """A message as it is now."""
        return forms.current_message(self.slack, self.id, message.channel, message.ts)

    # What the person does.

    def command(self, name: str, text: str = "", *, channel: str | None = None) -> Outcome:
        """Type a slash command (default: in the DM with the app)."""
        return entry_points.send_command(self.slack, self.id, name, text, channel or self.dm)

    def write(self, text: str, *, channel: str | None = None) -> Message:
        return entry_points.write_message(self.slack, self.id, channel or self.dm, text)

    def open_home(self, *, tab: str = "home") -> Outcome:
        return entry_points.open_home(self.slack, self.id, tab=tab)

    def invite_bot(self, channel: str) -> Outcome:
        return entry_points.invite_bot(self.slack, self.id, channel)

    def shortcut(self, callback_id: str) -> Outcome:
        """Use a global shortcut."""
        return entry_points.use_shortcut(self.slack, self.id, callback_id)

    def message_shortcut(self, callback_id: str, message: Message) -> Outcome:
        """Use a shortcut from a message's menu."""
        return entry_points.use_shortcut(self.slack, self.id, callback_id, self.current(message))

    def press(self, surface: Surface, *, confirm: bool = True, **criteria: str | None) -> Outcome:
        """Press the button that matches any of `action_id`, `block_id`, `value`, `text`.

        `confirm` is the answer to the button's confirmation, whose text is in `Outcome.confirm`.
        """
        surface = forms.current(self.slack, self.id, surface)
        return self._use(surface, forms.find(surface, **criteria), {}, confirm=confirm)

    def press_stale(self, surface: Surface, **criteria: str | None) -> Outcome:
        """Press a button of a message or view as it was when `surface` was read, even if it has changed since."""
        return self._use(surface, forms.find(surface, **criteria), {}, confirm=True)

    def choose(self, surface: Surface, value: Any, *, confirm: bool = True, **criteria: str | None) -> Outcome:
        """Choose in a menu: an option's value or label (a list for multi-selects), a user or channel id, or a date. In an
        input block without `dispatch_action` the app receives nothing until submission.
        """
        surface = forms.current(self.slack, self.id, surface)
        control = forms.find(surface, **criteria)
        block, element = control
        if element["type"] not in VALUE_FIELDS:
            chosen = {"selected_option": forms.find_option(element["options"], value)}
            return self._use(surface, control, chosen, confirm=confirm)
        entry = self._entry(surface, control, value)
        if block["type"] == "input" and not block.get("dispatch_action"):
            forms.enter(self.slack, self.id, surface, control, entry)
            return Outcome(view=view_store.top_modal(self.slack, self.id))
        return self._use(surface, control, _without_type(entry), confirm=confirm)

    def suggestions(self, surface: Surface, query: str, **criteria: str | None) -> Outcome:
        """Type into an external menu; its options are in `Outcome.options`."""
        surface = forms.current(self.slack, self.id, surface)
        return interactions.suggest(self.slack, self.id, surface, forms.find(surface, **criteria), query)

    def fill(self, view: View, values: Mapping[str, Any]) -> "FilledView":
        """Fill in fields by `block_id/action_id` (or either alone); see `forms.entry_for` for possible values."""
        for name, value in values.items():
            surface = forms.current(self.slack, self.id, view)
            control = forms.find_field(surface, name)
            entry = self._entry(surface, control, value)
            if control[0].get("dispatch_action"):
                interactions.use(self.slack, self.id, surface, control, _without_type(entry))
            else:
                forms.enter(self.slack, self.id, surface, control, entry)
        return FilledView(self, forms.current_view(self.slack, self.id, view.id))

    def choose_file(self, name: str, content: bytes) -> str:
        """Give Slack a file for a dialog, and return its id, for `fill`."""
        return self.slack.add_file(self.id, name, content).id

    def close(self, *, everything: bool = False) -> Outcome:
        """Press Cancel, or with `everything` the X of the dialog."""
        return interactions.close(self.slack, self.id, everything=everything)

    def _entry(self, surface: Surface, control: Control, value: Any) -> Json:
        element = control[1]
        if element["type"] == "file_input":
            return forms.file_entry(self.slack, self.id, element, list(value or []))
        if "external" not in element["type"] or not value:
            return forms.entry_for(element, value)
        choices = forms.initial_options(element)
        for query in value if isinstance(value, list) else [value]:
            choices.extend(interactions.suggest(self.slack, self.id, surface, control, query).options)
        return forms.entry_for(element, value, choices=choices)

    def _use(self, surface: Surface, control: Control, chosen: Json, *, confirm: bool) -> Outcome:
        question = control[1].get("confirm")
        words = f"{question['title']['text']}\n{question['text']['text']}" if question else None
        if question and not confirm:
            return Outcome(confirm=words, view=view_store.top_modal(self.slack, self.id))
        return replace(interactions.use(self.slack, self.id, surface, control, chosen), confirm=words)


def _without_type(entry: Json) -> Json:
    return {name: value for name, value in entry.items() if name != "type"}


@dataclass(frozen=True)
class FilledView:
    """A dialog with what was filled in, ready to be submitted."""

    person: Person
    view: View

    def submit(self) -> Outcome:
        """Press the submit button of the dialog, which must be the top one."""
        if self.person.view.id != self.view.id:
            raise NotOnScreen("another dialog is on top")
        return interactions.submit(self.person.slack, self.person.view)

    def submit_stale(self) -> Outcome:
        """Submit the dialog as it was filled in, even if it is closed by now: a second press that arrived late."""
        return interactions.submit(self.person.slack, self.view)
