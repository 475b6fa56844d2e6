"""What the page shows of a person's Slack, and what it does for them: the verbs behind `doors`.

Each takes the workspace, the person and what the page asked; each answers with what the page is told.
"""

from typing import Any
from urllib.parse import urlencode

from bot.sandbox.slack import commands, dialogs, entering, events, finding, interactions, payloads, posting, screens
from bot.sandbox.slack.block_kit.composition import offered
from bot.sandbox.slack.block_kit.state import SLOTS
from bot.sandbox.slack.entering import enter as hold
from bot.sandbox.slack.finding import Place, Spot
from bot.sandbox.slack.outcome import NotOnScreen, Outcome, sentence
from bot.sandbox.slack.things import Channel, ChannelKind, File, Json, Message, View
from bot.sandbox.slack.workspace import Workspace

_TOAST_LASTS = 5.0
_ORDER = (ChannelKind.CHANNEL, ChannelKind.DM, ChannelKind.APP)


def screen(slack: Workspace, user: str, asked: Json) -> Json:  # noqa: ARG001
    """The frame around a conversation: what there is, what is open, what is new."""
    with slack.lock:
        shown = [channel for channel in slack.channels.values() if _listed(channel, user)]
        shown.sort(key=lambda channel: (_ORDER.index(channel.kind), posting.name_of(slack, channel, seen_by=user)))
        home = slack.homes.get(user)
        return {
            "version": slack.version,
            "conversations": [_conversation(slack, user, channel) for channel in shown],
            "home": payloads.view(slack, slack.views[home]) if home else None,
            "views": [payloads.view(slack, slack.views[view_id]) for view_id in slack.stacks.get(user, [])],
            "toast": slack.toast_of(user, within=_TOAST_LASTS),
        }


def _listed(channel: Channel, user: str) -> bool:
    return user in channel.members and not channel.archived


def _conversation(slack: Workspace, user: str, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": posting.name_of(slack, channel, seen_by=user),
        "kind": channel.kind,
        "private": channel.private,
        "shared": channel.shared,
        "member": user in channel.members,
        "app_is_here": slack.bot_user_id in channel.members,
        "unread": _unread(slack, user, channel.id),
    }


def _unread(slack: Workspace, user: str, channel: str) -> int:
    read = slack.read_up_to.get((channel, user), "")
    return sum(message.ts > read for message in posting.seen_by(slack, user, channel))


def messages(slack: Workspace, user: str, asked: Json) -> Json:
    """A conversation as the person sees it, oldest first. To look at it is to have read it."""
    channel = asked.get("channel", "")
    found = posting.seen_by(slack, user, channel)
    if found and found[-1].ts > slack.read_up_to.get((channel, user), ""):
        with slack.changing():
            slack.read_up_to[channel, user] = found[-1].ts
    return {"version": slack.version, "messages": [_message(slack, user, message) for message in found]}


def _message(slack: Workspace, user: str, message: Message) -> Json:
    author = slack.users[message.user]
    return {
        "ts": message.ts,
        "user": {"id": author.id, "name": author.name, "initials": author.initials, "bot": author.bot},
        "text": message.text,
        "blocks": message.blocks,
        "state": finding.state(slack, user, message),
        "ephemeral": message.ephemeral_for is not None,
        "edited": message.edited,
        "thread_ts": message.thread_ts,
        "files": [_file(user, file) for file in message.files],
    }


def _file(user: str, file: File) -> Json:
    return {"name": file.name, "size": file.size, "url": f"/sandbox/slack/files/{file.id}?{urlencode({'as': user})}"}


def files_seen(slack: Workspace, user: str, channel: str) -> list[File]:
    return [file for message in posting.seen_by(slack, user, channel) for file in message.files]


def typed(slack: Workspace, user: str, asked: Json) -> Json:
    """Send what is in the composer: a slash command when it begins with a known one, else a message."""
    text, channel = str(asked["text"]).strip(), asked["channel"]
    first, _, rest = text.partition(" ")
    if first.startswith("/"):
        return _told(commands.command(slack, user, first, rest, channel), first)
    return {"ok": True, "ts": commands.write(slack, user, channel, commands.escaped(text)).ts}


def _told(outcome: Outcome, what: str = "That") -> Json:
    if outcome.error:
        return {"error": outcome.error, "text": sentence(outcome.error, what)}
    return {"errors": dict(outcome.errors)} if outcome.errors else {"ok": True}


def _place(slack: Workspace, user: str, where: Json) -> Place:
    """The message or view that the page points at, if the person has it on the screen."""
    if "message" in where:
        for message in posting.seen_by(slack, user, where["message"]["channel"]):
            if message.ts == where["message"]["ts"]:
                return message
        raise NotOnScreen("that message is gone")
    return _view(slack, user, where["view"])


def _view(slack: Workspace, user: str, view_id: str) -> View:
    view = slack.views.get(view_id)
    if view is None or view.user != user:
        raise NotOnScreen("that dialog is closed")
    return view


