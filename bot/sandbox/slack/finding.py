"""Finding a button, menu or field on the screen, the way a person points at it."""

from collections.abc import Iterator

from bot.sandbox.slack import posting
from bot.sandbox.slack.block_kit.state import SLOTS, Values, elements_of, values
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.things import Channel, Json, Message, View
from bot.sandbox.slack.workspace import Workspace

Place = Message | View
Spot = tuple[Json, Json]
"""A block and an element in it."""


def conversation(slack: Workspace, user: str, channel_id: str) -> Channel:
    """A conversation that somebody is in.

    Raises:
        NotOnScreen: when there is none, or they are not in it.
    """
    channel = slack.channels.get(channel_id)
    if channel is None or user not in channel.members:
        raise NotOnScreen(f"{user} is not in {channel_id}")
    return channel


def now_on_screen(slack: Workspace, user: str, place: Place) -> Place:
    """The message or view as it stands now.

    Raises:
        NotOnScreen: when it is gone, or was never on this person's screen.
    """
    if isinstance(place, Message):
        for message in posting.seen_by(slack, user, place.channel):
            if message.ts == place.ts:
                return message
    else:
        view = slack.views.get(place.id)
        if view and view.user == user:
            return view
    raise NotOnScreen(f"{type(place).__name__} is not on the screen of {user}")


def spots(place: Place) -> Iterator[Spot]:
    for block in place.blocks:
        for element in elements_of(block):
            if "action_id" in element:
                yield block, element


def find(
    place: Place,
    *,
    action_id: str | None = None,
    block_id: str | None = None,
    value: str | None = None,
    text: str | None = None,
) -> Spot:
    """The one element that fits all that is said: its ids, the value a button carries, the text on it.

    Raises:
        NotOnScreen: when none fits, or more than one; the message lists what is there.
    """
    found = [
        (block, element)
        for block, element in spots(place)
        if action_id in {None, element["action_id"]}
        and block_id in {None, block["block_id"]}
        and value in {None, element.get("value")}
        and (text is None or text == element.get("text", {}).get("text"))
    ]
    if len(found) != 1:
        wanted = {"action_id": action_id, "block_id": block_id, "value": value, "text": text}
        asked = {name: given for name, given in wanted.items() if given is not None}
        raise NotOnScreen(f"{len(found)} elements fit {asked}; on the screen: {_listed(place)}")
    return found[0]


def field(place: Place, name: str) -> Spot:
    """The field called `block_id/action_id`, or by one of the two where that says enough."""
    found = [
        (block, element)
        for block, element in spots(place)
        if element["type"] in SLOTS
        and name in {f"{block['block_id']}/{element['action_id']}", block["block_id"], element["action_id"]}
    ]
    if len(found) != 1:
        raise NotOnScreen(f"{len(found)} fields are called {name!r}; on the screen: {_listed(place)}")
    return found[0]


def _listed(place: Place) -> str:
    return ", ".join(f"{block['block_id']}/{element['action_id']}" for block, element in spots(place)) or "nothing"


def state(slack: Workspace, user: str, place: Place) -> Values:
    """What the menus and fields hold for this person."""
    if isinstance(place, View):
        return place.state
    return values(place.blocks, slack.chosen.get((user, *place.key), {}))
