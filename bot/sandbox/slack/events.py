"""What Slack tells the app unasked: the Events API. Only what the manifest subscribed to is sent, once, and at once."""

from bot.sandbox.slack import payloads, posting
from bot.sandbox.slack.deliver import Reply, send_event
from bot.sandbox.slack.finding import conversation
from bot.sandbox.slack.outcome import Outcome
from bot.sandbox.slack.things import Json
from bot.sandbox.slack.workspace import Workspace


def emit(slack: Workspace, body: Json, *, subscription: str | None = None) -> Reply | None:
    """Deliver an event in its envelope; None when the manifest does not subscribe to it."""
    if (subscription or body["type"]) not in slack.bot_events:
        return None
    return send_event(slack, payloads.event(slack, body))


def verify_url(slack: Workspace) -> bool:
    """The handshake of a new request URL: whether the app answered with the challenge."""
    challenge = slack.new_id("CHALLENGE")
    body = {"token": payloads.VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
    reply = send_event(slack, body)
    return reply.error is None and challenge in reply.body.decode(errors="replace")


def open_home(slack: Workspace, user: str, *, tab: str = "home") -> Outcome:
    """Look at the app's Home tab (or its Messages tab)."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": slack.app_dm(user).id, "tab": tab}
    if tab == "home" and user in slack.homes:
        event["view"] = payloads.view(slack, slack.views[slack.homes[user]])
    reply = emit(slack, event)
    view = slack.views[slack.homes[user]] if user in slack.homes else None
    return Outcome(error=reply.error if reply else None, view=view, seconds=reply.seconds if reply else 0.0)


def invite_bot(slack: Workspace, user: str, channel_id: str) -> Outcome:
    """`/invite` the app into a channel the person is in."""
    channel = conversation(slack, user, channel_id)
    slack.alter_channel(channel_id, members=channel.members | {slack.bot_user_id})
    posting.post(slack, channel_id, user=slack.bot_user_id, text=f"<@{slack.bot_user_id}> was added by <@{user}>.")
    kind = {"channel_type": "G" if channel.private else "C"}
    event = {"type": "member_joined_channel", "user": slack.bot_user_id, "channel": channel_id, "inviter": user, **kind}
    reply = emit(slack, {**event, "team": slack.team_id})
    return Outcome(error=reply.error if reply else None)