def _pointed(slack: Workspace, user: str, asked: Json) -> tuple[Place, Spot]:
    place = _place(slack, user, asked["where"])
    return place, finding.find(place, block_id=asked["block_id"], action_id=asked["action_id"])


def press(slack: Workspace, user: str, asked: Json) -> Json:
    """Use a button or menu; `value` is what a menu holds now, in Slack's own words, `values` what the fields hold."""
    place, spot = _pointed(slack, user, asked)
    place = _keep_all(slack, user, place, asked.get("values") or {})
    chosen = _chosen(spot[1], asked.get("value") or {})
    return _told(interactions.act(slack, user, place, spot, chosen))


def _chosen(element: Json, value: Any) -> Json:
    """The page's word for a choice, held against what is offered: a browser may send anything."""
    if element["type"] == "overflow":
        return {"selected_option": entering.option(element["options"], value["selected_option"]["value"])}
    if element["type"] not in SLOTS:
        return {}
    slot = SLOTS[element["type"]]
    held = value.get(slot.key) if isinstance(value, dict) else value
    if slot.is_option and "external" not in element["type"] and held:
        many = [entering.option(offered(element), one["value"]) for one in (held if slot.many else [held])]
        held = many if slot.many else many[0]
    return {slot.key: ([] if slot.many else None) if held in ("", None) else held}


def enter(slack: Workspace, user: str, asked: Json) -> Json:
    """Keep what is typed in a field without telling the app, so that it survives a change of the view."""
    place, spot = _pointed(slack, user, asked)
    _keep(slack, user, place, spot, asked.get("value"))
    return {"ok": True}


def _keep(slack: Workspace, user: str, place: Place, spot: Spot, value: Any) -> Place:
    block, element = spot
    held = {"type": element["type"], **_chosen(element, value if value is not None else {})}
    return hold(slack, user, place, block_id=block["block_id"], action_id=element["action_id"], held=held)


def _keep_all(slack: Workspace, user: str, place: Place, values: dict[str, dict[str, Any]]) -> Place:
    """Keep everything that was typed and chosen; fields that have gone from the place since are passed over."""
    for block, element in list(finding.spots(place)):
        typed_here = values.get(block["block_id"], {})
        if element["type"] in SLOTS and element["action_id"] in typed_here:
            place = _keep(slack, user, place, (block, element), typed_here[element["action_id"]])
    return place


def suggest(slack: Workspace, user: str, asked: Json) -> Json:
    place, spot = _pointed(slack, user, asked)
    outcome = interactions.suggest(slack, user, place, spot, asked.get("query", ""))
    return _told(outcome) if outcome.error else {"options": list(outcome.options)}


def submit(slack: Workspace, user: str, asked: Json) -> Json:
    """Submit a dialog with all that is typed in it, `{block_id: {action_id: value}}`."""
    view = _view(slack, user, asked["view"])
    if screens.top(slack, user) != view:
        raise NotOnScreen("another dialog is on top")
    filled = _keep_all(slack, user, view, asked.get("values") or {})
    return _told(dialogs.submit(slack, filled if isinstance(filled, View) else view))


def close(slack: Workspace, user: str, asked: Json) -> Json:
    return _told(dialogs.close(slack, user, everything=bool(asked.get("all"))))


def open_place(slack: Workspace, user: str, asked: Json) -> Json:
    """Turn to a conversation, which reads it, or to a tab of the app, which tells the app."""
    if asked.get("home"):
        return _told(events.open_home(slack, user))
    seen = posting.seen_by(slack, user, asked["channel"])
    with slack.changing():
        slack.read_up_to[asked["channel"], user] = seen[-1].ts if seen else ""
    if asked["channel"] == slack.app_dm(user).id:
        return _told(events.open_home(slack, user, tab="messages"))
    return {"ok": True}


def dismiss(slack: Workspace, user: str, asked: Json) -> Json:
    """Take an ephemeral message off the screen, or with no `ts` the passing notice."""
    if not asked.get("ts"):
        slack.toast(user, None)
        return {"ok": True}
    for message in list(slack.messages.values()):
        if message.ts == asked["ts"] and message.ephemeral_for == user:
            posting.delete(slack, message)
            return {"ok": True}
    raise NotOnScreen("only your own ephemeral messages can be dismissed")


def shortcut(slack: Workspace, user: str, asked: Json) -> Json:
    person = slack.person(user)
    if not asked.get("message"):
        return _told(person.shortcut(asked["callback_id"]))
    place = _place(slack, user, {"message": asked["message"]})
    if not isinstance(place, Message):
        raise NotOnScreen("that message is gone")
    return _told(person.message_shortcut(asked["callback_id"], place))


def invite(slack: Workspace, user: str, asked: Json) -> Json:
    return _told(events.invite_bot(slack, user, asked["channel"]))
